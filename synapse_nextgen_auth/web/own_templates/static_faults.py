"""What is wrong with static files of an operator's: what is not served, and what pages may not load."""

import re
from collections.abc import Iterator
from pathlib import Path

from synapse_nextgen_auth.web.own_templates import files

# Comments, texts and addresses, in which braces are letters.
_NO_BRACES = re.compile(
    r"""/\*.*?(?:\*/|$)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|url\([^)"']*\)""", re.DOTALL
)
_LARGEST = 2 * 1024 * 1024


def found_in(own: Path) -> Iterator[str]:
    """Yield what is wrong with those of a directory."""
    folder = own / files.STATIC
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_dir() or path.name.startswith("."):
            continue
        if path.parent != folder or not files.NAME.fullmatch(path.name):
            yield (
                f"{path}: is not served: a static file lies in {folder} itself, and its name is made of"
                " letters, digits, dots, hyphens and underscores"
            )
        elif path.suffix not in files.KINDS:
            yield f"{path}: is not served: a static file is one of {', '.join(files.KINDS)}"
        elif not path.is_file():
            yield f"{path}: is not a regular file"
        elif path.stat().st_size > _LARGEST:
            yield f"{path}: is larger than 2 MB: every process keeps it in memory, and people load it"
        elif path.suffix == ".css":
            yield from _sheet(path)


def unclosed(own: Path) -> Iterator[str]:
    """Yield where the braces of a style sheet are no pairs: browsers leave out what follows, unsaid."""
    folder = own / files.STATIC
    for path in sorted(folder.glob("*.css")) if folder.is_dir() else ():
        if not path.is_file():
            continue
        text = _NO_BRACES.sub(
            lambda found: "\n" * found[0].count("\n"), path.read_text("utf-8", "replace")
        )
        opened: list[int] = []
        for number, line in enumerate(text.split("\n"), 1):
            for brace in re.findall("[{}]", line):
                if brace == "{":
                    opened.append(number)
                elif opened:
                    opened.pop()
                else:
                    yield f"{path}: line {number}: there is a }} that closes nothing"
        yield from (f"{path}: line {number}: this {{ is never closed" for number in opened)


def _sheet(path: Path) -> Iterator[str]:
    """Yield what a style sheet loads that is not beside it: no page may load that (C201)."""
    for number, line in enumerate(path.read_text("utf-8", "replace").split("\n"), 1):
        if "@import" in line or "@font-face" in line:
            yield f"{path}: line {number}: pages load no other style sheets and no fonts"
        for found in files.LOADED.finditer(line):
            loaded = found[2].strip()
            if not loaded.startswith(("data:", "#")) and not (path.parent / loaded).is_file():
                yield (
                    f"{path}: line {number}: {loaded} is not beside this file, and pages load"
                    " nothing from elsewhere"
                )
