"""User codes: what people read on one screen and type on another."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth import user_codes
from synapse_nextgen_auth.oauth.user_codes import ALPHABET, LENGTH


@pytest.mark.parametrize(
    "typed",
    [
        *("WDJBMJHT", "WDJB-MJHT", "wdjb-mjht", " wdjb mjht ", "W D J B M J H T", "wdjb\u2013mjht"),
        *("wdjb.mjht", "wdjb_mjht", "--WDJB--MJHT--", "wdjb\u00a0mjht", "WDJB\tMJHT\n"),
    ],
)
def test_c146_a_code_is_read_as_people_type_it(typed):
    """Without regard to case, dashes and spaces."""
    assert user_codes.read(typed) == "WDJBMJHT"


@pytest.mark.parametrize(
    "typed",
    [
        *("", "-", "WDJBMJH", "WDJBMJHTT", "WDJB-MJH1", "WDJA-MJHT", "WDJB/MJHT", "WDJB+MJHT"),
        *("WDJBMJH\u0422", "WDJBMJH\0", "W" * 100_000, "W-" * 21, "<b>WDJBM", "\ud800" * 8),
    ],
)
def test_anything_else_is_no_code(typed):
    """Vowels, digits, look-alikes of other scripts, too few, too many."""
    assert user_codes.read(typed) is None


@given(st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH))
def test_what_is_shown_is_what_is_read(code):
    """In two groups of four."""
    shown = user_codes.show(code)

    assert user_codes.read(shown) == code
    assert shown == f"{code[:4]}-{code[4:]}"


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_is_answered(typed):
    """With a code or nothing."""
    read = user_codes.read(typed)

    assert read is None or (len(read) == LENGTH and set(read) <= set(ALPHABET))


def test_c146_a_code_is_hard_to_guess_and_easy_to_read():
    """34 bits; no vowels, so no words, and nothing that looks like something else."""
    assert LENGTH * math.log2(len(set(ALPHABET))) > 34
    assert not set(ALPHABET) & set("AEIOUY0123456789")
