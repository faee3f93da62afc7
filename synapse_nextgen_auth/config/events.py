"""The section `events`."""

from synapse_nextgen_auth.config.kinds.numbers import Duration
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Events:
    """How long it is known what happened to an account."""

    lifetime: int = option(
        Duration(),
        default=180 * 86400,
        about="How long events are kept: sign-ins, consents, sessions that began or ended.",
        example="1y",
        label="events kept",
    )
    address_lifetime: int = option(
        Duration(),
        default=28 * 86400,
        about="How long network addresses are kept: of events, and of the last refresh of a"
        " session. The default is that of Synapse's `user_ips_max_age`. The counters"
        " of the limits keep theirs for a day at most, and device grants for a day after they"
        " expired.",
        example="7d",
        label="addresses kept",
    )
