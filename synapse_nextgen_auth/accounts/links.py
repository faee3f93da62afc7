"""Links with which the owner of an account sets its password: who may have one, and for how long.

Only the digest of its secret is kept. A look at the page changes nothing, as mail scanners open what
they find (C254); the press spends it, once. A newer link of the same account makes it worthless; but
one that anybody can ask for leaves alone what somebody gave out who runs the server.
"""

import enum

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret, urlsafe

DAY = 24 * 3600
LONGEST = 30 * DAY
_MINUTE, _HOUR = 60, 3600
_FEWEST_DAYS = 3


class Unit(str, enum.Enum):
    """In what people are told for how long a link works; templates of mails know the values."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


def told(seconds: int) -> tuple[int, Unit]:
    """Return how people are told for how long a link works: never longer than it does."""
    if seconds >= _FEWEST_DAYS * DAY:
        return seconds // DAY, Unit.DAYS
    if seconds == _HOUR or seconds >= 2 * _HOUR:
        return seconds // _HOUR, Unit.HOURS
    return max(1, seconds // _MINUTE), Unit.MINUTES


class LinkKind(str, enum.Enum):
    """Who asked for it; the value is what the database keeps."""

    COMMAND = "command"  # somebody who runs the server
    RECOVERY = "recovery"  # whoever typed the address on the page


@frozen
class Link:
    """One row of links; times in seconds since the epoch.

    `address` is the mailbox that it was sent to: as long as that is the account's, it is good. With
    `attempt_id` whoever asked waits in a browser, which goes on from there.
    """

    digest: str
    kind: LinkKind = attrs.field(converter=LinkKind)
    user_id: str
    created_at: int
    expires_at: int
    address: str | None = attrs.field(default=None, repr=False)
    attempt_id: str | None = None
    used_at: int | None = None
    ended_at: int | None = None

    def is_good(self, now: int) -> bool:
        """Say whether it still sets a password."""
        return self.used_at is None and self.ended_at is None and now < self.expires_at


def secret_of(keys: Keyring, request_id: str) -> Secret:
    """Return the secret of the link that answers a request: done twice it is one link."""
    return Secret(urlsafe(keys.mac(Purpose.LINK, request_id.encode("ascii"))))


def url_of(page_url: str, secret: Secret) -> str:
    """Return what its owner opens; the page takes the secret out of the address at once (C258)."""
    return f"{page_url}?link={secret.reveal()}"
