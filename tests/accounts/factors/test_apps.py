"""Authenticator apps: the codes of RFC 6238, the window, and what is kept of a secret."""

import json
from base64 import b32encode
from urllib.parse import parse_qs, unquote, urlsplit

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyotp import TOTP

from support.records import ALICE, BOB, NOW
from synapse_nextgen_auth.accounts.factors.apps import (
    LONGEST_NAME,
    STEP,
    UNCONFIRMED_FOR,
    App,
    draw,
    furthest,
    in_groups,
    is_unused,
    matching_step,
    name_of,
    uri,
)
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret

KEYS = Keyring.of(b"a secret of the tests, long enough")
NEWER = Keyring.of(b"another secret of the tests, as long", [b"a secret of the tests, long enough"])
FOREIGN = Keyring.of(b"a secret of nobody's, and long enough")
# RFC 6238 appendix B, the last six of its eight digits: the same number, modulo 10^6.
RFC = Secret(b32encode(b"12345678901234567890").decode())
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
SECRET = Secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")


def an_app(**fields):
    made = App.of(KEYS, SECRET, app_id="app", user_id=ALICE, name="Phone", now=NOW)
    return attrs.evolve(made, **fields)


@pytest.mark.parametrize(("now", "code"), VECTORS)
def test_the_codes_are_those_of_rfc_6238(now, code):
    """Appendix B, with SHA-1."""
    assert matching_step(RFC, code, now=now) == now // STEP


@pytest.mark.parametrize("late", [0, 29, 30, 59])
def test_c290_a_code_is_good_for_a_step_before_and_after_its_own(late):
    """A phone may be slow, or its owner; and it may be fast."""
    begins = NOW // STEP * STEP
    code = TOTP(SECRET.reveal()).at(begins)

    assert matching_step(SECRET, code, now=begins + late) == begins // STEP
    assert matching_step(SECRET, code, now=begins - 1) == begins // STEP
    assert matching_step(SECRET, code, now=begins - 30) == begins // STEP


@pytest.mark.parametrize("late", [60, 61, 90, 3600, -31, -60, -86400])
def test_c290_older_codes_and_those_of_the_future_are_none(late):
    begins = NOW // STEP * STEP
    code = TOTP(SECRET.reveal()).at(begins)

    assert matching_step(SECRET, code, now=begins + late) is None


@given(st.integers(0, 2**40), st.binary(min_size=20, max_size=20), st.integers(-3, 3))
def test_c290_exactly_three_steps_fit(now, secret, off):
    """Whatever secret and time; what else fits by chance is among the three as well."""
    drawn, step = Secret(b32encode(secret).decode()), now // STEP + off
    if step < 0:
        return
    found = matching_step(drawn, TOTP(drawn.reveal()).generate_otp(step), now=now)

    assert (found is not None) >= (abs(off) <= 1)
    assert found is None or abs(found - now // STEP) <= 1
    assert found is None or abs(off) > 1 or found >= step


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1",
        "12345",
        "1234567",
        "abcdef",
        "\uff11" * 6,
        "\0" * 6,
        "é" * 6,
    ],
)
def test_what_is_no_code_fits_nothing(typed):
    assert matching_step(SECRET, typed, now=NOW) is None


def test_c289_a_step_counts_once_and_none_before_it():
    """One that a clock wrote that ran ahead keeps nobody out (C379)."""
    step = NOW // STEP

    assert is_unused(step, None, now=NOW)
    assert is_unused(step, step - 1, now=NOW)
    assert not is_unused(step, step, now=NOW)
    assert not is_unused(step - 1, step, now=NOW)
    assert not is_unused(step, furthest(NOW), now=NOW)
    assert is_unused(step, furthest(NOW) + 1, now=NOW)


@given(st.integers(0, 2**40), st.integers(-60, 60))
def test_c289_no_process_takes_a_step_that_another_takes_for_one_of_the_future(now, apart):
    """Their clocks differ by as much as they may: what one took is used for the other."""
    taken = now // STEP + 1

    assert taken <= furthest(max(0, now + apart))


def test_secrets_are_160_bits_that_apps_can_read():
    drawn = {draw().reveal() for _ in range(50)}

    assert len(drawn) == 50
    assert {len(each) for each in drawn} == {32}
    assert set("".join(drawn)) == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_what_is_kept_is_sealed():
    """And a newer secret of the server seals it anew."""
    app = an_app()
    newer = attrs.evolve(app, secret=app.resealed(NEWER))

    assert SECRET.reveal() not in str(attrs.asdict(app))
    assert app.secret not in repr(app)
    assert app.opened(KEYS) == app.opened(NEWER) == newer.opened(NEWER) == SECRET
    assert app.resealed(KEYS) == app.secret
    assert newer.opened(KEYS) is None
    assert app.opened(FOREIGN) is None
    assert app.resealed(FOREIGN) == app.secret


@pytest.mark.parametrize("of", [{"user_id": BOB}, {"app_id": "other"}])
def test_a_row_that_somebody_copied_opens_nothing(of):
    """To another account, or beside itself; and one that is sealed for something else neither."""
    assert an_app(**of).opened(KEYS) is None
    sealed = KEYS.seal(Purpose.CODE_ADDRESS, json.dumps(["app", ALICE, SECRET.reveal()]).encode())
    assert an_app(secret=sealed).opened(KEYS) is None


def test_c294_a_secret_waits_a_quarter_of_an_hour_for_its_code():
    assert an_app().awaits_code(NOW)
    assert an_app().awaits_code(NOW + UNCONFIRMED_FOR - 1)
    assert not an_app().awaits_code(NOW + UNCONFIRMED_FOR)
    assert not an_app(made_at=NOW + 86400).awaits_code(NOW)
    assert not an_app(confirmed_at=NOW).awaits_code(NOW)


def test_the_picture_says_whose_it_is():
    said = urlsplit(uri(SECRET, server_name="example.org:8448", user_id="@a+b/c:example.org:8448"))
    parameters = parse_qs(said.query, strict_parsing=True)

    assert (said.scheme, said.netloc) == ("otpauth", "totp")
    assert said.path.count(":") == 1
    assert unquote(said.path) == "/example.org:8448:@a+b/c:example.org:8448"
    assert parameters == {"secret": [SECRET.reveal()], "issuer": ["example.org:8448"]}
    assert "+" not in said.query


def test_the_secret_is_typed_in_groups():
    assert in_groups(SECRET) == "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (" My  phone\r\n", "My phone"),
        ("", ""),
        ("\u202egnirts", "gnirts"),
        ("<b>&", "<b>&"),
        ("x" * LONGEST_NAME, "x" * LONGEST_NAME),
        ("x" * (LONGEST_NAME + 1), None),
    ],
)
def test_a_name_is_one_line(typed, name):
    assert name_of(typed) == name
