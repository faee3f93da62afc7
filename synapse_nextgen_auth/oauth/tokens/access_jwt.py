"""JWT access tokens for services of others (RFC 9068).

Their type keeps them apart from ID tokens, their audience from each other; none of them opens Matrix.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from synapse_nextgen_auth.oauth.tokens.keys import PrivateKey, SigningKey
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret

TYPE = "at+jwt"
MAX_LENGTH = 8192  # characters
_REQUIRED = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]
# The session that a token came from, which opens nothing by itself, and what is new in each.
_TOKEN_ID = re.compile(r"([0-9a-f]{32})-[0-9a-f]{32}")


@frozen
class Claims:
    """What a token says; times in seconds since the epoch.

    `auth_time`, `acr` and `amr` say how its person proved who they are; a program by itself has none.
    """

    issuer: str
    audience: str
    subject: str
    client_id: str
    scope: str
    session_id: str
    token_id: str
    expires_at: int
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    issued_at: int = 0


def token_id(session_id: str, random: str) -> str:
    """Return the `jti` of a new token of a session."""
    return f"{session_id}-{random}"


def sign(claims: Claims, key: SigningKey, private: PrivateKey, *, now: int) -> Secret:
    """Write the token down, signed."""
    import jwt  # noqa: PLC0415 (no start waits for it)

    body: dict[str, object] = {
        "iss": claims.issuer,
        "aud": claims.audience,
        "sub": claims.subject,
        "client_id": claims.client_id,
        "scope": claims.scope,
        "jti": claims.token_id,
        "iat": now,
        "exp": claims.expires_at,
    }
    if claims.auth_time is not None:
        body["auth_time"] = claims.auth_time
    if claims.acr is not None:
        body["acr"] = claims.acr
    if claims.amr:
        body["amr"] = list(claims.amr)
    headers = {"kid": key.kid, "typ": TYPE}
    return Secret(jwt.encode(body, private, algorithm=key.algorithm.value, headers=headers))


def read(text: str, published: Iterable[SigningKey], *, issuer: str, now: int) -> Claims | None:
    """Return what a token says; `None` unless we signed exactly this one and its time is not over."""
    if len(text) > MAX_LENGTH or text.count(".") != 2:
        return None
    import jwt  # noqa: PLC0415 (as above)

    # The time is the homeserver's, like everywhere.
    options: Any = {"require": _REQUIRED, "verify_aud": False, "verify_exp": False}
    options |= {"verify_iat": False, "verify_nbf": False}
    try:
        header = jwt.get_unverified_header(text)
        key = next((key for key in published if key.kid == header.get("kid")), None)
        if key is None or header.get("typ") != TYPE:
            return None
        said = jwt.decode(
            text,
            jwt.PyJWK(json.loads(key.public_jwk)),
            algorithms=[key.algorithm.value],
            issuer=issuer,
            options=options,
        )
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    from_session = _TOKEN_ID.fullmatch(said["jti"])
    if from_session is None or now >= said["exp"]:
        return None
    return Claims(
        issuer=said["iss"],
        audience=said["aud"],
        subject=said["sub"],
        client_id=said["client_id"],
        scope=said["scope"],
        session_id=from_session[1],
        token_id=said["jti"],
        expires_at=said["exp"],
        auth_time=said.get("auth_time"),
        acr=said.get("acr"),
        amr=tuple(said.get("amr", ())),
        issued_at=said["iat"],
    )
