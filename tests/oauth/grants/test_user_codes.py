"""User codes: what people read on one screen and type on another."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.grants import user_codes
from synapse_nextgen_auth.oauth.grants.user_codes import ALPHABET, LENGTH


@pytest.mark.parametrize(
    "typed",
    [
        *("WDJBMJHTK", "WDJ-BMJ-HTK", "wdj-bmj-htk", " wdj bmj htk ", "W D J B M J H T K"),
        *("wdj\u2013bmj\u2013htk", "wdjb-mjhtk", "wdjbmj-htk", "wdj.bmj.htk", "wdj_bmj_htk"),
        *("--WDJ--BMJ--HTK--", "wdj\u00a0bmj\u00a0htk", "WDJ\tBMJ\tHTK\n"),
    ],
)
def test_c146_a_code_is_read_as_people_type_it(typed):
    """Without regard to case, dashes and spaces."""
    assert user_codes.read(typed) == "WDJBMJHTK"


@pytest.mark.parametrize(
    "typed",
    [
        *("", "-", "WDJBMJH", "WDJBMJHTKK", "WDJ-BMJ-HT1", "WDJ-AMJ-HTK", "WDJ/BMJ/HTK"),
        *("WDJ+BMJ+HTK", "WDJBMJHK\u0422", "WDJBMJHT\0", "W" * 100_000, "W-" * 21, "<b>WDJBMJ"),
        *("\ud800" * 9, "WDJB-MJH1"),
    ],
)
def test_anything_else_is_no_code(typed):
    """Vowels, digits, look-alikes of other scripts, too few, too many."""
    assert user_codes.read(typed) is None


@given(st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH))
def test_what_is_shown_is_what_is_read(code):
    """In three groups of three."""
    shown = user_codes.show(code)

    assert user_codes.read(shown) == code
    assert shown == f"{code[:3]}-{code[3:6]}-{code[6:]}"


@pytest.mark.parametrize("typed", ["WDJBMJHT", "WDJB-MJHT", "wdjb mjht", "WDJ-BMJ-HT"])
def test_a_code_of_the_version_before_is_read_and_shown_as_its_device_does(typed):
    """Eight letters in two groups of four: devices show some while a server is upgraded."""
    assert user_codes.read(typed) == "WDJBMJHT"
    assert user_codes.show("WDJBMJHT") == "WDJB-MJHT"


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_is_answered(typed):
    """With a code or nothing."""
    read = user_codes.read(typed)

    assert read is None or (len(read) in {8, LENGTH} and set(read) <= set(ALPHABET))


def test_c146_a_code_is_hard_to_guess_and_easy_to_read():
    """38 bits; no vowels, so no words, and nothing that looks like something else."""
    assert LENGTH * math.log2(len(set(ALPHABET))) > 38
    assert not set(ALPHABET) & set("AEIOUY0123456789")
