"""Files of ours that are imported when somebody first wants them: most pages, on most processes, never.

That a package is upgraded meanwhile is no matter: `assembly/kept.py`.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from synapse_nextgen_auth.records import frozen

_FOLDER = Path(__file__).parent
_PACKAGE = __name__.rpartition(".")[0]


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
        found: Callable[..., Any] = getattr(import_module(f"{_PACKAGE}.{self.file}"), self.name)
        return found

    def __call__(self, *given: Any) -> Any:
        """Call it."""
        return self.find()(*given)


def later(name: str) -> Any:
    """Return a file of `web/` that is imported when a function of it is first called.

    One that is missing is an error at once. Types do not say what its functions take:
    `tests/web/test_later.py` looks at each.
    """
    path = _FOLDER.joinpath(*name.split(".")).with_suffix(".py")
    module = f"{_PACKAGE}.{name}"
    # Looking for it as Python does imports what is above it, and so only where there is no such file: in
    # an archive, or where the sources were taken out.
    if not path.is_file() and find_spec(module) is None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    return Later(name)
