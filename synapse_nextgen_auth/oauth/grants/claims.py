"""The parameter `claims` of an authorization request (OpenID Connect Core section 5.5).

What an ID token and `/userinfo` say is for the scope to decide. Here is what a client may ask beyond
that: how its person proves who they are (`acr`), who that is (`sub`), and single claims, which are
those of a scope. What nobody knows here is ignored, as section 5.5.1 wants it, and `auth_time` is
always there.
"""

import json
from collections.abc import Mapping

from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_request
from synapse_nextgen_auth.oauth.scopes.permissions import EMAIL, PROFILE
from synapse_nextgen_auth.records import frozen

# Which scope opens a claim of `/userinfo`.
_SCOPES = {
    "name": PROFILE,
    "preferred_username": PROFILE,
    "picture": PROFILE,
    "email": EMAIL,
    "email_verified": EMAIL,
}
_MOST_VALUES = 50


@frozen
class Claims:
    """What a client asks for by name.

    `acr` are values of the ID token's `acr`, and `is_acr_essential` says that one of them has to be
    met. `sub` is the one account that it takes. `scopes` are those that open what it wants to know.
    """

    acr: tuple[str, ...] = ()
    is_acr_essential: bool = False
    sub: str | None = None
    scopes: tuple[str, ...] = ()


NOTHING = Claims()


def read(text: str | None) -> Claims:
    """Read the parameter; what is malformed in it is refused."""
    if text is None:
        return NOTHING
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid_request("claims must be JSON") from None
    if not isinstance(document, dict):
        raise invalid_request("claims must be a JSON object")
    of_id_token = _members(document, "id_token")
    of_userinfo = _members(document, "userinfo")
    wanted = of_id_token.get("acr", {})
    named = {
        value
        for claims in (of_id_token, of_userinfo)
        for value in _values("sub", claims.get("sub", {}))
    }
    if len(named) > 1:
        raise invalid_request("claims ask for several accounts at once")
    return Claims(
        acr=_values("acr", wanted),
        is_acr_essential=wanted.get("essential") is True,
        sub=next(iter(named), None),
        scopes=tuple(dict.fromkeys(_SCOPES[name] for name in of_userinfo if name in _SCOPES)),
    )


def _members(document: Mapping[str, object], part: str) -> dict[str, dict[str, object]]:
    """Return what is asked of each claim: `null` asks for it, and for nothing more."""
    wanted = document.get(part)
    if wanted is None:
        return {}
    if not isinstance(wanted, dict):
        raise _malformed(part)
    claims = {}
    for name, asked in wanted.items():
        if asked is not None and not isinstance(asked, dict):
            raise _malformed(part)
        claims[name] = asked or {}
        if not isinstance(claims[name].get("essential", False), bool):
            raise _malformed(part)
    return claims


def _values(name: str, asked: Mapping[str, object]) -> tuple[str, ...]:
    """Return what a claim may be, where it matters: words, as they stand in a parameter, too."""
    several = asked.get("values")
    if several is not None and (not isinstance(several, list) or not several):
        raise invalid_request(f"claims ask for {name} by values, which must be a list of texts")
    one = asked.get("value")
    values = [*([] if one is None else [one]), *(several or [])]
    if len(values) > _MOST_VALUES or not all(map(_is_word, values)):
        raise invalid_request(f"claims ask for {name} by what is no word, or by too many")
    return tuple(dict.fromkeys(map(str, values)))


def _is_word(value: object) -> bool:
    # Half of a surrogate pair, and what ends a line, are not printable.
    return isinstance(value, str) and bool(value) and value.isprintable() and " " not in value


def _malformed(part: str) -> OAuthError:
    return invalid_request(f"claims: {part} must be claims by their names, each null or an object")
