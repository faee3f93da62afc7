"""What the CLDR knows of a language: how it writes numbers and times, and how far away one is.

Loads Babel, so only whoever needs it imports it (`web/translations.py`). Digits are 0 to 9 in every
language, as in the addresses, codes and dates beside them.
"""

from datetime import datetime, timedelta, timezone

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal

# From one and a half of a larger unit on that one is told: "in 90 minutes", and after that "in 2 hours".
_THRESHOLD = 1.5


def number(value: int, locale: str) -> str:
    """Write a number, its thousands grouped."""
    return format_decimal(value, locale=_locale(locale))


def wait(seconds: int, locale: str) -> str:
    """Say in how long something is, rounded up: "in 3 minutes"."""
    rounded = _up(max(seconds, 1))
    return format_timedelta(
        timedelta(seconds=rounded),
        threshold=_THRESHOLD + 0.01,
        add_direction=True,
        locale=_locale(locale),
    )


def ago(seconds: int, locale: str) -> str:
    """Say how long ago something was: "3 minutes ago"."""
    return format_timedelta(
        timedelta(seconds=-max(seconds, 1)),
        threshold=1,
        add_direction=True,
        locale=_locale(locale),
    )


def moment(seconds: int, locale: str) -> str:
    """Write a time as people read it, in UTC: nobody told the server where they are."""
    found, at = _locale(locale), datetime.fromtimestamp(seconds, timezone.utc)
    date, time = format_date(at, "long", locale=found), format_time(at, "short", locale=found)
    pattern = str(found.datetime_formats["medium"]).replace("'", "")
    return pattern.format(f"{time} UTC", date)


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
