"""`tokens issue`: a personal token for an account, made by whoever runs the server."""

import logging
import string
from contextlib import nullcontext
from typing import Any

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.invitations import in_words
from synapse_nextgen_auth.flows import begin_session, end_session
from synapse_nextgen_auth.flows import personal_tokens as flows
from synapse_nextgen_auth.flows.begin_session import Opening
from synapse_nextgen_auth.flows.personal_tokens import Ordered
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import DEVICE, ROOM
from synapse_nextgen_auth.oauth.sessions import End, Sender, Session
from synapse_nextgen_auth.oauth.tokens import personal_tokens as rules
from synapse_nextgen_auth.oauth.tokens.personal_tokens import (
    PARTS,
    POWERS,
    Limits,
    Refusal,
    Wanted,
)
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.secret import random_id, random_letters
from synapse_nextgen_auth.web.endpoints.command import done
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.endpoints.command.set_password_link import named
from synapse_nextgen_auth.web.site import Site

logger = logging.getLogger(__name__)

_LONGEST = 3650 * 24 * 3600  # seconds
_MONTH = 30 * 24 * 3600
_NEW, _NONE = "new", "none"
_WHY_NOT = {
    Refusal.NO_NAME: "--name is missing: what the owner sees the token as",
    Refusal.LONG_NAME: f"--name is too long: at most {rules.LONGEST_NAME} letters",
    Refusal.NOTHING: "--scope is missing: what the token opens",
    Refusal.NEEDS_WHOLE: "urn:synapse:admin:* takes urn:matrix:client:api:* beside it",
    Refusal.NEEDS_DEVICE: "This scope takes a device: --device new, or the id of one",
    Refusal.HAS_NO_DEVICE: "This scope has no use for a device: --device none",
    Refusal.ROOMS_OF_ALL: "A token for the whole account knows no rooms: leave them out",
    Refusal.NOT_OF_ROOMS: "This scope is of no room: leave the rooms out",
    Refusal.BAD_ROOM: "A room is !something, and stands in the scope as it does in Matrix",
    Refusal.MANY_ROOMS: f"At most {grammar.MAX_ROOMS} rooms",
    Refusal.TIME: "--for must be a second at least and ten years at most",
    Refusal.NO_ROOM: "The account has too many devices (sessions.max_devices)",
}


async def _issue(site: Site, asked: Asked) -> dict[str, Any]:
    user_id = await named(site, asked.needed("user"))
    account = await site.people.admit(user_id, Intent.COLLECT)
    wanted = _wanted(asked)
    if wanted.parts & POWERS and not account.is_admin:
        raise Refused("This account is no administrator, so no token of it has that power")
    reason = rules.refuse(wanted, Limits(1, _LONGEST, is_endless=True))
    if reason is not None:
        raise Refused(_WHY_NOT[reason])
    try:
        order = Ordered(wanted.name, wanted.scope, user_id)
    except OAuthError as error:
        raise Refused(f"--scope: {error.description}") from None
    session = await _begin(site, asked, user_id, order, wanted)
    token = site.token_check.mint(rules.token_of(session))
    await done.note(site, asked, "tokens issue", session.session_id)
    return {
        "token": token.reveal(),
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


async def _begin(site: Site, asked: Asked, user_id: str, order: Ordered, wanted: Wanted) -> Session:
    """Begin its session; its device exists before anybody sees the token."""
    await site.devices.expect_to_provide(wanted.device_id)
    limit = site.config.sessions.max_devices
    opening = Opening(
        kind=rules.GRANT,
        session_id=random_id(),
        sender=Sender(asked.address or "", None),
        max_devices=limit,
        only_new_device=False,
        expires_at=None if wanted.lifetime is None else site.now() + wanted.lifetime,
    )
    async with nullcontext() if limit is None else site.devices.place(user_id):
        session = await site.homeserver.run(flows.make_for, user_id, order, opening, now=site.now())
    if isinstance(session, Refusal):
        raise Refused(_WHY_NOT[session])
    await _provide(site, session, order.name)
    site.people.login_callbacks.begun(session)
    site.homeserver.metrics.session_begun()
    logger.info(
        "Session %s began: a personal token of %s, device %s, address %s",
        session.session_id,
        session.user_id,
        logged(session.device_id, 255),
        logged(asked.address, 64),
    )
    return session


async def _provide(site: Site, session: Session, name: str) -> None:
    """Make the device of a session that began; what fails leaves no session behind."""
    is_new = False
    try:
        is_new = await site.devices.is_free(session)
        await site.devices.provide(session, display_name=name)
        await site.people.admit(session.user_id, Intent.KEEP)
    except NotAdmitted:
        await site.homeserver.run(
            end_session.end_by_id, session.session_id, why=End.LOGOUT, now=site.now()
        )
        raise Refused("This account was closed meanwhile") from None
    except Exception:
        logger.warning("Could not make the device of session %s", session.session_id)
        if is_new and await site.homeserver.read(begin_session.is_living, session.session_id):
            await site.devices.unmake(session)
        await site.homeserver.run(begin_session.undo, session, now=site.now())
        raise


ISSUE = Command(
    frozenset({"user", "name", "scopes", "device", "seconds", "forever", "why"}), _issue
)
