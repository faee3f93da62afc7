"""What somebody typed before they had to prove again who they are."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.attempts import typed
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Purpose
from synapse_nextgen_auth.accounts.attempts.onward import Kind, Onward
from synapse_nextgen_auth.secret import Keyring

NOW = 1_800_000_000
KEYS = Keyring.of(b"k" * 32)
HERE = Onward(Kind.ACCOUNT, "account-profile")
THEIRS = {"browser": "b" * 64, "user_id": "@alice:example.org", "goes_on": HERE, "now": NOW}
ATTEMPT = Attempt(
    attempt_id="a" * 32,
    browser=THEIRS["browser"],
    purpose=Purpose.PROVE_AGAIN,
    onward=HERE.kind,
    onward_id=HERE.id,
    created_at=NOW - 60,
    expires_at=NOW + 60,
    user_id=THEIRS["user_id"],
    ended_at=NOW - 1,
).answering(typed.TYPED, typed.seal(KEYS, {"name": "Alice"}))


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        ({}, {}),
        ({"csrf": "1.x", "decision": "save", "account": "@a:b"}, {}),
        ({"name": "Alice", "note": "two\nlines"}, {"name": "Alice", "note": "two\nlines"}),
        ({"address": "a@example.com", "password": "x"}, {"address": "a@example.com"}),
        (dict.fromkeys(("new_password", "passphrase", "code", "user_code", "pin"), "1"), {}),
        (dict.fromkeys(("token", "secret", "recovery_key", "OTP", "Passcode"), "1"), {}),
        ({"note": "x" * 9000}, {}),
    ],
)
def test_c233_nothing_that_lets_anybody_in_is_kept(form, kept):
    """Nor a decision: nothing is done by coming back."""
    assert typed.kept(form) == kept


texts = st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=5)


@given(texts)
def test_what_was_typed_comes_back_as_it_was(form):
    """Sealed in between, in whatever letters."""
    sealed = typed.seal(KEYS, form)
    attempt = ATTEMPT.answering(typed.TYPED, sealed)

    assert typed.coming_back(attempt, KEYS, **THEIRS) == form
    assert not form or str(form) not in sealed


@pytest.mark.parametrize(
    ("attempt", "where"),
    [
        (None, {}),
        (attrs.evolve(ATTEMPT, answers="{}"), {}),
        (attrs.evolve(ATTEMPT, ended_at=None), {}),
        (attrs.evolve(ATTEMPT, expires_at=NOW), {}),
        (attrs.evolve(ATTEMPT, purpose=Purpose.SIGN_IN), {}),
        (ATTEMPT, {"browser": "c" * 64}),
        (ATTEMPT, {"user_id": "@bob:example.org"}),
        (ATTEMPT, {"goes_on": Onward(Kind.ACCOUNT, "account-devices")}),
        (ATTEMPT, {"goes_on": Onward(Kind.APPROVAL, HERE.id)}),
    ],
)
def test_c278_nobody_elses_words_fill_a_form_in(attempt, where):
    """Not those of another browser, account or page, and none before the proof was there."""
    assert typed.coming_back(attempt, KEYS, **THEIRS | where) == {}


def test_a_secret_that_was_changed_loses_it_and_no_more():
    """The form is empty then."""
    assert typed.coming_back(ATTEMPT, Keyring.of(b"o" * 32), **THEIRS) == {}
