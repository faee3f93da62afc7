"""The page about testing, and the selections of tests that tox makes."""

import configparser
import re

from support.markdown import DOCS, ROOT, rows, section

TOX = configparser.ConfigParser(interpolation=None)
TOX.read(ROOT / "tox.ini")
PAGE = DOCS / "development" / "testing.md"
SELECTIONS = {
    name: re.findall(r"\btests/[\w/.]+", TOX[name].get("commands", ""))
    for name in TOX.sections()
    if name.startswith("testenv")
}


def test_what_tox_selects_is_there():
    """A file that was renamed would be an error of one environment only, and that the last to run."""
    missing = [
        path for paths in SELECTIONS.values() for path in paths if not (ROOT / path).exists()
    ]

    assert missing == []
    assert len(SELECTIONS["testenv:quick"]) > 10


def test_quick_has_the_rules_the_flows_and_one_server():
    """What the page says of it: no browser, no worker, no drill, and PostgreSQL for flows only."""
    quick = set(SELECTIONS["testenv:quick"])
    left_out = ("browser", "clients", "drills", "packaging", "setup", "workers")

    assert {"tests/oauth", "tests/flows", "tests/store", "tests/web", "tests/docs"} <= quick
    assert "tests/homeserver/test_sign_in.py" in quick
    assert [path for path in quick if path.split("/")[1] in left_out] == []
    assert "quick" not in TOX["tox"]["env_list"], "the whole run has all of it"
    assert "tox run -e quick" in PAGE.read_text("utf-8")


def test_every_folder_of_tests_is_on_the_page():
    """The table of folders names those that there are."""
    cells = [row[0] for row in rows(section(PAGE, "How the tests are laid out"))]
    listed = [path for cell in cells for path in re.findall(r"`(tests/\w+)`", cell)]
    found = [path for path in (ROOT / "tests").iterdir() if any(path.glob("*.py"))]

    assert sorted(listed) == sorted(f"tests/{path.name}" for path in found)
