"""Who accounts are at identity providers, as an administrator lists it: by provider and subject."""

import json
from typing import Any

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window


@frozen
class Link:
    """That an account is this subject at this provider."""

    provider: str
    subject: str
    user_id: str

    @property
    def key(self) -> str:
        """What its id stands for: no subject is kept where its account is it no more."""
        said = digest(json.dumps([self.provider, self.subject]))
        return json.dumps([self.user_id, said])


def list_links(
    txn: Txn, window: Window, *, user_id: str | None, provider: str | None, subject: str | None
) -> list[Link]:
    """Return a page of links, and one more where there are more."""
    where, given = _where(user_id, provider, subject)
    columns = ("auth_provider", "external_id")
    within, ends = window.where(*columns)
    txn.execute(
        f"SELECT auth_provider, external_id, user_id FROM user_external_ids WHERE {where}"
        f" AND {within} {window.order(*columns)}",
        [*given, *ends],
    )
    return [Link(*map(str, row)) for row in txn.fetchall()]


def count(txn: Txn, *, user_id: str | None, provider: str | None, subject: str | None) -> int:
    """Return how many links that are."""
    where, given = _where(user_id, provider, subject)
    txn.execute(f"SELECT COUNT(*) FROM user_external_ids WHERE {where}", given)
    return int(txn.fetchone()[0])


def find(txn: Txn, key: str) -> Link | None:
    """Return the link with this key, if it is there still."""
    txn.execute(
        "SELECT auth_provider, external_id, user_id FROM user_external_ids WHERE user_id = ?",
        (json.loads(key)[0],),
    )
    found = [Link(*map(str, row)) for row in txn.fetchall()]
    return next((each for each in found if each.key == key), None)


def _where(user_id: str | None, provider: str | None, subject: str | None) -> tuple[str, list[Any]]:
    found = [
        ("user_id = ?", user_id),
        ("auth_provider = ?", provider),
        ("external_id = ?", subject),
    ]
    used = [(said, value) for said, value in found if value is not None]
    said = " AND ".join(condition for condition, _ in used) or "1 = 1"
    return said, [value for _, value in used]
