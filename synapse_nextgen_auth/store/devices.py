"""Synapse's own rows of devices, as far as a transaction of ours must know them; it only reads them."""

from collections.abc import Sequence

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import Txn


def is_there(txn: Txn, user_id: str, device_id: str) -> bool:
    """Say whether the id is taken in an account, by a device or by something hidden (C307)."""
    txn.execute("SELECT 1 FROM devices WHERE user_id = ? AND device_id = ?", (user_id, device_id))
    return txn.fetchone() is not None


def has_stock_token(txn: Txn, user_id: str, device_id: str) -> bool:
    """Say whether a token that Synapse itself made speaks for a device, though its time be over."""
    txn.execute(
        "SELECT 1 FROM access_tokens WHERE user_id = ? AND device_id = ? LIMIT 1",
        (user_id, device_id),
    )
    return txn.fetchone() is not None


def list_ids(txn: Txn, user_id: str) -> list[str]:
    """Return the devices of an account that people can see."""
    txn.execute(
        "SELECT device_id FROM devices WHERE user_id = ? AND hidden = ? ORDER BY device_id",
        (user_id, False),
    )
    return [str(row[0]) for row in txn.fetchall()]


def list_read(txn: Txn, user_id: str) -> list[str]:
    """Return the devices on which somebody reads: not one that waits to be woken (MSC3814)."""
    txn.execute(
        "SELECT device_id FROM devices AS d WHERE user_id = ? AND hidden = ? AND NOT EXISTS"
        " (SELECT 1 FROM dehydrated_devices AS w"
        " WHERE w.user_id = d.user_id AND w.device_id = d.device_id) ORDER BY device_id",
        (user_id, False),
    )
    return [str(row[0]) for row in txn.fetchall()]


@frozen
class DeviceRow:
    """A device that people can see."""

    user_id: str
    device_id: str
    display_name: str | None


def list_by_ids(txn: Txn, pairs: Sequence[tuple[str, str]]) -> list[DeviceRow]:
    """Return those of these devices, by account and id, that are there for people to see."""
    marks = ", ".join(["(?, ?)"] * len(pairs))
    txn.execute(
        "SELECT user_id, device_id, display_name FROM devices"
        f" WHERE (user_id, device_id) IN (VALUES {marks}) AND hidden = ?",
        (*(part for pair in pairs for part in pair), False),
    )
    return [DeviceRow(*row) for row in txn.fetchall()]


@frozen
class Begun:
    """What Synapse knows of how a device began.

    `by_provider` at a single sign-on whose provider named its session, `has_token` whether a token
    that Synapse made speaks for it, `of_service` whether an application service made the account.
    """

    by_provider: bool
    has_token: bool
    of_service: bool


def how_begun(txn: Txn, user_id: str) -> dict[str, Begun]:
    """Return what Synapse knows of how each device of an account began, in one query."""
    txn.execute(
        "SELECT d.device_id,"
        " EXISTS (SELECT 1 FROM device_auth_providers AS p"
        " WHERE p.user_id = d.user_id AND p.device_id = d.device_id),"
        " EXISTS (SELECT 1 FROM access_tokens AS t"
        " WHERE t.user_id = d.user_id AND t.device_id = d.device_id),"
        " u.appservice_id IS NOT NULL"
        " FROM devices AS d JOIN users AS u ON u.name = d.user_id"
        " WHERE d.user_id = ? AND d.hidden = ?",
        (user_id, False),
    )
    return {str(its_id): Begun(*map(bool, known)) for its_id, *known in txn.fetchall()}


def last_stock_token(txn: Txn, user_id: str) -> int:
    """Return the number of the last token that Synapse itself made for an account, 0 without any."""
    txn.execute("SELECT COALESCE(MAX(id), 0) FROM access_tokens WHERE user_id = ?", (user_id,))
    return int(txn.fetchone()[0])


def with_later_stock_token(
    txn: Txn, user_id: str, device_ids: Sequence[str], *, last: int
) -> set[str]:
    """Return on which of these devices somebody signed in, as Synapse does it, after that token."""
    txn.execute(
        "SELECT device_id FROM access_tokens WHERE user_id = ? AND id > ? AND device_id IS NOT NULL",
        (user_id, last),
    )
    return {str(row[0]) for row in txn.fetchall()} & set(device_ids)


def list_stock_tokens(txn: Txn, user_id: str, *, last: int) -> list[str]:
    """Return the tokens of an account that Synapse itself made, up to that one."""
    txn.execute("SELECT token FROM access_tokens WHERE user_id = ? AND id <= ?", (user_id, last))
    return [str(row[0]) for row in txn.fetchall()]


def list_keys(txn: Txn, user_id: str, key_id: str) -> list[tuple[str, str, str | None]]:
    """Return what each device of an account says of its keys, and how `key_id` signed them, if it did.

    The account's own key: what others signed is of no interest here.
    """
    txn.execute(
        "SELECT k.device_id, k.key_json, s.signature FROM e2e_device_keys_json AS k"
        " LEFT JOIN e2e_cross_signing_signatures AS s ON s.user_id = k.user_id"
        " AND s.target_user_id = k.user_id AND s.target_device_id = k.device_id AND s.key_id = ?"
        " WHERE k.user_id = ?",
        (key_id, user_id),
    )
    return [
        (str(device_id), str(keys), None if signature is None else str(signature))
        for device_id, keys, signature in txn.fetchall()
    ]


# Synapse keeps a token whose time is over. One that was made to be refreshed brings its device back.
_IS_GOOD = "(t.valid_until_ms IS NULL OR t.valid_until_ms > ? OR t.refresh_token_id IS NOT NULL)"


def has_good_stock_token(txn: Txn, user_id: str, device_id: str, *, now: int) -> bool:
    """Say whether a device is in use by a token that Synapse itself made and that is still good."""
    txn.execute(
        "SELECT 1 FROM access_tokens AS t"
        f" WHERE t.user_id = ? AND t.device_id = ? AND {_IS_GOOD} LIMIT 1",
        (user_id, device_id, now * 1000),
    )
    return txn.fetchone() is not None


def count_in_use(txn: Txn, user_id: str, *, begun_after: int, now: int) -> int:
    """Return how many devices of an account something is signed in on, ours or Synapse's.

    Those that sessions begun since then still get count, too; what stays of a session that ended, or
    of a token whose time is over, does not. Sets, and no joins: databases expect few devices of each
    account, and compare each of thousands with each.
    """
    living = (
        "SELECT device_id FROM nextgen_sessions"
        " WHERE user_id = ? AND ended_at IS NULL AND device_id IS NOT NULL"
    )
    there = "SELECT device_id FROM devices WHERE user_id = ?"
    tokens = f"SELECT t.device_id FROM access_tokens AS t WHERE t.user_id = ? AND {_IS_GOOD}"
    txn.execute(
        "SELECT COUNT(*) FROM ("
        f"SELECT device_id FROM (SELECT device_id FROM ({living} UNION {tokens}) AS speaking"
        f" INTERSECT {there} AND hidden = ?) AS in_use"
        " UNION "
        f"SELECT device_id FROM ({living} AND created_at > ? EXCEPT {there}) AS begun) AS counted",
        (
            *(user_id, user_id, now * 1000, user_id, False),
            *(user_id, begun_after, user_id),
        ),
    )
    return int(txn.fetchone()[0])
