"""Telling people from programs: work and waits of one attempt, and what services say."""

import hashlib
import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.captcha_kinds import CaptchaKind
from synapse_nextgen_auth.accounts.captchas import (
    LIFETIME,
    PUZZLES,
    Verdict,
    issue,
    judge,
    read,
)
from synapse_nextgen_auth.secret import Keyring

KEYS = Keyring.of(b"a" * 32)
NOW = 1_700_000_000
ATTEMPT = "atmpt" * 5
CHALLENGE = issue(KEYS, ATTEMPT, salt="s" * 22, work=8, now=NOW)


def solved(challenge):
    """Work, as a browser does."""

    def fits(place, number):
        text = f"{challenge.seed}.{place}.{number}".encode()
        assert len(text) <= 55  # one block
        bits = f"{int.from_bytes(hashlib.sha256(text).digest(), 'big'):0256b}"
        return bits.startswith("0" * challenge.zeros)

    numbers = (
        next(number for number in itertools.count() if fits(place, number))
        for place in range(PUZZLES)
    )
    return ",".join(map(str, numbers))


SOLUTION = solved(CHALLENGE)


def test_work_is_done_once_for_one_attempt():
    assert read(KEYS, ATTEMPT, CHALLENGE.written) == CHALLENGE
    assert CHALLENGE.is_solved(SOLUTION)


@pytest.mark.parametrize("field", ["issued_at", "work", "salt", "proof"])
def test_nobody_makes_a_challenge_of_their_own(field):
    """An easier one, an older one, one of another attempt."""
    changed = attrs.evolve(CHALLENGE, **{field: {"work": 1, "issued_at": 1}.get(field, "t" * 43)})

    assert read(KEYS, ATTEMPT, changed.written) is None


def test_a_challenge_is_of_one_attempt():
    """Whoever solves one has nothing for another sign-up."""
    other = issue(KEYS, "another", salt="s" * 22, work=8, now=NOW)

    assert read(KEYS, "another", CHALLENGE.written) is None
    assert not other.is_solved(SOLUTION)


def test_a_rotation_of_the_secret_takes_nobodys_work():
    assert read(Keyring.of(b"b" * 32, [b"a" * 32]), ATTEMPT, CHALLENGE.written) == CHALLENGE


@given(st.text(max_size=200))
def test_whatever_is_sent_is_no_challenge_and_no_solution(text):
    assert read(KEYS, ATTEMPT, text) is None
    assert not CHALLENGE.is_solved(text)


@pytest.mark.parametrize(
    "solution",
    [
        "",
        ",".join(["0"] * PUZZLES),
        SOLUTION.rpartition(",")[0],
        f"{SOLUTION},0",
        SOLUTION.replace(",", ", "),
        SOLUTION + "0" * 5000,
        ",".join(["٣"] * PUZZLES),
    ],
)
def test_half_a_solution_is_none(solution):
    assert not CHALLENGE.is_solved(solution)


@pytest.mark.parametrize(
    ("after", "expired", "left"),
    [
        *((-61, True, 81), (-60, False, 80), (0, False, 20), (19, False, 1), (20, False, 0)),
        *((LIFETIME - 1, False, 0), (LIFETIME, True, 0)),
    ],
)
def test_the_server_knows_how_long_somebody_waited(after, expired, left):
    assert CHALLENGE.has_expired(NOW + after) == expired
    assert CHALLENGE.waits(NOW + after, wait=20) == left


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({"success": True, "hostname": "matrix.example.com"}, Verdict(True)),
        ({"success": True, "hostname": "MATRIX.example.com"}, Verdict(True)),
        (
            {"success": True, "hostname": "evil.example"},
            Verdict(False, "it was solved on evil.example"),
        ),
        ({"success": True}, Verdict(False, "it was solved on None")),
        ({"success": True, "hostname": ["x"]}, Verdict(False, "it was solved on ['x']")),
        ({"success": 1, "hostname": "matrix.example.com"}, Verdict(False)),
        ({"success": "true", "hostname": "matrix.example.com"}, Verdict(False)),
        ({}, Verdict(False)),
        ({"success": False, "error-codes": ["timeout-or-duplicate"]}, Verdict(False)),
        (
            {"success": False, "error-codes": ["invalid-input-secret"]},
            Verdict(False, "invalid-input-secret"),
        ),
        ({"success": False, "error-codes": "invalid-input-secret"}, Verdict(False)),
    ],
)
def test_a_service_must_say_yes_about_a_page_of_ours(said, verdict):
    """Solved elsewhere by people who think to sign up there, it counts for nobody here."""
    assert judge(said, host="matrix.example.com") == verdict


def test_only_work_needs_nobody_else():
    assert [kind for kind in CaptchaKind if kind.service is None] == [CaptchaKind.PROOF_OF_WORK]
