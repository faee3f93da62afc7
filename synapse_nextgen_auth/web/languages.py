"""Which languages a reader wants (RFC 9110 section 12.5.4, OIDC Core `ui_locales`)."""

import re

from synapse_nextgen_auth.homeserver.http import Incoming

_RANGE = re.compile(
    r"([A-Za-z0-9-]{1,35})(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)
_MAX = 20


def wanted(incoming: Incoming, ui_locales: str | None = None) -> tuple[str, ...]:
    """Return language tags, the most wanted first; nonsense is skipped (C030)."""
    asked = (ui_locales or "")[:1000].split(" ")
    header = (incoming.header("Accept-Language") or "")[:1000]
    ranges = (_RANGE.fullmatch(part.strip()) for part in header.split(","))
    found = [(float(match[2] or 1), match[1]) for match in ranges if match]
    by_weight = sorted(found, key=lambda pair: -pair[0])
    return tuple(filter(None, [*asked, *(tag for weight, tag in by_weight if weight)]))[:_MAX]
