"""What the pages of a sign-up say."""

import enum
from typing import ClassVar

import attrs

from synapse_nextgen_auth.accounts.attempts.sign_ups import Step
from synapse_nextgen_auth.accounts.invitations import Invitation
from synapse_nextgen_auth.accounts.new_passwords import Judgement, PasswordPolicy
from synapse_nextgen_auth.homeserver.people.sign_ups.new_people import Trouble
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.loads import ASKS_US, NOTHING, Loads
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, ProviderCard


class NameProblem(enum.Enum):
    """What is wrong with a username."""

    MISSING = "missing"
    INVALID = "invalid"
    TAKEN = "taken"
    RESERVED = "reserved"
    OF_INVITATION = "of_invitation"  # it is for another one


class TokenProblem(enum.Enum):
    """What is wrong with a registration token."""

    MISSING = "missing"
    WRONG = "wrong"
    HELD = "held"  # somebody is on the way with it


class DisplayNameProblem(enum.Enum):
    """What is wrong with what somebody wants to be called."""

    TOO_LONG = "too_long"


@frozen
class InvitationCard:
    """Who invites, where that is a member, what they say, and the name that it is for.

    `email` is the address that the account gets without a code, of whom its mail brought here: whoever
    reads that mailbox can open the account, and that may be somebody else.
    """

    invited_by: str | None = None
    text: str | None = None
    username: str | None = None
    email: str | None = None

    @classmethod
    def of(
        cls, invitation: Invitation | None, *, came_by_mail: bool = False
    ) -> "InvitationCard | None":
        """Show an invitation; the address that it is for to nobody who has not its mail."""
        if invitation is None:
            return None
        email = invitation.email if came_by_mail else None
        return cls(invitation.invited_by, invitation.text, invitation.username, email)


@frozen
class SignUpPage(PageContent):
    """The first page: the name of the account, and what opens it.

    `action` is a relative URL. `by_password` is whether accounts with a password are made here, and
    where neither they nor `providers` are there, nobody gets one. `has_password` is whether one was
    chosen before, and is kept. `judgement` says what is wrong with the one that was typed, `policy` what
    this server demands of one. `token` is what stands in the field for the registration token.
    `token_wait` is in how many seconds one is free again that somebody has, where that is known.
    `free` are names like a taken one. `trouble` is why no account came of the last press, `retry_after`
    in seconds.
    """

    template: ClassVar[str] = "pages/sign_up.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    sign_in_url: str
    by_password: bool = True
    step: Step | None = None
    localpart: str = ""
    display_name: str = ""
    asks_display_name: bool = True
    has_password: bool = False
    asks_token: bool = False
    needs_token: bool = False
    token: str = attrs.field(default="", repr=False)
    name_problem: NameProblem | None = None
    display_name_problem: DisplayNameProblem | None = None
    judgement: Judgement | None = None
    policy: PasswordPolicy = attrs.field(factory=PasswordPolicy)
    token_problem: TokenProblem | None = None
    token_wait: int | None = None
    invitation: InvitationCard | None = None
    trouble: Trouble | None = None
    retry_after: int | None = None
    is_impossible: bool = False
    providers: tuple[ProviderCard, ...] = ()
    client: ClientCard | None = None
    can_cancel: bool = False
    free: tuple[str, ...] = ()

    @property
    def loads(self) -> Loads:
        """Its script asks this server which names are free."""
        return ASKS_US if self.by_password else NOTHING


@frozen
class SignUpTermsPage(PageContent):
    """Ask for agreement to the terms of this server; `version` is which of them are shown."""

    template: ClassVar[str] = "pages/sign_up_terms.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    step: Step
    terms_url: str
    version: str
    user_id: str
    terms_name: str | None = None
    is_missing: bool = False
    client: ClientCard | None = None
