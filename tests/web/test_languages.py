"""Which languages a reader wants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.incoming import incoming
from synapse_nextgen_auth.oauth import languages as tags
from synapse_nextgen_auth.web.languages import wanted


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("fr", ("fr",)),
        ("fr, de", ("fr", "de")),
        ("de;q=0.5,fr", ("fr", "de")),
        ("de;q=0.5,fr;q=0.9,en;q=0.8", ("fr", "en", "de")),
        ("de; q=0.5, fr ;q=0.9 , en ; q=0.8", ("fr", "en", "de")),
        ("de;Q=0.5,fr", ("fr", "de")),
        ("en;q=0,fr", ("fr",)),
        ("en;q=0.000,fr", ("fr",)),
        ("de;q=1.000,fr;q=1", ("de", "fr")),
        ("en-GB,en;q=0.9,*;q=0.1", ("en-GB", "en")),
        ("", ()),
        (",,;q=1,", ()),
        ("fr;q=2,de", ("de",)),
        ("fr;q=1.5,de", ("de",)),
        ("fr;q=,de", ("de",)),
        ("fr;q=-1,de", ("de",)),
        ("<script>, de", ("de",)),
        ("fr\u00e9, de", ()),
    ],
)
def test_the_browsers_languages_by_weight(header, languages):
    """RFC 9110 section 12.5.4; nonsense is skipped."""
    assert wanted(incoming(("Accept-Language", header))) == languages


def test_what_the_client_asks_for_comes_first():
    """OpenID Connect Core: `ui_locales` is in order of preference."""
    asked = wanted(incoming(("Accept-Language", "de")), "fr-CA fr")

    assert asked == ("fr-CA", "fr", "de")


@pytest.mark.parametrize(
    "ui_locales",
    ["../../etc/passwd", "x" * 10_000, "a " * 10_000, "tlh", "\u202e", "<svg onload=x>", " ", "\n"],
)
def test_c030_nonsense_finds_no_language(ui_locales):
    """The default is shown, whatever was asked for."""
    asked = wanted(incoming(), ui_locales)

    assert len(asked) <= 20
    assert tags.lookup(["en", "fr"], asked) is None


def test_c030_nonsense_hides_no_wish_of_the_browser():
    """A known language behind an unknown one is found."""
    asked = wanted(incoming(("Accept-Language", "fr")), "../../etc/passwd tlh")

    assert tags.lookup(["en", "fr"], asked) == "fr"


@given(st.text(st.characters(codec="ascii")), st.none() | st.text())
def test_any_wish_is_answered(header, ui_locales):
    """With a short list."""
    asked = wanted(incoming(("Accept-Language", header)), ui_locales)

    assert len(asked) <= 20
    assert all(asked)
