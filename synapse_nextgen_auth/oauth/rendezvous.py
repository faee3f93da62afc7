"""A rendezvous: one small spot that two devices read and overwrite in turn (MSC4108, MSC4388).

It is no secret channel: whoever knows its id can use it, what stands there is encrypted end to end.
"""

import enum

import attrs

MAX_DATA = 4096  # bytes
LIFETIME = 300  # seconds; long enough for a person to sign in meanwhile, and no longer
MAX_LIVING = 1000  # over the whole homeserver


class Kind(str, enum.Enum):
    """The two forms of the protocol; an id of one is nothing to the other."""

    ETAG = "msc4108"
    SEQUENCE = "msc4388"


@attrs.frozen
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
