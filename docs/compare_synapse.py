"""Print what moved in the pieces of Synapse that we use, between two releases.

    python docs/compare_synapse.py 1.162.0 1.163.2
    python docs/compare_synapse.py                    # the newest that is known, and the newest that is

Both releases are downloaded and only read: nothing is installed or run. The pieces are those
that the files of `synapse_nextgen_auth/homeserver` import or name in `NEEDS`; of a method that a class
inherits, the class that has it is found. Exit code 1 if one is gone.
"""  # noqa: INP001 - a script beside the pages, not a package

import ast
import difflib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from synapse_nextgen_auth.homeserver.startup import internals, sources


class Release:
    """The source of one release of Synapse."""

    def __init__(self, root: Path, version: str) -> None:
        self.root, self.version = root, version

    @classmethod
    def download(cls, wanted: str, directory: Path) -> "Release":
        """Fetch a release: a version, or a requirement such as `==1.162.*`."""
        requirement = (
            f"matrix-synapse=={wanted}" if wanted[:1].isdigit() else f"matrix-synapse{wanted}"
        )
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        subprocess.run(  # noqa: S603 - what the caller named
            [*pip, "--no-deps", "--dest", str(directory), requirement], check=True
        )
        (wheel,) = directory.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(directory)
        return cls(directory, wheel.name.split("-")[1])

    @cache  # noqa: B019 - both releases live as long as the process
    def piece(self, module: str, name: str) -> str | None:
        """Return the source of a piece, `None` if it is not there."""
        found = self._find(module, name.split("."))
        return None if found is None else ast.unparse(_bare(found))

    def _find(self, module: str, path: list[str]) -> ast.stmt | None:
        body, first, rest = self._body(module), path[0], path[1:]
        for node in body:
            if isinstance(node, ast.ImportFrom):
                for imported in node.names:
                    if first == (imported.asname or imported.name):
                        source = self._absolute(module, node)
                        is_readable = self._file(source) is not None
                        # What is compiled is no more than a name.
                        return self._find(source, [imported.name, *rest]) if is_readable else node
            elif first in _names(node):
                return self._within(module, node, rest)
        below = f"{module}.{first}"
        return self._find(below, rest) if rest and self._file(below) else _module(self._body(below))

    def _within(self, module: str, node: ast.stmt, rest: list[str]) -> ast.stmt | None:
        if not rest:
            return node
        if not isinstance(node, ast.ClassDef):
            return None
        for inner in node.body:
            if rest[0] in _names(inner):
                return self._within(module, inner, rest[1:])
        for base in node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            if isinstance(plain, ast.Name) and (found := self._find(module, [plain.id, *rest])):
                return found
        return None

    def _absolute(self, module: str, node: ast.ImportFrom) -> str:
        """Return the full name of what an import takes names from."""
        if not node.level:
            return node.module or ""
        file = self._file(module)
        up = node.level - (file is not None and file.name == "__init__.py")
        parts = module.split(".")
        return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])

    @cache  # noqa: B019 - both releases live as long as the process
    def _body(self, module: str) -> list[ast.stmt]:
        file = self._file(module)
        return [] if file is None else list(_flat(ast.parse(file.read_text("utf-8")).body))

    def _file(self, module: str) -> Path | None:
        base = self.root / module.replace(".", "/")
        found = (base.with_suffix(".py"), base / "__init__.py")
        return next((file for file in found if file.is_file()), None)


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Go into what is tried and what is done on a condition."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _flat([*node.body, *node.orelse])
            for handler in getattr(node, "handlers", ()):
                yield from _flat(handler.body)


def _names(node: ast.stmt) -> list[str]:
    """Return what a statement gives a name to; assignments to `self` count for the class."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        inner = node.body if node.__dict__.get("name") == "__init__" else []
        return [node.name, *(name for one in inner for name in _names(one))]
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [
        t.id if isinstance(t, ast.Name) else t.attr
        for t in targets
        if hasattr(t, "id") or hasattr(t, "attr")
    ]


def _module(body: list[ast.stmt]) -> ast.stmt | None:
    """Return a module as one piece: its names, without what they are."""
    if not body:
        return None
    names = sorted(name for node in body for name in _names(node))
    return ast.parse(repr(names)).body[0]


def _bare(node: ast.stmt) -> ast.stmt:
    """Take the docstrings out, which may say more or less without a change."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            has_one = ast.get_docstring(inner) is not None
            inner.body = (inner.body[1:] if has_one else inner.body) or [ast.Pass()]
    return node


@cache
def used() -> list[tuple[str, str]]:
    """Return each piece that we use: its module and its dotted name."""
    package = internals.FOLDER.parent
    files = sorted(package.rglob("*.py"))
    needed = [one for file in files for one in (*sources.imported(file), *sources.written(file))]
    return sorted({(one.module, one.name) for one in needed})


def compare(old: Release, new: Release) -> int:
    """Print each piece that differs; return how many are gone."""
    pieces = used()
    same = gone = 0
    for module, name in pieces:
        before, after = old.piece(module, name), new.piece(module, name)
        if before == after:
            same += before is not None
            if before is None:
                print(f"?? {module}.{name}: in neither of the sources\n")
            continue
        gone += after is None
        print(f"== {module}.{name}: {'GONE' if after is None else 'changed'}")
        lines = ((text or "").splitlines() for text in (before, after))
        for line in difflib.unified_diff(*lines, old.version, new.version, lineterm="", n=2):
            print(f"   {line}")
        print()
    print(
        f"{len(pieces)} pieces, from {old.version} to {new.version}: {same} as they were, {gone} gone."
    )
    return gone


def main(arguments: list[str]) -> int:
    """Compare two releases."""
    known = "=={}.{}.*".format(*internals.NEWEST_KNOWN)
    old, new = (*arguments, known, "")[:2] if len(arguments) < 2 else arguments
    with tempfile.TemporaryDirectory() as before, tempfile.TemporaryDirectory() as after:
        releases = Release.download(old, Path(before)), Release.download(new, Path(after))
        return 1 if compare(*releases) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
