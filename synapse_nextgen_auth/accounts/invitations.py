"""Invitations: who made one, what it says, and whom it is for.

Underneath is a registration token of Synapse's: there stand how often it may be used and until when, so
that older clients can use it, too. One that pins something is good on our pages alone.
"""

import json
import re
import unicodedata
from collections.abc import Iterable

import attrs

from synapse_nextgen_auth.accounts.links import DAY
from synapse_nextgen_auth.clock import is_recent
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import random_letters

# As Synapse has it for its own: nothing in it is changed in an address.
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_LENGTH = 26  # 130 bits
# Control characters, line breaks, what has no width, overrides and isolates: pages show the words.
_NOT_IN_WORDS = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u200b\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
MOST_ROOMS = 20
LONGEST_TEXT = 500


@frozen
class Invitation:
    """One row of invitations; times in seconds since the epoch.

    `username` and `email` are pinned: nobody else comes in with it. `mail_digest` is of a second secret,
    which is in the mail alone: whoever has it reads that mailbox. `rooms` is JSON: their ids or aliases.
    `slot` is which of so many that a member may have open at once.
    """

    token: str = attrs.field(repr=False)
    made_at: int
    expires_at: int | None = None
    invited_by: str | None = None
    text: str | None = attrs.field(default=None, repr=False)
    username: str | None = None
    email: str | None = attrs.field(default=None, repr=False)
    mail_digest: str | None = attrs.field(default=None, repr=False)
    rooms: str = "[]"
    slot: int | None = None

    @property
    def pins(self) -> bool:
        """Whether it is for one name or one address alone."""
        return self.username is not None or self.email is not None

    @property
    def joins(self) -> tuple[str, ...]:
        """The rooms that whoever comes with it joins."""
        return tuple(json.loads(self.rooms))

    def admits(self, *, localpart: str, address: str | None) -> bool:
        """Say whether an account of this name, with this confirmed address, is who is invited."""
        is_named = self.username in {None, localpart}
        return is_named and self.email in {None, address}


@frozen
class Kept:
    """An invitation with what Synapse has of its token: uses allowed, pending, completed; until when.

    That counts: an administrator may change it with Synapse's own API, beside us. `expiry_time` is in
    milliseconds, as there.
    """

    invitation: Invitation
    uses_allowed: int | None
    pending: int
    completed: int
    expiry_time: int | None

    @property
    def expires_at(self) -> int | None:
        """Until when (seconds since the epoch) somebody can begin with it."""
        return None if self.expiry_time is None else self.expiry_time // 1000

    def state(self, now: int) -> str:
        """Return in one word whether it can be used; that somebody came with it stays so."""
        if self._is_used_up:
            return "used" if self.completed else "over"
        if self.expires_at is not None and now >= self.expires_at:
            return "over"
        return "held" if self._is_held else "open"

    def is_open(self, now: int) -> bool:
        """Say whether somebody can come with it, now or once whoever is on the way gave up."""
        return self.state(now) in {"open", "held"}

    def has_its_place(self, now: int, *, lifetime: int) -> bool:
        """Say whether a member could make another but for this one."""
        if self.invitation.slot is None or self._is_used_up:
            return False
        return self.is_open(now) or self._is_withdrawn_lately(now, held_for(lifetime))

    def _is_withdrawn_lately(self, now: int, within: int) -> bool:
        """Say whether it is over by what is known here, and was made just now."""
        until = self.invitation.expires_at
        is_over_here = until is not None and now >= until
        return is_over_here and is_recent(self.invitation.made_at, now, within=within)

    @property
    def _is_used_up(self) -> bool:
        return self.uses_allowed is not None and self.completed >= self.uses_allowed

    @property
    def _is_held(self) -> bool:
        """Whether as many are on the way with it as may still come."""
        return self.uses_allowed is not None and self.pending + self.completed >= self.uses_allowed


@frozen
class OnTheWay:
    """Somebody is on the way with the last use of a token; `until` when at most, where that is known."""

    until: int | None


def held_for(lifetime: int) -> int:
    """Return for how long (seconds) an invitation has its place although it is withdrawn.

    Each is a row of Synapse's that stays: whoever makes and withdraws all day would fill its table.
    """
    return min(lifetime, DAY)


def in_words(typed: str) -> str:
    """Return what somebody typed that others read: one line, and nothing turns its direction.

    Nothing is left of what nobody sees.
    """
    words = " ".join(_NOT_IN_WORDS.sub(" ", typed).split())
    return words if any(_is_seen(letter) for letter in words) else ""


def _is_seen(letter: str) -> bool:
    """Say whether a letter shows by itself: no space, mark, control or format."""
    kind = unicodedata.category(letter)
    return kind[0] not in "ZM" and kind not in {"Cc", "Cf"}


def new_token() -> str:
    """Draw a token that nobody can guess."""
    return random_letters(_LETTERS, _LENGTH)


def free_slot(taken: Iterable[int], *, quota: int) -> int | None:
    """Return which invitation a member may make, `None` where they have as many as they may."""
    held = set(taken)
    return next((slot for slot in range(quota) if slot not in held), None)
