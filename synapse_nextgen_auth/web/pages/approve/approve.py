"""The page on which a person lets a client do one dangerous thing (MSC4312)."""

from synapse_nextgen_auth.accounts.approvals import WINDOW, Approval
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.flows import approve_operation
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.live import UnknownSession
from synapse_nextgen_auth.store import approvals
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.approve.page import ApprovedPage, ApprovePage
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Say what is asked for, and by whom."""
    return await _page(visit, await _find(visit, user_id))


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Note what the person decided."""
    site = visit.site
    approval = await _find(visit, user_id)
    if form.get("decision") == "cancel":
        return answers.redirect("./")
    if form.get("decision") != "approve":
        raise PageError(400, Message.BAD_REQUEST)
    approved = await site.homeserver.run(
        approve_operation.approve, approval, now=site.now(), address=visit.address
    )
    if not approved:
        raise PageError(409, Message.ALREADY_DONE)
    page = ApprovedPage(
        operation=approval.operation,
        server_name=site.server_name,
        minutes=WINDOW // 60,
    )
    return visit.answer(page, keeps_opener=True)


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
    if approval.approved_at is not None:
        raise PageError(409, Message.ALREADY_DONE)
    if not approval.is_open(site.now()):
        raise PageError(400, Message.REQUEST_EXPIRED)
    return approval


async def _page(visit: Visit, approval: Approval) -> Outgoing:
    site = visit.site
    try:
        session = await site.homeserver.live.find(approval.session_id)
    except UnknownSession:
        raise PageError(400, Message.REQUEST_EXPIRED) from None
    client = await site.clients.find(session.client_id)
    device_id = session.device_id
    named = await site.devices.name_of(approval.user_id, device_id) if device_id else None
    page = ApprovePage(
        csrf=visit.csrf,
        action=f"approve?request={approval.approval_id}",
        accounts_url=Onward.to(Kind.APPROVAL, approval.approval_id).accounts_url,
        server_name=site.server_name,
        user_id=approval.user_id,
        operation=approval.operation,
        client=ClientCard.of(client, visit.languages) if client else None,
        device_name=named,
    )
    return visit.answer(page, keeps_opener=True)
