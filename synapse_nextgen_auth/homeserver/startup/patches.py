"""The only two ways to change Synapse while it runs, and a list of what was changed.

A callback of the Module API and a servlet of ours beside Synapse's are no change.
"""

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import attrs


@attrs.frozen(order=True)
class Change:
    """Something of Synapse that is not as Synapse made it, and what of ours is there or runs after it.

    `name` is dotted and begins with the class or module of Synapse, `ours` with our own.
    """

    name: str
    how: str
    ours: str


_changes: set[Change] = set()


def changes() -> list[Change]:
    """Return what was changed in this process, each thing once."""
    return sorted(_changes)


def after(owner: object, name: str, then: Callable[..., Awaitable[None]]) -> None:
    """Call `then(result, …)` whenever the method `name` of `owner` has succeeded."""
    method = getattr(owner, name)

    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = await method(*args, **kwargs)
        await then(result, *args, **kwargs)
        return result

    setattr(owner, name, wrapped)
    _changes.add(Change(f"{_name_of(owner)}.{name}", "after", _name_of(then)))


def instead(owner: object, name: str, ours: Any) -> Any:
    """Put something of ours in the place of what `owner` has as `name`; return what was there.

    Of an object that is a method, or as `__class__` all of its methods; of a module it is a function,
    which is the same one whichever module has it by name.
    """
    stock = getattr(owner, name)
    whole = _name_of(stock) if isinstance(owner, ModuleType) else f"{_name_of(owner)}.{name}"
    setattr(owner, name, ours)
    _changes.add(Change(whole, "instead", _name_of(ours)))
    return stock


def _name_of(thing: Any) -> str:
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{named.__module__}.{named.__qualname__}"
