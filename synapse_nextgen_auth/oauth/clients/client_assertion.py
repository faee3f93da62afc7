"""A client's signed statement about itself (private_key_jwt: RFC 7523 sections 2.2 and 3)."""

import json
import math
import re
from collections.abc import Collection, Mapping

from synapse_nextgen_auth.oauth.clients import jwks
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_client
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LEEWAY = 15
LIFETIME = 600
MAX_LENGTH = 8192

# Printable, so that it can be stored anywhere.
_JTI = re.compile(r"[\x20-\x7E]{1,255}")


@frozen
class Assertion:
    """A statement that proved true: its `jti` must not come again before `expires_at`."""

    jti: str
    expires_at: int


def claimed_client_id(text: str) -> str | None:
    """Return who the statement says it is from: only good for finding the keys to check it with."""
    import jwt  # noqa: PLC0415 (no start waits for it)

    try:
        unverified = jwt.PyJWS().decode_complete(text, options={"verify_signature": False})
        subject = _claims(unverified["payload"]).get("sub")
    except (jwt.PyJWTError, OAuthError, ValueError, RecursionError):
        return None
    return subject if isinstance(subject, str) else None


def verify(text: str, client: Client, *, audience: Collection[str], now: int) -> Assertion:
    """Return what is left to check: that this statement was not used before."""
    claims = _claims(_verified_payload(text, client))
    reason = _refuse_parties(claims, client.client_id, audience) or _refuse_times(claims, now)
    if reason:
        raise invalid_client(f"assertion: {reason}")
    jti, expires_at = claims.get("jti"), _seconds(claims, "exp")
    if not isinstance(jti, str) or not _JTI.fullmatch(jti):
        raise invalid_client("assertion: jti must have 1 to 255 printable characters")
    return Assertion(jti, math.ceil(expires_at) + LEEWAY)


def _verified_payload(text: str, client: Client) -> bytes:
    import jwt  # noqa: PLC0415 (as above)

    try:
        header = jwt.get_unverified_header(text)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise invalid_client("assertion: it is not a signed JWT") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    # The header only selects among what was registered; it never brings in an algorithm or a key.
    if algorithm not in jwks.ALGORITHMS or client.auth_signing_alg not in {None, algorithm}:
        raise invalid_client(f"assertion: alg {quoted(str(algorithm))} is not registered")
    for key in jwks.candidates(client.jwks or '{"keys":[]}', algorithm=algorithm, kid=kid):
        try:
            payload: bytes = jwt.PyJWS().decode(text, key, algorithms=[algorithm])
        except jwt.PyJWTError:
            continue
        return payload
    raise invalid_client("assertion: no registered key made this signature")


def _claims(payload: bytes) -> Mapping[str, object]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise invalid_client("assertion: its claims are not a JSON object")
    return claims


def _refuse_parties(
    claims: Mapping[str, object], client_id: str, audience: Collection[str]
) -> str | None:
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        return "iss and sub must be the client_id"
    named = claims.get("aud")
    named = named if isinstance(named, list) else [named]
    if not any(isinstance(name, str) and name in audience for name in named):
        return "aud must contain the issuer or the token endpoint"
    return None


def _refuse_times(claims: Mapping[str, object], now: int) -> str | None:
    if "exp" not in claims:
        return "exp is missing"
    if _seconds(claims, "exp") <= now - LEEWAY:
        return "it has expired"
    if _seconds(claims, "exp") > now + LIFETIME + LEEWAY:
        return f"exp must be at most {LIFETIME} seconds ahead"
    for name in {"iat", "nbf"} & claims.keys():
        if _seconds(claims, name) > now + LEEWAY:
            return f"{name} lies in the future"
    return None


def _seconds(claims: Mapping[str, object], name: str) -> float:
    value = claims[name]
    # The bounds also keep out infinity and NaN: no comparison with NaN is true.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise invalid_client(f"assertion: {name} must be a number of seconds")
    return value
