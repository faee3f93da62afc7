"""The address that a person comes back to from a provider: it names the attempt, and is ours.

It goes through Synapse and through the provider, unsigned in the case of SAML and CAS (`RelayState`,
`service`). So it carries a MAC of ours over the attempt, the provider and what is asked of the sign-in
there; and it is worth nothing by itself (`arrivals.py`).
"""

import re
from base64 import urlsafe_b64decode
from urllib.parse import parse_qsl, urlencode

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, urlsafe

_ID = re.compile(r"[0-9a-f]{32}")
_PROVIDER = re.compile(r"[A-Za-z0-9_.~-]{1,255}")
_MAC = re.compile(r"[A-Za-z0-9_-]{43}")
# A query is read as Synapse and providers hand it on, and they add nothing to it.
_NAMES = (
    ["attempt", "provider", "mac"],
    ["attempt", "provider", "fresh", "mac"],
    ["attempt", "provider", "another", "mac"],
    ["attempt", "provider", "connect", "mac"],
)


@frozen
class Start:
    """Which attempt went to which provider.

    `is_fresh` says that the person must prove it there anew; `is_another`, that they want to be somebody
    else than the one whom the provider would let in without asking.
    """

    attempt_id: str
    provider_id: str
    is_fresh: bool = False
    is_another: bool = False
    connects: bool = False

    @property
    def asks_who(self) -> bool:
        """Whether nobody may be let in there without a question, as the person of before."""
        return self.is_another or self.connects

    def url(self, keys: Keyring, arrive: str) -> str:
        """Return the address, below that of our page."""
        asked = {} if self._how == "any" else {self._how: "1"}
        named = {"attempt": self.attempt_id, "provider": self.provider_id, **asked}
        mac = urlsafe(keys.mac(Purpose.PROVIDER_START, self._message))
        return f"{arrive}?{urlencode({**named, 'mac': mac})}"

    @classmethod
    def read(cls, keys: Keyring, arrive: str, url: str) -> "Start | None":
        """Return what an address says; `None` for one that we did not make."""
        page, _, query = url.partition("?")
        if page != arrive:
            return None
        pairs = parse_qsl(query, keep_blank_values=True)
        found = dict(pairs)
        if [name for name, _ in pairs] not in _NAMES or not _is_well_formed(found):
            return None
        start = cls(
            found["attempt"],
            found["provider"],
            is_fresh="fresh" in found,
            is_another="another" in found,
            connects="connect" in found,
        )
        mac = urlsafe_b64decode(found["mac"] + "=")
        return start if keys.proves(Purpose.PROVIDER_START, start._message, mac) else None

    @property
    def _message(self) -> bytes:
        return f"{self.attempt_id} {self.provider_id} {self._how}".encode("ascii")

    @property
    def _how(self) -> str:
        if self.is_fresh:  # whoever proves it anew may do so as anybody
            return "fresh"
        if self.connects:
            return "connect"
        return "another" if self.is_another else "any"


def _is_well_formed(found: dict[str, str]) -> bool:
    return bool(
        _ID.fullmatch(found["attempt"])
        and _PROVIDER.fullmatch(found["provider"])
        and _MAC.fullmatch(found["mac"])
        and found.get("fresh", "1") == "1"
        and found.get("another", "1") == "1"
        and found.get("connect", "1") == "1"
    )
