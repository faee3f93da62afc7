"""What the pages say that ask for a phone number, and for the code that went there.

`step` is there in a sign-up.
"""

from typing import ClassVar

from synapse_nextgen_auth.accounts.attempts.sign_ups import Step
from synapse_nextgen_auth.accounts.phones import PhoneTrouble
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent


@frozen
class PhonePage(PageContent):
    """Ask for a number, to have a code sent there; `retry_after` is in seconds."""

    template: ClassVar[str] = "pages/phone.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    step: Step | None
    number: str = ""
    trouble: PhoneTrouble | None = None
    retry_after: int | None = None
    may_skip: bool = False
    can_cancel: bool = False
    client: ClientCard | None = None


@frozen
class PhoneCodePage(PageContent):
    """Ask for the code that went to a number; `phone_url` is where another number is typed."""

    template: ClassVar[str] = "pages/phone_code.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    step: Step | None
    number: str
    phone_url: str
    trouble: PhoneTrouble | None = None
    retry_after: int | None = None
    may_skip: bool = False
    can_cancel: bool = False
    client: ClientCard | None = None
