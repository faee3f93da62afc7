"""The section `sessions`."""

from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.numbers import Duration, WholeNumber
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Sessions:
    """How long clients and browsers stay signed in."""

    idle_lifetime: int | None = option(
        Optional(Duration(), unset="no limit"),
        default=None,
        about="End a session whose client did not show up for this long; its device and keys stay."
        " Synapse's `refresh_token_lifetime` counts too: the shorter one wins. It must be longer"
        " than an access token lives plus a tenth of this limit, or plus five minutes if that is"
        " less: for 5-minute tokens 6m, for one-hour tokens 65m. Otherwise sessions in use would"
        " end, and the module does not start.",
        example="90d",
        label="session, idle",
    )
    idle_lifetime_without_device: int | None = option(
        Optional(Duration()),
        default=None,
        about="End a session without a Matrix device, such as a website's, whose client neither"
        " refreshed"
        " nor used it for this long. Where `idle_lifetime` is shorter, that counts. Not set: 30"
        " days, or a little more than the lifetime of access tokens where that is longer. It must be"
        " longer than an access token lives plus a tenth of this limit, or plus five minutes if that"
        " is less: for 5-minute tokens 6m, for one-hour tokens 65m.",
        example="7d",
        label="idle without device",
    )
    lifetime: int | None = option(
        Optional(Duration(), unset="no limit"),
        default=None,
        about="End every session this long after it began; its device and keys stay."
        " Synapse's `session_lifetime` counts too: the shorter one wins.",
        example="1y",
        label="session, in all",
    )
    browser_idle_lifetime: int = option(
        Duration(),
        default=14 * 86400,
        about="Sign a browser out after this long without a visit to our pages.",
        example="1d",
        label="browser, idle",
    )
    browser_lifetime: int = option(
        Duration(),
        default=90 * 86400,
        about="Sign a browser out this long after it signed in.",
        example="30d",
        label="browser, in all",
    )
    max_devices: int | None = option(
        Optional(WholeNumber(), unset="no limit"),
        default=None,
        about="How many devices of an account may be in use when a client asks for one more, legacy"
        " ones included. A device that stayed when its session ended does not count; Synapse's"
        " `delete_stale_devices_after` removes such devices in time. The page says so and leads to the"
        " list; no device is ever signed out for it."
        " However many clients ask at once, on all workers: no device comes in above the limit.",
        example="20",
        label="devices of an account",
    )
