"""The section `device_grants`."""

import attrs

from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.oauth.device_grants import LONGEST_LIFE

# How often a device must be able to ask while its code lives: a `slow_down` (RFC 8628 section 3.5)
# adds to the interval, and the person may agree in the last moment.
POLLS = 10


@attrs.frozen
class DeviceGrants:
    """Signing in on devices without a browser (RFC 8628)."""

    enabled: bool = option(
        True,
        "Let clients use the device authorization grant. Without it it is nowhere advertised and"
        " refused everywhere.",
        example="false",
    )
    lifetime: int = option(
        900,
        "How long a person has to enter the code and agree.",
        example="10m",
        unit="duration",
        longest=f"{LONGEST_LIFE // 60}m",
    )
    interval: int = option(
        5,
        "How long a device waits between two polls: at most a tenth of `lifetime`, so that it sees in"
        " time that the person agreed.",
        example="10s",
        unit="duration",
    )
    per_second: float = option(
        0.5,
        "How many device grants, and as many rendezvous (QR codes), one network (an IPv4"
        " address, or an IPv6 /64) may begin in the long run.",
        example="0.1",
    )
    burst: int = option(
        100,
        "How many of them one network may begin at once.",
        example="20",
    )
