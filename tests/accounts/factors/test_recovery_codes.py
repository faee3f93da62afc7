"""Recovery codes: how they look, how they are read, and what is kept of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import ALICE, BOB, NOW
from synapse_nextgen_auth.accounts.factors.recovery_codes import (
    _ALPHABET,
    MANY,
    RecoveryCode,
    draw,
    read,
    written,
)
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret

KEYS = Keyring.of(b"a secret of the tests, long enough")
NEWER = Keyring.of(b"another secret of the tests, as long", [b"a secret of the tests, long enough"])
CODE = Secret("BQ4T7KHM2X")


def test_there_are_ten_of_fifty_bits():
    """No letter looks like a digit, or another way round."""
    codes = {code.reveal() for code in draw()}

    assert len(codes) == MANY == 10
    assert {len(code) for code in codes} == {10}
    assert len(set(_ALPHABET)) == 32
    assert not set("01OI") & set(_ALPHABET)
    assert set("".join(code.reveal() for _ in range(40) for code in draw())) == set(_ALPHABET)


@pytest.mark.parametrize(
    "typed",
    [
        "BQ4T7-KHM2X",
        "bq4t7-khm2x",
        " BQ4T 7KHM 2X ",
        "BQ4T7\u2011KHM2X",
        "\u200eBQ4T7-KHM2X\u200e",
        "\uff22\uff31\uff14\uff34\uff17\uff0d\uff2b\uff28\uff2d\uff12\uff38",
    ],
)
def test_however_it_is_typed_it_is_the_same_code(typed):
    assert read(typed) == CODE


@pytest.mark.parametrize(
    "typed",
    ["", "BQ4T7", "BQ4T7-KHM2X-A", "BQ4T7-KHM2O", "BQ4T7-KHM21", "x" * 500, "ß" * 10, "\0" * 10],
)
def test_what_is_no_code_is_none(typed):
    assert read(typed) is None


@given(st.text(_ALPHABET, min_size=10, max_size=10))
def test_what_is_written_is_read(letters):
    code = Secret(letters)

    assert read(written(code)) == read(written(code).lower()) == code


def test_only_a_keyed_digest_is_kept():
    """Of the code and the account; a server that lost its secret knows none any more."""
    kept = RecoveryCode.of(KEYS, CODE, user_id=ALICE, now=NOW)
    of_bob = RecoveryCode.of(KEYS, CODE, user_id=BOB, now=NOW)

    assert CODE.reveal() not in repr(kept)
    assert kept.mac not in repr(kept)
    assert kept.mac != of_bob.mac
    assert kept.is_of(KEYS, CODE)
    assert kept.is_of(NEWER, CODE)
    assert not kept.is_of(KEYS, Secret("BQ4T7KHM2Y"))
    assert not RecoveryCode(BOB, kept.mac, NOW).is_of(KEYS, CODE)
    assert not kept.is_of(Keyring.of(b"a secret of nobody's, and long enough"), CODE)
    assert kept.mac != KEYS.mac(Purpose.CODE, b"x").hex()
