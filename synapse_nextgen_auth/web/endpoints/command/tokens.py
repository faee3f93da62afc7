"""`tokens issue`: a personal token for an account, made by whoever runs the server."""

import string
from typing import Any

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.invitations import in_words
from synapse_nextgen_auth.flows import personal_tokens as flows
from synapse_nextgen_auth.flows.personal_tokens import Ordered
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import DEVICE, ROOM
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens import personal_tokens as rules
from synapse_nextgen_auth.oauth.tokens.personal_tokens import (
    PARTS,
    POWERS,
    Limits,
    Refusal,
    Wanted,
)
from synapse_nextgen_auth.secret import random_letters
from synapse_nextgen_auth.web import personal_tokens
from synapse_nextgen_auth.web.endpoints.command import done
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.endpoints.command.set_password_link import named
from synapse_nextgen_auth.web.personal_tokens import About, Made
from synapse_nextgen_auth.web.site import Site

_LONGEST = 3650 * 24 * 3600  # seconds
_MONTH = 30 * 24 * 3600
# Whoever runs the server says what people may, and is held to none of it.
_LIMITS = Limits(1, _LONGEST, is_endless=True, parts=frozenset(PARTS))
_NEW, _NONE = "new", "none"
_WHY_NOT = {
    Refusal.NO_NAME: "--name is missing: what the owner sees the token as",
    Refusal.LONG_NAME: f"--name is too long: at most {rules.LONGEST_NAME} letters",
    Refusal.NOTHING: "--scope is missing: what the token opens",
    Refusal.NEEDS_WHOLE: "urn:synapse:admin:* takes urn:matrix:client:api:* beside it",
    Refusal.NEEDS_DEVICE: "This scope takes a device: --device new, or the id of one",
    Refusal.HAS_NO_DEVICE: "This scope has no use for a device: --device none",
    Refusal.NO_SUCH_DEVICE: "--device: it is none that one can sign in to",
    Refusal.ROOMS_OF_ALL: "A token for the whole account knows no rooms: leave them out",
    Refusal.NOT_OF_ROOMS: "profile, push, keys and power over the server are of no room:"
    " leave them out, or the rooms",
    Refusal.BAD_ROOM: "A room is !something, and stands in the scope as it does in Matrix",
    Refusal.MANY_ROOMS: f"At most {grammar.MAX_ROOMS} rooms",
    Refusal.TIME: "--for must be a second at least and ten years at most",
    Refusal.NO_ROOM: "The account has too many devices (sessions.max_devices)",
}


async def _issue(site: Site, asked: Asked) -> dict[str, Any]:
    if site.config.drain:
        raise Refused(
            "The module is being switched off (drain: true), and makes no personal tokens"
        )
    user_id = await named(site, asked.needed("user"))
    account = await site.people.admit(user_id, Intent.COLLECT)
    wanted = _wanted(asked)
    if wanted.parts & POWERS and not account.is_admin:
        raise Refused("This account is no administrator, so no token of it has that power")
    reason = rules.refuse(wanted, _LIMITS)
    if reason is not None:
        raise Refused(_WHY_NOT[reason])
    try:
        order = Ordered(wanted.name, wanted.scope, user_id)
    except OAuthError as error:
        raise Refused(f"--scope: {error.description}") from None
    made = await _make(site, order, wanted)
    session = made.session
    await done.note(site, asked, "tokens issue", session.session_id)
    return {
        "token": made.token.reveal(),
        "session_id": session.session_id,
        "user_id": user_id,
        "scope": session.scope,
        "device_id": session.device_id,
        "expires_at": session.expires_at,
    }


def _wanted(asked: Asked) -> Wanted:
    tokens = [each for text in asked.texts("scopes") for each in text.split()]
    rooms = tuple(each.removeprefix(ROOM) for each in tokens if each.startswith(ROOM))
    parts = frozenset(each for each in tokens if not each.startswith(ROOM))
    for each in sorted(parts - frozenset(PARTS)):
        hint = "; --device says which" if each.startswith(DEVICE) else ""
        raise Refused(f"No personal token has {each}{hint}. There are: {', '.join(PARTS)}")
    device = asked.text("device") or (_NEW if rules.takes_a_device(parts) else _NONE)
    if device == _NEW:
        device = random_letters(string.ascii_uppercase, 10)
    elif device != _NONE and (reason := grammar.refuse_device_id(device)) is not None:
        raise Refused(f"--device: {reason}")
    lifetime = None if asked.switch("forever") else (asked.number("seconds") or _MONTH)
    device_id = None if device == _NONE else device
    return Wanted(in_words(asked.text("name") or ""), parts, rooms, device_id, lifetime)


async def _make(site: Site, order: Ordered, wanted: Wanted) -> Made:
    """Make it, with its device, as the account page does."""
    user_id = order.owner_id
    opening = personal_tokens.opening_of(site, wanted.lifetime, address=None)

    async def begin() -> Session | Refusal:
        return await site.homeserver.run(flows.make_for, user_id, order, opening, now=site.now())

    about = About(user_id, wanted.device_id, order.name)
    try:
        made = await personal_tokens.made(site, about, opening, begin)
    except NotAdmitted:
        raise Refused("This account was closed meanwhile") from None
    if isinstance(made, Refusal):
        raise Refused(_WHY_NOT[made])
    return made


ISSUE = Command(
    frozenset({"user", "name", "scopes", "device", "seconds", "forever", "why"}), _issue
)
