"""An identity provider ends a sign-in of its own (OpenID Connect Back-Channel Logout 1.0)."""

from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival
from synapse_nextgen_auth.flows import end_session, sign_in
from synapse_nextgen_auth.flows.arrive import NEWCOMER
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.sessions import End, Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import (
    arrivals,
    attempts,
    provider_logouts,
    provider_sessions,
    sessions,
    sign_ins,
)
from synapse_nextgen_auth.store.txn import Txn


@frozen
class Ended:
    """Which provider ended which of its sign-ins; `user_id` is whose, where it says so."""

    provider: str
    provider_session: str
    user_id: str | None = None


def end(txn: Txn, ended: Ended, *, why: End | None, now: int) -> Outcome[list[Session]]:
    """Sign out the browsers that signed in there, and end what began in them, unless `why` is `None`.

    So do sign-ins that went on by another proof since; and what began in one that is over itself ends
    as well. An answer that still waits is worth nothing any more, nor is what one told an attempt; the
    attempt goes on, as its person may have signed out there to come back as somebody else.

    Return the sessions that ended, as they were. A sign-in of somebody else than the provider means is
    left alone, as Synapse leaves such devices: its mapping may not know people by what it calls them.
    """
    of = (ended.provider, ended.provider_session)
    # For answers that are still on their way, and accounts that are being made at this moment.
    provider_logouts.note(txn, *of, user_id=ended.user_id, now=now)
    for arrival in arrivals.list_of_provider(txn, *of):
        if ended.user_id is None or arrival.user_id in {None, ended.user_id}:
            _take_back(txn, arrival, now=now)
    # The second: rows from before it was noted where they came from.
    begun = provider_sessions.list_begun(txn, *of)
    begun += [(each.user_id, each.name) for each in sign_ins.list_of_provider(txn, *of)]
    over: list[Session] = []
    ids: tuple[str, ...] = ()
    for user_id, name in dict.fromkeys(begun):
        if ended.user_id not in {None, user_id}:
            continue
        there = sign_ins.find(txn, user_id, name)
        if there is not None:
            sign_in.end(txn, there, now=now, address=None)
        if why is None:
            continue
        for session in sessions.list_living(txn, user_id):
            if session.sign_in_id == name:
                ids += end_session.end(txn, session, why=why, now=now)
                over.append(session)
    return Outcome(over, ids)


def _take_back(txn: Txn, arrival: Arrival, *, now: int) -> None:
    arrivals.take(txn, arrival.digest, now=now)
    attempt = attempts.get(txn, arrival.attempt_id)
    if attempt is None or arrival.provider_session is None or not attempt.is_open(now):
        return
    less = attempt.without_session(arrival.provider, arrival.provider_session)
    if arrival.newcomer is not None:
        less = less.without_answer(NEWCOMER, arrival.newcomer)
    if less != attempt:
        attempts.change(txn, attempt, less)
