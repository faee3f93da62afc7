"""Whether an account may have one more device, whoever else asks at this moment (C314)."""

from synapse_nextgen_auth.store import devices, sessions, throttle
from synapse_nextgen_auth.store.txn import Txn

# How long (seconds) the device of a session that begins may take, with the main process away.
BEGINNING = 300


def has_room(
    txn: Txn, user_id: str, device_id: str | None, *, max_devices: int | None, now: int
) -> bool:
    """Say whether there is room for this device; one that is in use already needs none.

    Those that find room at the same moment write the same row. So all but one begin anew, with what
    the one before them wrote before their eyes (PostgreSQL is at REPEATABLE READ).
    """
    if max_devices is None or device_id is None or _is_in_use(txn, user_id, device_id, now=now):
        return True
    if not would_fit(txn, user_id, device_id, max_devices=max_devices, now=now):
        return False
    throttle.count(txn, f"devices of {user_id}", window=1, now=now)
    return True


def would_fit(txn: Txn, user_id: str, device_id: str, *, max_devices: int, now: int) -> bool:
    """Say whether there is room for this device at this moment, and hold none."""
    if _is_in_use(txn, user_id, device_id, now=now):
        return True
    return devices.count_in_use(txn, user_id, begun_after=now - BEGINNING, now=now) < max_devices


def _is_in_use(txn: Txn, user_id: str, device_id: str, *, now: int) -> bool:
    if sessions.find_by_device(txn, user_id, device_id) is not None:
        return True
    return devices.has_good_stock_token(txn, user_id, device_id, now=now)


def is_taken(txn: Txn, user_id: str, device_id: str) -> bool:
    """Say whether the account has this device, or a session that is about to get it."""
    return (
        devices.is_there(txn, user_id, device_id)
        or sessions.find_by_device(txn, user_id, device_id) is not None
    )
