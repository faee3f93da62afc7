"""Codes by e-mail as a second factor: the weakest, and beside nothing that came by mail itself.

The account says which of its addresses they go to, and shows that it reads it. An address that it has
no more is no factor.
"""

import attrs

from synapse_nextgen_auth.records import frozen


@frozen
class FactorMail:
    """One row: the address that codes go to; times in seconds since the epoch."""

    user_id: str
    address: str = attrs.field(repr=False)
    made_at: int
    last_used_at: int | None = None


def code_id(attempt_id: str) -> str:
    """Return what the code of an attempt is kept under: one that opens or adds something is another."""
    return f"factor {attempt_id}"


def masked(address: str) -> str:
    """Return an address for whoever proved one thing: its owner knows it again, others not at all."""
    local, _, host = address.rpartition("@")
    name, dot, ending = host.rpartition(".")
    return f"{local[:1]}…@{name[:1]}…{dot}{ending}" if name else f"{local[:1]}…@{ending[:1]}…"
