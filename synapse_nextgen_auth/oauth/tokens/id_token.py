"""The ID token (OpenID Connect Core section 2)."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from synapse_nextgen_auth.oauth.tokens import access_jwt
from synapse_nextgen_auth.oauth.tokens.keys import PrivateKey, SigningKey
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret, urlsafe

LIFETIME = 3600
MAX_HINT = 8192  # characters; an ID token holds the nonce, which may have 2,048
# That it has expired is no reason: it says who somebody was, not that they are (section 3.1.2.1).
_OF_ANY_AGE: Any = {
    "require": ["iss", "sub", "aud"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}
# With a signature that nobody can check, PyJWT looks at no claim unless it is told so again.
_OF_A_RETIRED_KEY: Any = {
    **_OF_ANY_AGE,
    "verify_signature": False,
    "verify_iss": True,
    "verify_aud": True,
    "verify_sub": True,
}
_USER_ID = re.compile(r"@[\x21-\x39\x3B-\x7E]{0,254}:[\x21-\x7E]{1,254}")


@frozen
class Claims:
    """What an ID token says; times in seconds since the epoch.

    `amr` (RFC 8176) and `acr` say how the person proved who they are, as far as that is known. `sid`
    names the sign-in to this client alone (OpenID Connect Back-Channel Logout 1.0 section 2.1).
    """

    issuer: str
    subject: str
    audience: str
    auth_time: int
    nonce: str | None
    access_token: Secret
    amr: tuple[str, ...] = ()
    acr: str | None = None
    sid: str | None = None


def sign(claims: Claims, key: SigningKey, private: PrivateKey, *, now: int) -> str:
    """Write the ID token as a signed JWT."""
    import jwt  # noqa: PLC0415 (no start waits for it)

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
    if claims.amr:
        body["amr"] = list(claims.amr)
    if claims.acr is not None:
        body["acr"] = claims.acr
    if claims.sid is not None:
        body["sid"] = claims.sid
    return jwt.encode(body, private, algorithm=key.algorithm.value, headers={"kid": key.kid})


def sid(sign_in: str, *, audience: str) -> str:
    """Return what a client knows a sign-in by: the same in each of its tokens, another elsewhere."""
    return urlsafe(hashlib.sha256(f"{audience}\n{sign_in}".encode()).digest()[:16])


def half_hash(value: Secret) -> str:
    """Return the left half of the SHA-256, as `at_hash` wants it (OIDC Core section 3.1.3.6)."""
    return urlsafe(hashlib.sha256(value.reveal().encode("ascii")).digest()[:16])


@frozen
class Hint:
    """Whom an `id_token_hint` names, and the client that it was made for.

    `is_proven` once a key of ours that is still known says so; `sid` is of the sign-in that it came
    from, where there was one.
    """

    user_id: str
    is_proven: bool
    audience: str | None = None
    sid: str | None = None

    def is_of(self, sign_in: str) -> bool:
        """Say whether it is proven to come from this sign-in, and not from another of its account."""
        if not self.is_proven or self.audience is None or self.sid is None:
            return False
        return self.sid == sid(sign_in, audience=self.audience)


def read_hint(
    text: str, published: Iterable[SigningKey], *, issuer: str, audience: str | None
) -> Hint | None:
    """Return whom an `id_token_hint` names; `None` unless we made it, for this very client.

    Without an `audience` it may be for any client, and says for which.

    The signature is checked, so that nobody can ask here whether a person of their choice is signed
    in: only who got that person's ID token may (section 3.1.2.1). Of one whose key was retired it can
    not be checked any more. That is no fault of the client, and it proves nothing.
    """
    if len(text) > MAX_HINT:
        return None
    import jwt  # noqa: PLC0415 (as above)

    try:
        header = jwt.get_unverified_header(text)
        kid = None if header.get("typ") == access_jwt.TYPE else header.get("kid")
        key = next((key for key in published if key.kid == kid), None)
        if kid is None:
            return None
        options: Any = {
            **(_OF_ANY_AGE if key else _OF_A_RETIRED_KEY),
            "verify_aud": audience is not None,
        }
        claims = jwt.decode(
            text,
            jwt.PyJWK(json.loads(key.public_jwk)) if key else "",
            algorithms=[key.algorithm.value] if key else None,
            issuer=issuer,
            audience=audience,
            options=options,
        )
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    subject, made_for = claims["sub"], audience or claims["aud"]
    if not _USER_ID.fullmatch(subject) or not isinstance(made_for, str):
        return None
    came_from = claims.get("sid")
    return Hint(
        subject, key is not None, made_for, came_from if isinstance(came_from, str) else None
    )
