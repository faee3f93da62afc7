"""Reading forms and JSON from the raw bytes, because Twisted's own reading cannot be trusted.

It merges query and body and splits on `;` too, so that two readers of one request may disagree
(C017, C089). Here a parameter stands between `&`, once, in UTF-8 (RFC 6749 appendix B).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_request
from synapse_nextgen_auth.oauth.grants.parameters import Parameters

FORM = "application/x-www-form-urlencoded"
Form = Mapping[str, str]  # what was posted, each parameter once

_MAX_PARAMETERS = 200


def parse(raw: bytes) -> Parameters:
    """Read bytes of the media type `FORM`; raise `invalid_request` for broken text."""
    values: dict[str, str] = {}
    repeated = set()
    pieces = [piece for piece in raw.split(b"&") if piece]
    if len(pieces) > _MAX_PARAMETERS:
        raise invalid_request("there are too many parameters")
    for piece in pieces:
        name, _, value = piece.partition(b"=")
        key = _text(name)
        if key in values:
            repeated.add(key)
        values[key] = _text(value)
    return Parameters(values, frozenset(repeated))


def once(parameters: Parameters) -> dict[str, str]:
    """Return the parameters of a form in which each may stand once (RFC 6749 section 3.2)."""
    for name in sorted(parameters.repeated):
        raise invalid_request("a parameter is repeated", detail=f"repeated: {name[:80]!r}")
    return {name: value for name, value in parameters.values.items() if value}


def names_another(form: Form, user_id: str) -> bool:
    """Say whether a form comes from a page that named another account than the one that goes on now.

    A page of an earlier release says nothing of it.
    """
    return form.get("account", user_id) != user_id


def parse_json(raw: bytes) -> Any:
    """Read a JSON document; raise `invalid_request` without repeating what it holds (C225)."""
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise invalid_request("The body must be a JSON document in UTF-8") from None


def _text(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise invalid_request("a parameter is not UTF-8") from None
    if "\0" in text:
        raise invalid_request("a parameter has a NUL character")
    return text


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise OAuthError("invalid_client_metadata", "A name stands twice in one object")
        found[name] = value
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
