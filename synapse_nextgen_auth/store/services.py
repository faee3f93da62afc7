"""Rows of clients that are a service account by themselves: which session is theirs, one for each."""

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn


@frozen
class ServiceSession:
    """A client of the configuration, and the session that it was given last."""

    client_id: str
    session_id: str


_SERVICES = Table("nextgen_services", ServiceSession)


def session_of(txn: Txn, client_id: str) -> str | None:
    """Return the id of the client's session, living or ended; `None` if it never had one."""
    found = _SERVICES.one(txn, "WHERE client_id = ?", client_id)
    return found.session_id if found else None


def put(txn: Txn, client_id: str, session_id: str) -> None:
    """Note which session is the client's from now on.

    Two that begin one at the same moment write the same row: one of them begins anew, and finds the
    session of the other (PostgreSQL is at REPEATABLE READ).
    """
    txn.execute(
        "INSERT INTO nextgen_services (client_id, session_id) VALUES (?, ?)"
        " ON CONFLICT (client_id) DO UPDATE SET session_id = EXCLUDED.session_id",
        (client_id, session_id),
    )


def list_all(txn: Txn) -> list[ServiceSession]:
    """Return all of them: there are as many as the configuration ever had."""
    return _SERVICES.all(txn, "ORDER BY client_id")


def forget(txn: Txn, client_id: str) -> None:
    """Forget a client that has no session any more."""
    txn.execute("DELETE FROM nextgen_services WHERE client_id = ?", (client_id,))
