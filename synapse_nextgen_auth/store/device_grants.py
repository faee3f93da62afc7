"""Rows of device grants."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.oauth.grants.device_grants import MAX_WRONG_TRIES, DeviceGrant
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_DEVICE_GRANTS = Table(
    "nextgen_device_grants",
    DeviceGrant,
    beside=("device_id", "device_code_digest", "user_code_digest", "user_code_half"),
)


@frozen
class Codes:
    """What the database knows the codes of a device grant by."""

    device_code: str
    user_code: str
    user_code_half: str


def add(txn: Txn, grant: DeviceGrant, codes: Codes) -> bool:
    """Insert a device grant; False when one of its codes is taken."""
    return _DEVICE_GRANTS.insert_new(
        txn,
        grant,
        device_id=grammar.of_row(grant.scope).device_id,
        device_code_digest=codes.device_code,
        user_code_digest=codes.user_code,
        user_code_half=codes.user_code_half,
    )


def get(txn: Txn, grant_id: str) -> DeviceGrant | None:
    """Return the device grant with this id."""
    return _DEVICE_GRANTS.one(txn, "WHERE grant_id = ?", grant_id)


def meet(txn: Txn, grant_id: str) -> DeviceGrant | None:
    """Return the device grant with this id; whoever decides at this moment meets this transaction."""
    txn.execute(
        "UPDATE nextgen_device_grants SET grant_id = grant_id WHERE grant_id = ?", (grant_id,)
    )
    return get(txn, grant_id)


def find_by_device_code(txn: Txn, digest: str) -> DeviceGrant | None:
    """Return the device grant that a device polls for."""
    return _DEVICE_GRANTS.one(txn, "WHERE device_code_digest = ?", digest)


def by_device_codes(txn: Txn, digests: Sequence[str]) -> dict[str, DeviceGrant]:
    """Return the device grants that devices poll for, by the digests of their codes."""
    return _DEVICE_GRANTS.by(txn, "device_code_digest", digests)


def find_by_user_code(txn: Txn, digest: str) -> DeviceGrant | None:
    """Return the device grant whose code a person typed."""
    return _DEVICE_GRANTS.one(txn, "WHERE user_code_digest = ?", digest)


def note_wrong_try(txn: Txn, half: str, *, now: int) -> None:
    """Count a wrong code against those that begin like it; after a few they are dead."""
    txn.execute(
        "UPDATE nextgen_device_grants SET wrong_tries = wrong_tries + 1"
        " WHERE user_code_half = ? AND expires_at > ? AND approved_at IS NULL AND wrong_tries < ?",
        (half, now, MAX_WRONG_TRIES),
    )


def link(txn: Txn, grant_id: str, *, browser: str) -> bool:
    """Tie the grant to the browser in which its code was entered; False when another one was first."""
    txn.execute(
        "UPDATE nextgen_device_grants SET browser = ?"
        " WHERE grant_id = ? AND (browser IS NULL OR browser = ?)",
        (browser, grant_id, browser),
    )
    return txn.rowcount == 1


def choose(txn: Txn, grant_id: str, *, browser: str, sign_in_id: str) -> None:
    """Note which sign-in of its browser an open device grant is for."""
    txn.execute(
        "UPDATE nextgen_device_grants SET sign_in_id = ?"
        " WHERE grant_id = ? AND browser = ? AND approved_at IS NULL AND refused_at IS NULL",
        (sign_in_id, grant_id, browser),
    )


def withdraw_of_sign_in(txn: Txn, *, user_id: str, sign_in_id: str, now: int) -> None:
    """Make what a sign-in approved, and no device collected yet, worthless.

    What is from before they named it goes by the digest of its cookie, which is its id.
    """
    txn.execute(
        "UPDATE nextgen_device_grants SET refused_at = ?"
        " WHERE user_id = ? AND (sign_in_id = ? OR (sign_in_id IS NULL AND browser = ?))"
        " AND approved_at IS NOT NULL AND redeemed_at IS NULL AND refused_at IS NULL",
        (now, user_id, sign_in_id, sign_in_id),
    )


def approve(txn: Txn, grant_id: str, *, by: SignIn, acr: str, now: int) -> bool:
    """Mark it approved; False when somebody already decided, or when only another account may."""
    txn.execute(
        "UPDATE nextgen_device_grants SET user_id = ?, auth_time = ?, amr = ?, acr = ?, level = ?,"
        " proven_at = ?, sign_in_id = ?, approved_at = ?"
        " WHERE grant_id = ? AND approved_at IS NULL AND refused_at IS NULL AND expires_at > ?"
        " AND (asked_for IS NULL OR asked_for = ?)",
        (
            *(by.user_id, by.authenticated_at, by.amr, acr, by.factors, by.proven_at, by.name),
            *(now, grant_id, now, by.user_id),
        ),
    )
    return txn.rowcount == 1


def refuse(txn: Txn, grant_id: str, *, by: str | None, now: int) -> bool:
    """Mark it refused, by an account if one said so; False when somebody already decided."""
    txn.execute(
        "UPDATE nextgen_device_grants SET refused_at = ?, user_id = ?"
        " WHERE grant_id = ? AND approved_at IS NULL AND refused_at IS NULL",
        (now, by, grant_id),
    )
    return txn.rowcount == 1


def withdraw(txn: Txn, user_id: str, *, device_id: str | None = None, now: int) -> int:
    """Make what an account approved and no device collected worthless; return how many.

    All of it, or what is for one device.
    """
    txn.execute(
        "UPDATE nextgen_device_grants SET refused_at = ?"
        " WHERE user_id = ? AND redeemed_at IS NULL AND refused_at IS NULL"
        + (" AND device_id = ?" if device_id is not None else ""),
        (now, user_id, *(() if device_id is None else (device_id,))),
    )
    return txn.rowcount


def slow_down(txn: Txn, grant_id: str, *, by: int, now: int) -> None:
    """Lengthen the interval at which the device may poll."""
    txn.execute(
        "UPDATE nextgen_device_grants SET poll_interval = poll_interval + ?, slowed_at = ?"
        " WHERE grant_id = ?",
        (by, now, grant_id),
    )


def redeem(txn: Txn, grant_id: str, *, session_id: str, now: int) -> bool:
    """Spend the device code on a session; False when somebody else got there first."""
    txn.execute(
        "UPDATE nextgen_device_grants SET redeemed_at = ?, session_id = ?"
        " WHERE grant_id = ? AND redeemed_at IS NULL AND refused_at IS NULL"
        " AND approved_at IS NOT NULL",
        (now, session_id, grant_id),
    )
    return txn.rowcount == 1


def give_back(txn: Txn, user_id: str, *, session_id: str) -> None:
    """Make the device code that was spent on this session good again."""
    txn.execute(
        "UPDATE nextgen_device_grants SET redeemed_at = NULL, session_id = NULL"
        " WHERE user_id = ? AND session_id = ?",
        (user_id, session_id),
    )


def withdraw_of_client(txn: Txn, client_id: str, *, now: int) -> None:
    """Let a client collect nothing of what was approved for it, and nobody approve more."""
    txn.execute(
        "UPDATE nextgen_device_grants SET refused_at = ?"
        " WHERE client_id = ? AND redeemed_at IS NULL AND refused_at IS NULL",
        (now, client_id),
    )
