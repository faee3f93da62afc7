"""Names of clients, cut to what a place for them can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.names import shortened

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
