"""The public keys of a client (RFC 7517), inline in its metadata: we never fetch any (C161)."""

import json
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jwt import PyJWK

# The algorithms we verify, with key type and curve; nothing symmetric and never "none".
_KINDS = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
}
ALGORITHMS = tuple(_KINDS)

_MAX_KEYS = 20
# An exponent of 32 bits is what some APIs can hold, all honest ones are far smaller. One as long as
# the key makes each signature thirty times as dear to check, for everybody (RFC 8017 allows it).
MAX_EXPONENT = 2**32
# Each key that is tried is a signature to check, before anybody knows who asks.
MAX_TRIED = 4
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KEPT = ("kty", "crv", "x", "y", "n", "e", "kid", "alg", "use")


def refuse(document: object) -> str | None:
    """Say why this is not a set of public keys that we can verify a signature with."""
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        return "it must be an object with an array of keys"
    if len(keys) > _MAX_KEYS:
        return f"it must have at most {_MAX_KEYS} keys"
    if any(key.get("kty") == "oct" or _PRIVATE & key.keys() for key in keys):
        return "it must contain public keys only"
    usable = [key for key in keys if algorithms(key)]
    if not usable:
        return f"it must contain an RSA or EC key for one of {', '.join(ALGORITHMS)}"
    return next(filter(None, map(_refuse_key, usable)), None)


def canonical(document: Mapping[str, list[dict[str, object]]]) -> str:
    """Write down the keys that we can use, in one order for all orders of keys and members."""
    kept = [
        {name: key[name] for name in _KEPT if name in key}
        for key in document["keys"]
        if algorithms(key)
    ]
    return json.dumps({"keys": sorted(kept, key=_dump)}, sort_keys=True, separators=(",", ":"))


def candidates(text: str, *, algorithm: str, kid: str | None) -> list["PyJWK"]:
    """Return the keys in canonical text that may have made a signature with these headers.

    The one that is named comes first, and there are few: where a client has many keys, `kid` must say
    which one it is. A registration of earlier days may hold keys that are refused now.
    """
    from jwt import PyJWK  # noqa: PLC0415 (no start waits for it)

    fitting = [
        key
        for key in json.loads(text)["keys"]
        if algorithm in algorithms(key) and (kid is None or key.get("kid", kid) == kid)
    ]
    fitting.sort(key=lambda key: key.get("kid") != kid)
    readable = (PyJWK(key, algorithm) for key in fitting)
    return list(islice((key for key in readable if _refuse_public(key) is None), MAX_TRIED))


def algorithms(key: Mapping[str, object]) -> tuple[str, ...]:
    """Return what a key may be used for; nothing for one that RFC 7517 lets us ignore."""
    kind = (key.get("kty"), key.get("crv") if key.get("kty") == "EC" else None)
    if key.get("use", "sig") != "sig":
        return ()
    return tuple(name for name in _KINDS if _KINDS[name] == kind and key.get("alg", name) == name)


def _refuse_key(key: dict[str, object]) -> str | None:
    if not all(isinstance(key[name], str) for name in _KEPT if name in key):
        return "its keys must have strings for values"
    import jwt  # noqa: PLC0415 (as above)

    try:
        read = jwt.PyJWK(key, algorithms(key)[0])
    except (jwt.PyJWTError, ValueError):  # PyJWT 2.10 lets the ValueError of cryptography through
        return "it contains a malformed key"
    return _refuse_public(read)


def _refuse_public(key: "PyJWK") -> str | None:
    if key.key_type != "RSA":
        return None
    if not 2048 <= key.key.key_size <= 8192:
        return "its RSA keys must have 2048 to 8192 bits"
    exponent = key.key.public_numbers().e
    if not 3 <= exponent <= MAX_EXPONENT or exponent % 2 == 0:
        return "its RSA keys must have an odd exponent e between 3 and 2^32"
    return None


def _dump(key: dict[str, object]) -> str:
    return json.dumps(key, sort_keys=True)
