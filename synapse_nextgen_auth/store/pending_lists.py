"""Lists of grants that wait for somebody: a page that is open, a code that nobody redeemed yet."""

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.conditions import Conditions
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window


@frozen
class Pending:
    """A grant that waits, of a browser (`code`) or of a device; times in seconds since the epoch.

    Once it is approved, its client has until `expires_at` to collect its tokens.
    """

    grant_id: str
    kind: str
    client_id: str
    user_id: str | None
    scope: str
    resource_scope: str | None
    created_at: int
    approved_at: int | None
    expires_at: int


_WAITS = "redeemed_at IS NULL AND refused_at IS NULL AND expires_at > ?"
_BOTH = (
    "(SELECT grant_id, 'code' AS kind, client_id, user_id, scope, resource_scope, created_at,"
    " approved_at, COALESCE(code_expires_at, expires_at) AS ends_at FROM nextgen_grants"
    f" WHERE {_WAITS} AND (code_expires_at IS NULL OR code_expires_at > ?)"
    " UNION ALL SELECT grant_id, 'device', client_id, user_id, scope, resource_scope, created_at,"
    f" approved_at, expires_at FROM nextgen_device_grants WHERE {_WAITS}) AS pending"
)
_COLUMNS = (
    "grant_id, kind, client_id, user_id, scope, resource_scope, created_at, approved_at, ends_at"
)


def page(
    txn: Txn, window: Window, *, user_id: str | None, client_id: str | None, now: int
) -> list[Pending]:
    """Return those of a window, and one more, in the order in which they were asked for."""
    where = _where(user_id=user_id, client_id=client_id)
    end = where.within(window, "created_at", "grant_id")
    txn.execute(f"SELECT {_COLUMNS} FROM {_BOTH} {end}", (now, now, now, *where.values))
    return [Pending(*row) for row in txn.fetchall()]


def count(txn: Txn, *, user_id: str | None, client_id: str | None, now: int) -> int:
    """Return how many there are."""
    where = _where(user_id=user_id, client_id=client_id)
    txn.execute(f"SELECT COUNT(*) FROM {_BOTH} {where.text}", (now, now, now, *where.values))
    return int(txn.fetchone()[0])


def find(txn: Txn, grant_id: str, *, now: int) -> Pending | None:
    """Return the one with this id, if it waits still."""
    txn.execute(f"SELECT {_COLUMNS} FROM {_BOTH} WHERE grant_id = ?", (now, now, now, grant_id))
    row = txn.fetchone()
    return None if row is None else Pending(*row)


def withdraw(txn: Txn, grant_id: str, *, now: int) -> bool:
    """Let nobody answer or collect it any more; False where it does not wait."""
    changed = 0
    for table in ("nextgen_grants", "nextgen_device_grants"):
        txn.execute(
            f"UPDATE {table} SET refused_at = ?"
            " WHERE grant_id = ? AND redeemed_at IS NULL AND refused_at IS NULL",
            (now, grant_id),
        )
        changed += txn.rowcount
    return changed > 0


def _where(*, user_id: str | None, client_id: str | None) -> Conditions:
    where = Conditions()
    where.add_if("user_id = ?", user_id)
    where.add_if("client_id = ?", client_id)
    return where
