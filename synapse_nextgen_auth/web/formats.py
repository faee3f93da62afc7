"""Waits and times in words, as the language of the page writes them (CLDR).

They are filters of the templates, and go by the language that is just rendered.
"""

from datetime import datetime, timezone

from jinja2 import Environment

from synapse_nextgen_auth.web.translations import cldr, present


def install(environment: Environment) -> None:
    """Give the filters to templates."""
    environment.filters.update(ago=_ago, iso=_iso, moment=_moment, wait=_wait)


def _ago(seconds: int) -> str:
    """Say how long ago something was: "3 minutes ago"."""
    return str(cldr().ago(seconds, present().locale))


def _iso(seconds: int) -> str:
    """Write a time as the attribute `datetime` wants it."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(seconds: int) -> str:
    """Write a time as people read it."""
    return str(cldr().moment(seconds, present().locale))


def _wait(seconds: int) -> str:
    """Say in how long something is: "in 3 minutes"."""
    return str(cldr().wait(seconds, present().locale))
