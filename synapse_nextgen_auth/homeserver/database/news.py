"""The names under which processes of one homeserver tell each other what changed.

They travel as invalidations of Synapse's caches. Processes of two releases run side by side during an
upgrade: a name that changes lets a revocation go unheard, in silence. So they follow from nothing,
and no value here ever changes.
"""

from collections.abc import Iterable
from typing import cast

from synapse.storage.database import LoggingTransaction
from synapse.storage.databases.main import DataStore

from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.store.txn import Cursor

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore._send_invalidation_to_replication",
        ("txn", "cache_name", "keys"),
    ),
)

SESSION_CHANGED = "synapse_nextgen_auth.homeserver.live.nextgen_session"
CLIENT_GONE = "synapse_nextgen_auth.homeserver.known_clients.nextgen_client"
OUTBOX = "synapse_nextgen_auth.homeserver.outbox.nextgen_outbox"
SERVICE_REVOKED = "synapse_nextgen_auth.homeserver.auth.application_services.nextgen_revoked"
SESSION_BEGUN = "synapse_nextgen_auth.homeserver.login_callbacks.nextgen_session_begun"


def tell(store: DataStore, cursor: Cursor, name: str, keys: Iterable[str]) -> None:
    """Tell every other process, as soon as the transaction commits, what is out of date there."""
    txn = cast("LoggingTransaction", cursor)
    for key in keys:
        store._send_invalidation_to_replication(txn, name, (key,))  # noqa: SLF001 (in NEEDS)
