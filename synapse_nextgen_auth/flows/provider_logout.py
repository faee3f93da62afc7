"""An identity provider ends a sign-in of its own (OpenID Connect Back-Channel Logout 1.0)."""

import attrs

from synapse_nextgen_auth.flows import end_session, sign_in
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.sessions import End, Session
from synapse_nextgen_auth.store import sessions, sign_ins
from synapse_nextgen_auth.store.txn import Txn


@attrs.frozen
class Ended:
    """Which provider ended which of its sign-ins; `user_id` is whose, where it says so."""

    provider: str
    provider_session: str
    user_id: str | None = None


def end(txn: Txn, ended: Ended, *, why: End | None, now: int) -> Outcome[list[Session]]:
    """Sign out the browsers that signed in there, and end what began in them, unless `why` is `None`.

    Return the sessions that ended, as they were. A sign-in of somebody else than the provider means is
    left alone, as Synapse leaves such devices: its mapping may not know people by what it calls them.
    """
    over: list[Session] = []
    ids: tuple[str, ...] = ()
    for each in sign_ins.list_of_provider(txn, ended.provider, ended.provider_session):
        if ended.user_id not in {None, each.user_id}:
            continue
        sign_in.end(txn, each, now=now, address=None)
        if why is None:
            continue
        for session in sessions.list_living(txn, each.user_id):
            if session.sign_in_id == each.name:
                ids += end_session.end(txn, session, why=why, now=now)
                over.append(session)
    return Outcome(over, ids)
