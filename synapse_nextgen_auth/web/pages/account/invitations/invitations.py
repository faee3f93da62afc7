"""The invitations of a member: what there is, another one, and taking one back."""

from synapse_nextgen_auth.accounts.invitations import LONGEST_TEXT, Kept, held_for, in_words
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows import invitations as flows
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.invitations import link, may_be_made
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.invitations.page import (
    InvitationLine,
    InvitationsPage,
    Problem,
)
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_STATUS = {Problem.TOO_LONG: 400, Problem.NO_MORE: 409, Problem.NOT_THERE: 404}


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show what there is."""
    return await _page(visit, user_id)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Make an invitation, or take back one of this account's (C301)."""
    decision = form.get("decision")
    if decision == "invite":
        return await _invite(visit, user_id, in_words(form.get("text", "")))
    if decision != "withdraw":
        raise unknown_choice()
    token, now = form.get("invitation", ""), visit.site.now()
    if not await visit.site.homeserver.run(
        visit.as_signed_in(flows.end_by_member), token, user_id, now=now
    ):
        return await _page(visit, user_id, problem=Problem.NOT_THERE)
    return answers.redirect(visit.saying(Place.INVITATIONS.value, Done.INVITATION_WITHDRAWN))


async def _invite(visit: Visit, user_id: str, text: str) -> Outgoing:
    site = visit.site
    if not may_be_made(site) or (await site.profiles.of(user_id)).is_suspended:
        return await _page(visit, user_id, status=403)
    if len(text) > LONGEST_TEXT:
        return await _page(visit, user_id, typed=text, problem=Problem.TOO_LONG)
    invitation = site.invitations.new_of_member(user_id, text=text or None)
    if not await site.homeserver.run(
        visit.as_signed_in(flows.make_by_member),
        invitation,
        quota=site.invitations.quota,
        now=invitation.made_at,
    ):
        return await _page(visit, user_id, typed=text, problem=Problem.NO_MORE)
    return answers.redirect(visit.saying(Place.INVITATIONS.value, Done.INVITED))


async def _page(
    visit: Visit,
    user_id: str,
    *,
    typed: str | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> Outgoing:
    site, inviting, now = visit.site, visit.site.invitations, visit.site.now()
    found = await inviting.of_member(user_id)
    lines = [_line(visit, each) for each in found]
    still = tuple(line for line in lines if line.token)
    placed = [each for each in found if each.has_its_place(now, lifetime=inviting.lifetime)]
    withdrawn = [each.invitation.made_at for each in placed if each.state(now) == "over"]
    page = InvitationsPage(
        **console.of(visit, user_id, Target(Place.INVITATIONS)),
        action=Place.INVITATIONS.value,
        open=still,
        former=tuple(line for line in lines if not line.token),
        left=max(0, inviting.quota - len(placed)),
        free_at=min(withdrawn) + held_for(inviting.lifetime) if withdrawn else None,
        quota=inviting.quota,
        longest=LONGEST_TEXT,
        is_offered=may_be_made(site),
        is_suspended=(await site.profiles.of(user_id)).is_suspended,
        typed=visit.typed.get("text", "") if typed is None else typed,
        problem=problem,
    )
    return visit.answer(page, _STATUS[problem] if problem else status)


def _line(visit: Visit, kept: Kept) -> InvitationLine:
    invitation, state = kept.invitation, kept.state(visit.site.now())
    is_open = kept.is_open(visit.site.now())
    return InvitationLine(
        made_at=invitation.made_at,
        expires_at=kept.expires_at,
        text=invitation.text,
        is_used=state == "used",
        is_held=state == "held",
        token=invitation.token if is_open else None,
        url=link(visit.site, invitation) if is_open else None,
    )
