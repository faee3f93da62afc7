"""Signing keys by the calendar: published ahead, used with an overlap, retired at last."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from support.records import NOW
from synapse_nextgen_auth.oauth.tokens import id_token, keys
from synapse_nextgen_auth.oauth.tokens.keys import DAY, Algorithm, Schedule, SigningKey

RS256, ES256 = Algorithm
SCHEDULE = Schedule()
PEMS = {algorithm: keys.generate(algorithm) for algorithm in Algorithm}


def a_key(day, algorithm=RS256):
    """Return a key that is used from this day on."""
    return SigningKey(f"{algorithm.value}{day}", algorithm, "sealed", "{}", NOW, NOW + day * DAY)


def names(chosen):
    """Return the days of keys."""
    return [key.kid for key in chosen]


def test_c138_keys_are_strong_enough():
    """RSA of 2048 bits, and P-256."""
    keypair = {a: load_pem_private_key(pem, password=None) for a, pem in PEMS.items()}

    assert isinstance(keypair[RS256], rsa.RSAPrivateKey)
    assert keypair[RS256].key_size == 2048
    assert keypair[RS256].public_key().public_numbers().e == 65537
    assert isinstance(keypair[ES256].curve, ec.SECP256R1)
    assert keys.generate(ES256) != PEMS[ES256]


@pytest.mark.parametrize(
    ("algorithm", "members"),
    [
        (RS256, {"kty", "n", "e", "kid", "use", "alg"}),
        (ES256, {"kty", "crv", "x", "y", "kid", "use", "alg"}),
    ],
)
def test_only_the_public_half_is_published(algorithm, members):
    """And it verifies what the private half signs (RFC 7517)."""
    jwk = json.loads(keys.public_jwk(PEMS[algorithm], kid="k1", algorithm=algorithm))
    signed = jwt.encode({"a": 1}, PEMS[algorithm], algorithm=algorithm.value)

    assert set(jwk) == members
    assert (jwk["kid"], jwk["use"], jwk["alg"]) == ("k1", "sig", algorithm.value)
    assert jwt.decode(signed, jwt.PyJWK(jwk), algorithms=[algorithm.value]) == {"a": 1}


@pytest.mark.parametrize(
    ("starts", "now", "used"),
    [
        ([], 0, None),
        ([0], 0, 0),
        ([0], 400, 0),
        ([1], 0, None),
        ([0, 90], 89, 0),
        ([0, 90], 90, 90),
        ([90, 0], 95, 90),
        ([0, 90, 180], 179, 90),
    ],
)
def test_the_newest_key_whose_time_has_come_signs(starts, now, used):
    """In whatever order they come, and never one of another algorithm."""
    present = [*map(a_key, starts), a_key(0, ES256), a_key(5, ES256)]

    key = keys.current(present, RS256, now=NOW + now * DAY)

    assert key == (None if used is None else a_key(used))


@pytest.mark.parametrize(
    ("starts", "now", "needed"),
    [
        pytest.param([], 0, 0, id="at-once-when-there-is-none"),
        pytest.param([0], 0, None, id="fresh"),
        pytest.param([0], 87, None, id="not-yet"),
        pytest.param([0], 88, 90, id="published-two-days-ahead"),
        pytest.param([0, 90], 88, None, id="done-already"),
        pytest.param([0, 90], 178, 180, id="the-one-after"),
        pytest.param([0], 89, 91, id="a-day-late"),
        pytest.param([0], 300, 302, id="after-a-long-sleep-still-ahead"),
        pytest.param([0, 402], 88, 90, id="c379-one-from-the-future-stops-nothing"),
        pytest.param([402], 0, 0, id="c379-only-one-from-the-future"),
        pytest.param([0, 90, 402], 88, None, id="c379-done-already-beside-it"),
    ],
)
def test_c138_a_successor_is_published_before_it_is_used(starts, now, needed):
    """So that whoever caches our keys has it in time."""
    start = keys.next_needed(
        [*map(a_key, starts), a_key(80, ES256)], RS256, now=NOW + now * DAY, schedule=SCHEDULE
    )

    assert start == (None if needed is None else NOW + needed * DAY)


@pytest.mark.parametrize(
    ("starts", "now", "gone"),
    [
        ([0], 1000, []),
        ([0, 90], 91, []),
        ([0, 90], 92, [0]),
        ([0, 90, 180], 181, [0]),
        ([0, 90, 180], 182, [0, 90]),
        ([0, 200], 199, []),
    ],
)
def test_c138_a_key_goes_two_days_after_its_successor_took_over(starts, now, gone):
    """Never the one in use, and never because of another algorithm."""
    present = [*map(a_key, starts), a_key(0, ES256)]

    retired = keys.retired(present, now=NOW + now * DAY, schedule=SCHEDULE)

    assert retired == names(map(a_key, gone))


def test_c138_a_key_stays_longer_than_what_it_signed():
    """An ID token lives an hour."""
    assert SCHEDULE.keep_after > id_token.LIFETIME


@given(st.lists(st.integers(-400, 400), unique=True), st.integers(-400, 800))
def test_the_key_in_use_is_never_retired(starts, now):
    """Whatever the calendar looks like."""
    present = list(map(a_key, starts))
    at = NOW + now * DAY

    used = keys.current(present, RS256, now=at)
    retired = keys.retired(present, now=at, schedule=SCHEDULE)

    assert used is None or used.kid not in retired
    assert all(key.kid not in retired for key in present if key.active_from > at)
