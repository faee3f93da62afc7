"""What the page says about a profile: what others see, and how its person can be reached."""

import enum
from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.loads import ASKS_US, Loads
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage


class NameProblem(enum.Enum):
    """Why a display name is not taken."""

    TOO_LONG = "too_long"
    NOT_ALLOWED = "not_allowed"


@frozen
class AddressLine:
    """An address or a number of an account; `added_at` in seconds, `url` removes it, relative."""

    address: str
    added_at: int
    url: str


@frozen(kw_only=True)
class ProfilePage(ConsolePage):
    """Show name, picture and addresses, and what may be changed of them. The URLs are relative.

    `takes_emails` and `takes_phones` are whether one can be added; `may_change_addresses` whether one
    can be removed. `longest_name` is in letters, `largest_picture` in bytes.
    """

    template: ClassVar[str] = "pages/account_profile.html"

    @property
    def loads(self) -> Loads:
        """Its script sends a picture here."""
        return ASKS_US

    action: str
    name: str
    longest_name: int
    picture_url: str
    largest_picture: int
    has_picture: bool = False
    may_name: bool = True
    may_picture: bool = True
    is_suspended: bool = False
    problem: NameProblem | None = None
    emails: tuple[AddressLine, ...] = ()
    phones: tuple[AddressLine, ...] = ()
    may_change_addresses: bool = True
    takes_emails: bool = True
    takes_phones: bool = False
    email_url: str
    phone_url: str
    deactivate_url: str
