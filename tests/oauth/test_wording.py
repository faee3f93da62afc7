"""Texts of strangers in our answers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.wording import printable, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://example.com/", "'https://example.com/'"),
        ('a"b\\c', "'a?b?c'"),
        ("line\nend\x00", "'line?end?'"),
        ("café \ud800", "'caf? ?'"),
        ("", "''"),
        ("x" * 81, "'" + "x" * 77 + "...'"),
    ],
)
def test_a_value_is_shown_short_and_in_the_characters_of_error_description(text, shown):
    """RFC 6749 section 5.2 allows neither quotes nor backslashes nor anything beyond ASCII."""
    assert quoted(text) == shown


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_becomes_printable(text):
    """Whatever a stranger sends can stand in an error_description, and keeps its length."""
    shown = printable(text)

    assert len(shown) == len(text)
    assert re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]*", shown)
