"""The list of the personal tokens of an account, and ending one."""

from collections.abc import Mapping, Sequence

from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows.personal_tokens import Living
from synapse_nextgen_auth.homeserver import rooms
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.scopes.permissions import ROOM
from synapse_nextgen_auth.oauth.tokens.session_tokens import surrogate
from synapse_nextgen_auth.store import personal_tokens as rows
from synapse_nextgen_auth.store.personal_tokens import Seen
from synapse_nextgen_auth.web import answers, personal_tokens
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.tokens.page import (
    EndTokenPage,
    TokenLine,
    TokensPage,
)
from synapse_nextgen_auth.web.pages.content import RoomLine
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_SOON = 14 * 24 * 3600


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show them."""
    return await listed(user_id, visit)


async def listed(user_id: str, visit: Visit, missing: Target | None = None) -> Outgoing:
    """Show the list, also to whoever came for something that is gone, or not of this account (C301)."""
    site = visit.site
    living = await personal_tokens.list_for(site, user_id)
    made = await personal_tokens.list_made(site, user_id)
    most = site.config.personal_tokens.most_per_account
    page = TokensPage(
        **console.of(visit, user_id, missing or Target(Place.TOKENS)),
        tokens=await _lines(visit, user_id, [*living, *made]),
        add_url=Place.ADD_TOKEN.value,
        is_offered=await personal_tokens.may_make(site, user_id),
        left=max(0, most - len(living)),
        most=most,
        is_missing=missing is not None,
        password_url=(
            Target(Place.ADD_TOKEN, personal_tokens.AS_PASSWORD).url
            if site.legacy.takes_tokens
            else None
        ),
    )
    return visit.answer(page)


async def ask_to_end(visit: Visit, user_id: str) -> Outgoing:
    """Ask whether to end one; a link never does anything by itself (C197)."""
    target = Target.read(Place.END_TOKEN.value, visit.parameters.get("id"))
    found = await personal_tokens.find_to_end(visit.site, user_id, target.id)
    if found is None:
        return await listed(user_id, visit, target)
    (line,) = await _lines(visit, user_id, [found])
    page = EndTokenPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        line=line,
        back_url=Place.TOKENS.value,
    )
    return visit.answer(page)


async def end(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """End it: of this account alone (C301)."""
    if form.get("decision") != "end":
        raise unknown_choice()
    target = Target.read(Place.END_TOKEN.value, visit.parameters.get("id"))
    found = await personal_tokens.find_to_end(visit.site, user_id, target.id)
    if found is not None:
        await personal_tokens.end(visit, found)
    return answers.redirect(visit.saying(Place.TOKENS.value, Done.TOKEN_ENDED))


async def _lines(visit: Visit, user_id: str, living: Sequence[Living]) -> tuple[TokenLine, ...]:
    """Return them as their owner sees them, with one query for each account that they speak for."""
    if not living:
        return ()
    homeserver = visit.site.homeserver
    seen: dict[str, Seen] = {}
    for owner in dict.fromkeys(each.session.user_id for each in living):
        marks = [
            surrogate(each.session.session_id) for each in living if each.session.user_id == owner
        ]
        seen |= await homeserver.read(rows.last_seen, owner, marks)
    ids = dict.fromkeys(room for each in living for room in each.session.granted.rooms)
    named = await rooms.names_of(homeserver, user_id, tuple(ids))
    names = {each.room_id: each for each in RoomLine.of(named)}
    return tuple(_line(visit, user_id, each, seen, names) for each in living)


def _line(
    visit: Visit,
    user_id: str,
    living: Living,
    seen: Mapping[str, Seen],
    names: Mapping[str, RoomLine],
) -> TokenLine:
    session, token = living.session, living.token
    scope = session.granted
    last = seen.get(surrogate(session.session_id))
    address = last.address if last else None
    used = session.last_active_at if session.confirmed_generation else None
    return TokenLine(
        name=token.name,
        permissions=tuple(
            each.scope
            for each in scope.permissions
            if each.scope != ROOM
            and each.followed_by is None
            and (each.in_rooms or not scope.rooms)
        ),
        rooms=tuple(names.get(each) or RoomLine(each) for each in scope.rooms),
        device_id=session.device_id,
        made_at=token.made_at,
        expires_at=session.expires_at,
        ends_soon=session.expires_at is not None
        and session.expires_at - visit.site.now() < _SOON
        and session.expires_at - token.made_at > 2 * _SOON,
        last_used=max(last.at if last else 0, used or 0) or None,
        address=address,
        town=visit.site.places.of(address, visit.reader.language),
        is_grave=scope.admin,
        made_by=session.owner_id if session.user_id == user_id else None,
        made_for=None if session.user_id == user_id else session.user_id,
        renew_url=Target(Place.ADD_TOKEN, personal_tokens.outside(session)).url,
        end_url=Target(Place.END_TOKEN, personal_tokens.outside(session)).url,
    )
