"""The section `tokens`."""

from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.numbers import Duration
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Tokens:
    """How long tokens and codes live.

    Durations are in seconds once read.
    """

    access_token_lifetime: int | None = option(
        Optional(Duration()),
        default=None,
        about="How long an access token works. Not set: Synapse's"
        " `refreshable_access_token_lifetime` where that is set, else 5 minutes.",
        example="10m",
        label="access token lifetime",
    )
    refresh_grace: int = option(
        Duration(may_be_zero=True),
        default=30,
        about="For how long after a refresh the previous refresh token still answers with the"
        " current"
        " pair although that was used already. While the new pair is unused it does in any case.",
        example="1m",
        label="grace after a refresh",
    )
    code_lifetime: int = option(
        Duration(),
        default=120,
        about="How long an authorization code may be redeemed after the person agreed.",
        example="60s",
        label="code lifetime",
    )
