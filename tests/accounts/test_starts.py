"""The address that a person comes back to from a provider (C261, C262, C278)."""

import pytest

from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.secret import Keyring

KEYS = Keyring.of(b"the present secret of this server", [b"the one before it"])
ARRIVE = "https://example.org/_synapse/client/auth/arrive"
START = Start("0123456789abcdef0123456789abcdef", "oidc-works")
URL = START.url(KEYS, ARRIVE)


@pytest.mark.parametrize(
    "asked", [{}, {"is_fresh": True}, {"is_another": True}, {"connects": True}]
)
def test_what_we_made_is_read_again(asked):
    start = Start(START.attempt_id, START.provider_id, **asked)

    assert Start.read(KEYS, ARRIVE, start.url(KEYS, ARRIVE)) == start


def test_it_fits_where_providers_put_it():
    """Its MAC and id are all there is to it: no bearer value, no name, nothing of a person."""
    assert URL.startswith(f"{ARRIVE}?attempt={START.attempt_id}&provider=oidc-works&mac=")
    assert len(URL) < len(ARRIVE) + 160


def test_one_of_a_former_secret_goes_on():
    """A rotation of the secret breaks no sign-in that is on its way."""
    former = Keyring.of(b"the one before it")

    assert Start.read(KEYS, ARRIVE, START.url(former, ARRIVE)) == START


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(URL.replace("attempt=0", "attempt=1"), id="another attempt"),
        pytest.param(URL.replace("oidc-works", "oidc-other"), id="another provider"),
        pytest.param(URL.replace("&mac=", "&fresh=1&mac="), id="fresh"),
        pytest.param(URL.replace("&mac=", "&another=1&mac="), id="another account"),
        pytest.param(URL.replace("&mac=", "&connect=1&mac="), id="to connect"),
        pytest.param(
            Start(START.attempt_id, START.provider_id, is_fresh=True)
            .url(KEYS, ARRIVE)
            .replace("&fresh=1", ""),
            id="not fresh",
        ),
        pytest.param(URL[:-1], id="a short MAC"),
        pytest.param(URL.partition("&mac")[0], id="no MAC"),
        pytest.param(f"{URL}&attempt={'f' * 32}", id="two attempts"),
        pytest.param(f"{URL}&next=x", id="more"),
        pytest.param(f"{URL}#there", id="a fragment"),
        pytest.param(URL.replace("https://example.org", "https://evil.example"), id="another host"),
        pytest.param(URL.replace("/arrive", "/arrive/"), id="another page"),
        pytest.param(f" {URL}", id="white space"),
        pytest.param(URL.replace("mac=", "mac=é"), id="no ASCII"),
        pytest.param("", id="nothing"),
        pytest.param("https://app.example/?loginToken=x", id="an application's"),
        pytest.param(START.url(Keyring.of(b"somebody else's"), ARRIVE), id="somebody else's"),
    ],
)
def test_c278_nobody_else_makes_one(url):
    """Whatever is changed about it, it is an address like any other: Synapse's matter."""
    assert Start.read(KEYS, ARRIVE, url) is None
