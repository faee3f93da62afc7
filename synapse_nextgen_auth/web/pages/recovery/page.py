"""What the pages say on which somebody asks for a link to set another password."""

from enum import Enum
from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent


class RecoveryError(Enum):
    """Why the form comes back; whether somebody has the address is not among them."""

    MISSING = "missing"
    NO_ADDRESS = "no_address"
    TOO_OFTEN = "too_often"


@frozen
class RecoveryPage(PageContent):
    """Ask for the address of the account; `action` and `sign_in_url` are relative."""

    template: ClassVar[str] = "pages/recovery.html"
    of_the_visit: ClassVar[tuple[str, ...]] = ("csrf", "action")

    csrf: str
    action: str
    sign_in_url: str
    server_name: str
    address: str = ""
    error: RecoveryError | None = None
    retry_after: int | None = None


@frozen
class RecoveryAskedPage(PageContent):
    """Say that a link is on its way, if that address is an account's: always the same."""

    template: ClassVar[str] = "pages/recovery_asked.html"

    server_name: str
    address: str
    minutes: int
    sign_in_url: str
    again_url: str
