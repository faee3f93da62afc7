"""Recovery codes: each stands in once for a factor that was lost."""

import attrs

from synapse_nextgen_auth.records import frozen


@frozen
class RecoveryCode:
    """One row of recovery codes; `mac` is of the code and its account, times are in seconds."""

    user_id: str
    mac: str = attrs.field(repr=False)
    made_at: int
    used_at: int | None = None
