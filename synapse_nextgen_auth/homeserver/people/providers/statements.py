"""What a provider says of its sign-in, kept on the request until the answer arrives.

Synapse checks it and drops it on the way. OpenID Connect: the claims of the ID token, which Synapse has
verified by then. SAML: the authentication statement. CAS has neither.
"""

import datetime as dt
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

from synapse_nextgen_auth.accounts.attempts.arrivals import Statement

_STATEMENT = "_nextgen_statement"
_LONGEST = 255
_LATEST = 253402300799  # the end of the year 9999


def note(request: Any, statement: Statement) -> None:
    """Keep what was said, beside the request that brought it."""
    setattr(request, _STATEMENT, statement)


def of(request: Any) -> Statement:
    """Return what was said, or nothing."""
    found: Statement = getattr(request, _STATEMENT, None) or Statement()
    return found


def of_id_token(token: Mapping[str, Any]) -> Statement:
    """Read the claims of an ID token that was verified; without one there is nothing (RFC 8176)."""
    text = token.get("id_token")
    if not isinstance(text, str):
        return Statement()
    payload = text.split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    amr = claims.get("amr")
    words = amr if isinstance(amr, list) else [amr]
    return Statement(
        amr=" ".join(filter(None, map(_word, words)))[:_LONGEST] or None,
        acr=_word(claims.get("acr")),
        auth_time=_time(claims.get("auth_time")),
    )


def of_assertion(session: Mapping[str, Any]) -> Statement:
    """Read pysaml2's `session_info`: class, authorities and instant (SAML core section 2.7.2)."""
    for info in session.get("authn_info") or ():
        context, _, instant = (*info, None, None)[:3]
        return Statement(acr=_word(context), auth_time=_instant(instant))
    return Statement()


def session(value: object) -> str | None:
    """Return what a provider calls its own sign-in, if it is a name that a table keeps."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        return None
    return value if is_storable(value) else None


def is_storable(text: str) -> bool:
    """Say whether a database keeps a text as it is: not with NUL, nor half a character (surrogates)."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _word(value: object) -> str | None:
    """Return one word of printable characters; whatever else is there says nothing."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        return None
    return value if value.isprintable() and " " not in value else None


def _time(value: object) -> int | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return int(value) if 0 <= value <= _LATEST else None


def _instant(value: object) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        parsed = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.timezone.utc)
    return _time(aware.timestamp())
