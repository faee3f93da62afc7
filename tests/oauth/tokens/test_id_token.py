"""ID tokens, verified as a client does it."""

import base64
import hashlib
import hmac
import json

import attrs
import jwt
import pytest

from support.records import ALICE, NOW
from synapse_nextgen_auth.oauth.tokens import id_token, keys
from synapse_nextgen_auth.oauth.tokens.id_token import Claims, Hint
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm, SigningKey
from synapse_nextgen_auth.secret import Secret, urlsafe

ISSUER = "https://matrix.example.com/_synapse/client/auth/"
CLAIMS = Claims(
    issuer=ISSUER,
    subject=ALICE,
    audience="app",
    auth_time=NOW - 60,
    nonce="n-0S6_WzA2Mj",
    access_token=Secret("nga_token"),
    amr=("pwd", "otp"),
    acr="urn:example:loa:2",
)


def a_pair(algorithm):
    """Return a key and its private half."""
    pem = keys.generate(algorithm)
    jwk = keys.public_jwk(pem, kid="the kid", algorithm=algorithm)
    return SigningKey("the kid", algorithm, "sealed", jwk, NOW, NOW), keys.load(pem)


PAIRS = {algorithm: a_pair(algorithm) for algorithm in Algorithm}


def sign(claims=CLAIMS, algorithm=Algorithm.RS256):
    """Sign with the key of this algorithm."""
    key, private = PAIRS[algorithm]
    return id_token.sign(claims, key, private, now=NOW)


def verify(text, algorithm=Algorithm.RS256, *, audience="app"):
    """Verify as a client that was given our keys."""
    jwk = jwt.PyJWK(json.loads(PAIRS[algorithm][0].public_jwk))
    # The times of the test lie ahead of the clock's.
    options = {"verify_iat": False, "require": ["iss", "sub", "aud", "exp", "iat"]}
    return jwt.decode(
        text, jwk, algorithms=[algorithm.value], audience=audience, issuer=ISSUER, options=options
    )


@pytest.mark.parametrize("algorithm", Algorithm)
def test_c138_an_id_token_says_who_for_whom_and_when(algorithm):
    """Every claim that is advertised, and no other."""
    text = sign(algorithm=algorithm)
    digest = hashlib.sha256(b"nga_token").digest()

    assert verify(text, algorithm) == {
        "iss": ISSUER,
        "sub": ALICE,
        "aud": "app",
        "iat": NOW,
        "exp": NOW + 3600,
        "auth_time": NOW - 60,
        "amr": ["pwd", "otp"],
        "acr": "urn:example:loa:2",
        "nonce": "n-0S6_WzA2Mj",
        "at_hash": base64.urlsafe_b64encode(digest[:16]).decode().rstrip("="),
    }
    assert jwt.get_unverified_header(text) == {
        "alg": algorithm.value,
        "kid": "the kid",
        "typ": "JWT",
    }


def test_c185_a_token_says_which_sign_in_it_is_from():
    """By a name that says nothing to anybody else."""
    sid = id_token.sid("sign-in", audience="app")

    assert verify(sign(attrs.evolve(CLAIMS, sid=sid)))["sid"] == sid
    assert "sid" not in verify(sign())


def test_what_nobody_knows_is_not_said():
    """How the person proved it, for a session from before that was kept."""
    told = verify(sign(attrs.evolve(CLAIMS, amr=(), acr=None)))

    assert not told.keys() & {"amr", "acr"}


def test_without_a_nonce_there_is_none():
    """As after a refresh (OIDC Core section 12.2)."""
    assert "nonce" not in verify(sign(attrs.evolve(CLAIMS, nonce=None)))


@pytest.mark.parametrize("nonce", ["\u00e9\U0001f600", "a b+c%20", "x" * 2048, "0"])
def test_the_nonce_comes_back_as_it_was(nonce):
    """Character for character."""
    assert verify(sign(attrs.evolve(CLAIMS, nonce=nonce)))["nonce"] == nonce


def test_another_client_or_another_key_does_not_verify():
    """The audience is one client, the signature one key's."""
    with pytest.raises(jwt.InvalidAudienceError):
        verify(sign(), audience="other")
    stranger = keys.generate(Algorithm.RS256)
    forged = id_token.sign(CLAIMS, PAIRS[Algorithm.RS256][0], stranger, now=NOW)
    with pytest.raises(jwt.InvalidSignatureError):
        verify(forged)


def test_the_half_hash_is_that_of_the_specification():
    """OpenID Connect Core, appendix A.3."""
    token = Secret("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")

    assert id_token.half_hash(token) == "77QmUPtjPfzWtF2AnpK9RQ"


def test_the_access_token_does_not_show_in_the_claims():
    """Neither in the record nor in the signed text."""
    body = sign().split(".")[1]

    assert "nga_token" not in repr(CLAIMS)
    assert b"nga_token" not in base64.urlsafe_b64decode(body + "==")


def hint(text, *, published=(PAIRS[Algorithm.RS256][0], PAIRS[Algorithm.ES256][0]), audience="app"):
    """Read an ID token as a hint."""
    return id_token.read_hint(text, published, issuer=ISSUER, audience=audience)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_our_own_token_is_a_hint_however_old(algorithm):
    """OpenID Connect Core section 3.1.2.1: it says who somebody was; the clock is not asked."""
    key, pem = a_pair(algorithm)
    for made_at in (0, NOW, 10 * NOW):
        text = id_token.sign(CLAIMS, key, pem, now=made_at)

        assert hint(text, published=[key]) == Hint(ALICE, is_proven=True, audience="app")


def test_a_hint_is_of_the_sign_in_that_it_came_from():
    """Of no other of the same account; and no client can tell by it what another one has."""
    sid = id_token.sid("sign-in", audience="app")
    found = hint(sign(attrs.evolve(CLAIMS, sid=sid)))

    assert found.is_of("sign-in")
    assert not found.is_of("another")
    assert not hint(sign()).is_of("sign-in")
    assert not attrs.evolve(found, is_proven=False).is_of("sign-in")
    assert not attrs.evolve(found, audience="other").is_of("sign-in")
    assert id_token.sid("sign-in", audience="other") != sid


@pytest.mark.parametrize("sid", [7, None, ["x"]])
def test_a_hint_with_a_strange_sid_is_of_no_sign_in(sid):
    """It still names its account."""
    assert hint(forged(sid=sid)) == Hint(ALICE, is_proven=True, audience="app")


def forged(**changes):
    """Return a token with other claims or headers, signed with the right key."""
    headers = {"kid": "the kid"} | changes.pop("headers", {})
    claims = {"iss": ISSUER, "sub": ALICE, "aud": "app", "iat": NOW, "exp": NOW + 60} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, PAIRS[Algorithm.RS256][1], algorithm="RS256", headers=headers)


def test_a_token_for_several_clients_is_a_hint_for_each():
    """Its `aud` may be a list (OpenID Connect Core section 2)."""
    text = forged(aud=["other", "app"])

    assert hint(text, published=[PAIRS[Algorithm.RS256][0]]) == Hint(
        ALICE, is_proven=True, audience="app"
    )


def test_a_token_whose_key_was_retired_proves_nothing():
    """It still says whom the client means; nobody can check that any more."""
    text = forged(headers={"kid": "retired"})

    assert hint(text) == Hint(ALICE, is_proven=False, audience="app")


PUBLIC = PAIRS[Algorithm.RS256][0].public_jwk
UNSIGNED = jwt.encode({"iss": ISSUER, "sub": ALICE, "aud": "app"}, None, algorithm="none")
# Whoever took the public key for a shared secret would believe this one.
HEAD = urlsafe(b'{"alg":"HS256","kid":"the kid"}') + "." + UNSIGNED.split(".")[1]
HMAC = f"{HEAD}.{urlsafe(hmac.digest(PUBLIC.encode(), HEAD.encode(), 'sha256'))}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b.c",
        "..",
        "\U0001f600." * 3,
        ALICE,
        UNSIGNED,
        HMAC,
        sign()[:-4] + "AAAA",
        sign(algorithm=Algorithm.ES256),  # the kid is that of another key
        forged(iss="https://evil.example/"),
        forged(iss=ISSUER.rstrip("/")),
        forged(aud="other"),
        forged(aud=["other"]),
        forged(aud=None),
        forged(sub=None),
        forged(sub=17),
        forged(sub="nobody of ours", headers={"kid": "retired"}),
        forged(sub="@" + "a" * 999 + ":hs", headers={"kid": "retired"}),
        forged(iss="https://evil.example/", headers={"kid": "retired"}),
        forged(aud="other", headers={"kid": "retired"}),
        forged(aud=None, headers={"kid": "retired"}),
        forged(sub=None, headers={"kid": "retired"}),
        forged(sub=17, headers={"kid": "retired"}),
        forged(headers={"crit": ["b64"], "b64": False}),
        forged(nonce="x" * 9000),
        base64.urlsafe_b64encode(b"[" * 6000).decode().rstrip("=") + ".e30.AA",
    ],
)
def test_what_is_no_token_of_ours_for_this_client_is_no_hint(text):
    """Neither a forged one, nor that of another client or issuer, nor nonsense."""
    assert hint(text, published=[PAIRS[Algorithm.RS256][0]]) is None


def test_a_key_that_is_gone_proves_nothing():
    """A hint from before the last keys cannot be told from a forged one."""
    assert hint(sign(), published=[]) == Hint(ALICE, is_proven=False, audience="app")
