"""The numbers of attacks mean something to whoever has only this repository."""

import re
from collections import Counter

import pytest

from support.markdown import ROOT, rows

PAGE = ROOT / "docs" / "reference" / "attacks.md"
ROWS = [row for row in rows(PAGE.read_text("utf-8")) if re.fullmatch(r"C\d{3}", row[0].strip())]
LISTED = [row[0].strip() for row in ROWS]
NUMBER = re.compile(r"(?<![A-Za-z0-9])C(\d{3})(?!\d)|(?<![a-z0-9])c(\d{3})(?=_)")


def mentioned(*folders):
    """Return the numbers that stand in these folders, and where each is first."""
    found = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".py", ".html", ".md", ".sql"} or path == PAGE:
                continue
            for match in NUMBER.finditer(path.read_text("utf-8")):
                found.setdefault(f"C{match[1] or match[2]}", path.relative_to(ROOT))
    return found


IN_TESTS = mentioned("tests")
IN_CODE = mentioned("synapse_nextgen_auth", "templates", "docs", "bench")


def test_every_number_has_one_row():
    """In the order of the numbers."""
    assert len(LISTED) > 200
    assert [number for number, times in Counter(LISTED).items() if times > 1] == []
    assert sorted(LISTED) == LISTED
    assert all(cell.strip() for row in ROWS for cell in row)


def test_whoever_meets_a_number_finds_it_on_the_page():
    missing = {n: str(where) for n, where in (IN_TESTS | IN_CODE).items() if n not in LISTED}

    assert missing == {}


@pytest.mark.parametrize("number", LISTED)
def test_what_the_page_says_is_shown_by_a_test(number):
    """A row without one is a promise that nobody keeps."""
    assert number in IN_TESTS
