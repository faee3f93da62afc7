"""Application services that prove themselves by a key: their registrations, clients and requests."""

import secrets
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
JWK = jwt.get_algorithm_by_name("ES256").to_jwk(KEY.public_key(), as_dict=True)


def registration(name, **more):
    """Return what stands in the registration file of a bridge."""
    return {
        "id": name,
        "url": None,
        "as_token": f"the-shared-token-of-{name}",
        "hs_token": f"{name}-hears-this-from-synapse",
        "sender_localpart": f"{name}_bot",
        "namespaces": {"users": [{"exclusive": True, "regex": f"@{name}_.*"}]},
        **more,
    }


# Each with a client of the same name.
KEYED = registration("keyed", **{"io.element.msc4190": True}, rate_limited=False)
PUPPETS = registration("puppets")
FAR = registration("far", ip_range_whitelist=["192.0.2.0/24"])
REGISTRATIONS = (KEYED, PUPPETS, FAR)


def client(name, **more):
    """Return the entry of the configuration."""
    return {
        "client_id": name,
        "jwks": {"keys": [JWK]},
        "grant_types": ["client_credentials"],
        "application_service": name,
        **more,
    }


CLIENTS = [client("keyed", refuse_as_token=True), client("puppets"), client("far")]


def proof(name, server, *, key=KEY, **changes):
    """Return the form that proves who the client is."""
    stated = {"iss": name, "sub": name, "aud": server.issuer, "exp": int(time.time()) + 60}
    claims = stated | {"jti": secrets.token_hex(16)} | changes
    signed = jwt.encode(claims, key, algorithm="ES256")
    return {"client_assertion_type": ASSERTION, "client_assertion": signed}


def ask(name, server, *, key=KEY, of=None, **form):
    """Ask for a token; return the whole answer. `of` is who has the issuer, if it is another process."""
    asked = {"grant_type": "client_credentials", **proof(name, of or server, key=key), **form}
    return server.post("token", asked)


def token(name, server, *, of=None):
    """Return a new token of this bridge."""
    answer = ask(name, server, of=of)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]
