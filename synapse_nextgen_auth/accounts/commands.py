"""What proves a command to the running server: whoever can read homeserver.yaml has the key.

A request carries its time, a value that counts once, and a MAC over both, the method, the path and
the body. Its answer is sealed, and names that value: it goes to whoever asked and to nobody on the way.
"""

import enum
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, same, urlsafe

# Below the issuer.
PATH = "/command"
METHOD = "POST"
MEDIA_TYPE = "application/json"
SCHEME = "Nextgen-Command"
# How long (seconds) a request is good, before and after the time that it says.
WINDOW = 120
_STAMP = re.compile(SCHEME + r" ([0-9]{1,12})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


class Unproven(enum.Enum):
    """Why a request is no command of this server's operator."""

    UNSIGNED = "unsigned"
    OTHER_SECRET = "other_secret"  # noqa: S105 - or another path or body than what was signed
    OTHER_TIME = "other_time"
    SEEN = "seen"


@frozen
class Stamp:
    """What a request says of itself: when it was made, and the value that counts once."""

    made_at: int
    once: str

    @property
    def good_until(self) -> int:
        """For how long its value must be remembered."""
        return self.made_at + WINDOW

    def header(self, keys: Keyring, *, path: str, body: bytes) -> str:
        """Return the header `Authorization` that proves a request."""
        mac = urlsafe(keys.mac(Purpose.COMMAND, self._message(path, body)))
        return f"{SCHEME} {self.made_at}.{self.once}.{mac}"

    def is_signed(self, keys: Keyring, mac: str, *, path: str, body: bytes) -> bool:
        """Say whether a MAC is right under the present secret; those before it command nothing."""
        return same(mac, urlsafe(keys.mac(Purpose.COMMAND, self._message(path, body))))

    def seal(self, keys: Keyring, answer: Mapping[str, Any]) -> str:
        """Return the answer to this request, for whoever has the key."""
        plain = json.dumps({"once": self.once, "answer": answer})
        return keys.seal(Purpose.COMMAND_ANSWER, plain.encode("utf-8"))

    def unseal(self, keys: Keyring, sealed: str) -> dict[str, Any] | None:
        """Return the answer to this request; `None` where it is to another one, or not ours."""
        plain = keys.unseal(Purpose.COMMAND_ANSWER, sealed)
        if plain is None:
            return None
        found = json.loads(plain)
        answer: dict[str, Any] = found["answer"]
        return answer if same(found["once"], self.once) else None

    def _message(self, path: str, body: bytes) -> bytes:
        digest = hashlib.sha256(body).hexdigest()
        return "\n".join((METHOD, path, digest, str(self.made_at), self.once)).encode(
            "utf-8", "surrogatepass"
        )


def read(
    keys: Keyring, header: str | None, *, path: str, body: bytes, now: int
) -> Stamp | Unproven:
    """Return what a request says of itself, once it is proven; its value may have been seen before.

    The MAC comes first: what nobody signed is not told what time it is here.
    """
    match = _STAMP.fullmatch(header or "")
    if match is None:
        return Unproven.UNSIGNED
    stamp = Stamp(int(match[1]), match[2])
    if not stamp.is_signed(keys, match[3], path=path, body=body):
        return Unproven.OTHER_SECRET
    is_now = abs(now - stamp.made_at) <= WINDOW
    return stamp if is_now else Unproven.OTHER_TIME
