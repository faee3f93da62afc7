"""A rendezvous: one small spot that two devices read and overwrite in turn (MSC4108, MSC4388).

It is no secret channel: whoever knows its id can use it, what stands there is encrypted end to end.
"""

import enum
import re

import attrs

from synapse_nextgen_auth.oauth.rates import Rate
from synapse_nextgen_auth.records import frozen

MAX_DATA = 4096  # bytes
# How long (seconds) one of MSC4388 lives: it says so itself. One of MSC4108 lives as long as the device
# grant that follows, so that a person who agrees late keeps the secrets.
LIFETIME = 300
# How many may live at once: 200 MB over the whole homeserver, of which a network has a fiftieth.
MAX_LIVING = 50_000
SHARE = 1000

_ID = re.compile(r"[0-9a-f]{32}")


class Kind(str, enum.Enum):
    """The two forms of the protocol; an id of one is nothing to the other."""

    ETAG = "msc4108"
    SEQUENCE = "msc4388"


def is_id(text: str) -> bool:
    """Say whether this is what our ids look like."""
    return bool(_ID.fullmatch(text))


def share(rate: Rate, *, lifetime: int) -> Rate:
    """Return the rate at which one network may make them: never do more than its share live.

    In a lifetime come a burst and what the rate gives meanwhile: half of the share each.
    """
    return Rate(
        per_second=min(rate.per_second, SHARE / 2 / lifetime), burst=min(rate.burst, SHARE // 2)
    )


@frozen
class Rendezvous:
    """One row of rendezvous; times in seconds since the epoch."""

    rendezvous_id: str
    kind: Kind = attrs.field(converter=Kind)
    data: str = attrs.field(repr=False)
    sequence: str
    created_at: int
    modified_at: int
    expires_at: int

    @property
    def etag(self) -> str:
        """The sequence as an entity tag (RFC 9110 section 8.8.3)."""
        return f'"{self.sequence}"'


# Compression on the way makes a tag weak, or adds its name to it; what stands there is the same.
_TAG = re.compile(r'(?:W/)?"?([0-9a-f]{32})(?:-[a-z]+)?"?')


def sequences(tags: str) -> tuple[str, ...]:
    """Return the sequences that a list of entity tags names.

    More lenient than RFC 9110 section 13.1.1: a weak tag counts as its strong one, in If-Match too.
    """
    matches = (_TAG.fullmatch(tag.strip()) for tag in tags.split(","))
    return tuple(match[1] for match in matches if match)


def is_known(tags: str | None, rendezvous: Rendezvous) -> bool:
    """Say whether If-None-Match names what stands there; `*` fits whatever does."""
    if tags is None:
        return False
    return tags.strip() == "*" or rendezvous.sequence in sequences(tags)


def refuse_fetch(headers: dict[str, str | None]) -> str | None:
    """Return why a browser must not show this answer to a person (MSC4388, unsafe content).

    `headers` holds the fetch metadata of the request by its name in lower case.
    """
    if headers.get("sec-fetch-dest") not in {None, "empty"}:
        return "The content of a rendezvous is only for scripts"
    if headers.get("sec-fetch-mode") == "navigate" or headers.get("sec-fetch-user") == "?1":
        return "The content of a rendezvous cannot be navigated to"
    if headers.get("sec-fetch-site") == "none":
        return "The content of a rendezvous cannot be opened by hand"
    return None
