"""The token endpoint (RFC 6749 section 3.2): the steps all grants share, then the grant itself."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import attrs

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.people import Standing
from synapse_nextgen_auth.flows import begin_session, end_session, redeem_code, refresh
from synapse_nextgen_auth.flows import device as flow
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.homeserver.live import UnknownSession
from synapse_nextgen_auth.homeserver.people import NotAdmitted
from synapse_nextgen_auth.oauth import client_auth, scopes, tokens
from synapse_nextgen_auth.oauth.clients import Client
from synapse_nextgen_auth.oauth.device_grants import DeviceGrant, Poll, refuse_poll
from synapse_nextgen_auth.oauth.errors import (
    OAuthError,
    invalid_grant,
    invalid_request,
    unavailable,
)
from synapse_nextgen_auth.oauth.grant_types import AUTHORIZATION_CODE, DEVICE_CODE, REFRESH_TOKEN
from synapse_nextgen_auth.oauth.id_token import Claims
from synapse_nextgen_auth.oauth.keys import Algorithm
from synapse_nextgen_auth.oauth.refresh_token import Verdict, as_heard
from synapse_nextgen_auth.oauth.sessions import End, Session
from synapse_nextgen_auth.oauth.tokens import Kind, Token
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.secret import Secret, digest, random_id
from synapse_nextgen_auth.web import answers, clients, forms
from synapse_nextgen_auth.web.site import Site

logger = logging.getLogger(__name__)


@attrs.frozen
class Ask:
    """A token request whose client is known."""

    client: Client
    form: Mapping[str, str] = attrs.field(repr=False)
    incoming: Incoming


async def token(site: Site, incoming: Incoming) -> Outgoing:
    """Answer a token request."""
    form = forms.once(forms.parse(incoming.body))
    try:
        return await _grant(site, incoming, form)
    except OAuthError as refusal:
        told = attrs.evolve(refusal, detail=f"{refusal.told}; {_who(site, incoming, form)}")
        if form.get("grant_type") == REFRESH_TOKEN:
            raise as_heard(told) from refusal
        raise told from refusal


# What a grant is refused for, beside what is wrong with any client or scope; for the metrics.
REFUSES = frozenset(
    {"invalid_grant", "reuse", "unsupported_grant_type", "access_denied"}
    | {"authorization_pending", "slow_down", "expired_token"}
)


def _who(site: Site, incoming: Incoming, form: Mapping[str, str]) -> str:
    """Name for the log who asks for which session, as far as the request says it."""
    claimed = form.get("client_id") or client_auth.claimed(incoming.header("Authorization"))
    text = form.get("refresh_token")
    token = tokens.read(site.issuer.keys, text) if text else None
    return f"client {logged(claimed)}, session {token.session_id if token else '-'}"


async def _grant(site: Site, incoming: Incoming, form: Mapping[str, str]) -> Outgoing:
    grant_type = form.get("grant_type")
    client = await clients.authenticate(site, incoming, form)
    if grant_type is None:
        raise invalid_request("grant_type is missing")
    grant = GRANTS.get(grant_type)
    if grant is None or grant_type not in site.issuer.abilities.grant_types:
        raise OAuthError("unsupported_grant_type", "This server does not know the grant_type")
    # Every session gets a refresh token (CS API), so every client may use one.
    if grant_type not in client.grant_types and grant_type != REFRESH_TOKEN:
        raise OAuthError("unauthorized_client", f"The client did not register {grant_type}")
    return await grant(site, Ask(client, form, incoming))


async def redeem(site: Site, ask: Ask) -> Outgoing:
    """Exchange a code for tokens (RFC 6749 section 4.1.3); the device exists before the answer."""
    code = ask.form.get("code")
    if code is None:
        raise invalid_request("code is missing")
    grant = await site.homeserver.run(redeem_code.find, digest(code))
    user_id = grant.user_id if grant else None
    await _check_account(site, user_id)
    if grant is not None and grant.redeemed_at is None:
        await site.devices.expect_to_provide(scopes.parse(grant.scope).device_id)
    presented = redeem_code.Presented(
        code_digest=digest(code),
        client_id=ask.client.client_id,
        redirect_uri=ask.form.get("redirect_uri"),
        verifier=ask.form.get("code_verifier"),
        session_id=random_id(),
        address=ask.incoming.address,
    )
    async with _place(site, user_id), _undone_if_unheard(site, presented.session_id):
        redeemed = await site.homeserver.run(
            redeem_code.redeem,
            presented,
            now=site.now(),
            max_devices=site.config.sessions.max_devices,
        )
    return await _hand_over(site, ask, redeemed.session, nonce=redeemed.nonce)


async def renew(site: Site, ask: Ask) -> Outgoing:
    """Exchange a refresh token for the next pair (RFC 6749 section 6)."""
    text = ask.form.get("refresh_token")
    if text is None:
        raise invalid_request("refresh_token is missing")
    presented = tokens.read(site.issuer.keys, text)
    if presented is None or presented.kind is not Kind.REFRESH:
        raise invalid_grant("not a refresh token of ours")
    session = await _living(site, presented)
    renewed = await site.homeserver.run(
        refresh.refresh,
        session,
        refresh.Presented(
            ask.client.client_id,
            presented.generation,
            ask.incoming.address,
            ask.form.get("scope"),
        ),
        now=site.now(),
        limits=site.lifetimes.sessions,
    )
    site.homeserver.metrics.refresh(_COUNTED_AS[renewed.verdict])
    part = renewed.part or session.granted
    mask = session.granted.mask_of(part)
    pair = _pair(site, session, renewed.generation, mask=mask)
    # In the client's own spelling.
    spelled = attrs.evolve(session, scope=part.text)
    return await _answer(site, ask.client, spelled, pair, nonce=None)


_COUNTED_AS = {
    Verdict.ROTATE: "rotated",
    Verdict.REPEAT: "repeated",
    Verdict.RESTORED: "restored",
}


async def collect(site: Site, ask: Ask) -> Outgoing:
    """Exchange an approved device code for tokens; until then say what it waits for (RFC 8628)."""
    code = ask.form.get("device_code")
    if code is None:
        raise invalid_request("device_code is missing")
    grant = await site.homeserver.read(flow.poll, digest(code), client_id=ask.client.client_id)
    found = grant.poll(site.now())
    if found is Poll.PENDING:
        await _refuse_haste(site, grant)
    refusal = refuse_poll(found)
    if refusal is not None:
        raise OAuthError(*refusal)
    try:
        await site.people.admit(grant.user_id or "", Intent.COLLECT)
    except NotAdmitted:
        raise OAuthError("access_denied", "The account may not sign in") from None
    await site.devices.expect_to_provide(scopes.parse(grant.scope).device_id)
    session_id = random_id()
    async with _place(site, grant.user_id), _undone_if_unheard(site, session_id):
        session = await site.homeserver.run(
            flow.redeem,
            digest(code),
            session_id=session_id,
            now=site.now(),
            address=ask.incoming.address,
            max_devices=site.config.sessions.max_devices,
        )
    return await _hand_over(site, ask, session, nonce=None, only_new=True)


def _place(site: Site, user_id: str | None) -> AbstractAsyncContextManager[None]:
    """Wait for others who look for room in the same account, where that is limited (C314)."""
    if site.config.sessions.max_devices is None or user_id is None:
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


async def _refuse_haste(site: Site, grant: DeviceGrant) -> None:
    """Tell a device that polls too fast to slow down; only then something is written (C141)."""
    too_fast = site.rates.polls.is_too_fast(grant.grant_id, interval=grant.poll_interval)
    if too_fast or grant.is_slowed(site.now()):
        await site.homeserver.run(flow.slow_down, grant, now=site.now())
        raise OAuthError("slow_down", "Poll less often: the interval is five seconds longer now")


GRANTS: dict[str, Callable[[Site, Ask], Awaitable[Outgoing]]] = {
    AUTHORIZATION_CODE: redeem,
    REFRESH_TOKEN: renew,
    DEVICE_CODE: collect,
}


@attrs.frozen
class Pair:
    """The two tokens of one generation; `expires_in` is that of the access token, in seconds."""

    access: Secret
    refresh: Secret
    expires_in: int


def _pair(site: Site, session: Session, generation: int, *, mask: int | None = None) -> Pair:
    now = site.now()
    end = session.ends_at(site.lifetimes.sessions)
    lifetime = site.lifetimes.sessions.access_token
    if end is not None:
        lifetime = max(1, min(lifetime, end - now))
    access = Token(Kind.ACCESS, session.session_id, generation, now + lifetime, mask)
    renewal = Token(Kind.REFRESH, session.session_id, generation, 0)
    return Pair(
        tokens.mint(site.issuer.keys, access), tokens.mint(site.issuer.keys, renewal), lifetime
    )


async def _answer(
    site: Site, client: Client, session: Session, pair: Pair, *, nonce: str | None
) -> Outgoing:
    body: dict[str, object] = {
        "access_token": pair.access.reveal(),
        "token_type": "Bearer",
        "expires_in": pair.expires_in,
        "refresh_token": pair.refresh.reveal(),
        "scope": await site.people.scope_in_force(session),
    }
    if session.granted.openid:
        claims = Claims(
            issuer=site.issuer.identifier,
            subject=session.user_id,
            audience=client.client_id,
            auth_time=session.auth_time,
            nonce=nonce,
            access_token=pair.access,
        )
        body["id_token"] = await site.issuer.signing.sign(claims, Algorithm(client.id_token_alg))
    return answers.json_answer(200, body)


async def _living(site: Site, presented: Token) -> Session:
    """Return the session of a refresh token whose account and device are still there.

    A locked, suspended or expired account may refresh: its requests are refused by Synapse in its
    own words, and a 4xx here would make the client forget its keys (C101).
    """
    try:
        session = await site.homeserver.live.find(presented.session_id)
    except UnknownSession:
        raise invalid_grant("unknown session") from None
    try:
        await site.people.admit(session.user_id, Intent.REFRESH)
    except NotAdmitted:
        raise await _over(site, session, End.LOGOUT, "the account is gone") from None
    if session.device_id is not None and (
        await site.homeserver.device_name(session.user_id, session.device_id) is None
    ):
        raise await _over(site, session, End.LOGOUT, "the device is gone")
    return session


async def _over(site: Site, session: Session, why: End, detail: str) -> OAuthError:
    await site.homeserver.run(end_session.end_by_id, session.session_id, why=why, now=site.now())
    return invalid_grant(detail)


async def _check_account(site: Site, user_id: str | None) -> None:
    """Refuse a code of somebody who may not sign in any more (C101, C145)."""
    if user_id is None:
        return
    try:
        await site.people.admit(user_id, Intent.COLLECT)
    except NotAdmitted as refused:
        if refused.why is Standing.SERVER_LIMIT:
            limited = "The server accepts no sign-ins now"
            raise OAuthError("temporarily_unavailable", limited, 503) from None
        raise invalid_grant(f"the account may not sign in: {refused.why.value}") from None


class _DeviceTaken(Exception):
    """Somebody else made the device while a session for it began."""


async def _hand_over(
    site: Site, ask: Ask, session: Session, *, nonce: str | None, only_new: bool = False
) -> Outgoing:
    """Make the device of a session that began, then its tokens.

    When that fails the client may send the same request again, as if nothing had happened (C346).
    With `only_new` a device that is there by now, of a legacy sign-in, is left to who has it (C310).
    """
    is_new = False
    try:
        is_new = await site.devices.is_free(session)
        if only_new and not is_new:
            raise _DeviceTaken
        await site.devices.provide(session, display_name=ask.client.name_for(()))
        await site.people.signed_in(session.user_id)
        pair = _pair(site, session, session.generation)
        answer = await _answer(site, ask.client, session, pair, nonce=nonce)
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
        logged(ask.incoming.address, 64),
    )
    return answer


async def _undo(site: Site, session: Session, *, made: bool) -> None:
    """Undo a session whose tokens nobody got, and its device if it was made for it."""
    if made and await site.homeserver.run(begin_session.is_living, session.session_id):
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
    refusal = await _over(site, session, End.LOGOUT, "the account was deactivated meanwhile")
    if session.device_id is not None:
        await site.devices.remove(session.user_id, session.device_id, is_over=True)
    return refusal
