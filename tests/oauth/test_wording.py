"""Texts of strangers in our answers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.wording import logged, logged_uri, printable, quoted


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


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0123abcd", "0123abcd"),
        (None, "-"),
        ("", "-"),
        ("two words", r"two\u0020words"),
        ("a\r\nb - INFO - x", r"a\u000d\u000ab\u0020-\u0020INFO\u0020-\u0020x"),
        ("back\\slash", r"back\u005cslash"),
        ("\u202eevil \ud800", r"\u202eevil\u0020\ud800"),
        ("x" * 33, "x" * 32 + "..."),
        ("0123456789abcdef" * 2, "0123456789abcdef" * 2),
    ],
)
def test_what_a_stranger_sent_is_one_short_word_of_a_log_line(text, word):
    """Nobody begins a line of their own, nor another word of this one."""
    assert logged(text) == word


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_becomes_one_word(text):
    """Whatever it is, it is never empty, and never more than printable ASCII without a space."""
    assert re.fullmatch(r"[\x21-\x7E]{1,800}", logged(text))


@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("https://app.example.com/cb", "https://app.example.com/cb"),
        ("https://app.example.com/cb?session=secret#more", "https://app.example.com/cb"),
        ("https://app.example.com/cb#more?x", "https://app.example.com/cb"),
        ("https://user:password@app.example.com/cb", "https://app.example.com/cb"),
        ("com.example.app:/cb?x", "com.example.app:/cb"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("https://app.example.com/\n2026-11-27", r"https://app.example.com/\u000a2026-11-27"),
        ("?", "-"),
        ("nga_" + "x" * 60, "nga_" + "x" * 28 + "..."),
        (None, "-"),
        ("https://app.example.com/" + "x" * 300, "https://app.example.com/" + "x" * 176 + "..."),
    ],
)
def test_a_redirect_uri_is_logged_without_what_may_be_a_secret(uri, word):
    """Some applications put a session into the query, and anybody may put anything there."""
    assert logged_uri(uri) == word
