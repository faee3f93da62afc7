"""Which devices of an account are verified: signed by its own self-signing key (CS API, cross-signing).

That a signature is there says nothing: it stays when a device is deleted, and somebody may sign in
under the same device id with other keys. So it is checked against the keys that the device has now.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import attrs
from signedjson.key import decode_verify_key_bytes
from signedjson.sign import SignatureVerifyException, verify_signed_json
from unpaddedbase64 import decode_base64

from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.homeserver.threads import in_thread
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import devices

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_e2e_cross_signing_key",
        ("user_id", "key_type"),
    ),
)
# How many answers are kept: a check takes a fifth of a millisecond, and accounts have hundreds.
_KEPT = 20_000
# How many are checked while somebody waits who does not need to know of each.
AT_ONCE = 100


@frozen
class _Keys:
    """What a device says of its keys, as text, and how the key `named` of its account signed them."""

    user_id: str
    named: tuple[str, str]
    text: str = attrs.field(repr=False)
    signature: str | None

    @property
    def may_be_signed(self) -> bool:
        """Whether a check could find anything: its client may have sent the signature with the keys."""
        return self.signature is not None or self.named[0] in self.text

    @property
    def mark(self) -> bytes:
        """What the answer is remembered by."""
        said = json.dumps([self.user_id, self.named, self.text, self.signature])
        return hashlib.sha256(said.encode()).digest()


class Verified:
    """Looks at the keys of devices, and remembers what it found."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._found: OrderedDict[bytes, bool] = OrderedDict()

    async def of(self, user_id: str, *, in_a_hurry: bool = False) -> dict[str, bool]:
        """Return of each device that keeps keys whether it is verified.

        Nothing of an account without cross-signing: nobody can verify its devices. `in_a_hurry` believes
        the signatures of an account that has very many, and checks them for the next time.
        """
        key = await self._homeserver.store.get_e2e_cross_signing_key(user_id, "self_signing")
        named = next(iter((key or {}).get("keys", {}).items()), None)
        if named is None:
            return {}
        found = await self._homeserver.read(devices.list_keys, user_id, named[0])
        keys = [
            (device_id, _Keys(user_id, named, text, signature))
            for device_id, text, signature in found
        ]
        marks = [(device_id, each, each.mark) for device_id, each in keys if each.may_be_signed]
        # By itself: while others are checked, what is remembered may be pushed out for another account.
        known = {mark: self._found[mark] for _, _, mark in marks if mark in self._found}
        new = {mark: each for _, each, mark in marks if mark not in known}
        if new and in_a_hurry and len(new) > AT_ONCE:
            background.begin(self._homeserver.hs, Background.VERIFIED, self._check, new)
        elif new:
            known |= await self._check(new)
        verified = {device_id: False for device_id, _ in keys}
        for device_id, _, mark in marks:
            # One device may stand there twice: Synapse kept signatures twice in former times.
            verified[device_id] |= known.get(mark, True)
        while len(self._found) > max(_KEPT, len(marks)):
            self._found.popitem(last=False)
        return verified

    async def _check(self, new: dict[bytes, _Keys]) -> dict[bytes, bool]:
        checked = await in_thread(self._homeserver.hs, _check, list(new.values()))
        found = dict(zip(new, checked, strict=True))
        self._found.update(found)
        return found


def _check(devices: Iterable[_Keys]) -> list[bool]:
    return [_is_signed(each) for each in devices]


def _is_signed(keys: _Keys) -> bool:
    key_id, text = keys.named
    try:
        key = decode_verify_key_bytes(key_id, decode_base64(text))
        signed: dict[str, Any] = json.loads(keys.text)
        if keys.signature is not None:
            signatures = signed.setdefault("signatures", {})
            signatures.setdefault(keys.user_id, {})[key_id] = keys.signature
        verify_signed_json(signed, keys.user_id, key)
    except (ValueError, TypeError, AttributeError, SignatureVerifyException):
        # Whatever a client once sent: it is not what was signed.
        return False
    return True
