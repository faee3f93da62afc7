"""Files of ours that are imported when somebody first wants them: most pages, on most processes, never.

That a package is upgraded meanwhile is no matter: `assembly/kept.py`.
"""

from collections.abc import Callable
from typing import Any

from synapse_nextgen_auth import late
from synapse_nextgen_auth.records import frozen


@frozen
class Later:
    """A file of `web/`, by its name there; each attribute is a function of it, not looked for yet."""

    name: str

    def __getattr__(self, name: str) -> "Wanted":
        if name.startswith("_"):
            raise AttributeError(name)
        return Wanted(self.name, name)


@frozen
class Wanted:
    """A function of a file that is imported when it is first called."""

    file: str
    name: str

    def find(self) -> Callable[..., Any]:
        """Return the function itself."""
        found: Callable[..., Any] = getattr(late.imported(f"web.{self.file}"), self.name)
        return found

    def __call__(self, *given: Any) -> Any:
        """Call it."""
        return self.find()(*given)


def later(name: str) -> Any:
    """Return a file of `web/` that is imported when a function of it is first called.

    One that is missing is an error at once. Types do not say what its functions take:
    `tests/web/test_later.py` looks at each.
    """
    late.look_for(f"web.{name}")
    return Later(name)
