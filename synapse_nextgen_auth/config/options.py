"""An option: its kind, its default, and its place in the reference and in `check-config`."""

from collections.abc import Iterator
from typing import Any, TypeVar

import attrs

from synapse_nextgen_auth.config.kinds.kind import Kind
from synapse_nextgen_auth.config.problems import join
from synapse_nextgen_auth.records import frozen

T = TypeVar("T")

_MEMBER = "member"
# As wide as the column of `check-config`.
LONGEST_LABEL = 21


@frozen
class Option:
    """An option, where it stands.

    `about` and `example` make the reference, `label` is what `check-config` calls it.
    """

    kind: Kind[Any]
    default: Any
    about: str
    example: str
    label: str
    path: str = ""

    @property
    def name(self) -> str:
        """Its name without that of its section."""
        return self.path.rpartition(".")[2]

    def value_in(self, config: object) -> Any:
        """Return what was read for it."""
        for name in self.path.split("."):
            config = getattr(config, name)
        return config


def option(kind: Kind[T], *, default: T, about: str, example: str, label: str) -> T:
    """Declare an option of a section, or of the module itself."""
    if isinstance(default, (list, dict)):
        raise TypeError("use an immutable default")
    if len(label) > LONGEST_LABEL:
        raise TypeError(f"the label {label} is longer than {LONGEST_LABEL} characters")
    declared = Option(kind, default, about, example, label)
    field: Any = attrs.field(default=default, metadata={_MEMBER: declared})
    return field  # type: ignore[no-any-return]  # attrs makes the value of it


def section(record: type[T]) -> T:
    """Declare a section: a record of options."""
    field: Any = attrs.field(factory=record, metadata={_MEMBER: record})
    return field  # type: ignore[no-any-return]  # attrs makes the value of it


def members_of(record: type) -> Iterator[tuple[str, Option | type]]:
    """Yield the options and sections of a record; a field that is neither is a mistake of ours."""
    for field in attrs.fields(record):
        member = field.metadata.get(_MEMBER)
        if member is None:
            raise TypeError(f"{field.name} is no option: declare it with `option` or `section`")
        yield field.name, member


def options_of(record: type, path: str = "") -> Iterator[Option]:
    """Yield every option of a record and of its sections, each with its path."""
    for name, member in members_of(record):
        if isinstance(member, Option):
            yield attrs.evolve(member, path=join(path, name))
        else:
            yield from options_of(member, join(path, name))
