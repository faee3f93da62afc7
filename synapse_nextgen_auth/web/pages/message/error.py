"""Pages that can only say something: errors and account states."""

from urllib.parse import urlsplit

from synapse_nextgen_auth.accounts.admission import Intent, Reason, Unfit
from synapse_nextgen_auth.accounts.people import Standing
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.flows.authorize import Refused
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_request
from synapse_nextgen_auth.oauth.grants.authorization_request import Problem
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message, MessagePage
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.site import Site


@frozen
class PageError(Exception):
    """There is nothing but a message to show; `refusal` is what is counted and logged of it."""

    status: int
    message: Message
    detail: str | None = None
    forward_url: str | None = None
    forward_label: ForwardLabel | None = None
    reference: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    refusal: OAuthError | None = None
    client: ClientCard | None = None


OF_REASON: dict[Reason, Message] = {
    Standing.DEACTIVATED: Message.ACCOUNT_DEACTIVATED,
    Standing.LOCKED: Message.ACCOUNT_LOCKED,
    Standing.EXPIRED: Message.ACCOUNT_EXPIRED,
    Standing.APPROVAL_PENDING: Message.APPROVAL_PENDING,
    Standing.GUEST: Message.GUEST_NOT_ALLOWED,
    Standing.APPSERVICE: Message.APPSERVICE_NOT_ALLOWED,
    Standing.SERVER_LIMIT: Message.SERVER_LIMIT,
    Standing.BLOCKED: Message.LOGIN_BLOCKED,
    Unfit.ADMIN: Message.ADMIN_NOT_ALLOWED,
    Unfit.DEVICE: Message.DEVICE_TAKEN,
    Unfit.ROOM: Message.TOO_MANY_DEVICES,
}

OF_PROBLEM = {
    Problem.UNKNOWN_CLIENT: Message.UNKNOWN_CLIENT,
    Problem.BLOCKED_CLIENT: Message.BLOCKED_CLIENT,
    Problem.BAD_REDIRECT_URI: Message.BAD_REDIRECT_URI,
}

# A grant that is not there any more looks like one that never was: ids are nobody's to guess at.
OF_REFUSED = {
    Refused.UNKNOWN: (400, Message.REQUEST_EXPIRED),
    Refused.EXPIRED: (400, Message.REQUEST_EXPIRED),
    Refused.OTHER_BROWSER: (403, Message.OTHER_BROWSER),
    Refused.DECIDED: (409, Message.ALREADY_DONE),
}


def show(site: Site, reader: Reader, error: PageError) -> Outgoing:
    """Show the message, always with a way forward: if nowhere better, to the start page."""
    wait = dict(error.headers).get("Retry-After")
    start = urlsplit(site.issuer.identifier).path
    page = MessagePage(
        kind=error.message,
        server_name=site.server_name,
        reference=error.reference,
        detail=error.detail,
        forward_url=error.forward_url or start,
        forward_label=error.forward_label if error.forward_url else ForwardLabel.HOME,
        devices_url="account" if error.message is Message.DEVICE_TAKEN else None,
        client=error.client,
        retry_after=int(wait) if wait else None,
    )
    return reader.answer(page, error.status, headers=error.headers)


def unknown_choice() -> PageError:
    """Say that the form was sent by none of its buttons."""
    refusal = invalid_request("the form was sent by none of its buttons")
    return PageError(400, Message.BAD_REQUEST, refusal=refusal)


async def refuse_if_gone(site: Site, user_id: str) -> None:
    """Take back what slipped in while the account was being deactivated, and stop (C317).

    Deactivation marks the account and then ends what it finds; whatever is written after that look
    finds the mark here.
    """
    try:
        await site.people.admit(user_id, Intent.KEEP)
    except NotAdmitted as refused:
        await site.homeserver.run(end_session.sign_out_everywhere, user_id, now=site.now())
        raise not_admitted(refused.why) from None


def not_admitted(why: Reason, *, other_account_url: str | None = None) -> PageError:
    """Say why this account cannot go on, and what may help: mostly to use another one."""
    message = OF_REASON[why]
    if why is Unfit.DEVICE:
        return PageError(409, message, forward_url="link", forward_label=ForwardLabel.TRY_AGAIN)
    if why is Unfit.ROOM:
        return PageError(403, message, forward_url="account", forward_label=ForwardLabel.DEVICES)
    status = 503 if why is Standing.SERVER_LIMIT else 403
    label = ForwardLabel.OTHER_ACCOUNT if other_account_url else None
    return PageError(status, message, forward_url=other_account_url, forward_label=label)
