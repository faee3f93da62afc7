"""One thing that we need of Synapse, and whether it is there.

Each file of `homeserver/` says in `NEEDS` which methods it calls or replaces, and which parameters it
passes. What it imports is needed too, and is written down nowhere else. `internals.py` looks for all
of it.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Collection
from types import FunctionType
from typing import Any

from synapse_nextgen_auth.records import frozen


@frozen
class Needed:
    """An internal of Synapse: where it is, and the parameters that we pass."""

    module: str
    name: str
    parameters: tuple[str, ...] = ()
    either: tuple[str, ...] = ()  # one of these too: releases differ, `versions.py` knows both
    # What only reading the configuration of a feature imports. Without it nobody uses the feature, and
    # to look at this would load it: pysaml2 takes two thirds of a second and 18 MB, Authlib 150 files.
    once_loaded: str | None = None
    is_class: bool = False  # a class of ours inherits from it, or a type is made with it

    @classmethod
    def of(cls, module: str, name: str, **more: Any) -> "Needed":
        """Return what `late.json` says."""
        return cls(module, name, **{key: _frozen(value) for key, value in more.items()})

    def problem(self) -> str | None:
        """Return what is wrong with it in this Synapse, `None` if it is as expected."""
        if self.once_loaded is not None and self.once_loaded not in sys.modules:
            return None
        try:
            first, *parts = self.name.split(".")
            # Asked as an import asks: some of Twisted's modules are none.
            found: object = getattr(importlib.import_module(self.module), first)
            for part in parts:
                found = _static(found, part)
        except (ImportError, AttributeError):
            return f"{self.module}.{self.name} is missing"
        if self.is_class and not isinstance(found, type):
            return f"{self.module}.{self.name} is no class"
        if not self.parameters and not self.either:
            return None
        found = getattr(found, "orig", getattr(found, "__func__", found))
        known = parameters_of(found) if callable(found) else ()
        missing = [name for name in self.parameters if name not in known]
        if self.either and not any(name in known for name in self.either):
            missing.append(" or ".join(self.either))
        return f"{self.module}.{self.name} takes no {', '.join(missing)}" if missing else None


def parameters_of(found: Callable[..., Any]) -> Collection[str]:
    """Return what a function or a class takes.

    A function's code says so itself: to ask `inspect` makes a table of annotations that stays with each.
    """
    function = inspect.unwrap(found, stop=lambda each: hasattr(each, "__signature__"))
    if type(function) is not FunctionType or hasattr(function, "__signature__"):
        return inspect.signature(found).parameters
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _static(owner: object, name: str) -> object:
    """Return what a class has by this name, as it is there; raise `AttributeError`.

    Synapse's cached methods refuse to be looked at through their class. What `inspect` looks at besides,
    for each of hundreds of names at every start, is what no class of Synapse has.
    """
    for kind in owner.__mro__ if isinstance(owner, type) else ():
        if name in vars(kind):
            return vars(kind)[name]
    return inspect.getattr_static(owner, name)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@frozen
class NotMade:
    """What keeps a file of ours from being imported though every name is there."""

    file: str
    error: Exception

    def problem(self) -> str:
        """Return what to say of it."""
        return f"what {self.file} is made from is missing or changed ({self.error})"


def members(module: str, owner: str, *names: str) -> tuple[Needed, ...]:
    """Return that a class has these, whatever they take."""
    return tuple(Needed(module, f"{owner}.{name}") for name in names)
