"""What the text of a file says that it needs of Synapse, without importing the file.

Asked only where a file cannot be imported, by tests, and by docs/list_late_needs.py.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from synapse_nextgen_auth.homeserver.startup.needed import Needed

_OURS = __name__.partition(".")[0]


def imported(source: Path) -> Iterator[Needed]:
    """Read which names a file imports from Synapse, without importing it.

    What stands in a `try` is what it can do without.
    """
    for node in _outside_try(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "synapse":
            for name in node.names:
                yield Needed(node.module or "", name.name)


def written(source: Path) -> Iterator[Needed]:
    """Read which `NEEDS` a file writes down, without importing it or Synapse."""
    for node in ast.parse(source.read_text("utf-8")).body:
        if not isinstance(node, ast.Assign) or ast.unparse(node.targets[0]) != "NEEDS":
            continue
        for item in node.value.elts if isinstance(node.value, ast.Tuple) else ():
            yield from _read(item)


def _read(item: ast.expr) -> Iterator[Needed]:
    """Read `Needed(…)` or `*members(…)`, whose arguments are literals."""
    call = item.value if isinstance(item, ast.Starred) else item
    assert isinstance(call, ast.Call), ast.unparse(item)  # noqa: S101 (a test reads all of them)
    values = [ast.literal_eval(value) for value in call.args]
    named = {word.arg or "": ast.literal_eval(word.value) for word in call.keywords}
    if ast.unparse(call.func) == "members":
        module, owner, *names = values
        yield from (Needed(module, f"{owner}.{name}") for name in names)
    else:
        yield Needed(*values, **named)


def _outside_try(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a file, but for what it can do without."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.Try):
            yield from _outside_try(child)


def at_import(source: Path) -> Iterator[Needed]:
    """Read what an import of a file asks of other packages: names, and which of these are classes.

    That it calls nothing of theirs is for a test to see.
    """
    tree = ast.parse(source.read_text("utf-8"))
    names: dict[str, tuple[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and _is_of_others(node.module or ""):
            for each in node.names:
                names[each.asname or each.name] = (node.module or "", each.name)
                yield Needed(node.module or "", each.name)
        if isinstance(node, ast.Import):
            yield from (
                Needed(each.name, "__name__") for each in node.names if _is_of_others(each.name)
            )
    for part in _evaluated(tree):
        holder = part.value if isinstance(part, ast.Attribute) else None
        if isinstance(part, ast.Attribute) and isinstance(holder, ast.Name) and holder.id in names:
            module, name = names[holder.id]
            yield Needed(module, f"{name}.{part.attr}")
        for kind in _as_classes(part):
            if isinstance(kind, ast.Name) and kind.id in names:
                yield Needed(*names[kind.id], is_class=True)


def _is_of_others(module: str) -> bool:
    """Say whether a module may not be there, or be another one: neither ours nor Python's."""
    first = module.partition(".")[0]
    return first != _OURS and first not in sys.stdlib_module_names


def _as_classes(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what must be a class: what one of ours inherits from, and what is "this or that"."""
    if isinstance(node, ast.ClassDef):
        yield from node.bases
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from (node.left, node.right)


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when a file is imported: all but the bodies of functions, and texts."""
    yield node
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for name, value in ast.iter_fields(node):
        if is_function and name == "body":
            continue
        if (
            isinstance(node, ast.If)
            and name == "body"
            and ast.unparse(node.test) == "TYPE_CHECKING"
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _evaluated(child)
