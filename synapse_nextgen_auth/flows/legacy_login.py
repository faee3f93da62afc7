"""Sign in to a client that knows only `m.login.sso`: what it asks for, and the answer."""

from synapse_nextgen_auth.flows.authorize import Refused
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.legacy_sign_ins import LegacySignIn
from synapse_nextgen_auth.store import events, legacy_logins
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
