"""The section `geoip`."""

from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.words import Text
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class GeoIP:
    """Where in the world network addresses are, roughly."""

    database: str | None = option(
        Optional(Text(), "not known"),
        default=None,
        about="A file in the format of MaxMind's databases (`.mmdb`) that says in which town or country"
        " a network address is. People see that beside their devices, events and notices; nothing is"
        " asked of anybody else. Put a new file in its place by renaming, and restart.",
        example="/var/lib/GeoIP/GeoLite2-City.mmdb",
        label="places of addresses",
    )
