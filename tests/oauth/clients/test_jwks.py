"""The public keys of clients."""

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.clients import jwks

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
P256_KEY = ec.generate_private_key(ec.SECP256R1())
P384_KEY = ec.generate_private_key(ec.SECP384R1())
P521_KEY = ec.generate_private_key(ec.SECP521R1())


def public(key, **more):
    """Return the public JWK of a private key, as a client would register it."""
    name = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    jwk = jwt.get_algorithm_by_name(name).to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, **more}


def private(key):
    """Return the private JWK: what no client may send."""
    name = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    return jwt.get_algorithm_by_name(name).to_jwk(key, as_dict=True)


def with_exponent(exponent, **more):
    """Return an RSA key with another public exponent."""
    raw = exponent.to_bytes((exponent.bit_length() + 7) // 8, "big")
    e = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {**public(RSA_KEY), "e": e, **more}


RSA_JWK, P256_JWK = public(RSA_KEY, kid="r"), public(P256_KEY, kid="e")
SECRET_JWK = {"kty": "oct", "k": "c2VjcmV0"}


@pytest.mark.parametrize(
    "keys",
    [
        [RSA_JWK],
        [P256_JWK],
        [public(P384_KEY)],
        [public(RSA_KEY, use="sig", alg="PS256", x5t="ignored")],
        [public(P521_KEY), RSA_JWK],
        [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}, RSA_JWK],
        [{"kty": "future", "thing": 5}, RSA_JWK],
        [public(RSA_KEY, use="enc"), P256_JWK],
    ],
)
def test_a_set_with_a_key_for_us_is_taken(keys):
    """Keys of kinds that we do not know are ignored (RFC 7517 section 5)."""
    assert jwks.refuse({"keys": keys}) is None


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (None, "array of keys"),
        ([], "array of keys"),
        ({}, "array of keys"),
        ({"keys": {}}, "array of keys"),
        ({"keys": ["x"]}, "array of keys"),
        ({"keys": []}, "RSA or EC key"),
        ({"keys": [public(P521_KEY)]}, "RSA or EC key"),
        ({"keys": [public(RSA_KEY, use="enc")]}, "RSA or EC key"),
        ({"keys": [public(RSA_KEY, alg="RS512")]}, "RSA or EC key"),
        ({"keys": [public(RSA_KEY, alg="ES256")]}, "RSA or EC key"),
        ({"keys": [{**P256_JWK, "crv": ["P-256"]}]}, "RSA or EC key"),
        ({"keys": [private(RSA_KEY)]}, "public keys only"),
        ({"keys": [P256_JWK, private(P256_KEY)]}, "public keys only"),
        ({"keys": [SECRET_JWK, RSA_JWK]}, "public keys only"),
        ({"keys": [{"kty": "oct"}, RSA_JWK]}, "public keys only"),
        ({"keys": [{**P256_JWK, "x": 5}]}, "strings"),
        ({"keys": [public(RSA_KEY, kid=5)]}, "strings"),
        ({"keys": [{"kty": "RSA"}]}, "malformed"),
        ({"keys": [{**RSA_JWK, "e": "AQ"}]}, "malformed"),
        ({"keys": [{**RSA_JWK, "n": "!"}]}, "malformed"),
        ({"keys": [{**P256_JWK, "x": P256_JWK["y"]}]}, "malformed"),
        ({"keys": [{**P256_JWK, "x": "\u00e9"}]}, "malformed"),
        ({"keys": [public(WEAK_KEY)]}, "2048"),
        ({"keys": [RSA_JWK] * 21}, "at most 20"),
    ],
)
def test_other_documents_are_refused(document, reason):
    """Private, weak, broken or useless keys have no place in a registration."""
    assert reason in jwks.refuse(document)


def test_the_canonical_form_is_the_same_for_every_order():
    """So that two registrations of the same keys are one client (C166)."""
    reversed_members = dict(reversed(RSA_JWK.items()))
    one = jwks.canonical({"keys": [RSA_JWK, P256_JWK, {"kty": "future"}]})
    other = jwks.canonical({"keys": [P256_JWK, {**reversed_members, "x5c": ["cert"]}]})

    assert one == other
    assert {key["kid"] for key in json.loads(one)["keys"]} == {"r", "e"}


@pytest.mark.parametrize(
    ("algorithm", "kid", "count"),
    [
        ("RS256", "r", 2),
        ("PS256", None, 2),
        ("RS256", "other", 1),
        ("ES256", "e", 1),
        ("ES256", "r", 0),
        ("ES384", None, 0),
        ("HS256", None, 0),
        ("none", None, 0),
    ],
)
def test_only_fitting_keys_are_candidates(algorithm, kid, count):
    """By algorithm and, where both sides name one, by key id."""
    text = jwks.canonical({"keys": [RSA_JWK, public(RSA_KEY), P256_JWK]})

    found = jwks.candidates(text, algorithm=algorithm, kid=kid)

    assert [key.algorithm_name for key in found] == [algorithm] * count


@pytest.mark.parametrize(
    ("exponent", "refused"),
    [
        (1, True),
        (2, True),
        (3, False),
        (65536, True),
        (65537, False),
        (2**32 - 1, False),
        (2**32 + 1, True),
        (2**64 + 1, True),
        (2**2047 + 1, True),
    ],
)
def test_an_rsa_exponent_is_small_and_odd(exponent, refused):
    """A huge one costs 25 times as much to check, and whoever knows the client's id can ask for it."""
    document = {"keys": [P256_JWK, with_exponent(exponent)]}

    assert (jwks.refuse(document) is not None) is refused


def test_a_huge_exponent_that_was_registered_once_is_not_tried():
    """A registration outlives the rule of its day; its other keys go on."""
    keys = [with_exponent(2**2047 + 1, kid="huge"), RSA_JWK]
    text = json.dumps({"keys": keys})

    found = jwks.candidates(text, algorithm="RS256", kid=None)

    assert [key.key_id for key in found] == ["r"]
    assert jwks.candidates(text, algorithm="RS256", kid="huge") == []


@pytest.mark.parametrize("kid", [None, "k7"])
def test_few_keys_are_tried_and_the_named_one_first(kid):
    """Twenty signatures to check for one request would be twenty times the work."""
    named = [public(RSA_KEY, kid=f"k{n}") for n in range(10)]
    nameless = [public(RSA_KEY)] * 10
    text = jwks.canonical({"keys": [*named, *nameless]})

    found = jwks.candidates(text, algorithm="RS256", kid=kid)

    assert len(found) == jwks.MAX_TRIED <= 5
    assert found[0].key_id == kid


values = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=2))
)
members = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "d"])
kinds = st.sampled_from([RSA_JWK, P256_JWK, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256"}, {}])
changed = st.builds(lambda key, more: {**key, **more}, kinds, st.dictionaries(members, values))


@settings(deadline=None)  # signatures and keys take their time
@given(st.lists(changed | values, max_size=3).map(lambda keys: {"keys": keys}) | values)
def test_any_document_is_taken_or_has_a_reason(document):
    """Nothing raises; what is taken can be written, read and used."""
    if jwks.refuse(document) is None:
        text = jwks.canonical(document)

        assert any(jwks.candidates(text, algorithm=name, kid=None) for name in jwks.ALGORITHMS)
