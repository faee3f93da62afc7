"""Signing keys for ID tokens: made, published, used and retired by the calendar (OIDC Core 10.1.1)."""

import enum
import json
from typing import TypeAlias, cast

import attrs
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from synapse_nextgen_auth.clock import is_ahead
from synapse_nextgen_auth.records import frozen

DAY = 24 * 3600
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Algorithm(str, enum.Enum):
    """The signatures we make; RS256 is mandatory (OIDC Core section 15.1)."""

    RS256 = "RS256"
    ES256 = "ES256"


@frozen
class Schedule:
    """When keys change, in seconds: a key is published before its use and kept after it."""

    publish_ahead: int = 2 * DAY
    use_for: int = 90 * DAY
    keep_after: int = 2 * DAY


@frozen
class SigningKey:
    """A key pair: `sealed` is the encrypted PEM, `public_jwk` the JSON that /keys shows.

    Used for signing from `active_from` on, until a newer one takes over.
    """

    kid: str
    algorithm: Algorithm = attrs.field(converter=Algorithm)
    sealed: str
    public_jwk: str
    created_at: int
    active_from: int


def generate(algorithm: Algorithm) -> bytes:
    """Make a private key (RSA 2048 or P-256) and return it as PEM."""
    key: PrivateKey
    if algorithm is Algorithm.RS256:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load(pem: bytes) -> PrivateKey:
    """Read what `generate` made; for RSA that takes 40 ms, because the numbers are checked."""
    return cast(PrivateKey, load_pem_private_key(pem, password=None))


def public_jwk(pem: bytes, *, kid: str, algorithm: Algorithm) -> str:
    """Return the public half as a JSON Web Key (RFC 7517)."""
    public = load(pem).public_key()
    import jwt  # noqa: PLC0415 (no start waits for it)

    signer = jwt.get_algorithm_by_name(algorithm.value)
    jwk = signer.to_jwk(public, as_dict=True)
    kept = {name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk}
    return json.dumps({**kept, "kid": kid, "use": "sig", "alg": algorithm.value})


def current(keys: list[SigningKey], algorithm: Algorithm, *, now: int) -> SigningKey | None:
    """Return the key to sign with: the newest whose time has come."""
    ready = [key for key in keys if key.algorithm is algorithm and key.active_from <= now]
    return max(ready, key=lambda key: key.active_from, default=None)


def next_needed(
    keys: list[SigningKey], algorithm: Algorithm, *, now: int, schedule: Schedule
) -> int | None:
    """Return from when a new key must be active, or `None` while the present ones suffice."""
    # One that a clock made which ran ahead is no reason to wait for its time.
    latest = now + schedule.publish_ahead
    starts = [
        key.active_from
        for key in keys
        if key.algorithm is algorithm and not is_ahead(key.active_from, latest)
    ]
    newest = max(starts, default=None)
    if newest is None:
        return now
    successor = newest + schedule.use_for
    if now < successor - schedule.publish_ahead:
        return None
    return max(successor, now + schedule.publish_ahead)


def retired(keys: list[SigningKey], *, now: int, schedule: Schedule) -> list[str]:
    """Return the kids of keys that nobody needs any more: replaced, and for long enough."""
    gone = []
    for key in keys:
        later = [
            k.active_from
            for k in keys
            if k.algorithm is key.algorithm and k.active_from > key.active_from
        ]
        if any(start + schedule.keep_after <= now for start in later):
            gone.append(key.kid)
    return gone
