"""JWT access tokens (RFC 9068), as a library of others checks them, and as we read them back."""

import base64
import json
import time

import attrs
import jwt
import pytest
from authlib.oauth2.rfc6750.errors import InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.jwk import KeySet

from support.records import ALICE, NOW
from synapse_nextgen_auth.oauth.tokens import access_jwt, id_token, keys
from synapse_nextgen_auth.oauth.tokens.access_jwt import Claims
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm, SigningKey
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret

ISSUER = "https://matrix.example.com/_synapse/client/auth/"
CALENDAR = "https://calendar.example.com/"
SESSION = "5e" * 16
RING = Keyring.of(b"n" * 32)
CLAIMS = Claims(
    issuer=ISSUER,
    audience=CALENDAR,
    subject=ALICE,
    client_id="app",
    scope="calendar.read calendar.write",
    session_id=SESSION,
    generation=7,
    token_id=access_jwt.token_id(RING, SESSION, 7),
    expires_at=NOW + 300,
    auth_time=NOW - 60,
    acr="urn:example:loa:2",
    amr=("pwd", "otp"),
)


def a_pair(algorithm, kid="the kid"):
    pem = keys.generate(algorithm)
    jwk = keys.public_jwk(pem, kid=kid, algorithm=algorithm)
    return SigningKey(kid, algorithm, "sealed", jwk, NOW, NOW), keys.load(pem)


PAIRS = {algorithm: a_pair(algorithm) for algorithm in Algorithm}
KEY, PEM = PAIRS[Algorithm.RS256]


def sign(claims=CLAIMS, algorithm=Algorithm.RS256):
    key, pem = PAIRS[algorithm]
    return access_jwt.sign(claims, key, pem, now=NOW).reveal()


def read(text, *, key=KEY, now=NOW, ring=RING):
    return access_jwt.read(text, [key], keys=ring, issuer=ISSUER, now=now)


def forged(header=None, **changes):
    """Return one with other claims, signed by our own key all the same."""
    said = jwt.decode(sign(), options={"verify_signature": False}) | changes
    said = {name: value for name, value in said.items() if value is not None}
    headers = {"kid": KEY.kid, "typ": "at+jwt"} | (header or {})
    return jwt.encode(said, PEM, algorithm="RS256", headers=headers)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_token_says_what_rfc_9068_wants(algorithm):
    """Type, key and every claim of section 2.2; nothing else."""
    text = sign(algorithm=algorithm)

    header = jwt.get_unverified_header(text)
    assert header == {"typ": "at+jwt", "alg": algorithm.value, "kid": "the kid"}
    said = jwt.decode(text, options={"verify_signature": False})
    assert said == {
        "iss": ISSUER,
        "aud": CALENDAR,
        "sub": ALICE,
        "client_id": "app",
        "scope": "calendar.read calendar.write",
        "jti": CLAIMS.token_id,
        "iat": NOW,
        "exp": NOW + 300,
        "auth_time": NOW - 60,
        "acr": "urn:example:loa:2",
        "amr": ["pwd", "otp"],
    }


@pytest.mark.parametrize("algorithm", Algorithm)
def test_it_is_read_back(algorithm):
    """With the time at which it was made."""
    found = read(sign(algorithm=algorithm), key=PAIRS[algorithm][0])

    assert found == attrs.evolve(CLAIMS, issued_at=NOW)


def test_a_program_by_itself_proved_nothing():
    """No `auth_time`, `acr` or `amr` of nobody (RFC 9068 section 2.2.1)."""
    claims = attrs.evolve(CLAIMS, auth_time=None, acr=None, amr=())
    said = jwt.decode(sign(claims), options={"verify_signature": False})

    assert not said.keys() & {"auth_time", "acr", "amr"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a.b.c",
        "x" * 10_000,
        "." * 10_000,
        f"{sign()}A",
        sign().rpartition(".")[0] + ".",
        forged(header={"typ": "JWT"}),
        forged(header={"typ": None}),
        forged(header={"kid": "another"}),
        forged(iss="https://evil.example/"),
        forged(exp=NOW),
        forged(exp=None),
        forged(aud=None),
        forged(client_id=None),
        forged(jti="made up"),
        forged(jti=f"{SESSION}-{'ab' * 16}"),
        forged(jti=7),
        forged(jti=access_jwt.token_id(Keyring.of(b"x" * 32), SESSION, 7)),
        forged(jti=RING.seal(Purpose.TOKEN_ID, b"short")),
        forged(jti=RING.seal(Purpose.SIGNING_KEYS, b"s" * 20)),
        forged(jti=None),
        jwt.encode({"iss": ISSUER}, None, algorithm="none", headers={"kid": KEY.kid}),
        jwt.encode(
            jwt.decode(sign(), options={"verify_signature": False}),
            json.loads(KEY.public_jwk)["n"],  # what everybody knows, as if it were a secret
            algorithm="HS256",
            headers={"kid": KEY.kid, "typ": "at+jwt"},
        ),
    ],
)
def test_anything_else_is_none(text):
    """Garbage, other types, other keys, other issuers, over, or without what must be there."""
    assert read(text) is None


def test_nobody_else_learns_which_session_a_token_is_of():
    """Two services that compare theirs find nothing in common; we read the generation, too."""
    ids = [access_jwt.token_id(RING, SESSION, generation) for generation in (1, 1, 2)]

    assert len(set(ids)) == 3
    for each in ids:
        assert SESSION not in each
        assert bytes.fromhex(SESSION) not in base64.urlsafe_b64decode(each)
    found = [read(sign(attrs.evolve(CLAIMS, token_id=each))) for each in ids]
    assert [(each.session_id, each.generation) for each in found] == [
        (SESSION, 1),
        (SESSION, 1),
        (SESSION, 2),
    ]


def test_it_is_read_under_a_former_secret():
    """A rotation of the secret ends no token."""
    assert read(sign(), ring=Keyring.of(b"z" * 32, [b"n" * 32])) is not None


def test_it_is_over_at_its_time():
    assert read(sign(), now=NOW + 299) is not None
    assert read(sign(), now=NOW + 300) is None


def test_one_of_a_key_that_another_server_has_is_none():
    assert read(sign(), key=a_pair(Algorithm.RS256)[0]) is None


def test_it_is_no_id_token_and_an_id_token_is_none():
    """Neither passes for the other (RFC 9068 section 5)."""
    claims = id_token.Claims(ISSUER, ALICE, CALENDAR, NOW, None, Secret("nga_token"))
    as_id_token = id_token.sign(claims, KEY, PEM, now=NOW)

    assert read(as_id_token) is None
    for audience in (CALENDAR, None):
        assert id_token.read_hint(sign(), [KEY], issuer=ISSUER, audience=audience) is None


def test_the_text_of_it_is_no_log_line():
    assert "ey" not in repr(access_jwt.sign(CLAIMS, KEY, PEM, now=NOW))


def test_authlib_takes_it_for_its_own_service_alone():
    """A resource server of others: by the published keys, issuer, audience and time."""

    class Validator(JWTBearerTokenValidator):
        def get_jwks(self):
            return KeySet.import_key_set({"keys": [json.loads(KEY.public_jwk)]})

    now = int(time.time())
    claims = attrs.evolve(CLAIMS, expires_at=now + 300, auth_time=now)
    text = access_jwt.sign(claims, KEY, PEM, now=now).reveal()
    here = Validator(issuer=ISSUER, resource_server=CALENDAR)
    said = here.authenticate_token(text)
    here.validate_token(said, ["calendar.read"], None)

    assert said["sub"] == ALICE
    elsewhere = Validator(issuer=ISSUER, resource_server="urn:example:wiki")
    with pytest.raises(InvalidTokenError):
        elsewhere.validate_token(elsewhere.authenticate_token(text), [], None)
