"""Synapse's token check with ours in it, on a database that is a few dictionaries.

The caches between are Synapse's own.
"""

import itertools
from types import SimpleNamespace

import attrs
from synapse.api.errors import SynapseError
from synapse.types import UserID, UserInfo
from synapse.util.caches.descriptors import cached
from twisted.internet.defer import ensureDeferred

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.checker import SessionAuth
from synapse_nextgen_auth.homeserver.auth.token_check import TokenCheck
from synapse_nextgen_auth.homeserver.database.caches import recall
from synapse_nextgen_auth.homeserver.live import LiveSessions
from synapse_nextgen_auth.homeserver.people.accounts import People
from synapse_nextgen_auth.oauth.scopes.permissions import API, DEVICE
from synapse_nextgen_auth.oauth.sessions import Session, SessionLifetimes
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.secret import Keyring

KEYS = Keyring.of(b"k" * 32)
START = 1_700_000_000
LIFETIMES = SessionLifetimes()

# What a requester says, in every release.
SAID = (
    "user",
    "access_token_id",
    "is_guest",
    "scope",
    "shadow_banned",
    "device_id",
    "authenticated_entity",
)

_numbers = itertools.count()


class Rows:
    """What is in the database, and the clock."""

    def __init__(self, *user_ids):
        self.now = START
        self.users = {user_id: account(user_id) for user_id in user_ids}
        self.devices, self.sessions, self.expired = {}, {}, set()
        self.services = []

    def sign_in(self, user_id, name, **more):
        """Write a session and its device; return the session."""
        device_id = f"ONEDEVICE{name}"
        self.devices[user_id, device_id] = {"user_id": user_id, "display_name": name}
        made = Session(
            session_id=f"{name:0>32}",
            **{
                "user_id": user_id,
                "device_id": device_id,
                "client_id": "app",
                "scope": f"{API} {DEVICE}{device_id}",
                "generation": 1,
                "rotated_at": START,
                "confirmed_generation": 1,
                "auth_time": START,
                "created_at": START,
                "last_active_at": START,
                **more,
            },
        )
        self.sessions[made.session_id] = made
        return made


def account(user_id):
    """Return what Synapse knows of an account that nothing is special about."""
    return UserInfo(
        user_id=UserID.from_string(user_id),
        appservice_id=None,
        consent_server_notice_sent=None,
        consent_version=None,
        consent_ts=None,
        user_type=None,
        creation_ts=START,
        is_admin=False,
        is_deactivated=False,
        is_guest=False,
        is_shadow_banned=False,
        approved=True,
        locked=False,
        suspended=False,
    )


class Store:
    """The part of Synapse's store that a check asks."""

    def __init__(self, rows, clock, server_name):
        self.server_name = server_name
        self.clock, self._rows, self.seen = clock, rows, []

    @cached(tree=True)
    async def get_device(self, user_id, device_id):
        return self._rows.devices.get((user_id, device_id))

    @cached()
    async def get_user_by_id(self, user_id):
        return self._rows.users.get(user_id)

    @cached()
    async def get_user_locked_status(self, user_id):
        user = self._rows.users.get(user_id)
        return user is not None and user.locked

    def get_app_service_by_token(self, token):
        return next((one for one in self._rows.services if one.token == token), None)

    def register_external_cached_function(self, cache_name, func):
        pass

    async def insert_client_ip(self, **said):
        self.seen.append(said)


class Lookups:
    """The same answers as ours give, each asked for alone."""

    def __init__(self, rows, store):
        self._rows, self._store = rows, store

    async def session(self, session_id):
        return self._rows.sessions.get(session_id)

    async def user(self, user_id):
        return await recall(self._store.get_user_by_id, user_id)

    async def device(self, user_id, device_id):
        return await recall(self._store.get_device, user_id, device_id)


@attrs.define
class Request:
    """A request as Twisted reads it."""

    headers: list
    args: dict = attrs.field(factory=dict)
    requester: object = None
    method: bytes = b"GET"
    path: bytes = b"/_matrix/client/v3/account/whoami"  # which every part of Matrix opens

    @property
    def requestHeaders(self):  # noqa: N802 (Twisted's name)
        has = {b"Authorization": self.headers}
        return SimpleNamespace(
            getRawHeaders=has.get, hasHeader=lambda name: bool(has.get(name, []))
        )

    def getHeader(self, name):  # noqa: N802 (Twisted's name)
        return None

    def getClientAddress(self):  # noqa: N802 (Twisted's name)
        return SimpleNamespace(host="192.0.2.1")

    def get_client_ip_if_available(self):
        return "192.0.2.1"


class Checked:
    """One process: its caches, and the check."""

    def __init__(self, rows, *, lifetimes=LIFETIMES, is_short=None):
        self.rows, self.noted, self.is_in_touch = rows, [], True
        clock = SimpleNamespace(time_msec=lambda: rows.now * 1000, time=lambda: rows.now)
        name = f"{next(_numbers)}.example.org"  # Synapse counts for each server, once
        self.store = Store(rows, clock, name)
        msc3866 = SimpleNamespace(enabled=True, require_approval_for_new_accounts=True)
        hs = SimpleNamespace(
            hostname=name,
            get_clock=lambda: clock,
            get_datastores=lambda: SimpleNamespace(main=self.store),
            get_notifier=lambda: SimpleNamespace(on_new_replication_data=lambda: None),
            get_replication_command_handler=lambda: SimpleNamespace(
                connected=lambda: self.is_in_touch
            ),
            config=SimpleNamespace(
                experimental=SimpleNamespace(msc3866=msc3866),
                tracing=SimpleNamespace(opentracer_enabled=False),
            ),
        )
        homeserver = object.__new__(Homeserver)
        homeserver.hs, homeserver.store, homeserver._clock = hs, self.store, clock
        homeserver.database_errors = homeserver._passing = ()
        homeserver.lookups = Lookups(rows, self.store)
        homeserver.live = self.live = LiveSessions(hs, homeserver.lookups.session)
        people = object.__new__(People)
        people._homeserver, people._store, people._made = homeserver, self.store, {}
        activity = SimpleNamespace(seen=lambda *said: self.noted.append(said))
        self.check = TokenCheck(homeserver, people, KEYS, lifetimes, activity)
        self.auth = object.__new__(SessionAuth)
        self.auth.hs, self.auth.store, self.auth._nextgen = hs, self.store, self.check
        self.auth._account_validity_handler = SimpleNamespace(is_user_expired=self._is_expired)
        self.auth._force_tracing_for_users = ()
        self.auth._nextgen_is_short = is_short

    async def _is_expired(self, user_id):
        return user_id in self.rows.expired

    def ask(self, text, *, args=None, headers=None, **allowed):
        """Return what becomes of a request with a token."""
        request = Request(headers or [b"Bearer " + text.encode()], args or {})
        del self.store.seen[:]
        asked = ensureDeferred(self.auth.get_user_by_req(request, **allowed))
        answers = []
        asked.addBoth(answers.append)
        (answer,) = answers
        error = getattr(answer, "value", None)
        if error is None:
            assert request.requester.user == answer.user
            said = {name: getattr(answer, name) for name in SAID}
            return said | {"sent_from": request.requester.device_id}, list(self.store.seen)
        if not isinstance(error, SynapseError):
            raise error
        said = error.code, error.errcode, getattr(error, "_soft_logout", None), error.headers
        return said, list(self.store.seen)

    def forget_all(self):
        """Let every cache be empty, as after a restart."""
        for name in ("get_device", "get_user_by_id", "get_user_locked_status"):
            getattr(self.store, name).invalidate_all()
        self.live.nextgen_session.invalidate_all()


def token(session, *, expires_at=START + 300, **fields):
    """Return the text of an access token for a session."""
    said = Token(Kind.ACCESS, session.session_id, 1, expires_at, **fields)
    return session_tokens.mint(KEYS, said).reveal()
