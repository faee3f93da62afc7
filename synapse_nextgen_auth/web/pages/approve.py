"""The page on which a person lets a client do one dangerous thing (MSC4312)."""

from synapse_nextgen_auth.accounts.approvals import WINDOW, Approval
from synapse_nextgen_auth.flows import approve_operation as flow
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.homeserver.live import UnknownSession
from synapse_nextgen_auth.store import approvals
from synapse_nextgen_auth.web import answers, grants
from synapse_nextgen_auth.web.admission import admit
from synapse_nextgen_auth.web.browser import Visitor
from synapse_nextgen_auth.web.languages import wanted
from synapse_nextgen_auth.web.pages import visitors
from synapse_nextgen_auth.web.pages.messages import Stop
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.views import (
    ApprovedPage,
    ApprovePage,
    ForwardLabel,
    Message,
)


async def show(site: Site, incoming: Incoming) -> Outgoing:
    """Say what is asked for, and by whom."""
    visitor = await visitors.greet(site, incoming)
    onward = await Onward.read(site, incoming, visitor)
    if not visitors.is_fresh(site, visitor):
        return visitors.with_cookie(site, visitor, answers.redirect(onward.sign_in_url))
    approval = await _find(site, visitor, onward)
    return await _page(site, incoming, visitor, approval)


async def submit(site: Site, incoming: Incoming) -> Outgoing:
    """Note what the person decided."""
    visitor = await visitors.greet(site, incoming)
    form = visitors.read_form(site, incoming, visitor)
    onward = await Onward.read(site, incoming, visitor)
    if not visitors.is_fresh(site, visitor):
        return answers.redirect(onward.sign_in_url)
    approval = await _find(site, visitor, onward)
    if form.get("decision") == "cancel":
        return answers.redirect("./")
    if form.get("decision") != "approve":
        raise Stop(400, Message.BAD_REQUEST)
    approved = await site.homeserver.run(
        flow.approve, approval, now=site.now(), address=incoming.address
    )
    if not approved:
        raise Stop(409, Message.ALREADY_DONE)
    page = ApprovedPage(
        operation=approval.operation,
        server_name=site.server_name,
        minutes=WINDOW // 60,
    )
    return answers.page(200, site.templates.render(page), keeps_opener=True)


async def _find(site: Site, visitor: Visitor, onward: Onward) -> Approval:
    """Return what waits for this person; somebody else's request is as good as none (C301)."""
    approval = await site.homeserver.read(approvals.get, onward.approval_id or "")
    if approval is None:
        raise Stop(400, Message.REQUEST_EXPIRED)
    if approval.user_id != visitor.user_id:
        raise Stop(
            403,
            Message.OTHER_BROWSER,
            forward_url=onward.sign_in_url,
            forward_label=ForwardLabel.OTHER_ACCOUNT,
        )
    if approval.approved_at is not None:
        raise Stop(409, Message.ALREADY_DONE)
    if not approval.is_open(site.now()):
        raise Stop(400, Message.REQUEST_EXPIRED)
    await admit(site, approval.user_id)
    return approval


async def _page(site: Site, incoming: Incoming, visitor: Visitor, approval: Approval) -> Outgoing:
    try:
        session = await site.homeserver.live.find(approval.session_id)
    except UnknownSession:
        raise Stop(400, Message.REQUEST_EXPIRED) from None
    client = await site.clients.find(session.client_id)
    device_id = session.device_id
    html = site.templates.render(
        ApprovePage(
            csrf=visitors.csrf(site, visitor),
            action=f"approve?request={approval.approval_id}",
            server_name=site.server_name,
            user_id=approval.user_id,
            operation=approval.operation,
            client=grants.card(client, wanted(incoming)) if client else None,
            device_name=await site.devices.name_of(approval.user_id, device_id)
            if device_id
            else None,
        )
    )
    return answers.page(200, html, keeps_opener=True)
