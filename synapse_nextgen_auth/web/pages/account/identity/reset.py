"""The page on which somebody begins the reset of their cryptographic identity (MSC4191, MSC4312).

No request of an application waits for it, so it is for one session that the person names (C299).
"""

import attrs

from synapse_nextgen_auth.accounts.approvals import WINDOW, Approval
from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.accounts.signed_in import Entry, Kind
from synapse_nextgen_auth.flows import approve_operation
from synapse_nextgen_auth.flows.as_signed_in import SignedOut
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.store import approvals, sessions
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form, names_another
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.devices import seen
from synapse_nextgen_auth.web.pages.account.devices.page import Line
from synapse_nextgen_auth.web.pages.account.identity.page import ResetAllowedPage, ResetPage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_PLACE = Place.RESET_IDENTITY


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Ask which device it is for; where one waits for it already, its request is the one to answer."""
    found, may = await _look(visit, user_id)
    target = Target.read(_PLACE.value, visit.parameters.get("id"))
    if target.id is None and len(may) == 1:
        target = Target(_PLACE, may[0].id)
    entry = _named(may, target)
    session = await _session(visit, user_id, entry)
    if entry is None or session is None:
        return await _ask_which(visit, user_id, found, may, is_missing=target.id is not None)
    waiting = await _waiting(visit, session)
    if waiting is not None:
        return _to(waiting)
    return await _ask_whether(visit, user_id, entry, is_alone=len(may) == 1)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Allow it, for this session alone and once."""
    if form.get("decision") != "allow":
        raise unknown_choice()
    site = visit.site
    found, may = await _look(visit, user_id)
    entry = _named(may, Target.read(_PLACE.value, visit.parameters.get("id")))
    # Of this account alone: somebody else's device is as good as none (C301).
    session = await _session(visit, user_id, entry)
    if entry is None or session is None:
        return await _ask_which(visit, user_id, found, may, is_missing=True)
    if names_another(form, user_id):
        return await _ask_whether(visit, user_id, entry, is_alone=len(may) == 1, is_other=True)
    allowed = Approval.of_reset(
        user_id=user_id,
        session_id=session.session_id,
        device_id=session.device_id,
        address=visit.address,
        now=site.now(),
    )
    by = visit.sign_in
    try:
        if by is None:
            raise SignedOut
        waiting = await site.homeserver.run(
            approve_operation.allow_reset, allowed, by=by, otherwise=random_id()
        )
    except SignedOut:
        # The page asks anew who is there.
        return answers.redirect(Target(_PLACE, entry.id).url)
    if waiting is not None:
        return _to(waiting)
    page = ResetAllowedPage(
        server_name=site.server_name,
        line=(await _lines(visit, [entry]))[0],
        minutes=WINDOW // 60,
    )
    return visit.answer(page)


async def _look(visit: Visit, user_id: str) -> tuple[seen.Seen, list[Entry]]:
    """Return where the account is signed in, and the devices of ours that can do it."""
    here = visit.sign_in.name if visit.sign_in else None
    found = await seen.look(visit.site, user_id, here=here)
    return found, [
        each
        for each in found.entries
        if each.kind is Kind.DEVICE and each.scope and grammar.parse(each.scope).api
    ]


def _named(may: list[Entry], target: Target) -> Entry | None:
    return next((each for each in may if each.id == target.id), None)


async def _session(visit: Visit, user_id: str, entry: Entry | None) -> Session | None:
    """Return the session that speaks for a device now, if it is not over."""
    if entry is None:
        return None
    site = visit.site
    session = await site.homeserver.read(sessions.find_by_device, user_id, entry.id)
    if session is None or session.over(site.now(), site.lifetimes.sessions) is not None:
        return None
    return session


async def _waiting(visit: Visit, session: Session) -> Approval | None:
    now = visit.site.now()
    resets = await visit.site.homeserver.read(approvals.list_resets, session.user_id, now=now)
    mine = (each for each in resets if each.session_id == session.session_id)
    return next((each for each in mine if each.is_open(now)), None)


def _to(waiting: Approval) -> Outgoing:
    return answers.redirect(f"approve?request={waiting.approval_id}")


async def _lines(visit: Visit, entries: list[Entry]) -> tuple[Line, ...]:
    """Return the devices as their owner sees them; each leads to the question about it."""
    site = visit.site
    clients = await seen.clients_of(site, entries)
    lines = seen.lines(
        site, entries, clients, languages=visit.languages, language=visit.reader.language
    )
    return tuple(
        attrs.evolve(line, url=Target(_PLACE, entry.id).url)
        for line, entry in zip(lines, entries, strict=True)
    )


async def _ask_which(
    visit: Visit, user_id: str, found: seen.Seen, may: list[Entry], *, is_missing: bool
) -> Outgoing:
    page = ResetPage(
        **console.asks(visit, user_id, Target(_PLACE)),
        action=_PLACE.value,
        back_url=Place.SIGN_IN.value,
        minutes=WINDOW // 60,
        choices=await _lines(visit, may),
        has_legacy=any(each.kind is Kind.LEGACY for each in found.entries),
        is_missing=is_missing,
    )
    return visit.answer(page, 404 if is_missing else 200)


async def _ask_whether(
    visit: Visit, user_id: str, entry: Entry, *, is_alone: bool, is_other: bool = False
) -> Outgoing:
    target = Target(_PLACE, entry.id)
    page = ResetPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=Place.SIGN_IN.value,
        minutes=WINDOW // 60,
        chosen=(await _lines(visit, [entry]))[0],
        choose_url=None if is_alone else _PLACE.value,
        is_other_account=is_other,
    )
    return visit.answer(page, 409 if is_other else 200)
