"""Hashes of passwords that are not Synapse's."""

import unicodedata

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.hashes import (
    BCRYPT_DIGEST,
    BCRYPT_LETTERS,
    Costs,
    PasswordHash,
    fits,
    is_argon2,
    is_outdated,
    make,
    prepared,
    stand_in,
)

CHEAP = Costs(memory=8, iterations=1, parallelism=1)


@pytest.mark.parametrize("password", ["", "correct horse", "é", "x" * 512, "\ud800", "🐎" * 128])
def test_a_hash_fits_its_password_and_no_other(password):
    made = make(CHEAP, password, "pepper")

    assert is_argon2(made)
    assert fits(made, password, "pepper")
    assert not fits(made, password + "x", "pepper")
    assert not fits(made, password, "other")
    assert make(CHEAP, password, "pepper") != made


@given(st.text(min_size=1, max_size=80), st.text(max_size=5))
def test_c229_nothing_is_cut_and_every_spelling_is_the_same(password, pepper):
    """NFC, NFD, NFKC: one password."""
    spelled = {
        prepared(unicodedata.normalize(form, password), pepper)
        for form in ("NFC", "NFD", "NFKC", "NFKD")
    }

    assert spelled == {prepared(password, pepper)}
    assert prepared("x" * 600 + password, pepper) != prepared("x" * 600, pepper)


def test_a_stand_in_is_a_hash_that_nothing_fits():
    """Bcrypt itself takes it, and says no."""
    salted = bcrypt.gensalt(4).decode()

    made = stand_in(salted, BCRYPT_LETTERS[:BCRYPT_DIGEST])

    assert not is_argon2(made)
    assert len(made) == len(bcrypt.hashpw(b"x", bcrypt.gensalt(4)))
    assert bcrypt.checkpw(b"anything", made.encode()) is False


@pytest.mark.parametrize(("salted", "letters"), [("$2b$12$", "x" * 31), ("x" * 29, "short")])
def test_anything_else_is_no_stand_in(salted, letters):
    with pytest.raises(ValueError):
        stand_in(salted, letters)


@pytest.mark.parametrize("stored", ["", "nonsense", "$argon2id$", "$2b$12$" + "x" * 53])
def test_what_is_no_hash_fits_nothing(stored):
    assert not fits(stored, "password", "")


def test_other_costs_are_outdated():
    made = make(CHEAP, "password", "")

    assert not is_outdated(made, CHEAP)
    assert is_outdated(made, Costs(memory=16, iterations=1, parallelism=1))
    assert is_outdated(made, Costs(memory=8, iterations=2, parallelism=1))


def test_a_row_does_not_print_its_hash():
    assert "argon2" not in repr(PasswordHash("s", make(CHEAP, "password", ""), 1))
