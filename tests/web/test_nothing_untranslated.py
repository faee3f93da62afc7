"""No word of any page is left out of the catalogues, as a language shows that marks its words."""

import enum
import re

import attrs
import pytest

from support.catalogues import NAME, copied, update_languages, write
from support.pages import BASE, Read
from synapse_nextgen_auth.web.pages.records import PAGES
from synapse_nextgen_auth.web.pages.samples import samples_of
from synapse_nextgen_auth.web.templates import Templates

OPEN, CLOSE = "⟦", "⟧"
SAID = ("aria-label", "alt", "title", "placeholder", "label")

EACH_SAMPLE = [
    pytest.param(sample, id=f"{page.__name__}-{name}")
    for page in PAGES
    for name, sample in samples_of(page).items()
]


def marked(text):
    """Return a translation that shows where it begins and ends."""
    return f"{OPEN}{text}{CLOSE}"


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    """Return the templates with a language in which every message is marked."""
    directory = copied(tmp_path_factory.mktemp("templates"))
    messages = {
        message.id: marked(message.id)
        if isinstance(message.id, str)
        else tuple(map(marked, message.id))
        for message in update_languages.extracted(directory)
        if message.id
    }
    write(directory / "languages" / "sv.po", messages, locale="sv")
    return Templates(BASE, directory=directory)


def values_of(record):
    """Yield every text that a page is given, and what templates make of a name: its first letter."""
    for field in attrs.fields(type(record)):
        for value in _each(getattr(record, field.name)):
            if attrs.has(type(value)):
                yield from values_of(value)
            elif isinstance(value, str) and not isinstance(value, enum.Enum):
                yield from (value, value.rstrip(":"), *(c.upper() for c in value if c.isalnum()))


def _each(value):
    if isinstance(value, tuple):
        for one in value:
            yield from _each(one)
    else:
        yield value


def unmarked(html, page):
    """Return what a person would read that is neither a message nor a value of the page."""
    known = {NAME, *(_spaced(value) for value in values_of(page))}
    depth, found = 0, []
    for path, text in html.texts:
        for piece in re.split(f"([{OPEN}{CLOSE}])", text):
            if piece in {OPEN, CLOSE}:
                depth += 1 if piece == OPEN else -1
            elif depth == 0 and "time" not in path:  # as the CLDR has it
                found.append(_spaced(piece).removeprefix("· "))
    for _tag, has in html.elements:
        found += [
            has[name] for name in SAID if not has.get(name, "").startswith(OPEN) and name in has
        ]
    return [words for words in found if re.search(r"[^\W\d_]", words) and words not in known]


def _spaced(text):
    return " ".join(text.split())


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_every_word_is_translated(templates, page):
    """Texts and the attributes that are read out; what a page is given stays as it is."""
    assert unmarked(Read(templates.render(page, lang="sv")), page) == []


@pytest.mark.parametrize(
    ("html", "words"),
    [
        (f"<p>{OPEN}a <b>b</b>{CLOSE}</p>", []),
        (f"<p>{OPEN}a{CLOSE} and b</p>", ["and b"]),
        ("<p>Alice</p>", []),
        ("<p>alice</p>", ["alice"]),
        ("<p>12 ·</p>", []),
        ('<p aria-label="Alice"></p>', []),
        ('<p aria-label="Details"></p>', ["Details"]),
        (f'<p aria-label="{OPEN}Details{CLOSE}"></p>', []),
        ('<img alt="">', []),
        ("<time>Monday</time>", []),
    ],
)
def test_the_search_finds_what_is_left_out(html, words):
    """It can fail."""

    @attrs.frozen
    class Page:
        name: str = "Alice"

    assert unmarked(Read(html), Page()) == words
