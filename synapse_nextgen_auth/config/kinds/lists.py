"""Options that are lists of others."""

from typing import Generic, TypeVar

from synapse_nextgen_auth.config.kinds.kind import Kind
from synapse_nextgen_auth.config.problems import Problems, kind_of
from synapse_nextgen_auth.records import frozen

T = TypeVar("T")


@frozen
class ListOf(Generic[T]):
    """A list; `plural` names its items. Those that are wrong are left out and told one by one."""

    item: Kind[T]
    plural: str
    # Of secrets there is nothing to show but how many there are.
    is_counted: bool = False

    @property
    def takes(self) -> str:
        """What the items are."""
        return f"a list of {self.plural}"

    def read(self, raw: object, path: str, problems: Problems) -> tuple[T, ...] | None:
        """Return the items that are right."""
        if not isinstance(raw, (list, tuple)):
            problems.say(path, f"expected a list, got {kind_of(raw)}")
            return None
        items = [self.item.read(item, f"{path}[{n}]", problems) for n, item in enumerate(raw)]
        return tuple(item for item in items if item is not None)

    def show(self, value: tuple[T, ...], written: object) -> str:
        """Return the items in order, or how many there are."""
        if self.is_counted:
            return str(len(value))
        return ", ".join(sorted(self.item.show(item, written) for item in value)) or "none"

    def write(self, value: tuple[T, ...]) -> str:
        """Return the items, or that there are none."""
        return ", ".join(self.item.write(item) for item in value) or "none"


@frozen
class SetOf(Generic[T]):
    """A list in which order and repetition mean nothing."""

    item: Kind[T]
    plural: str

    @property
    def takes(self) -> str:
        """What the items are."""
        return ListOf(self.item, self.plural).takes

    def read(self, raw: object, path: str, problems: Problems) -> frozenset[T] | None:
        """Return the items that are right."""
        items = ListOf(self.item, self.plural).read(raw, path, problems)
        return None if items is None else frozenset(items)

    def show(self, value: frozenset[T], written: object) -> str:
        """Return the items in order."""
        return ListOf(self.item, self.plural).show(tuple(value), written)

    def write(self, value: frozenset[T]) -> str:
        """Return the items, or that there are none."""
        return ListOf(self.item, self.plural).write(tuple(value))
