"""A client that is a service account by itself has one session there (RFC 6749 section 4.4).

Each token request is answered with a token of that session: a program that asks often, or runs several
times, leaves one line on the account's pages, and what it has set up on its device stays.
"""

from collections.abc import Iterable, Mapping

from synapse_nextgen_auth.flows.begin_session import Beginning, Opening, begin
from synapse_nextgen_auth.flows.end_session import end
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.clients.configured import StaticClient
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.sessions import Began, End, Session, SessionLifetimes
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import devices, services, sessions
from synapse_nextgen_auth.store.txn import Txn

IN_USE = "Somebody else is signed in on the device of this client"


@frozen
class Written:
    """What the configuration says of a client: its account, and the scope of its session.

    `words` are what it may do at services of others.
    """

    client_id: str
    user_id: str
    scope: Scope
    words: str | None = None

    def fits(self, session: Session) -> bool:
        """Say whether this is the session that the configuration means."""
        is_its = (session.client_id, session.user_id) == (self.client_id, self.user_id)
        meant = (self.scope.text, self.words)
        return is_its and (session.scope, session.resource_scope) == meant


def written(clients: Iterable[StaticClient], server_name: str) -> dict[str, Written]:
    """Return what the configuration says, by the clients' ids."""
    return {
        each.client.client_id: Written(
            each.client.client_id,
            each.client.service.user_id(server_name),
            each.client.service.scope,
            each.client.service.words,
        )
        for each in clients
        if each.client.service is not None
    }


def find(txn: Txn, written: Written, *, lifetimes: SessionLifetimes, now: int) -> Session | None:
    """Return the session that the client has, `None` if it has to begin one."""
    session_id = services.session_of(txn, written.client_id)
    session = sessions.get(txn, session_id) if session_id else None
    if session is None or not written.fits(session) or session.over(now, lifetimes) is not None:
        return None
    return session


def begin_or_find(
    txn: Txn, written: Written, opening: Opening, *, lifetimes: SessionLifetimes, now: int
) -> Outcome[Session]:
    """Begin the client's session, unless another request of it just did.

    Its device is the operator's word, so one that is left of before is its own again; one that
    somebody else uses at this moment stays theirs (C310).
    """
    standing = find(txn, written, lifetimes=lifetimes, now=now)
    if standing is not None:
        return Outcome(standing)
    former_id = services.session_of(txn, written.client_id)
    former = sessions.get(txn, former_id) if former_id else None
    if _is_in_use(txn, written, now=now):
        return Outcome(OAuthError("access_denied", IN_USE))
    ended: tuple[str, ...] = ()
    if former is not None and former.session_id != opening.session_id:
        ended = end(txn, former, why=former.over(now, lifetimes) or End.REPLACED, now=now)
    beginning = Beginning(
        opening=opening,
        user_id=written.user_id,
        client_id=written.client_id,
        scope=written.scope,
        auth_time=now,
        how=Began.CLIENT,
        resource_scope=written.words,
    )
    begun = begin(
        txn,
        beginning,
        now=now,
        no_room=OAuthError("access_denied", "The account has too many devices"),
    )
    if not isinstance(begun.value, OAuthError):
        services.put(txn, written.client_id, begun.value.session_id)
    return Outcome(begun.value, (*ended, *begun.ended))


def _is_in_use(txn: Txn, written: Written, *, now: int) -> bool:
    device_id = written.scope.device_id
    if device_id is None:
        return False
    session = sessions.find_by_device(txn, written.user_id, device_id)
    if session is not None:
        return session.client_id != written.client_id
    return devices.has_good_stock_token(txn, written.user_id, device_id, now=now)


def end_departed(txn: Txn, written: Mapping[str, Written], *, now: int) -> Outcome[int]:
    """End what the configuration does not mean any more; return how many sessions that were.

    The device of a client that left goes with it; that of one which has another scope now stays.
    """
    ended: tuple[str, ...] = ()
    for row in services.list_all(txn):
        session, client = sessions.get(txn, row.session_id), written.get(row.client_id)
        if session is not None and (client is None or not client.fits(session)):
            stays = client is not None and client.user_id == session.user_id
            ended += end(txn, session, why=End.REPLACED if stays else End.REVOKED, now=now)
        if session is None or client is None:
            services.forget(txn, row.client_id)
    return Outcome(len(ended), ended)
