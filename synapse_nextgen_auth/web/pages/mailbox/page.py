"""What the pages say by which people show that they read a mailbox."""

import enum
from typing import ClassVar

from synapse_nextgen_auth.accounts.attempts.sign_ups import Step
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent


class AddressProblem(enum.Enum):
    """Why no code is sent to an address."""

    MISSING = "missing"
    INVALID = "invalid"
    DENIED = "denied"
    OF_INVITATION = "of_invitation"  # it is for another one
    TOO_OFTEN = "too_often"
    OWN = "own"  # the account has it
    TAKEN = "taken"  # another one has it, as whoever reads the mailbox is told


class CodeRefused(enum.Enum):
    """Why a code signed nobody in, as the log and the metrics have it."""

    WRONG = "wrong_code"
    OVER = "code_over"


class CodeProblem(enum.Enum):
    """What is wrong with a code."""

    MISSING = "missing"
    WRONG = "wrong"
    OVER = "over"
    TOO_OFTEN = "too_often"


@frozen
class AddressPage(PageContent):
    """Ask for an address, to send a code to it.

    `action` is a relative URL. `step` is there in a sign-up, `sign_in_url` in a sign-in.
    `retry_after` is in seconds.
    """

    template: ClassVar[str] = "pages/address.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    address: str = ""
    problem: AddressProblem | None = None
    retry_after: int | None = None
    step: Step | None = None
    sign_in_url: str | None = None
    may_skip: bool = False
    can_cancel: bool = False
    client: ClientCard | None = None


@frozen
class AddressCodePage(PageContent):
    """Ask for the code that went to an address.

    `minutes` is for how long it is good, `wait` in how many seconds a new one may be sent.
    `is_refused` is whether the mail server takes nothing for the address. In a sign-in, where
    `sign_in_url` is there, nobody is told whether the address has an account.
    """

    template: ClassVar[str] = "pages/address_code.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    address: str
    address_url: str
    minutes: int
    wait: int = 0
    problem: CodeProblem | None = None
    retry_after: int | None = None
    is_refused: bool = False
    step: Step | None = None
    sign_in_url: str | None = None
    may_skip: bool = False
    can_cancel: bool = False
    client: ClientCard | None = None
