"""Authenticator apps: they show codes that are made of a secret and the time (TOTP, RFC 6238)."""

import attrs

from synapse_nextgen_auth.records import frozen


@frozen
class App:
    """One row of authenticator apps; times in seconds since the epoch.

    `secret` is sealed. One that was never confirmed by a code is none yet. `last_step` is the time step
    of the last code that was taken: neither it nor one before it is taken again.
    """

    app_id: str
    user_id: str
    secret: str = attrs.field(repr=False)
    name: str
    made_at: int
    confirmed_at: int | None = None
    last_used_at: int | None = None
    last_step: int | None = None
