"""What stands in Synapse's table of devices for the device that a session with a narrow scope has not.

Synapse numbers what somebody sends by their device, and takes no number of one that is not there. The
row is hidden, as those of keys are: it is in no list, has no keys, and nobody can sign in on it.
"""

from synapse_nextgen_auth.oauth.sessions import stand_in_of
from synapse_nextgen_auth.store.txn import Txn


def add(txn: Txn, *, user_id: str, session_id: str) -> None:
    """Put it there with the session that it is for."""
    txn.execute(
        "INSERT INTO devices (user_id, device_id, hidden) VALUES (?, ?, ?)",
        (user_id, stand_in_of(session_id), True),
    )


def remove(txn: Txn, *, user_id: str, session_id: str) -> None:
    """Take it away; the numbers of what was sent go with it, what was sent stays."""
    txn.execute(
        "DELETE FROM devices WHERE user_id = ? AND device_id = ? AND hidden = ?",
        (user_id, stand_in_of(session_id), True),
    )
