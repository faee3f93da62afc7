"""The steps of a token request, the same for every grant type (RFC 6749 section 3.2).

The client, whether it may use the grant type, whose account that is and whether it may go on, the
one write, the device, the tokens. A grant type takes part in its two steps and can leave out none.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.clients import authentication
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import (
    OAuthError,
    invalid_grant,
    invalid_request,
    invalid_scope,
    unavailable,
)
from synapse_nextgen_auth.oauth.grants import grant_types
from synapse_nextgen_auth.oauth.grants.grant_types import GrantType
from synapse_nextgen_auth.oauth.grants.refresh_token import as_heard
from synapse_nextgen_auth.oauth.sessions import End, Session
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.secret import Secret, random_id
from synapse_nextgen_auth.web import answers, clients, forms
from synapse_nextgen_auth.web.endpoints.token.exchange import (
    Exchange,
    Found,
    NewSession,
    OneSession,
    SameSession,
    Spent,
    TokenRequest,
)
from synapse_nextgen_auth.web.endpoints.token.table import find
from synapse_nextgen_auth.web.site import Site

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import begin_session, end_session
    from synapse_nextgen_auth.flows.begin_session import Opening
    from synapse_nextgen_auth.oauth.resources import Target
    from synapse_nextgen_auth.oauth.tokens import id_token
    from synapse_nextgen_auth.web.endpoints.token import application_service, for_services
else:
    begin_session, end_session, id_token, application_service, for_services = late.files(
        "flows.begin_session",
        "flows.end_session",
        "oauth.tokens.id_token",
        "web.endpoints.token.application_service",
        "web.endpoints.token.for_services",
    )

logger = logging.getLogger(__package__)


async def token(site: Site, incoming: Incoming) -> Outgoing:
    """Answer a token request."""
    form = forms.once(forms.parse(incoming.body))
    try:
        return await _answer(site, incoming, form)
    except OAuthError as refusal:
        raise _told(refusal, form, _who(site, incoming, form)) from refusal


def _told(refusal: OAuthError, form: Mapping[str, str], who: str) -> OAuthError:
    """Return a refusal as the client hears it, and as the log says whose it is."""
    told = attrs.evolve(refusal, detail=f"{refusal.told}; {who}")
    kind = grant_types.BY_NAME.get(form.get("grant_type", ""))
    return as_heard(told) if kind is not None and not kind.begins_session else told


# What a grant is refused for, beside what is wrong with any client or scope; for the metrics.
REFUSES = frozenset(
    {"invalid_grant", "reuse", "unsupported_grant_type", "access_denied"}
    | {"authorization_pending", "slow_down", "expired_token", "invalid_target"}
)


def _who(site: Site, incoming: Incoming, form: Mapping[str, str]) -> str:
    """Name for the log who asks for which session, as far as the request says it."""
    claimed = form.get("client_id") or authentication.claimed(incoming.header("Authorization"))
    text = form.get("refresh_token")
    token = session_tokens.read(site.issuer.keys, text) if text else None
    return f"client {logged(claimed)}, session {token.session_id if token else '-'}"


async def _answer(site: Site, incoming: Incoming, form: Mapping[str, str]) -> Outgoing:
    client = await clients.authenticate(site, incoming, form)
    if "resource" in form:
        site.resources.check(form["resource"])
    name = form.get("grant_type")
    if name is None:
        raise invalid_request("grant_type is missing")
    known = find(name)
    if known is None or name not in site.issuer.abilities.grant_types:
        raise OAuthError("unsupported_grant_type", "This server does not know the grant_type")
    kind, exchange = known
    reason = grant_types.refuse_client(kind, granted=client.grant_types, is_public=client.is_public)
    if reason is not None:
        raise OAuthError("unauthorized_client", reason)
    request = TokenRequest(client, form, incoming)
    if kind.the_operator_agrees and client.application_service is not None:
        return application_service.answer(site, request, client.application_service)
    if isinstance(exchange, NewSession):
        return await _begin(site, request, exchange, kind)
    return await _go_on(site, request, exchange)


async def _begin(
    site: Site, request: TokenRequest, exchange: NewSession, kind: GrantType
) -> Outgoing:
    """Begin a session; its device exists before the answer."""
    found = await exchange.find(site, request)
    reason = grant_types.refuse_scope(kind, found.scope)
    if reason is not None:
        raise invalid_scope(reason)
    target = request.target(site, found.scope, found.words)
    try:
        await site.people.admit(found.user_id, Intent.COLLECT)
    except NotAdmitted as refused:
        raise exchange.refuse_account(refused.why) from None
    standing = await _standing(site, request, exchange, found)
    if standing is not None:
        return await _with_tokens(site, request, exchange, _narrowed(standing), target)
    await site.devices.expect_to_provide(None if found.is_spent else found.scope.device_id)
    opening = _opening(site, request, exchange, kind)
    async with _place(site, found.user_id), _undone_if_unheard(site, opening.session_id):
        spent = attrs.evolve(await exchange.spend(site, request, opening), mask=found.mask)
    if isinstance(exchange, OneSession) and spent.session.session_id != opening.session_id:
        await _provide(site, request, spent.session)
        return await _with_tokens(site, request, exchange, _narrowed(spent), target)
    return await _hand_over(
        site, request, exchange, spent, found=found, opening=opening, target=target
    )


async def _standing(
    site: Site, request: TokenRequest, exchange: NewSession, found: Found
) -> Spent | None:
    """Return the session that the client has already, with its device."""
    if not isinstance(exchange, OneSession):
        return None
    session = await exchange.standing(site, request, found)
    if session is None:
        return None
    await _provide(site, request, session)
    return Spent(session, session.generation, found.mask)


async def _provide(site: Site, request: TokenRequest, session: Session) -> None:
    """Make the device of a session that goes on, unless it is there.

    Where another request began the session a moment ago it may not be yet. Whoever deletes the device
    ends the session with it.
    """
    device_id = session.device_id
    if (
        device_id is None
        or await site.homeserver.device_name(session.user_id, device_id) is not None
    ):
        return
    try:
        await site.devices.provide(session, display_name=request.client.name_for(()))
    except Exception as error:  # whatever it was: nothing was handed over
        logger.warning("Could not make the device of session %s", session.session_id, exc_info=True)
        raise unavailable("the device or the tokens could not be made") from error


def _narrowed(spent: Spent) -> Spent:
    """Return what is handed over, with the session as its token knows it."""
    return attrs.evolve(spent, session=spent.session.under(spent.mask))


def _opening(site: Site, request: TokenRequest, exchange: NewSession, kind: GrantType) -> "Opening":
    """Say how a session begins; that of one token is over with it."""
    only_token_ends = site.now() + site.lifetimes.sessions.access_token
    goes_on = exchange.gives_refresh_token or isinstance(exchange, OneSession)
    return begin_session.Opening(
        kind=kind,
        session_id=random_id(),
        sender=request.incoming.sender,
        max_devices=site.config.sessions.max_devices,
        only_new_device=exchange.only_new_device,
        expires_at=None if goes_on else only_token_ends,
    )


async def _go_on(site: Site, request: TokenRequest, exchange: SameSession) -> Outgoing:
    """Go on with a session whose account and device are still there.

    A locked, suspended or expired account may: its requests are refused by Synapse in its own words,
    and a 4xx here would make the client forget its keys (C101). A service of others that checks
    signatures does not know of a lock, so that one gets nothing for it; nothing is spent, either.
    """
    held = await exchange.find(site, request)
    session = held.session
    target = None
    if session.ended_at is None and session.client_id == request.client.client_id:
        target = request.target(site, session.granted, session.resource_scope)
    held = attrs.evolve(held, target=target)
    try:
        await site.people.admit(session.user_id, Intent.REFRESH)
    except NotAdmitted:
        raise await _over(site, session, "the account is gone") from None
    if target is not None:
        await for_services.refuse_account(site, session)
    if session.device_id is not None and (
        await site.homeserver.device_name(session.user_id, session.device_id) is None
    ):
        raise await _over(site, session, "the device is gone")
    spent = await exchange.spend(site, request, held)
    return await _with_tokens(site, request, exchange, spent, target)


async def _over(site: Site, session: Session, detail: str) -> OAuthError:
    await site.homeserver.run(
        end_session.end_by_id, session.session_id, why=End.LOGOUT, now=site.now()
    )
    return invalid_grant(detail)


class _DeviceTaken(Exception):
    """Somebody else made the device while a session for it began."""


def _refuse_begun(
    session: Session, *, found: Found, opening: "Opening", client_id: str
) -> str | None:
    """Say what of a session that began is not what was looked at, or `None`."""
    looked_at = {
        "session_id": opening.session_id,
        "user_id": found.user_id,
        "client_id": client_id,
        "device_id": found.scope.device_id,
        "scope": found.scope.text,
        "resource_scope": found.words,
        "expires_at": opening.expires_at,
    }
    wrong = [name for name, value in looked_at.items() if getattr(session, name) != value]
    return f"a session began that nobody looked at: {', '.join(wrong)}" if wrong else None


async def _hand_over(  # noqa: PLR0913 (what was looked at, and what came of it)
    site: Site,
    request: TokenRequest,
    exchange: NewSession,
    spent: Spent,
    *,
    found: Found,
    opening: "Opening",
    target: "Target | None",
) -> Outgoing:
    """Make the device of a session that began, then its tokens.

    When that fails the client may send the same request again, as if nothing had happened (C346).
    With `only_new_device` one that is there by now, of a legacy sign-in, is left to who has it (C310).
    """
    session, is_new = spent.session, False
    try:
        reason = _refuse_begun(
            session, found=found, opening=opening, client_id=request.client.client_id
        )
        if reason is not None:
            raise AssertionError(reason)
        is_new = await site.devices.is_free(session)
        if exchange.only_new_device and not is_new:
            raise _DeviceTaken
        await site.devices.provide(session, display_name=request.client.name_for(()))
        await site.people.signed_in(session.user_id)
        answer = await _with_tokens(site, request, exchange, _narrowed(spent), target)
        await site.people.admit(session.user_id, Intent.KEEP)
    except NotAdmitted:
        raise await _take_back(site, session) from None
    except _DeviceTaken:
        await _undo(site, session, made=False)
        raise OAuthError("access_denied", "The account has this device already") from None
    except Exception as error:
        logger.warning("Could not hand over session %s", session.session_id, exc_info=True)
        await _undo(site, session, made=is_new)
        raise unavailable("the device or the tokens could not be made") from error
    site.people.login_callbacks.begun(session)
    site.homeserver.metrics.session_begun()
    logger.info(
        "Session %s began: client %s, account %s, device %s, address %s",
        session.session_id,
        session.client_id,
        session.user_id,
        logged(session.device_id, 255),
        logged(request.incoming.address, 64),
    )
    return answer


async def _with_tokens(
    site: Site, request: TokenRequest, exchange: Exchange, spent: Spent, target: "Target | None"
) -> Outgoing:
    """Answer with the tokens of this generation, and no more of them than the grant type gives."""
    session, keys, now = spent.session, site.issuer.keys, site.now()
    lifetime = _lifetime(site, session, now, target)
    if target is not None:
        access = await for_services.mint(site, spent, target, expires_at=now + lifetime)
    else:
        access = site.token_check.mint(
            Token(Kind.ACCESS, session.session_id, spent.generation, now + lifetime, spent.mask)
        )
    body: dict[str, object] = {
        "access_token": access.reveal(),
        "token_type": "Bearer",
        "expires_in": lifetime,
    }
    if exchange.gives_refresh_token:
        renewal = session_tokens.mint(
            keys, Token(Kind.REFRESH, session.session_id, spent.generation, 0)
        )
        body["refresh_token"] = renewal.reveal()
    own = None if target else await site.people.scope_in_force(session)
    body["scope"] = " ".join(target.words) if target else own
    if session.granted.openid:
        body["id_token"] = await _id_token(site, request.client, spent, access)
    if target is not None:
        for_services.handed_over(site, spent, target)
    return answers.json_answer(200, body)


def _lifetime(site: Site, session: Session, now: int, target: "Target | None") -> int:
    """Return for how many seconds an access token is good; no longer than its session."""
    end = session.ends_at(site.lifetimes.sessions)
    lifetime = target.server.lifetime if target else site.lifetimes.sessions.access_token
    return lifetime if end is None else max(1, min(lifetime, end - now))


async def _id_token(site: Site, client: Client, spent: Spent, access: Secret) -> str:
    session = spent.session
    sign_in = session.sign_in_id
    claims = id_token.Claims(
        issuer=site.issuer.identifier,
        subject=session.user_id,
        audience=client.client_id,
        auth_time=session.auth_time,
        nonce=spent.nonce,
        access_token=access,
        amr=tuple((session.amr or "").split()),
        acr=levels.of_row(session.acr, session.level),
        sid=id_token.sid(sign_in, audience=client.client_id) if sign_in else None,
    )
    return await site.issuer.signing.sign(claims, Algorithm(client.id_token_alg))


def _place(site: Site, user_id: str) -> AbstractAsyncContextManager[None]:
    """Wait for others who look for room in the same account, where that is limited (C314)."""
    if site.config.sessions.max_devices is None:
        return nullcontext()
    return site.devices.place(user_id)


@asynccontextmanager
async def _undone_if_unheard(site: Site, session_id: str) -> AsyncIterator[None]:
    """Leave no session behind that began in the database when nobody could be told of it."""
    try:
        yield
    except site.homeserver.database_errors:
        await site.homeserver.run(begin_session.undo_unheard, session_id, now=site.now())
        raise


async def _undo(site: Site, session: Session, *, made: bool) -> None:
    """Undo a session whose tokens nobody got, and its device if it was made for it."""
    if made and await site.homeserver.read(begin_session.is_living, session.session_id):
        try:
            await site.devices.unmake(session)
        except site.homeserver.database_errors:
            logger.warning("Device %s is left over", session.device_id, exc_info=True)
    await site.homeserver.run(begin_session.undo, session, now=site.now())


async def _take_back(site: Site, session: Session) -> OAuthError:
    """End a session that slipped in while its account was being deactivated (C317).

    Deactivation ends what it finds once the account is marked; whatever was written after that look
    finds the mark here.
    """
    refusal = await _over(site, session, "the account was deactivated meanwhile")
    if session.device_id is not None:
        await site.devices.remove(session.user_id, session.device_id, is_over=True)
    return refusal
