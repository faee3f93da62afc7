"""The section `device_grants`."""

from collections.abc import Mapping

from synapse_nextgen_auth.config.durations import duration, said
from synapse_nextgen_auth.config.kinds.numbers import Duration, Number, WholeNumber
from synapse_nextgen_auth.config.kinds.words import Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.config.problems import Problems
from synapse_nextgen_auth.oauth.grants.device_grants import LONGEST_LIFE
from synapse_nextgen_auth.records import frozen

# How often a device must be able to ask while its code lives: a `slow_down` (RFC 8628 section 3.5)
# adds to the interval, and the person may agree in the last moment.
POLLS = 10


@frozen
class DeviceGrants:
    """Signing in on devices without a browser (RFC 8628)."""

    enabled: bool = option(
        Switch("on", "off"),
        default=True,
        about="Let clients use the device authorization grant. Without it it is nowhere advertised"
        " and refused everywhere.",
        example="false",
        label="device grants",
    )
    lifetime: int = option(
        Duration(longest=f"{LONGEST_LIFE // 60}m"),
        default=900,
        about="How long a person has to enter the code and agree.",
        example="10m",
        label="device grant lifetime",
    )
    interval: int = option(
        Duration(),
        default=5,
        about="How long a device waits between two polls: at most a tenth of `lifetime`, so that it"
        " sees in time that the person agreed.",
        example="10s",
        label="device grant interval",
    )
    per_second: float = option(
        Number("each second of one network"),
        default=0.5,
        about="How many device grants, and as many rendezvous (QR codes), one network (an IPv4"
        " address, or an IPv6 /64) may begin in the long run.",
        example="0.1",
        label="device grants, rate",
    )
    burst: int = option(
        WholeNumber("at once of one network"),
        default=100,
        about="How many of them one network may begin at once.",
        example="20",
        label="device grants, burst",
    )


def check_polling(grants: DeviceGrants, written: object, problems: Problems) -> None:
    """Refuse an interval with which a device asks too seldom, or never, while its code lives."""
    longest = grants.lifetime // POLLS
    if not grants.enabled or grants.interval <= longest or not isinstance(written, Mapping):
        return
    is_short = written.get("interval") is None or not longest
    if problems.are_at("device_grants."):
        return  # one of the two may be the default only because the other value was no good
    interval = said(grants.interval, written.get("interval"))
    lifetime = said(grants.lifetime, written.get("lifetime"))
    expected = (
        f"at least {duration(grants.interval * POLLS)}"
        if is_short
        else f"at most {duration(longest)}"
    )
    problems.say(
        f"device_grants.{'lifetime' if is_short else 'interval'}",
        f"with an interval of {interval} and a lifetime of {lifetime} a device can ask for its tokens"
        f" less than {POLLS} times, or never; expected {expected}",
    )
