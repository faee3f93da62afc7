"""Sign in to a client that knows only `m.login.sso`: what it asks for, and the answer."""

from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows.authorize import Refused
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.legacy_sign_ins import LegacySignIn
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import (
    events,
    legacy_logins,
    login_tokens,
    provider_sessions,
    sign_ins,
)
from synapse_nextgen_auth.store.txn import Txn


def find(txn: Txn, login_id: str, *, browser: str | None, now: int) -> LegacySignIn | Refused:
    """Return the open one, or why this browser cannot go on with it."""
    login = legacy_logins.get(txn, login_id)
    if login is None:
        return Refused.UNKNOWN
    if browser is None or login.browser != browser:
        return Refused.OTHER_BROWSER
    if login.decided_at is not None:
        return Refused.DECIDED
    return login if login.is_open(now) else Refused.EXPIRED


def agree(
    txn: Txn, login: LegacySignIn, *, user_id: str, destination: str, address: str | None, now: int
) -> bool:
    """Let the client in; False for a second click: there is one login token."""
    if not legacy_logins.decide(txn, login.login_id, now=now):
        return False
    kind = EventKind.LEGACY_LOGIN_ALLOWED
    events.add(txn, Event(kind, now, user_id, address=address, detail=destination))
    return True


def came_from(txn: Txn, sign_in: SignIn) -> tuple[str | None, str | None]:
    """Return the provider that the client's device ends with, and what it calls its own sign-in.

    It is the last one that let this person in, though they proved otherwise since who they are.
    """
    if sign_in.provider is not None and sign_in.provider_session is not None:
        return sign_in.provider, sign_in.provider_session
    known = provider_sessions.latest(txn, sign_in.user_id, sign_in.name)
    return known or (sign_in.provider, None)


def give(txn: Txn, login: LegacySignIn, sign_in: SignIn, token: str, *, now: int) -> bool:
    """Note which token the client gets, so that it ends with the sign-in; False if that is over.

    Then the token is worth nothing, and the client waits on.
    """
    if not sign_ins.holds(txn, sign_in):
        login_tokens.spend(txn, token, now=now)
        legacy_logins.reopen(txn, login.login_id)
        return False
    legacy_logins.note_token(txn, login.login_id, sign_in_id=sign_in.name, token=digest(token))
    return True
