"""What the page about the invitations of a member says."""

import enum
from typing import ClassVar

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage


class Problem(str, enum.Enum):
    """Why something was not done."""

    TOO_LONG = "too_long"
    NO_MORE = "no_more"
    NOT_THERE = "not_there"


@frozen
class InvitationLine:
    """An invitation that somebody made; `url` is absolute, for whoever is invited.

    One that is not open has no token and leads nowhere; `is_used` says whether that is why.
    `is_held` is whether somebody is on the way with it.
    """

    made_at: int
    expires_at: int | None
    text: str | None = None
    is_used: bool = False
    is_held: bool = False
    token: str | None = attrs.field(default=None, repr=False)
    url: str | None = attrs.field(default=None, repr=False)


@frozen(kw_only=True)
class InvitationsPage(ConsolePage):
    """List the invitations of a member, and make one.

    `left` is how many they may make now; `free_at` is when a place is free again that one keeps which
    was withdrawn. `is_offered` is whether members may invite here at all. `typed` is what they
    wrote where it was not taken.
    """

    template: ClassVar[str] = "pages/account_invitations.html"

    action: str
    open: tuple[InvitationLine, ...]
    former: tuple[InvitationLine, ...]
    left: int
    quota: int
    longest: int
    is_offered: bool
    is_suspended: bool = False
    free_at: int | None = None
    typed: str = ""
    problem: Problem | None = None
