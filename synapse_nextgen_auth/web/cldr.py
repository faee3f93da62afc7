"""What the CLDR knows of a language: how it writes numbers and times, and how far away one is.

Loads Babel, so only whoever needs it imports it (`web/translations.py`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, format_timedelta, get_timezone_location
from babel.numbers import format_decimal

from synapse_nextgen_auth.web import digits

# From one and a half of a larger unit on that one is told: "in 90 minutes", and after that "in 2 hours".
_THRESHOLD = 1.5


def number(value: int, locale: str) -> str:
    """Write a number, its thousands grouped."""
    return digits.written(
        format_decimal(value, locale=_locale(locale), numbering_system="default"), locale
    )


def wait(seconds: int, locale: str) -> str:
    """Say in how long something is, rounded up: "in 3 minutes"."""
    rounded = _up(max(seconds, 1))
    said = format_timedelta(
        timedelta(seconds=rounded),
        threshold=_THRESHOLD + 0.01,
        add_direction=True,
        locale=_locale(locale),
    )
    return digits.written(said, locale)


def ago(seconds: int, locale: str) -> str:
    """Say how long ago something was: "3 minutes ago"."""
    said = format_timedelta(
        timedelta(seconds=-max(seconds, 1)),
        threshold=1,
        add_direction=True,
        locale=_locale(locale),
    )
    return digits.written(said, locale)


def moment(seconds: int, locale: str, time_zone: str = "UTC") -> str:
    """Write a time as people read it there; by how much that is off UTC stands behind it."""
    found, zone = _locale(locale), _zone(time_zone)
    at = datetime.fromtimestamp(seconds, zone)
    date, time = format_date(at, "long", locale=found), format_time(at, "short", zone, locale=found)
    pattern = str(found.datetime_formats["medium"]).replace("'", "")
    return digits.written(pattern.format(f"{time} {_offset(at)}", date), locale)


def places(locale: str, time_zones: Iterable[str]) -> list[tuple[str, str]]:
    """Return zones and what people call them, by that: "Germany (Berlin)"; UTC as it is.

    One that is gone since it was chosen, or comes with a cookie of others, is called by its name.
    """
    found = _locale(locale)
    named = ((name, _called(name, found)) for name in time_zones)
    return sorted(named, key=lambda pair: (pair[1].casefold(), pair[0]))


def _called(name: str, locale: Locale) -> str:
    try:
        return name if name == "UTC" else get_timezone_location(name, locale=locale)
    except LookupError:
        return name


def _offset(at: datetime) -> str:
    minutes = int((at.utcoffset() or timedelta()).total_seconds() // 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "\N{MINUS SIGN}"
    return f"UTC{sign}{hours}:{rest:02}" if rest else f"UTC{sign}{hours}"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # no such place, or none that this machine knows
        return timezone.utc


def _up(seconds: int) -> int:
    for unit in (3600, 60):
        if seconds >= unit * _THRESHOLD:
            return -(-seconds // unit) * unit
    return seconds


def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return Locale("en")
