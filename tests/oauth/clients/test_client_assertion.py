"""private_key_jwt: the statement of a client about itself."""

import base64
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.clients import client_assertion, jwks
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_assertion import Assertion, claimed_client_id
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError

NOW = 1_700_000_000
ISSUER = "https://matrix.example.com/_synapse/client/auth/"
TOKEN_ENDPOINT = ISSUER + "token"
AUDIENCE = (ISSUER, TOKEN_ENDPOINT)

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256_KEY = ec.generate_private_key(ec.SECP256R1())
P384_KEY = ec.generate_private_key(ec.SECP384R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


def public(key, name, **more):
    """Return the public JWK."""
    jwk = jwt.get_algorithm_by_name(name).to_jwk(key.public_key(), as_dict=True)
    return {**jwk, **more}


KEYS = jwks.canonical(
    {
        "keys": [
            public(RSA_KEY, "RS256", kid="rsa"),
            public(P256_KEY, "ES256", kid="p256"),
            public(P384_KEY, "ES384"),
        ]
    }
)
CLIENT = Client(client_id="c1", auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=KEYS)

CLAIMS = {"iss": "c1", "sub": "c1", "aud": TOKEN_ENDPOINT, "exp": NOW + 60, "jti": "one"}
GONE = object()


def sign(key=P256_KEY, algorithm="ES256", headers=None, **changes):
    """Write an assertion; a claim changed to GONE is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not GONE}
    payload = json.dumps(claims).encode()
    return jwt.PyJWS().encode(payload, key, algorithm=algorithm, headers=headers)


def refused(text, client=CLIENT, now=NOW):
    """Return our reason; the client only hears invalid_client."""
    with pytest.raises(OAuthError) as caught:
        client_assertion.verify(text, client, audience=AUDIENCE, now=now)
    assert (caught.value.code, caught.value.status) == ("invalid_client", 401)
    assert caught.value.description == "Client authentication failed"
    return caught.value.detail


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [
        (RSA_KEY, "RS256", "rsa"),
        (RSA_KEY, "PS256", None),
        (P256_KEY, "ES256", "p256"),
        (P384_KEY, "ES384", "not registered with this key"),
    ],
)
def test_every_registered_key_proves_with_its_algorithms(key, algorithm, kid):
    """RFC 7523, with or without a key id."""
    text = sign(key, algorithm, {"kid": kid} if kid else None)

    assert client_assertion.verify(text, CLIENT, audience=AUDIENCE, now=NOW) == Assertion(
        "one", NOW + 60 + client_assertion.LEEWAY
    )


@pytest.mark.parametrize("aud", [ISSUER, TOKEN_ENDPOINT, [TOKEN_ENDPOINT], ["x", ISSUER]])
def test_issuer_and_token_endpoint_are_audiences(aud):
    """RFC 7523 section 3 item 3; both are in use."""
    assert client_assertion.verify(sign(aud=aud), CLIENT, audience=AUDIENCE, now=NOW)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "c2"}, "iss and sub"),
        ({"sub": "c2"}, "iss and sub"),
        ({"iss": GONE}, "iss and sub"),
        ({"sub": GONE}, "iss and sub"),
        ({"sub": ["c1"]}, "iss and sub"),
        ({"aud": "https://other.example/"}, "aud"),
        ({"aud": ISSUER[:-1]}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": [5, None, [ISSUER], {}]}, "aud"),
        ({"aud": {ISSUER: 1}}, "aud"),
        ({"aud": GONE}, "aud"),
        ({"exp": GONE}, "exp is missing"),
        ({"exp": NOW - 15}, "expired"),
        ({"exp": NOW + 616}, "600 seconds"),
        ({"exp": 10**400}, "number of seconds"),
        ({"exp": float("inf")}, "number of seconds"),
        ({"exp": float("nan")}, "number of seconds"),
        ({"exp": -1}, "number of seconds"),
        ({"exp": str(NOW + 60)}, "number of seconds"),
        ({"exp": True}, "number of seconds"),
        ({"exp": None}, "number of seconds"),
        ({"iat": NOW + 16}, "iat lies in the future"),
        ({"nbf": NOW + 16}, "nbf lies in the future"),
        ({"nbf": "x"}, "number of seconds"),
        ({"jti": GONE}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 5}, "jti"),
        ({"jti": "x" * 256}, "jti"),
        ({"jti": "a\x00"}, "jti"),
        ({"jti": "\ud800"}, "jti"),
        ({"jti": "a\n"}, "jti"),
    ],
)
def test_each_claim_is_checked(changes, reason):
    """A good signature under the wrong words proves nothing."""
    assert reason in refused(sign(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 14},
        {"exp": NOW + 615},
        {"exp": NOW + 59.5},
        {"iat": NOW + 15, "nbf": NOW + 15},
        {"iat": NOW - 100_000},
    ],
)
def test_clocks_may_differ_a_little(changes):
    """Fifteen seconds to either side."""
    found = client_assertion.verify(sign(**changes), CLIENT, audience=AUDIENCE, now=NOW)

    # For as long as it would be taken again, it has to be remembered.
    assert found.expires_at >= {**CLAIMS, **changes}["exp"] + client_assertion.LEEWAY
    assert "expired" in refused(sign(**changes), now=found.expires_at)


def test_a_key_that_was_not_registered_proves_nothing():
    """Neither under its own name nor under that of a registered one."""
    assert "no registered key" in refused(sign(OTHER_KEY))
    assert "no registered key" in refused(sign(OTHER_KEY, headers={"kid": "p256"}))
    assert "no registered key" in refused(sign(P256_KEY, headers={"kid": "rsa"}))


def test_the_header_brings_in_no_key():
    """A key or an address of one in the header is never looked at."""
    headers = {"jwk": public(OTHER_KEY, "ES256"), "jku": "https://example.com/jwks"}

    assert "no registered key" in refused(sign(OTHER_KEY, headers=headers))


def test_a_public_key_is_no_shared_secret():
    """HMAC with the public key as its secret: the classic confusion."""
    header = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    claims = sign().split(".")[1]
    pem = P256_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.digest(pem, f"{header}.{claims}".encode(), "sha256")
    signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    assert "'HS256' is not registered" in refused(f"{header}.{claims}.{signature}")


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "", "HS256", "RS512", 5, None, ["ES256"], {}]
)
def test_algorithms_outside_the_list_are_refused(algorithm):
    """Above all `none`."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=").decode()

    refused(header + "." + sign().split(".", 1)[1])
    refused(header + "." + sign().split(".")[1] + ".")


def test_only_the_registered_algorithm_counts():
    """token_endpoint_auth_signing_alg binds the client to one."""
    client = Client(
        client_id="c1",
        auth_method=AuthMethod.PRIVATE_KEY_JWT,
        jwks=KEYS,
        auth_signing_alg="PS256",
    )

    assert client_assertion.verify(sign(RSA_KEY, "PS256"), client, audience=AUDIENCE, now=NOW)
    assert "'RS256' is not registered" in refused(sign(RSA_KEY, "RS256"), client)


def test_a_client_without_keys_is_refused():
    """Nothing is there to check with."""
    client = Client(client_id="c1", auth_method=AuthMethod.PRIVATE_KEY_JWT)

    assert "no registered key" in refused(sign(), client)


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"\xff", b"{", b"[" * 4000, b'"x"'])
def test_claims_must_be_an_object(payload):
    """Also under a good signature."""
    text = jwt.PyJWS().encode(payload, P256_KEY, algorithm="ES256")

    assert "not a JSON object" in refused(text)
    assert claimed_client_id(text) is None


def test_a_changed_statement_is_noticed():
    """The signature covers header and claims."""
    header, claims, signature = sign().split(".")

    assert "no registered key" in refused(
        ".".join([header, sign(jti="two").split(".")[1], signature])
    )
    assert "not a signed JWT" in refused(f"{header}.{claims}")
    assert "no registered key" in refused(f"{header}.{claims}.")


def test_the_claimed_client_is_read_without_trust():
    """Only to find the client whose keys then decide."""
    assert claimed_client_id(sign(OTHER_KEY, sub="c9")) == "c9"
    assert claimed_client_id(sign(sub=5)) is None
    assert claimed_client_id(sign(sub=GONE)) is None


DEEP = base64.urlsafe_b64encode(b"[" * 6000).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b.c", "\ud800", DEEP, f"{DEEP}.{DEEP}.x"]
)
def test_garbage_is_refused(text):
    """Nothing crashes before the signature is checked."""
    refused(text)
    assert claimed_client_id(text) is None


alphabet = st.characters(codec=None) | st.sampled_from("eyJ.-_=")


@settings(deadline=None)  # signatures and keys take their time
@given(st.text(alphabet=alphabet, max_size=60) | st.binary(max_size=40))
def test_any_text_is_refused(text):
    """As a whole, and in the place of each part of a good one."""
    if isinstance(text, bytes):
        text = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    parts = sign().split(".")
    refused(text)
    for n in range(3):
        changed = [*parts[:n], text, *parts[n + 1 :]]
        refused(".".join(changed))
        claimed_client_id(".".join(changed))
