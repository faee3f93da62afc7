"""Readers of the documentation get where its links and file names point."""

import re

import pytest

from support.markdown import DOCS, ROOT, anchors, code, links, name, pages

_PAGES = pytest.mark.parametrize("page", pages(), ids=name)
_FILE = re.compile(r"[\w./-]+/[\w.-]+\.(?:py|sql|html|md|toml|js|css)")


def _resolve(page, link):
    """Return the page or file that a relative link leads to, and its fragment."""
    path, _, fragment = link.partition("#")
    return ((page.parent / path).resolve() if path else page), fragment


def _relative(page):
    return [link for link in links(page) if not re.match(r"[a-z]+:", link)]


@_PAGES
def test_every_relative_link_leads_somewhere(page):
    """The file is there, and so is the heading that the fragment names."""
    broken = []
    for link in _relative(page):
        target, fragment = _resolve(page, link)
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_is_reached_from_the_table_of_contents():
    """No page of docs/ is an orphan."""
    start = DOCS / "README.md"
    reached, waiting = set(), [start]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        found = {_resolve(page, link)[0] for link in _relative(page)}
        waiting += [one for one in found - reached if one.suffix == ".md" and one.exists()]

    assert [name(page) for page in sorted(DOCS.rglob("*.md")) if page not in reached] == []


@_PAGES
def test_every_file_that_is_named_exists(page):
    """A path in backticks is one of the checkout, the package or Synapse."""
    roots = (ROOT, ROOT / "synapse_nextgen_auth")
    missing = [
        text
        for text in code(page)
        if _FILE.fullmatch(text)
        and not text.startswith(("/", "synapse/"))
        and "NNNN" not in text
        and not any((root / text).exists() for root in roots)
    ]

    assert missing == []
