"""What is not there before somebody comes for it: files and objects of ours."""

import ast
import re
import sys
from pathlib import Path

import pytest

import synapse_nextgen_auth
from synapse_nextgen_auth import late

PACKAGE = Path(synapse_nextgen_auth.__file__).parent
SOURCES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if re.search(r"\blate\.files?\(", path.read_text("utf-8"))
]


@pytest.fixture
def somebodys(tmp_path, monkeypatch):
    """A package of somebody's with one file, which says when it is imported."""
    folder = tmp_path / "somebodys"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "hello.py").write_text("def greet(name):\n    return f'Hello {name}'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(late, "_PACKAGE", "somebodys")
    monkeypatch.setattr(late, "_FOLDER", folder)
    monkeypatch.setattr(late, "_failed", {})
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "somebodys"]:
        del sys.modules[name]


def test_a_file_is_imported_when_something_of_it_is_used(somebodys):
    hello = late.file("hello")

    assert not hasattr(hello, "__wrapped__")  # as tools ask of anything
    assert "somebodys.hello" not in sys.modules
    assert hello.greet("Alice") == "Hello Alice"
    assert "somebodys.hello" in sys.modules


@pytest.mark.parametrize("name", ["goodbye", "nowhere.goodbye", "empty"])
def test_a_file_that_is_missing_or_empty_is_an_error_at_once(somebodys, name):
    """A start that is refused, and no request that finds out."""
    (somebodys / "empty.py").touch()

    with pytest.raises(late.Broken, match=rf"{name.replace('.', '/')}\.py is missing or empty"):
        late.file(name)


@pytest.mark.parametrize(
    "text", ["def greet(na", "from somebodys.gone import a", "retu", "import re\nre.greet"]
)
def test_half_a_file_is_one_sentence_and_is_tried_again_after_a_while(somebodys, text, monkeypatch):
    """Who comes in the meantime is told the same, and nothing of it runs again."""
    now = [1000.0]
    monkeypatch.setattr(late.time, "monotonic", lambda: now[0])
    (somebodys / "half.py").write_text(text)
    half = late.file("half")
    with pytest.raises(late.Broken, match=r"somebodys\.half cannot be imported: .*Error: "):
        half.greet("Alice")
    (somebodys / "half.py").write_text("def greet(name):\n    return f'Hello again, {name}'\n")

    with pytest.raises(late.Broken, match=r"somebodys\.half cannot be imported: .*Error: "):
        half.greet("Alice")
    now[0] += 61
    assert half.greet("Alice") == "Hello again, Alice"


def test_what_is_over_soon_is_no_broken_file(somebodys):
    """A process that may open no more files for a moment; the next who comes gets the file."""
    (somebodys / "soon.py").write_text("raise OSError('too many open files')")
    soon = late.file("soon")
    with pytest.raises(OSError, match="too many"):
        soon.greet("Alice")
    (somebodys / "soon.py").write_text("def greet(name):\n    return f'Hello, at last, {name}'\n")

    assert soon.greet("Alice") == "Hello, at last, Alice"


def test_an_object_is_made_once_when_something_is_asked_of_it():
    made = []

    def make():
        made.append("a list")
        return [1, 2]

    numbers = late.made(make)
    assert made == []
    assert (numbers.index(2), numbers.count(1)) == (1, 1)
    assert made == ["a list"]


def test_what_cannot_be_made_is_tried_again():
    """The first who comes hears why, and so does the second: half of it is there for nobody."""
    answers = [OSError("away"), "there"]

    def make():
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    text = late.made(make)
    with pytest.raises(OSError, match="away"):
        text.upper()
    assert text.upper() == "THERE"


def _imported(body):
    """Return what types know: the name in this file, and the file that it is."""
    return {
        each.asname or each.name: f"{node.module}.{each.name}"
        for node in body
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    }


def _late(body):
    """Return what the program has: the name in this file, and the file that stands behind it."""
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            target = node.targets[0]
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            for name, file in zip(names, node.value.args, strict=True):
                yield name.id, f"synapse_nextgen_auth.{file.value}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_types_know_the_file_that_is_imported_later(path):
    """Or mypy would look at another file than the one that runs."""
    found = 0
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and node.orelse:
            imported = _imported(node.body)
            for name, file in _late(node.orelse):
                found += 1
                assert imported.get(name) == file
                place = PACKAGE.parent.joinpath(*file.split("."))
                assert place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()

    assert found


def _for_types(tree):
    """Return the names that types know and the program does not."""
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from set(_imported(node.body)) - {name for name, _ in _late(node.orelse)}


def _run(node):
    """Walk what runs, sooner or later: all but annotations and what is for types."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            is_for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            if isinstance(child, ast.AST) and not is_for_types:
                yield from _run(child)


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_what_is_for_types_is_not_needed_to_run(path):
    """A name that only mypy has would be missed by the first request that comes to its line."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = list(_run(tree))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    here = {each.name for node in nodes if isinstance(node, ast.ImportFrom) for each in node.names}

    assert set(_for_types(tree)) & used - here == set()
