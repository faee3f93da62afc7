"""Lists: which page is wanted becomes a window over rows, and rows become a page with its links.

    window = await lists.window(call, Kind.EMAIL, at)  # `at` returns the place of a key in the list
    rows = await call.site.homeserver.read(listed, window=window)
    shown, more = lists.in_order(window, rows)
    return lists.page(call, [tell(each) for each in shown], more=more, count=count)

A function of the rows returns up to `window.count + 1` of them, from the end that is wanted, as
`Window.where` and `Window.order` have it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from synapse_nextgen_auth.accounts import ulids as names
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.store import ulids
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count, Page
from synapse_nextgen_auth.web.endpoints.admin.operations import Answer, Refused

R = TypeVar("R")
# Where in its list something stands: the values of the columns that the list is sorted by. It is given
# the key (of something that may be gone), and the ULID; `None` says that nobody knows any more.
At = Callable[[str, str], Awaitable[tuple[Any, ...] | None]]


async def window(call: Call, kind: Kind, at: At, *, is_by_time: bool = False) -> Window:
    """Return which rows are wanted.

    A list that `is_by_time` goes on from the moment in a cursor where what had it is gone.
    """

    async def place(name: str, cursor: str | None) -> tuple[Any, ...] | None:
        if cursor is None:
            return None
        key = await call.site.homeserver.read(ulids.find, kind, cursor)
        found = None if key is None else await at(key, cursor)
        if found is None and is_by_time:
            if key is None:
                await insist_on_kind(call, kind, name, cursor)
            return by_time(cursor)
        if found is None:
            raise _no_cursor(name)
        return found

    return Window(
        call.page.size,
        after=await place("page[after]", call.page.after),
        before=await place("page[before]", call.page.before),
        backwards=call.page.backwards,
    )


async def insist_on_kind(call: Call, kind: Kind, name: str, cursor: str) -> None:
    """Raise where a cursor is what something of another kind is called."""
    if await call.site.homeserver.read(ulids.is_of_another, kind, cursor):
        raise _no_cursor(name)


def _no_cursor(name: str) -> Refused:
    return Refused(400, f"{name} is no cursor of this list (any more). Begin again without it.")


def by_time(cursor: str) -> tuple[int, str]:
    """Return where the moment in a ULID stands in a list that is sorted by seconds, and then by keys."""
    return names.made_at(cursor) // 1000, ""


def in_order(asked: Window | Page, rows: Sequence[R]) -> tuple[list[R], bool]:
    """Return the rows of the page in the order of the list, and whether there are more beyond."""
    size = asked.count if isinstance(asked, Window) else asked.size
    found = list(rows[:size])
    return (found[::-1] if asked.backwards else found), len(rows) > size


def page(
    call: Call,
    things: Sequence[dict[str, Any]],
    *,
    more: bool,
    count: int | None,
) -> Answer:
    """Answer with a page: `things` in the order of the list, and whether there are `more` beyond."""
    asked = call.page
    has_next = asked.before is not None if asked.backwards else more
    has_prev = more if asked.backwards else asked.after is not None
    links = {
        "self": _link(call, asked),
        "first": _link(call, Page(asked.size)),
        "last": _link(call, Page(asked.size, backwards=True)),
    }
    if things and has_next:
        links["next"] = _link(call, Page(asked.size, after=things[-1]["id"]))
    if things and has_prev:
        links["prev"] = _link(call, Page(asked.size, before=things[0]["id"], backwards=True))
    data = [each | {"meta": {"page": {"cursor": each["id"]}}} for each in things]
    body: dict[str, Any] = {"data": data, "links": links}
    if asked.count is Count.YES and count is not None:
        body["meta"] = {"count": count}
    return Answer(200, body)


def count_only(call: Call, count: int) -> Answer:
    """Answer how many there are, and nothing of them."""
    return Answer(200, {"meta": {"count": count}, "links": {"self": _link(call, None)}})


def _link(call: Call, asked: Page | None) -> str:
    """Return where a page is; what was asked for beside stays."""
    written = list(call.asked)
    if call.page.count is not Count.YES:
        written.append(("count", call.page.count.value))
    if asked is not None:
        ends = (("page[before]", asked.before), ("page[after]", asked.after))
        written += [(name, end) for name, end in ends if end is not None]
        written.append(("page[last]" if asked.backwards else "page[first]", str(asked.size)))
    query = urlencode(written, quote_via=quote, safe="[]")
    return call.incoming.path + (f"?{query}" if query else "")
