"""Checking our access tokens and personal tokens for Synapse."""

import logging

import attrs
from synapse.api.errors import InvalidClientTokenError
from synapse.types import Requester, create_requester

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.activity import Activity
from synapse_nextgen_auth.homeserver.auth.challenges import (
    insufficient_authentication,
    insufficient_scope,
)
from synapse_nextgen_auth.homeserver.auth.joined import Joined, JoinedSessions
from synapse_nextgen_auth.homeserver.auth.mark import OURS
from synapse_nextgen_auth.homeserver.auth.remembered import Remembered
from synapse_nextgen_auth.homeserver.live import UnknownSession
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted, People
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.scopes.permissions import API
from synapse_nextgen_auth.oauth.sessions import (
    SOFT_ENDS,
    Session,
    SessionLifetimes,
    stand_in_of,
)
from synapse_nextgen_auth.oauth.step_up import Requirement, StepUp
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import OPENING, Kind, Token
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Secret

NEEDS = (Needed("synapse.types", "create_requester", ("scope", "shadow_banned", "device_id")),)


logger = logging.getLogger(__name__)


def _without_idle(lifetimes: SessionLifetimes) -> SessionLifetimes:
    # A remembered session does not know of later refreshes, so its idleness cannot be judged; an
    # idle client has no unexpired access token anyway.
    return attrs.evolve(lifetimes, idle=None, idle_without_device=None)


def _is_of(token: Token, session: Session) -> bool:
    """Say whether a token is of the kind that its session has (C109), and if personal, the last one."""
    if token.kind is Kind.PERSONAL:
        return session.is_personal and token.generation == session.generation
    return not session.is_personal


@frozen
class TokenCheck:
    """Decides what a token of ours opens, without a query when the session is known."""

    homeserver: Homeserver
    people: People
    keys: Keyring
    lifetimes: SessionLifetimes = attrs.field(converter=_without_idle)
    activity: Activity
    step_up: StepUp | None = None
    _authentic: Remembered = attrs.field(factory=Remembered, init=False, repr=False)
    _joined: JoinedSessions = attrs.field(init=False, repr=False)

    @_joined.default
    def _joins(self) -> JoinedSessions:
        return JoinedSessions(self.homeserver, self.people, self.lifetimes)

    def mint(self, token: Token) -> Secret:
        """Write an access token down and sign it; when it comes back, it need not be hashed again."""
        made = session_tokens.mint(self.keys, token)
        self._authentic.add(made.reveal(), token)
        return made

    def read(self, text: str) -> Token:
        """Return the token if we made it and it opens a session; nothing is looked up for garbage."""
        token = self._read(text)
        if token is None:
            raise InvalidClientTokenError("Unrecognised access token")
        return token

    def _read(self, text: str) -> Token | None:
        known = self._authentic.get(text)
        if known is not None:
            return known
        token = session_tokens.read(self.keys, text)
        if token is None or token.kind not in OPENING:
            return None
        self._authentic.add(text, token)
        return token

    def warm(self, text: str) -> Joined | None:
        """Return what a token has of the ordinary session behind it, as far as that is in memory.

        `None` says nothing of the token: `requester` has the answer.
        """
        token = self._read(text)
        if token is None:
            return None
        now = self.homeserver.now()
        if token.is_expired(now):
            return None
        joined = self._joined.find(token.session_id, now)
        if joined is None or not _is_of(token, joined.session):
            return None
        known = joined.under(token.mask)
        if known is not None:
            self.activity.seen(known.session, token.generation, now)
        return known

    async def session(
        self, token: Token, *, allow_expired: bool = False, is_noted: bool = True
    ) -> Session:
        """Return the living session behind a token, or raise what a Matrix client must see.

        It has the scope of the token, which may be less than what the session was granted. The use
        of the token is a sign of life, unless it is not to be noted.

        An expired token of a session that was signed out is no soft logout: a client that slept
        meanwhile goes by this answer when it finds that it cannot refresh either.
        """
        now = self.homeserver.now()
        expired = token.is_expired(now)
        try:
            session = await self.homeserver.live.find(token.session_id)
        except UnknownSession:
            # Made by us, so the row was swept long after its end, or the database is a backup from
            # before it: nobody meant the client to throw its keys away.
            raise InvalidClientTokenError("Unrecognised access token", soft_logout=True) from None
        if not _is_of(token, session):
            raise InvalidClientTokenError("Unrecognised access token")
        why = session.over(now, self.lifetimes)
        if why is not None:
            raise InvalidClientTokenError("The session has ended", soft_logout=why in SOFT_ENDS)
        await self._check_device(session)
        if session.owner_id is not None:
            await self._check_owner(session.owner_id)
        if expired and not allow_expired:
            raise InvalidClientTokenError("Access token has expired", soft_logout=True)
        if is_noted:
            self.activity.seen(session, token.generation, now)
        return session.under(token.mask)

    async def living(self, presented: Token | str, *, is_noted: bool = True) -> Session | None:
        """Return the living session behind an access token, `None` if it opens nothing (any more)."""
        try:
            token = self.read(presented) if isinstance(presented, str) else presented
            return await self.session(token, is_noted=is_noted)
        except InvalidClientTokenError:
            return None

    async def requester(self, text: str, *, allow_expired: bool) -> Requester:
        """Return who sends a request with this token."""
        token = self.read(text)
        session = await self.session(token, allow_expired=allow_expired)
        scope = session.granted.effective
        if not session.granted.opens_matrix:
            raise insufficient_scope("This token does not open the Matrix API", API)
        try:
            account = await self.people.admit(session.user_id, Intent.MATRIX_API)
        except NotAdmitted:
            raise InvalidClientTokenError("Unrecognised access token") from None
        return create_requester(
            session.user_id,
            scope=scope | {OURS},
            is_guest=account.is_guest,
            shadow_banned=account.is_shadow_banned,
            device_id=session.device_id or await self._stand_in(token),
        )

    async def _stand_in(self, token: Token) -> str | None:
        """Return the device of a token that names none: that of its session, or what stands there.

        What a part of a session's scope sends is sent from where the session sends.
        """
        session = await self.homeserver.live.find(token.session_id)
        if session.has_stand_in:
            return stand_in_of(session.session_id)
        return session.device_id

    async def insist(self, text: str, required: Requirement) -> None:
        """Stop a request whose token is good, unless its person proved as much as it takes."""
        if not await self.has_proved(text, required):
            session_id = self.read(text).session_id
            logger.info("Session %s has to step up for a request", session_id)
            raise insufficient_authentication(required)

    async def has_proved(self, text: str, required: Requirement) -> bool:
        """Say whether the person behind a token that is good proved as much as this."""
        token = self.read(text)
        session = await self.homeserver.live.find(token.session_id)
        return required.is_met(session.proven(token.generation), self.homeserver.now())

    async def _check_owner(self, user_id: str) -> None:
        """Stop a token that an administrator made for another account while they are none any more."""
        try:
            owner = await self.people.admit(user_id, Intent.USE)
        except NotAdmitted:
            owner = None
        if owner is None or not owner.is_admin:
            raise InvalidClientTokenError("Unrecognised access token")

    async def _check_device(self, session: Session) -> None:
        if session.device_id is None:
            return
        # Deleting the device, from wherever, is what every worker hears of: the kill switch.
        if await self.homeserver.device_name(session.user_id, session.device_id) is None:
            raise InvalidClientTokenError("Unrecognised access token")
