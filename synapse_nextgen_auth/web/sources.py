"""The sources of templates, all read at the start: what is installed later changes nothing that runs."""

import errno
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from pathlib import Path

from jinja2 import BaseLoader, Environment, TemplateNotFound

from synapse_nextgen_auth.web.packed import PACKED

# What stands before a name where ours is meant, whatever took its place.
SHIPPED = "shipped/"
# Where mails lie, beside pages; what makes mails of them calls them with it, or without.
MAILS = "emails/"

_SUFFIXES = frozenset({".html", ".txt"})
_Found = Mapping[str, tuple[str, int | OSError]]


class Sources(BaseLoader):
    """What lies in some directories; of one name in several of them it is the first's.

    Ours, the last one's, are there by `shipped/` and their name as well; `folder` is what may stand
    before a name, as in the list of all of them. A file that cannot be read, or
    is no text, says so when it is wanted.
    """

    def __init__(self, directories: Sequence[Path], *, folder: str = "") -> None:
        *own, shipped = directories
        self._folder = folder
        self.has_own = bool(own)
        self._shipped = _found(shipped)
        self._found = self._shipped
        for directory in reversed(own):
            self._found = {**self._found, **_found(directory)}

    def shipped_alone(self) -> "Sources":
        """Return ours, as if there were no others."""
        alone = copy(self)
        alone._found = self._shipped  # noqa: SLF001 (of the same kind)
        alone.has_own = False
        return alone

    def is_own(self, template: str) -> bool:
        """Say whether a name means one that is not ours."""
        name = template.removeprefix(self._folder)
        return self._found.get(name) is not self._shipped.get(name)

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 (Jinja's)
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return the text of a template, and where it was."""
        name = template.removeprefix(SHIPPED)
        known = self._found if name == template else self._shipped
        found = known.get(name.removeprefix(self._folder))
        if found is None:
            raise TemplateNotFound(template)
        path, content = found
        if isinstance(content, OSError):
            raise content
        return PACKED.get(content).decode("utf-8"), path, lambda: True


def _found(directory: Path) -> _Found:
    paths = (path for path in directory.rglob("*") if path.suffix in _SUFFIXES)
    return {path.relative_to(directory).as_posix(): (str(path), _read(path)) for path in paths}


def _read(path: Path) -> int | OSError:
    if path.exists() and not path.is_file():  # whoever opens a pipe waits for it
        return OSError(errno.EINVAL, "not a regular file", str(path))
    try:
        return PACKED.add(path.read_bytes(), pack=False)  # each is wanted once, or never
    except OSError as error:
        return error
