"""Which devices of an account are verified: signed by its own self-signing key (CS API, cross-signing).

That a signature is there says nothing: it stays when a device is deleted, and somebody may sign in
under the same device id with other keys. So it is checked against the keys that the device has now.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from canonicaljson import encode_canonical_json
from signedjson.key import decode_verify_key_bytes
from signedjson.sign import SignatureVerifyException, verify_signed_json
from unpaddedbase64 import decode_base64

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.homeserver.threads import in_thread

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_e2e_device_keys_and_signatures",
        ("query_list",),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_e2e_cross_signing_key",
        ("user_id", "key_type"),
    ),
)
# How many answers are kept: a check takes a fifth of a millisecond, and accounts have hundreds.
_KEPT = 20_000


class Verified:
    """Looks at the keys of devices, and remembers what it found."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._found: OrderedDict[bytes, bool] = OrderedDict()

    async def of(self, user_id: str) -> dict[str, bool]:
        """Return of each device that keeps keys whether it is verified.

        Nothing of an account without cross-signing: nobody can verify its devices.
        """
        store = self._homeserver.store
        key = await store.get_e2e_cross_signing_key(user_id, "self_signing")
        named = next(iter((key or {}).get("keys", {}).items()), None)
        if named is None:
            return {}
        found = await store.get_e2e_device_keys_and_signatures([(user_id, None)])
        keys = {
            device_id: device.keys
            for device_id, device in found.get(user_id, {}).items()
            if device is not None and device.keys is not None
        }
        marks = {device_id: _mark(user_id, named, each) for device_id, each in keys.items()}
        new = [device_id for device_id, mark in marks.items() if mark not in self._found]
        if new:
            checked = await in_thread(
                self._homeserver.hs, _check, user_id, named, [keys[each] for each in new]
            )
            self._found.update(zip((marks[each] for each in new), checked, strict=True))
            while len(self._found) > max(_KEPT, len(marks)):
                self._found.popitem(last=False)
        return {device_id: self._found[mark] for device_id, mark in marks.items()}


def _mark(user_id: str, named: tuple[str, str], keys: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(encode_canonical_json([user_id, named, keys])).digest()


def _check(
    user_id: str, named: tuple[str, str], devices: Iterable[Mapping[str, Any]]
) -> list[bool]:
    key_id, text = named
    try:
        key = decode_verify_key_bytes(key_id, decode_base64(text))
    except ValueError:
        return [False for _ in devices]
    return [_is_signed(user_id, key, each) for each in devices]


def _is_signed(user_id: str, key: Any, device: Mapping[str, Any]) -> bool:
    try:
        verify_signed_json(dict(device), user_id, key)
    except SignatureVerifyException:
        return False
    return True
