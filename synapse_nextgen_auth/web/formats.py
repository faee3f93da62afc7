"""How templates write waits, times and names of accounts: their filters.

Words are those of the language that is just rendered (CLDR): a filter that takes the context is asked at
each rendering, where Jinja would make a word of a number once, while it compiles.
"""

import re
from datetime import datetime, timezone

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from synapse_nextgen_auth.web.translations import cldr, present, present_time_zone

# What fits into a line of a phone is left whole.
_FITS = 20

# Before the server, and before each part of its name or of a person's.
_PART = re.compile(r"(?<=.)(?=[:@./_-])")


def install(environment: Environment) -> None:
    """Give the filters to templates."""
    environment.filters.update(ago=_ago, iso=_iso, moment=_moment, parts=_parts, wait=_wait)


@pass_context
def _ago(_: Context, seconds: int) -> str:
    """Say how long ago something was: "3 minutes ago"."""
    return str(cldr().ago(seconds, present().locale))


def _iso(seconds: int) -> str:
    """Write a time as the attribute `datetime` wants it."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pass_context
def _moment(_: Context, seconds: int) -> str:
    """Write a time as people read it, where they are."""
    return str(cldr().moment(seconds, present().locale, present_time_zone()))


def _parts(name: str) -> Markup | str:
    """Let a line end between the parts of a long Matrix ID or e-mail address, rather than anywhere.

    A `<wbr>` is no character: whoever copies the name gets the name.
    """
    if len(name) <= _FITS:
        return name
    return Markup("<wbr>").join(_PART.split(name))


@pass_context
def _wait(_: Context, seconds: int) -> str:
    """Say in how long something is: "in 3 minutes"."""
    return str(cldr().wait(seconds, present().locale))
