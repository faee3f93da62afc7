"""The kinds of options: how a value is read, what is said of a wrong one, and how it is shown.

Nothing is converted: a kind takes what it says it takes, and the message says how that is written.
"""

from typing import Generic, Protocol, TypeVar

from synapse_nextgen_auth.config.problems import Problems
from synapse_nextgen_auth.records import frozen

T = TypeVar("T")


class Kind(Protocol[T]):
    """What an option takes."""

    @property
    def takes(self) -> str:
        """What the reference says that it takes."""

    def read(self, raw: object, path: str, problems: Problems) -> T | None:
        """Return the value; note what is wrong with it and return `None`."""

    def show(self, value: T, written: object) -> str:
        """Return the value in force for `check-config`; `written` is what stands in the file."""

    def write(self, value: T) -> str:
        """Return the value as it would stand in the file."""


@frozen
class Optional(Generic[T]):
    """An option that may be unset: then something else decides, or nothing does."""

    kind: Kind[T]
    unset: str = "not set"

    @property
    def takes(self) -> str:
        """The same: nothing is written where it is unset."""
        return self.kind.takes

    def read(self, raw: object, path: str, problems: Problems) -> T | None:
        """Return the value; an option without one is one that is not there."""
        return self.kind.read(raw, path, problems)

    def show(self, value: T | None, written: object) -> str:
        """Return the value, or what holds without one."""
        return self.unset if value is None else self.kind.show(value, written)

    def write(self, value: T | None) -> str:
        """Return the value, or nothing."""
        return "" if value is None else self.kind.write(value)
