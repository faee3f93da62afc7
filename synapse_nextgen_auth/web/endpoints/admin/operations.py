"""What can be asked of the admin API: each operation says what it takes and what it answers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.endpoints.admin.values import Schema, Value

if TYPE_CHECKING:
    from synapse_nextgen_auth.web.endpoints.admin.calls import Call


@frozen
class Refused(Exception):
    """The call is not done; the title says why, to whoever runs the server.

    The reason for the metrics follows from the status, if it is not named.
    """

    status: int
    title: str
    reason: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@frozen
class Field:
    """Something with a name: in a query, a body, or among what is told of a thing.

    `is_needed` says that it must be there, or always is; `is_nullable` that it may be `null`.
    `repeats` that a query may have it several times.
    """

    name: str
    value: Value
    about: str
    is_needed: bool = False
    is_nullable: bool = False
    repeats: bool = False
    default: Any = None


@frozen
class Shape:
    """A kind of thing that the API tells of: its type, what the document calls it, and what is told."""

    type: str
    title: str
    attributes: tuple[Field, ...]
    about: str = ""

    @property
    def path(self) -> str:
        """Where such things are, below the path of the API."""
        return self.type if self.type.endswith("data") else f"{self.type}s"


@frozen
class One:
    """An answer with one thing."""

    shape: Shape


@frozen
class Many:
    """An answer with a page of things."""

    shape: Shape


@frozen
class Nothing:
    """An answer without a body."""


@frozen
class Plain:
    """An answer that is no thing of the API's: an object of its own."""

    title: str
    fields: tuple[Field, ...]


@frozen
class Lines:
    """An answer of one JSON object in each line, for programs that read them one after the other."""

    title: str
    fields: tuple[Field, ...]


AnswerKind = One | Many | Nothing | Plain | Lines


@frozen
class Answer:
    """What a call answers. `about` says of a change what was changed, for the event of it.

    `lines` are what each line of an answer has that consists of lines; `next_url` is where more are.
    """

    status: int
    body: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    about: str = ""
    lines: Sequence[Mapping[str, Any]] | None = attrs.field(default=None, repr=False)
    next_url: str | None = None


@frozen(kw_only=True)
class Operation:
    """Something that can be asked for: `path` is below `/api/admin/v1/`.

    In it `{id}` is a ULID and `{username}` a text. `takes` are the filters; a list takes the
    parameters of its pages, too, and a change a `reason`. `body` are the members of the body; nothing
    else may stand in it. `refuses` says which refusals there are beside those that every call has.
    `is_for_main` says that Synapse does it in its main process alone.
    """

    method: str
    path: str
    name: str
    tag: str
    summary: str
    do: "Callable[[Call], Awaitable[Answer]]"
    answers: Mapping[int, AnswerKind]
    takes: tuple[Field, ...] = ()
    body: tuple[Field, ...] | None = None
    body_title: str = ""
    is_body_needed: bool = True
    refuses: Mapping[int, str] = attrs.field(factory=dict)
    about: str = ""
    is_for_main: bool = False

    @property
    def changes(self) -> bool:
        """Whether it does something, beside telling."""
        return self.method != "GET"

    @property
    def is_list(self) -> bool:
        """Whether it answers with a page."""
        return any(isinstance(each, Many) for each in self.answers.values())


def schema_of(fields: tuple[Field, ...]) -> Schema:
    """Return what the document says of an object with these members."""
    properties = {}
    for each in fields:
        schema = dict(each.value.schema)
        if each.is_nullable and "type" in schema:
            schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
        properties[each.name] = schema | {"description": each.about}
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    needed = [each.name for each in fields if each.is_needed]
    return found | ({"required": needed} if needed else {})
