"""What commands that list have in common: where a page begins, how long it is, whom it is about."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from synapse_nextgen_auth.accounts.people import identify
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Refused, written
from synapse_nextgen_auth.web.site import Site

T = TypeVar("T")

MOST = 500
_TIME = re.compile(r"[0-9]{1,12}")
PAGE = frozenset({"limit", "after"})


def window(asked: Asked, *, by_time: bool = True) -> Window:
    """Return the page that is asked for; `after` is what the page before said.

    That is a time and a name, or a name alone.
    """
    limit = asked.number("limit")
    after = asked.texts("after")
    if after and len(after) != 1 + by_time:
        raise Refused(f"{written('after')} is not what it should be")
    found: tuple[Any, ...] = after
    if after and by_time:
        if not _TIME.fullmatch(after[0]):
            raise Refused(f"{written('after')} is not what it should be")
        found = (int(after[0]), after[1])
    return Window(min(limit or MOST, MOST), after=found or None)


def paged(
    found: Sequence[T], window: Window, key: Callable[[T], tuple[Any, ...]]
) -> tuple[Sequence[T], list[str] | None]:
    """Return what a page has, and what its last one is called where there are more."""
    if len(found) <= window.count:
        return found, None
    shown = found[: window.count]
    return shown, [str(each) for each in key(shown[-1])]


def account(site: Site, asked: Asked, name: str = "user") -> str | None:
    """Return the account that is meant, whether or not there is one (any more)."""
    text = asked.text(name)
    if text is None:
        return None
    identifier = identify(text, server_name=site.server_name)
    meant = identifier.user_id if identifier else None
    if meant is None or not meant.endswith(f":{site.server_name}"):
        raise Refused(f"{text} is no account of {site.server_name}")
    return meant
