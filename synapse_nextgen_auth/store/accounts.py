"""Synapse's own rows of accounts, many at once; it only reads them."""

from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import Txn, placeholders


@frozen
class AccountRow:
    """The columns that Synapse's `get_user_by_id` reads, as they are.

    True and false are numbers on SQLite, and the last three may be empty.
    """

    name: str
    is_guest: int
    admin: int
    consent_version: str | None
    consent_ts: int | None
    consent_server_notice_sent: str | None
    appservice_id: int | None  # a text, which Synapse says otherwise of
    creation_ts: int
    user_type: str | None
    deactivated: int
    suspended: bool
    shadow_banned: bool | None
    approved: bool | None
    locked: bool | None


_COLUMNS = ", ".join(field.name for field in attrs.fields(AccountRow))


def list_by_ids(txn: Txn, user_ids: Sequence[str]) -> list[AccountRow]:
    """Return the rows of those of these accounts that are there."""
    marks = placeholders(user_ids)
    txn.execute(f"SELECT {_COLUMNS} FROM users WHERE name IN ({marks})", tuple(user_ids))
    return [AccountRow(*row) for row in txn.fetchall()]


def list_open(txn: Txn) -> list[str]:
    """Return the names of all accounts that are not closed."""
    txn.execute("SELECT name FROM users WHERE deactivated = 0")
    return [str(name) for (name,) in txn.fetchall()]
