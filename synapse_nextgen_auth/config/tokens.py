"""The section `tokens`."""

import attrs

from synapse_nextgen_auth.config.options import option


@attrs.frozen
class Tokens:
    """How long tokens and codes live.

    Durations are in seconds once read.
    """

    access_token_lifetime: int | None = option(
        None,
        "How long an access token works. Not set: Synapse's `refreshable_access_token_lifetime`"
        " where that is set, else 5 minutes.",
        example="10m",
        unit="duration",
    )
    refresh_grace: int = option(
        30,
        "For how long after a refresh the previous refresh token still answers with the current"
        " pair although that was used already. While the new pair is unused it does in any case.",
        example="1m",
        unit="duration",
        may_be_zero=True,
    )
    code_lifetime: int = option(
        120,
        "How long an authorization code may be redeemed after the person agreed.",
        example="60s",
        unit="duration",
    )
