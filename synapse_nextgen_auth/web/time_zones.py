"""Time zones that people live in, by the names of the tz database.

Loads that database's list, so only whoever needs it imports it.
"""

from functools import lru_cache
from zoneinfo import available_timezones

from babel.core import get_global

UTC = "UTC"


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Return every zone that a person can live in: those that the CLDR puts into a country, and UTC."""
    inhabited = (name for name in get_global("zone_territories") if "/" in name)
    places = {name for name in inhabited if not name.startswith("Etc/")}
    return frozenset((places & available_timezones()) | {UTC})


def is_known(name: str) -> bool:
    """Say whether there is such a zone, the old names of places too.

    A machine without the tz database has one zone.
    """
    return name == UTC or name in available_timezones()
