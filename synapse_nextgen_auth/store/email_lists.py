"""E-mail addresses of accounts, as an administrator lists them: by the address."""

import json
from typing import Any

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store.own_ways import EMAIL
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window


@frozen
class Email:
    """An address of an account; `added_at` in milliseconds, as Synapse has it."""

    address: str
    user_id: str
    added_at: int

    @property
    def key(self) -> str:
        """What its id stands for: no address is kept where its account has it no more."""
        return json.dumps([self.user_id, digest(f"{EMAIL} {self.address}")])


def list_emails(
    txn: Txn, window: Window, *, user_id: str | None, address: str | None
) -> list[Email]:
    """Return a page of addresses, and one more where there are more."""
    where, given = _where(user_id, address)
    within, ends = window.where("address")
    txn.execute(
        f"SELECT address, user_id, added_at FROM user_threepids WHERE {where} AND {within}"
        f" {window.order('address')}",
        [*given, *ends],
    )
    return [Email(str(each), str(owner), int(at)) for each, owner, at in txn.fetchall()]


def count(txn: Txn, *, user_id: str | None, address: str | None) -> int:
    """Return how many addresses that are."""
    where, given = _where(user_id, address)
    txn.execute(f"SELECT COUNT(*) FROM user_threepids WHERE {where}", given)
    return int(txn.fetchone()[0])


def find(txn: Txn, key: str) -> Email | None:
    """Return the address with this key, if its account has it still."""
    user_id = json.loads(key)[0]
    txn.execute(
        "SELECT address, user_id, added_at FROM user_threepids WHERE user_id = ? AND medium = ?",
        (user_id, EMAIL),
    )
    found = [Email(str(each), str(owner), int(at)) for each, owner, at in txn.fetchall()]
    return next((each for each in found if each.key == key), None)


def _where(user_id: str | None, address: str | None) -> tuple[str, list[Any]]:
    found = [("medium = ?", EMAIL), ("user_id = ?", user_id), ("address = ?", address)]
    used = [(said, value) for said, value in found if value is not None]
    return " AND ".join(said for said, _ in used), [value for _, value in used]
