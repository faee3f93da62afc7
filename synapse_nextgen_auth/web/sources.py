"""The sources of templates, all read at the start: what is installed later changes nothing that runs."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import BaseLoader, Environment, TemplateNotFound

_SUFFIXES = frozenset({".html", ".txt"})


class Sources(BaseLoader):
    """What lies in some directories; of one name in several of them it is the first's.

    A file that cannot be read, or is no text, says so when it is wanted.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._found: dict[str, tuple[str, bytes | OSError]] = {}
        for directory in reversed(directories):
            for path in directory.rglob("*"):
                if path.suffix in _SUFFIXES:
                    self._found[path.relative_to(directory).as_posix()] = (str(path), _read(path))

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 (Jinja's)
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return the text of a template, and where it was."""
        if template not in self._found:
            raise TemplateNotFound(template)
        path, content = self._found[template]
        if isinstance(content, OSError):
            raise content
        return zlib.decompress(content).decode("utf-8"), path, lambda: True


def _read(path: Path) -> bytes | OSError:
    try:
        return zlib.compress(path.read_bytes())  # each is wanted once, or never
    except OSError as error:
        return error
