"""Which languages a reader wants (RFC 9110 section 12.5.4, OIDC Core `ui_locales`).

By how near a wish is to the page: what the application asked for, what the person chose in this
browser, what they chose for their account, what the browser says. A choice that was made after the
application asked comes before that: whoever presses a language on a page means that page.
"""

import re

from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.choices import NOTHING, Choice

_RANGE = re.compile(
    r"([A-Za-z0-9-]{1,35})(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)
_MAX = 20
_JUST_NOW = 600  # seconds


@frozen
class Asked:
    """What an application asked for: tags, the most wanted first; `at` in seconds where it is known."""

    ui_locales: str
    at: int | None = None

    @property
    def tags(self) -> list[str]:
        """The tags, whatever they are."""
        return self.ui_locales[:1000].split(" ")

    def comes_before(self, choice: Choice, now: int) -> bool:
        """Say whether it was asked after the person chose; where nobody knows, that was long ago."""
        return choice.at < (self.at if self.at is not None else now - _JUST_NOW)


def wanted(
    incoming: Incoming,
    asked: Asked | None = None,
    *,
    choice: Choice = NOTHING,
    account: str | None = None,
    now: int = 0,
) -> tuple[str, ...]:
    """Return language tags, the most wanted first; nonsense is skipped (C030)."""
    tags = asked.tags if asked else []
    chosen = choice.language or ""
    first = [*tags, chosen] if asked and asked.comes_before(choice, now) else [chosen, *tags]
    header = (incoming.header("Accept-Language") or "")[:1000]
    ranges = (_RANGE.fullmatch(part.strip()) for part in header.split(","))
    found = [(float(match[2] or 1), match[1]) for match in ranges if match]
    by_weight = sorted(found, key=lambda pair: -pair[0])
    by_weight_tags = (tag for weight, tag in by_weight if weight)
    return tuple(filter(None, [*first[:_MAX], account, *by_weight_tags]))[:_MAX]
