"""The page on which a person lets a client do one dangerous thing (MSC4312)."""

from synapse_nextgen_auth.accounts.approvals import WINDOW, Approval, Details, Operation
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.flows import approve_operation
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.live import UnknownSession
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.store import approvals, sessions
from synapse_nextgen_auth.web import added, answers, factors
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.approve.page import (
    ApprovedPage,
    ApprovePage,
    AskedDevice,
    NotApprovedPage,
)
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.message.error import PageError, unknown_choice
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Say what is asked for, and by whom."""
    approval = await _find(visit, user_id)
    return await _first(visit, approval) or await _page(visit, approval)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Note what the person decided; the client hears of it when it asks again."""
    site = visit.site
    approval = await _find(visit, user_id)
    decide = {
        "approve": approve_operation.approve,
        "cancel": approve_operation.refuse,
    }.get(form.get("decision") or "")
    if decide is None:
        raise unknown_choice()
    await _session(visit, approval)
    if decide is approve_operation.approve and (first := await _first(visit, approval)):
        return first
    by = visit.sign_in
    if by is None or not await site.homeserver.run(
        decide, approval, by=by, now=site.now(), address=visit.address
    ):
        await _find(visit, user_id)
        # Nobody decided: it is the sign-in that is over. The page asks anew who is there.
        return answers.redirect(Onward.to(Kind.APPROVAL, approval.approval_id).next_url)
    if decide is approve_operation.refuse:
        return visit.answer(NotApprovedPage(site.server_name, "account"))
    return visit.answer(ApprovedPage(approval.operation, site.server_name, WINDOW // 60))


async def _find(visit: Visit, user_id: str) -> Approval:
    """Return what waits for this person; somebody else's request is as good as none (C301)."""
    site, onward = visit.site, Onward.of(visit.parameters)
    approval = await site.homeserver.read(approvals.get, onward.approval_id or "")
    if approval is None:
        raise PageError(400, Message.REQUEST_EXPIRED)
    if approval.user_id != user_id:
        raise PageError(
            403,
            Message.OTHER_BROWSER,
            forward_url=onward.accounts_url,
            forward_label=ForwardLabel.OTHER_ACCOUNT,
        )
    decided = (approval.approved_at, approval.refused_at, approval.used_at)
    if any(at is not None for at in decided):  # used and neither: on another page for the same
        raise PageError(409, Message.ALREADY_DONE)
    if not approval.is_open(site.now()):
        raise PageError(400, Message.REQUEST_EXPIRED)
    return approval


async def _first(visit: Visit, approval: Approval) -> Outgoing | None:
    """Return where somebody goes first who has to do something before they allow that.

    Whoever signs a device in may have to do what another module asks, too.
    """
    asks = added if approval.operation is Operation.LOGIN_TOKEN else factors
    if await asks.is_missing(visit):
        return answers.redirect(Onward.to(Kind.APPROVAL, approval.approval_id).sign_in_url)
    return None


async def _session(visit: Visit, approval: Approval) -> Session | None:
    """Return the session that asks, `None` for a legacy one; stop if it is over."""
    if approval.is_legacy:
        return None
    site = visit.site
    try:
        session = await site.homeserver.live.find(approval.session_id)
    except UnknownSession:
        raise PageError(400, Message.REQUEST_EXPIRED) from None
    if session.over(site.now(), site.lifetimes.sessions) is not None:
        raise PageError(400, Message.REQUEST_EXPIRED)
    return session


async def _page(visit: Visit, approval: Approval) -> Outgoing:
    site, user_id = visit.site, approval.user_id
    details = Details.unsealed(site.issuer.keys, approval.details)
    if details is None:
        raise PageError(400, Message.REQUEST_EXPIRED)
    session = await _session(visit, approval)
    device_id = session.device_id if session else approval.device_id
    client = await site.clients.find(session.client_id) if session else None
    devices, gone = await _devices(visit, details, user_id=user_id, asking=device_id)
    page = ApprovePage(
        csrf=visit.csrf,
        action=f"approve?request={approval.approval_id}",
        accounts_url=Onward.to(Kind.APPROVAL, approval.approval_id).accounts_url,
        server_name=site.server_name,
        user_id=user_id,
        operation=approval.operation,
        asked_at=approval.requested_at,
        expires_at=approval.expires_at,
        address=approval.address,
        place=site.places.of(approval.address, visit.reader.language),
        client=ClientCard.of(client, visit.languages) if client else None,
        device_name=await site.devices.name_of(user_id, device_id) if device_id else None,
        devices=devices,
        gone=gone,
        medium=details.medium,
        added=details.address,
        erase=details.erase,
        logout_devices=details.logout_devices,
    )
    return visit.answer(page)


async def _devices(
    visit: Visit, details: Details, *, user_id: str, asking: str | None
) -> tuple[tuple[AskedDevice, ...], tuple[str, ...]]:
    """Return the devices that would go, by name, and the ids of those that are not there any more.

    With as many queries as for one, however many there are.
    """
    if not details.devices:
        return (), ()
    site = visit.site
    known = {device.device_id: device for device in await site.devices.list_for(user_id)}
    speaking = {
        each.device_id: each.client_id
        for each in await site.homeserver.read(sessions.list_living, user_id)
        if each.device_id in known
    }
    clients = await site.clients.find_all(set(speaking.values()))
    there = tuple(
        AskedDevice(
            name=known[each].name,
            device_id=each,
            client=(
                ClientCard.of(clients[speaking[each]], visit.languages)
                if speaking.get(each) in clients
                else None
            ),
            last_seen=known[each].last_seen,
            asks=each == asking,
        )
        for each in details.devices
        if each in known
    )
    return there, tuple(each for each in details.devices if each not in known)
