"""Reading a call by what its operation takes: anything else is refused, and told what is right.

A filter that is misspelt would list everything, and a member of a body that is, would do the opposite of
what was meant.
"""

from collections.abc import Mapping
from typing import Any

from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.web import forms
from synapse_nextgen_auth.web.endpoints.admin.calls import Count, Page
from synapse_nextgen_auth.web.endpoints.admin.operations import Field, Operation, Refused
from synapse_nextgen_auth.web.endpoints.admin.values import Choice, Number, Text, Ulid, Wrong

_MAX_PARAMETERS = 200
_JSON = "application/json"
DEFAULT_SIZE = 10
LARGEST = 1000
PAGES = (
    Field("page[before]", Ulid(), "What stands before the thing with this cursor."),
    Field("page[after]", Ulid(), "What stands after the thing with this cursor."),
    Field(
        "page[first]",
        Number(1),
        f"So many of the first; {DEFAULT_SIZE} by default, and {LARGEST} at most, whatever is asked.",
    ),
    Field("page[last]", Number(1), f"So many of the last; {LARGEST} at most, whatever is asked."),
    Field(
        "count",
        Choice(tuple(each.value for each in Count)),
        "Whether to say how many there are in all: `true` by default, or `only` that.",
        default="true",
    ),
)
REASON = Field("reason", Text(500, 1), "Why this is done, for the event that is written of it.")

Asked = tuple[tuple[str, str], ...]


def taken(operation: Operation) -> tuple[Field, ...]:
    """Return the parameters that a query of this operation may have."""
    pages = PAGES if operation.is_list else ()
    return (*pages, *operation.takes, *((REASON,) if operation.changes else ()))


def pairs(raw: bytes) -> Asked:
    """Return the parameters of a query as they came; one may stand there several times."""
    pieces = [piece for piece in raw.split(b"&") if piece]
    if len(pieces) > _MAX_PARAMETERS:
        raise Refused(400, "There are too many parameters.")
    found: list[tuple[str, str]] = []
    for piece in pieces:
        try:
            found += forms.parse(piece).values.items()
        except OAuthError as error:
            raise Refused(400, f"The query cannot be read: {error.description}.") from None
    return tuple(found)


def query(operation: Operation, asked: Asked) -> dict[str, Any]:
    """Return what a query says, read, by name; what it does not say is not there."""
    known = {field.name: field for field in taken(operation)}
    found: dict[str, Any] = {}
    for name, text in asked:
        # As others write a parameter that may be repeated.
        field = known.get(name) or _repeated(known, name)
        if field is None:
            names = ", ".join(known) or "none"
            raise Refused(400, f"There is no parameter {quoted(name)} here. There are: {names}.")
        if field.name in found and not field.repeats:
            raise Refused(400, f"{field.name} stands there twice.")
        try:
            value = field.value.of_text(text)
        except Wrong as wrong:
            raise Refused(400, f"{field.name} {wrong.sentence}.") from None
        if field.repeats:
            found.setdefault(field.name, []).append(value)
        else:
            found[field.name] = value
    return found


def _repeated(known: Mapping[str, Field], name: str) -> Field | None:
    field = known.get(name.removesuffix("[]")) if name.endswith("[]") else None
    return field if field is not None and field.repeats else None


def page(said: Mapping[str, Any]) -> Page:
    """Return which page a query asks for."""
    if "page[first]" in said and "page[last]" in said:
        raise Refused(400, "Ask for page[first] or for page[last], not for both.")
    backwards = "page[last]" in said
    size = said.get("page[last]" if backwards else "page[first]", DEFAULT_SIZE)
    return Page(
        min(size, LARGEST),
        after=said.get("page[after]"),
        before=said.get("page[before]"),
        backwards=backwards,
        count=Count(said.get("count", Count.YES)),
    )


def body(operation: Operation, incoming: Incoming) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the members of a body, and which of them were sent; who only asks sends none."""
    if not operation.changes:
        return {}, frozenset()
    if incoming.is_too_large:
        raise Refused(413, "The body is too large.")
    fields = operation.body or ()
    if not incoming.body.strip() and not (fields and operation.is_body_needed):
        return {field.name: field.default for field in fields}, frozenset()
    if incoming.content_type != _JSON:
        raise Refused(415, f"The content type must be {_JSON}.")
    try:
        given = forms.parse_json(incoming.body)
    except OAuthError:
        raise Refused(400, "The body must be a JSON document in UTF-8.") from None
    if not isinstance(given, dict):
        raise Refused(400, "The body must be a JSON object.")
    known = {field.name for field in fields}
    for name in sorted(given.keys() - known):
        names = ", ".join(sorted(known)) or "none"
        raise Refused(400, f"The body has no member {quoted(name)}. There are: {names}.")
    return {field.name: _member(field, given) for field in fields}, frozenset(given)


def _member(field: Field, given: Mapping[str, Any]) -> Any:
    if field.name not in given:
        if field.is_needed:
            raise Refused(400, f"{field.name} is missing in the body.")
        return field.default
    value = given[field.name]
    if value is None and field.is_nullable:
        return field.default if field.default is not None else None
    try:
        return field.value.of_json(value)
    except Wrong as wrong:
        raise Refused(400, f"{field.name} {wrong.sentence}.") from None
