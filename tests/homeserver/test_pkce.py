"""PKCE over HTTP: no code without a challenge, no token without its verifier (RFC 7636)."""

import base64
import hashlib

import pytest
import requests

from support.answers import assert_offered, assert_refused
from support.oauth import Browser, pkce
from support.rows import unchanged

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]


def challenge_of(verifier):
    """Return the S256 challenge of any text."""
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


@pytest.fixture
def code(homeserver, server):
    """Return a client, a fresh code of its, and the verifier."""
    client = server.client()
    user = homeserver.new_user()
    parameters, verifier = client.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    return client, code, verifier


@pytest.mark.parametrize("method", [None, "", "plain", "s256", "S512", "S256 plain", "none"])
def test_c061_only_s256_counts(homeserver, server, method):
    """No method means `plain`, which shows the verifier to whoever sees the request."""
    parameters, _verifier = server.client().request(code_challenge_method=method)
    with unchanged(homeserver):
        answer = requests.get(
            server.url("authorize"), params=parameters, allow_redirects=False, timeout=60
        )

    assert_offered(answer, parameters, "invalid_request")


GOOD = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    "challenge",
    [
        None,
        "",
        GOOD[:-1],
        GOOD + "A",
        GOOD[:-1] + "=",
        GOOD + "=",
        GOOD[:-1] + "+",
        GOOD[:-1] + "/",
        GOOD[:-1] + "\n",
        GOOD + "\n",
        " " + GOOD,
        GOOD[:-1] + "\u00e9",
        "E" * 2000,
    ],
)
def test_c062_a_challenge_is_43_characters_of_base64url(homeserver, server, challenge):
    parameters, _verifier = server.client().request(code_challenge=challenge)
    with unchanged(homeserver):
        answer = requests.get(
            server.url("authorize"), params=parameters, allow_redirects=False, timeout=60
        )

    assert_offered(answer, parameters, "invalid_request")


def test_c063_no_token_without_the_verifier(homeserver, code):
    """Whoever stole a code has nothing; its owner still has it."""
    client, value, verifier = code
    with unchanged(homeserver):
        for missing in (None, ""):
            answer = client.redeem(value, missing)
            assert_refused(answer, "invalid_grant", "invalid_request")

    assert client.redeem(value, verifier).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        "w" * 43,
        "w" * 42,
        "w" * 129,
        "w" * 100_00,
        "w" * 42 + "+",
        "w" * 42 + "/",
        "w" * 42 + "=",
        "w" * 42 + " ",
        "w" * 42 + "\n",
        "w" * 42 + "\u00e9",
        "w" * 42 + "\U0001f600",
    ],
    ids=lambda text: f"{len(text)}-{text[-1].encode('unicode_escape').decode()}",
)
def test_c065_a_wrong_verifier_is_refused(homeserver, code, wrong):
    """Characters that a comparison could stumble over, too."""
    client, value, verifier = code
    with unchanged(homeserver):
        assert_refused(client.redeem(value, wrong), "invalid_grant", "invalid_request")

    assert client.redeem(value, verifier).status_code == 200


@pytest.mark.parametrize("addition", ["\n", " ", "=", "A"])
def test_c065_nothing_is_trimmed_off_the_right_one(homeserver, code, addition):
    client, value, verifier = code
    with unchanged(homeserver):
        assert_refused(client.redeem(value, verifier + addition), "invalid_grant")
        assert_refused(client.redeem(value, challenge_of(verifier)), "invalid_grant")


def test_c066_the_sample_of_the_specification_is_too_short(homeserver, server):
    """MSC2964 and the Client-Server API print a verifier of 32 characters; RFC 7636 wants 43."""
    sample = "jUfwGiDDlBjCsf9Js9dKGuLQaskqOZqd"[:32]
    client = server.client()
    user = homeserver.new_user()
    parameters, _verifier = client.request(code_challenge=challenge_of(sample))
    value = Browser(server).let_in(parameters, user.localpart, user.password)["code"]

    assert_refused(client.redeem(value, sample), "invalid_grant", "invalid_request")


def test_c067_challenges_cannot_be_swapped(homeserver, server):
    """Two codes of the same client and account: each wants its own verifier."""
    client = server.client()
    user = homeserver.new_user()
    browser = Browser.of(server, user)
    codes = []
    for _ in range(2):
        parameters, verifier = client.request()
        browser.authorize(parameters)
        codes.append((browser.answer(browser.submit(decision="approve"))["code"], verifier))
    (one, proof_of_one), (two, proof_of_two) = codes

    assert_refused(client.redeem(one, proof_of_two), "invalid_grant")
    assert_refused(client.redeem(two, proof_of_one), "invalid_grant")
    assert_refused(client.redeem(two, pkce()[0]), "invalid_grant")
    assert client.redeem(one, proof_of_one).status_code == 200
    assert client.redeem(two, proof_of_two).status_code == 200
