"""What a mapping says beside the account (`get_extra_attributes`), for the client that asks `/login`.

It goes with the sign-in that it came with, and to no other client of that account.
"""

import json
from collections.abc import Mapping
from typing import Any

from synapse_nextgen_auth.secret import Keyring, Purpose


def seal(keys: Keyring, user_id: str, said: Mapping[str, Any] | None) -> str | None:
    """Return it as a table keeps it; `None` where nothing is said."""
    if not said:
        return None
    plain = json.dumps({"user_id": user_id, "said": dict(said)})
    return keys.seal(Purpose.EXTRAS, plain.encode("utf-8"))


def unseal(keys: Keyring, sealed: str | None, user_id: str) -> dict[str, Any]:
    """Return what was said of this account; nothing where it was of another one."""
    plain = None if sealed is None else keys.unseal(Purpose.EXTRAS, sealed)
    if plain is None:
        return {}
    found = json.loads(plain)
    said: dict[str, Any] = found["said"]
    return said if found["user_id"] == user_id else {}
