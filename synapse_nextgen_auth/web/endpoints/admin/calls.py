"""One call of the admin API: who asks for what, after both were looked at."""

import enum
import json
from collections.abc import Mapping
from typing import Any

import attrs

from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.endpoints.admin.operations import Answer, Operation, Shape
from synapse_nextgen_auth.web.site import Site

# Where the paths of operations begin, on the host.
BASE = f"{PREFIX}/api/admin/v1/"


class Count(str, enum.Enum):
    """Whether a page says how many things there are in all of its pages."""

    YES = "true"
    NO = "false"
    ONLY = "only"


@frozen
class Page:
    """Which page of a list is wanted: so many, after one and before another, from either end."""

    size: int
    after: str | None = None
    before: str | None = None
    backwards: bool = False
    count: Count = Count.YES


@frozen
class Call:
    """A call.

    `path` is what stood in the place of `{id}` and the like, by that name. `filters` has what the query
    says, read, and nothing of what it does not; one that may be repeated is a list. `asked` is the same
    as it came. `body` has each member that the operation knows: what was not sent is its default, and
    `sent` tells which were. `written` is what an event says already of what it changed (`changes.py`).
    """

    site: Site
    incoming: Incoming
    admin: Session
    operation: Operation
    path: Mapping[str, str]
    filters: Mapping[str, Any]
    asked: tuple[tuple[str, str], ...]
    page: Page
    body: Mapping[str, Any] = attrs.field(repr=False)
    sent: frozenset[str] = frozenset()
    reason: str | None = None
    written: list[str] = attrs.field(factory=list)

    @property
    def now(self) -> int:
        """The time in seconds since the epoch."""
        return self.site.now()

    @property
    def caller(self) -> str:
        """Who asks: of a token that an administrator made for another one, whoever made it."""
        return self.admin.owner_id or self.admin.user_id

    def is_own(self, user_id: str) -> bool:
        """Say whether an account is that of whoever asks, or the one that their token speaks for."""
        return user_id in {self.admin.user_id, self.admin.owner_id}


def event_of(call: Call, about: str) -> Event:
    """Return the event of a change: who did what to what, and why.

    Who made a personal token for another account is who acts by it, and the event is theirs.
    """
    said = {"did": call.operation.name, "to": about or "/".join(call.path.values())}
    if call.reason:
        said["why"] = call.reason
    if call.caller != call.admin.user_id:
        said["as"] = call.admin.user_id
    event = Event.of(
        call.admin,
        EventKind.ADMIN_CHANGED,
        call.now,
        address=call.incoming.address,
        detail=json.dumps(said, ensure_ascii=False),
    )
    return attrs.evolve(event, user_id=call.caller)


def thing(shape: Shape, ulid: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return one thing as answers have it, with each attribute that its kind has, and no other."""
    names = [each.name for each in shape.attributes]
    if set(names) != attributes.keys():
        raise TypeError(f"{shape.type} is told by {names}, not {list(attributes)}")
    return {
        "type": shape.type,
        "id": ulid,
        "attributes": dict(attributes),
        "links": {"self": f"{BASE}{shape.path}/{ulid}"},
    }


def one(call: Call, told: dict[str, Any], *, status: int = 200, about: str = "") -> Answer:
    """Answer with one thing."""
    link = told["links"]["self"] if status == 201 else call.incoming.path
    return Answer(status, {"data": told, "links": {"self": link}}, about)


def nothing(*, about: str) -> Answer:
    """Answer that it is done."""
    return Answer(204, None, about)
