"""The ID token (OpenID Connect Core section 2)."""

import hashlib

import attrs
import jwt

from synapse_nextgen_auth.oauth.keys import SigningKey
from synapse_nextgen_auth.secret import Secret, urlsafe

LIFETIME = 3600


@attrs.frozen
class Claims:
    """What an ID token says; times in seconds since the epoch."""

    issuer: str
    subject: str
    audience: str
    auth_time: int
    nonce: str | None
    access_token: Secret


def sign(claims: Claims, key: SigningKey, pem: bytes, *, now: int) -> str:
    """Write the ID token as a signed JWT."""
    body: dict[str, object] = {
        "iss": claims.issuer,
        "sub": claims.subject,
        "aud": claims.audience,
        "iat": now,
        "exp": now + LIFETIME,
        "auth_time": claims.auth_time,
        "at_hash": half_hash(claims.access_token),
    }
    if claims.nonce is not None:
        body["nonce"] = claims.nonce
    return jwt.encode(body, pem, algorithm=key.algorithm.value, headers={"kid": key.kid})


def half_hash(value: Secret) -> str:
    """Return the left half of the SHA-256, as `at_hash` wants it (OIDC Core section 3.1.3.6)."""
    return urlsafe(hashlib.sha256(value.reveal().encode("ascii")).digest()[:16])
