"""What the pages behind a link say: a new password, that it is set, or that the link is good no more."""

from typing import ClassVar

from synapse_nextgen_auth.accounts.new_passwords import Judgement, PasswordPolicy
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent


@frozen
class SetPasswordPage(PageContent):
    """Ask for a new password of the account `user_id`.

    `localpart` is the name that password managers keep it under, as it is typed on the sign-in page.
    `signed_in_as` is somebody else who is signed in in this browser. `signs_out` is whether the box is
    ticked that signs out whatever else is signed in. `judgement` is what is wrong with what was typed,
    and `retry_after` (seconds) is there when nobody could look at it. With `needs_factor` the account
    has a second factor, which is proven before. `action` is a relative URL.
    """

    template: ClassVar[str] = "pages/set_password.html"
    is_timed: ClassVar[bool] = True
    of_the_visit: ClassVar[tuple[str, ...]] = ("csrf",)

    csrf: str
    user_id: str
    localpart: str
    server_name: str
    policy: PasswordPolicy
    signs_out: bool = True
    signed_in_as: str | None = None
    judgement: Judgement | None = None
    retry_after: int | None = None
    needs_factor: bool = False
    action: str = "set-password"


@frozen
class PasswordSetPage(PageContent):
    """Say that the password is set, where it signs nobody in."""

    template: ClassVar[str] = "pages/password_set.html"

    user_id: str
    server_name: str
    signed_out: bool
    home_url: str = "./"


@frozen
class LinkGonePage(PageContent):
    """Say that a link sets no password, and what does; `recovery_url` is relative, if any."""

    template: ClassVar[str] = "pages/link_gone.html"

    server_name: str
    was_used: bool = False
    recovery_url: str | None = None
    sign_in_url: str = "sign-in"
    home_url: str = "./"
