"""The personal tokens of an account: which there are, and another one."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import nullcontext

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.flows import begin_session, end_session
from synapse_nextgen_auth.flows import personal_tokens as flows
from synapse_nextgen_auth.flows.begin_session import Opening
from synapse_nextgen_auth.flows.personal_tokens import Living, Order
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Device
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.sessions import End, Sender, Session
from synapse_nextgen_auth.oauth.tokens import personal_tokens as rules
from synapse_nextgen_auth.oauth.tokens.personal_tokens import Limits, Refusal, Wanted
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret, digest, random_id
from synapse_nextgen_auth.web.pages.message.error import not_admitted
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

logger = logging.getLogger(__name__)

# What links call one that is still to be made, for an application that asks for a password: no token's.
AS_PASSWORD = "password"  # noqa: S105


@frozen
class Made:
    """A personal token that was made just now: what nobody sees again."""

    token: Secret
    session: Session


def limits(site: Site, *, is_admin: bool) -> Limits:
    """Return what the operator allows an administrator, or everybody else."""
    options = site.config.personal_tokens
    named = options.scopes_of_admins if is_admin else options.scopes
    return Limits(
        options.most_per_account,
        options.longest_lifetime,
        options.may_last_forever,
        rules.givable(named, is_admin=is_admin),
    )


async def limits_of(site: Site, user_id: str) -> Limits:
    """Return what the operator allows somebody who is signed in."""
    account = await site.people.admit(user_id, Intent.SIGN_IN)
    return limits(site, is_admin=account.is_admin)


async def may_make(site: Site, user_id: str) -> bool:
    """Say whether somebody may make personal tokens; nobody while the module drains."""
    if site.config.drain:
        return False
    account = await site.people.admit(user_id, Intent.SIGN_IN)
    return site.config.personal_tokens.who.may(is_admin=account.is_admin)


async def list_for(site: Site, user_id: str) -> list[Living]:
    """Return those of an account that are good, the newest first."""
    return await site.homeserver.run(flows.list_living, user_id, now=site.now())


async def find(site: Site, user_id: str, its_id: str | None) -> Living | None:
    """Return one by what links call it, of this account alone (C301)."""
    if its_id is None:
        return None
    living = await list_for(site, user_id)
    return next((each for each in living if outside(each.session) == its_id), None)


async def list_made(site: Site, user_id: str) -> list[Living]:
    """Return those that somebody made for other accounts, the newest first."""
    return await site.homeserver.run(flows.list_owned, user_id, now=site.now())


async def find_to_end(site: Site, user_id: str, its_id: str | None) -> Living | None:
    """Return one by what links call it: of this account, or made by it for another."""
    found = await find(site, user_id, its_id)
    if found is not None or its_id is None:
        return found
    made = await list_made(site, user_id)
    return next((each for each in made if outside(each.session) == its_id), None)


async def devices_for(site: Site, user_id: str) -> list[Device]:
    """Return the devices of an account on which a token can be; a dehydrated one is nobody's (C307)."""
    dehydrated = await site.devices.dehydrated(user_id)
    return [
        each
        for each in await site.devices.list_for(user_id)
        if each.device_id != dehydrated and grammar.refuse_device_id(each.device_id) is None
    ]


def outside(session: Session) -> str:
    """Return what links call it: the id of a session stays inside, it is half of a token."""
    return digest(f"personal token {session.session_id}")[:32]


async def make(
    visit: Visit,
    wanted: Wanted,
    limits: Limits,
    *,
    replaces: Living | None,
    other_account_url: str,
) -> Made | Refusal:
    """Make a token; its device exists before anybody sees it."""
    site, by = visit.site, visit.sign_in
    assert by is not None  # noqa: S101 (pages about an account have one)
    opening = opening_of(site, wanted.lifetime, address=visit.address)
    order = Order(wanted, limits, replaces.session.session_id if replaces else None)

    async def begin() -> Session | Refusal:
        return await site.homeserver.run(
            visit.as_signed_in(flows.make), order, opening, by=by, now=site.now()
        )

    about = About(by.user_id, wanted.device_id, wanted.name)
    try:
        return await made(site, about, opening, begin)
    except NotAdmitted as refused:
        raise not_admitted(refused.why, other_account_url=other_account_url) from None


@frozen
class About:
    """What is to be made: for which account, on which device, and what it is called."""

    user_id: str
    device_id: str | None
    name: str


async def made(
    site: Site, about: About, opening: Opening, begin: Callable[[], Awaitable[Session | Refusal]]
) -> Made | Refusal:
    """Let `begin` begin the session, and make its device; raise `NotAdmitted` for a closed account.

    Whoever makes one comes through here: of a device that nobody signs in to there is none (C307).
    """
    device_id = about.device_id
    if device_id is not None and await site.devices.is_reserved(about.user_id, device_id):
        return Refusal.NO_SUCH_DEVICE
    await site.devices.expect_to_provide(device_id)
    max_devices = opening.max_devices
    async with nullcontext() if max_devices is None else site.devices.place(about.user_id):
        try:
            session = await begin()
        except site.homeserver.database_errors:
            # Perhaps it was written, only nobody can be told of it.
            await site.homeserver.run(
                begin_session.undo_unheard, opening.session_id, now=site.now()
            )
            raise
    if isinstance(session, Refusal):
        return session
    await _provide(site, session, about.name)
    site.people.login_callbacks.begun(session)
    site.homeserver.metrics.session_begun()
    logger.info(
        "Session %s began: a personal token of %s, device %s, address %s",
        session.session_id,
        session.user_id,
        logged(session.device_id, 255),
        logged(opening.sender.address, 64),
    )
    token = rules.token_of(session)
    return Made(site.token_check.mint(token), session)


def opening_of(site: Site, lifetime: int | None, *, address: str | None) -> Opening:
    """Say how the session begins, and from where; what will use it, nobody knows yet."""
    return Opening(
        kind=rules.GRANT,
        session_id=random_id(),
        sender=Sender(address, None),
        max_devices=site.config.sessions.max_devices,
        only_new_device=False,
        expires_at=None if lifetime is None else site.now() + lifetime,
    )


async def _provide(site: Site, session: Session, name: str) -> None:
    """Make the device of a session that began; what fails leaves no session behind."""
    is_new = False
    try:
        is_new = await site.devices.is_free(session)
        await site.devices.provide(session, display_name=name)
        await site.people.signed_in(session.user_id)
        await site.people.admit(session.user_id, Intent.KEEP)
    except NotAdmitted:
        await site.homeserver.run(
            end_session.end_by_id, session.session_id, why=End.LOGOUT, now=site.now()
        )
        if session.device_id is not None:
            await site.devices.remove(session.user_id, session.device_id, is_over=True)
        raise
    except Exception:
        logger.warning("Could not make the device of session %s", session.session_id)
        if is_new and await site.homeserver.read(begin_session.is_living, session.session_id):
            await site.devices.unmake(session)
        await site.homeserver.run(begin_session.undo, session, now=site.now())
        raise


async def end(visit: Visit, found: Living) -> None:
    """End a token, and delete its device as `/logout` does."""
    site, session = visit.site, found.session
    if session.device_id is not None:
        await site.devices.expect_to_remove()
    ended = await site.homeserver.run(
        visit.as_signed_in(end_session.end_own),
        session.session_id,
        user_id=session.user_id,
        now=site.now(),
        address=visit.address,
    )
    if ended is None:
        return
    await site.devices.logged_out(ended)
    if ended.device_id is not None:
        await site.devices.remove(ended.user_id, ended.device_id, is_over=True)
