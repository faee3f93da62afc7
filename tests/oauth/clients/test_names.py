"""Names of clients, cut to what a place for them can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.clients.names import refuse, shortened

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1e9\U0001f1ea"


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Element", 7, "Element"),
        ("Element", 6, "Eleme…"),
        ("My client", 4, "My…"),  # no space before the ellipsis
        ("ab" + "e\u0301" + "f", 4, "ab…"),  # not an e without its accent
        ("a" + FAMILY + "b", 6, "a…"),
        ("a" + FAMILY + "b", 7, "a" + FAMILY + "b"),
        ("a" + FAMILY + "bc", 7, "a" + FAMILY + "…"),
        ("a" + FLAG + FLAG + "bc", 5, "a" + FLAG + "…"),
        ("a" + FLAG + FLAG + "bc", 6, "a" + FLAG + FLAG + "…"),
        ("\U0001f44d\U0001f3fd" * 2, 3, "\U0001f44d\U0001f3fd…"),  # a thumb keeps its colour
        ("\u2764\ufe0f\u2764\ufe0f", 3, "\u2764\ufe0f…"),
        ("\u0301" * 9, 4, "\u0301" * 3 + "…"),
    ],
)
def test_a_name_is_cut_between_characters(text, limit, short):
    """What a reader takes for one character is there whole, or not at all."""
    assert shortened(text, limit) == short


@given(st.text(), st.integers(2, 40))
def test_a_name_fits_whatever_it_is(text, limit):
    """It is the beginning of the name; a short one is itself."""
    short = shortened(text, limit)

    assert len(short) <= limit
    assert short == text if len(text) <= limit else text.startswith(short[:-1])


ISSUED = [
    *(0x200B, 0x200E, 0x200F, 0x061C, 0xFEFF, 0x00AD, 0x3164, 0x2800),
    *range(0x2060, 0x2065),
    *(0xE0000, 0xE0001, 0xE0020, 0xE0041, 0xE007E, 0xE007F),
]
ALSO = [0x034F, 0x115F, 0x1160, 0x180E, 0x2065, 0x206A, 0x206F, 0xFFA0, 0xFFF9, 0x1D173, 0xE0080]


@pytest.mark.parametrize("point", [*ISSUED, *ALSO], ids=hex)
@pytest.mark.parametrize("place", ["Ele{}ment", "{}Element", "Element{}", "{}"])
def test_an_invisible_character_hides_nowhere_in_a_name(point, place):
    """Two names that look the same are the same."""
    assert f"U+{point:04X}" in refuse(place.format(chr(point)))


@pytest.mark.parametrize(
    "name",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with its non-joiner
        "\u0915\u094d\u200d\u0937",  # Devanagari, a joiner behind the virama
        FAMILY,
        "\u2764\ufe0f\u200d\U0001f525",  # a heart on fire
        "\U0001f3f3\ufe0f\u200d\U0001f308 Rainbow",
        "\u845b\U000e0100",  # a variant of a character that Japanese names have
        "Element",
        "\u05d0\u05d1",
        "Caf\u00e9\u0301",
    ],
)
def test_what_languages_and_emoji_need_is_no_hiding(name):
    """Joiners between two visible characters, selectors behind one."""
    assert refuse(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("\u200cElement", "Element\u200d", "My \u200cclient", "My\u200d client", "\u200c"),
        *("Ele\u200c\u200cment", "Ele\u200d\u200cment", "\ufe0fElement", "Element\ufe0f\ufe0f"),
        *("My \ufe0fclient", "Ele\u200c\ufe0fment"),
    ],
)
def test_a_joiner_that_joins_nothing_is_refused(name):
    """At an end, beside a space, or beside another one it shows nothing."""
    assert "must stand between two visible characters" in refuse(name)


@pytest.mark.parametrize("name", ["a\nb", "a\x1bb", "a\u202eb", "a\u2066b", "a\u2028b", "a\x7fb"])
def test_a_name_is_one_line(name):
    """It stands on the consent page, where it must not look like our words."""
    assert "one line" in refuse(name)
