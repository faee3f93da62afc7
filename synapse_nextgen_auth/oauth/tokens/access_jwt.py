"""JWT access tokens for services of others (RFC 9068).

Their type keeps them apart from ID tokens, their audience from each other; none of them opens Matrix.
"""

import json
import struct
from collections.abc import Iterable
from typing import Any

from synapse_nextgen_auth.oauth.tokens.keys import PrivateKey, SigningKey
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret

TYPE = "at+jwt"
MAX_LENGTH = 8192  # characters
_REQUIRED = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]
# The session that a token came from, and which generation of it.
_ORIGIN = struct.Struct(">16sI")


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
    generation: int
    token_id: str
    expires_at: int
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    issued_at: int = 0


def token_id(keys: Keyring, session_id: str, generation: int) -> str:
    """Return the `jti` of a new token of a session, which only we can read, and is new each time.

    So two services that compare their tokens do not find out that one session is behind them.
    """
    return keys.seal(Purpose.TOKEN_ID, _ORIGIN.pack(bytes.fromhex(session_id), generation))


def _origin(keys: Keyring, sealed: object) -> tuple[str, int] | None:
    """Return of which session and generation the token with this `jti` is."""
    plain = keys.unseal(Purpose.TOKEN_ID, sealed) if isinstance(sealed, str) else None
    if plain is None or len(plain) != _ORIGIN.size:
        return None
    session_id, generation = _ORIGIN.unpack(plain)
    return session_id.hex(), generation


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


def read(
    text: str, published: Iterable[SigningKey], *, keys: Keyring, issuer: str, now: int
) -> Claims | None:
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
    origin = _origin(keys, said["jti"])
    if origin is None or now >= said["exp"]:
        return None
    return Claims(
        issuer=said["iss"],
        audience=said["aud"],
        subject=said["sub"],
        client_id=said["client_id"],
        scope=said["scope"],
        session_id=origin[0],
        generation=origin[1],
        token_id=said["jti"],
        expires_at=said["exp"],
        auth_time=said.get("auth_time"),
        acr=said.get("acr"),
        amr=tuple(said.get("amr", ())),
        issued_at=said["iat"],
    )
