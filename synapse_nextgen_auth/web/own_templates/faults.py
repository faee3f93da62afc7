"""What is wrong with templates of an operator's: found without a page to show, at the start.

Each file is read as Jinja reads it, and compared with the names that ours have (`names.json`).
"""

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, meta, nodes

from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.web import heap
from synapse_nextgen_auth.web.own_templates import files, names, static_faults, syntax
from synapse_nextgen_auth.web.own_templates.names import Names
from synapse_nextgen_auth.web.own_templates.syntax import hint
from synapse_nextgen_auth.web.sources import SHIPPED
from synapse_nextgen_auth.web.templates import EXTRA_STYLE

# Parts of an operator's own, of any name, which their other templates use.
OWN_PARTS = "own/"
_MAILS = "emails"  # those are written, and looked at with the mails
_OF_JINJA = frozenset({"self", "super", "caller", "kwargs", "varargs", "loop", "_trans"})


def problems(config: Config) -> list[str]:
    """Return all of it, each with its file and line."""
    if config.templates is None:
        return []
    own = Path(config.templates)
    try:
        found = list(found_in(own))
    except (OSError, ValueError) as error:  # a name with a NUL is no name of a directory
        why = getattr(error, "strerror", None) or error
        return [f"templates: cannot read the directory {own}: {why}"]
    names.forget()
    heap.give_back()
    return found


def found_in(own: Path) -> Iterator[str]:
    """Yield what is wrong with the files of a directory."""
    next(own.iterdir(), None)  # a directory that is not there is none without files
    static = {*names.known()["static"], *files.read(own, ""), EXTRA_STYLE}
    looker = _Looker(own, syntax.reader(), static)
    for path in templates_in(own):
        yield from looker.look(path)
    yield from static_faults.found_in(own)


def templates_in(own: Path) -> list[Path]:
    """Return the operator's templates, but for those of mails."""
    found = ((path, path.relative_to(own).parts) for path in own.rglob("*.html") if path.is_file())
    # What is hidden is an editor's, or of a version control.
    return sorted(
        path
        for path, parts in found
        if parts[0] != _MAILS and not any(part.startswith(".") for part in parts)
    )


class _Looker:
    """Reads the templates of one directory beside ours."""

    def __init__(self, own: Path, environment: Environment, static: set[str]) -> None:
        self._own = own
        self._environment = environment
        self._static = static
        self._read: dict[str, nodes.Template] = {}

    def look(self, path: Path) -> Iterator[str]:
        """Yield what is wrong with one."""
        name = path.relative_to(self._own).as_posix()
        ours = names.templates().get(name)
        if ours is None and not name.startswith(OWN_PARTS):
            yield f"{path}: no template is called that{hint(name, list(names.templates()))}"
            return
        try:
            source = path.read_text(encoding="utf-8")
            tree = self._environment.parse(source, name, str(path))
            self._environment.compile(tree, name, str(path))
            ring = self._ring(name, tree)
            found = [ring] if ring else list(self._wrong_in(name, ours, tree))
        except TemplateSyntaxError as error:
            yield f"{path}: line {error.lineno}: {error.message}"
            return
        except RecursionError:
            yield f"{path}: cannot be read: too much is nested in it"
            return
        except (OSError, UnicodeDecodeError) as error:
            yield f"{path}: cannot be read: {error}"
            return
        for line, text in sorted(found, key=lambda each: each[0]):
            yield f"{path}: line {line}: {text}" if line else f"{path}: {text}"

    def _wrong_in(
        self, name: str, ours: Names | None, tree: nodes.Template
    ) -> Iterator[tuple[int, str]]:
        yield from self._references(tree)
        yield from self._blocks(name, ours, tree)
        yield from self._files(tree)
        if ours is not None:
            yield from _macros(ours, tree)
            yield from _values(_handed_to(name, ours), self._set_above(tree), tree)

    def _ring(self, name: str, tree: nodes.Template) -> tuple[int, str] | None:
        """Say where a template is to be put into itself, or into one that is: such are never made."""
        way, line, above = [name], 0, _extended(tree)
        while above is not None:
            line = line or above[1]
            if above[0] in way:
                break
            way.append(above[0])
            found = self._tree(above[0])
            above = _extended(self._ours(above[0]) if found is None else found)
        else:
            return None
        if above[0] != name:
            return line, f"{above[0]} extends itself"
        if len(way) > 1:
            return line, f"it extends itself, by {way[1]}"
        return line, f"it extends itself; ours is called {SHIPPED}{name}"

    def _ours(self, name: str) -> nodes.Template:
        """Return a template of ours, which is empty where there is none."""
        try:
            source = syntax.source_of(self._environment, name.removeprefix(SHIPPED))
        except TemplateNotFound:  # which is a fault of its own
            return nodes.Template([])
        return self._environment.parse(source, name)

    def _tree(self, name: str) -> nodes.Template | None:
        """Return an operator's template of this name; of one that cannot be read it is said already."""
        path = self._own / name
        if name not in self._read and path.is_file():
            try:
                self._read[name] = self._environment.parse(path.read_text("utf-8"), name)
            except (OSError, UnicodeDecodeError, TemplateSyntaxError, RecursionError):
                self._read[name] = nodes.Template([])
        return self._read.get(name)

    def _references(self, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        kinds = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
        for each in tree.find_all(kinds):
            template = getattr(each, "template", None)
            if not isinstance(template, nodes.Const):
                continue
            name = str(template.value)
            theirs = None if name.startswith(SHIPPED) else self._tree(name)
            ours = names.templates().get(name.removeprefix(SHIPPED))
            if theirs is None and ours is None:
                yield each.lineno, f"there is no {name}{hint(name, list(names.templates()))}"
            elif isinstance(each, nodes.FromImport):
                offered = (
                    syntax.exported(theirs)
                    if theirs is not None
                    else list(ours.macros if ours else ())
                )
                for asked in each.names:
                    one = asked[0] if isinstance(asked, tuple) else asked
                    if one not in offered:
                        yield each.lineno, f"{name} has no {one}{hint(one, offered)}"

    def _blocks(
        self, name: str, ours: Names | None, tree: nodes.Template
    ) -> Iterator[tuple[int, str]]:
        mine = {each.name: each.lineno for each in tree.find_all(nodes.Block)}
        if name in FRAMES and ours is not None:
            for block in sorted(ours.blocks - set(mine) - set(self._above(tree))):
                yield 0, f"the block {block} is missing, which pages fill"
        if tree.find(nodes.Extends) is None:
            return
        above = self._above(tree)
        inner = {
            each.name
            for block in tree.find_all(nodes.Block)
            for each in block.find_all(nodes.Block)
        }
        for block, line in mine.items():
            if above and block not in above and block not in inner:
                yield line, f"nothing shows a block {block}{hint(block, sorted(above))}"

    def _above(self, tree: nodes.Template) -> set[str]:
        """Return the blocks of whatever this is put into, or none where that is not known."""
        extends = tree.find(nodes.Extends)
        if extends is None or not isinstance(extends.template, nodes.Const):
            return set()
        name = str(extends.template.value)
        theirs = None if name.startswith(SHIPPED) else self._tree(name)
        if theirs is not None:
            return {each.name for each in theirs.find_all(nodes.Block)} | self._above(theirs)
        ours = names.templates().get(name.removeprefix(SHIPPED))
        if ours is None:
            return set()
        return set(ours.blocks) | _above_ours(ours)

    def _set_above(self, tree: nodes.Template) -> frozenset[str]:
        """Return what a template and whatever it is put into import or set: blocks see all of it."""
        found = frozenset(syntax.exported(tree)) | {
            each.name for each in tree.find_all(nodes.Name) if each.ctx != "load"
        }
        extends = tree.find(nodes.Extends)
        if extends is None or not isinstance(extends.template, nodes.Const):
            return found
        name = str(extends.template.value)
        above = None if name.startswith(SHIPPED) else self._tree(name)
        return found | self._set_above(self._ours(name) if above is None else above)

    def _files(self, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        for call in tree.find_all(nodes.Call):
            is_static = isinstance(call.node, nodes.Name) and call.node.name == "static"
            if is_static and len(call.args) == 1 and isinstance(call.args[0], nodes.Const):
                name = str(call.args[0].value)
                if name not in self._static:
                    near = hint(name, sorted(self._static))
                    yield call.lineno, f"there is no static file {name}{near}"


def _extended(tree: nodes.Template) -> tuple[str, int] | None:
    """Return the name of what a template is put into, and its line, where both are written there."""
    extends = tree.find(nodes.Extends)
    if extends is None or not isinstance(extends.template, nodes.Const):
        return None
    return str(extends.template.value), extends.lineno


# What pages are put into.
FRAMES = ("base.html", "console.html", "goes_on.html")


def _above_ours(ours: Names) -> set[str]:
    above = names.templates().get(ours.extends or "")
    return set() if above is None else set(above.blocks) | _above_ours(above)


def _macros(ours: Names, tree: nodes.Template) -> Iterator[tuple[int, str]]:
    theirs = {each.name: each for each in tree.body if isinstance(each, nodes.Macro)}
    offered = syntax.exported(tree)
    for name, wanted in ours.macros.items():
        if name not in offered:
            yield 0, f"{name} is missing, which other templates import"
        elif name in theirs:
            macro = theirs[name]
            used = {each.name for each in macro.find_all(nodes.Name)}
            taken = {each.name for each in macro.args} | used & set(syntax.MORE)
            asked = [written.partition("=")[0].strip("*()") for written in wanted]
            missing = [each for each in asked if each not in taken]
            if missing and "kwargs" not in taken:
                yield macro.lineno, f"the macro {name} must take {', '.join(missing)}"


def _values(
    handed: frozenset[str], set_here: frozenset[str], tree: nodes.Template
) -> Iterator[tuple[int, str]]:
    unknown = (
        meta.find_undeclared_variables(tree) - handed - set_here - _OF_JINJA - _asked_for(tree)
    )
    for name in sorted(unknown):
        lines = [each.lineno or 0 for each in tree.find_all(nodes.Name) if each.name == name]
        yield min(lines, default=0), f"there is no value {name} here{hint(name, sorted(handed))}"


def _asked_for(tree: nodes.Template) -> set[str]:
    """Return what a template asks for before it uses it: of another release, say."""
    tests = [
        each.node for each in tree.find_all(nodes.Test) if each.name in {"defined", "undefined"}
    ]
    filters = [each.node for each in tree.find_all(nodes.Filter) if each.name in {"default", "d"}]
    return {each.name for each in (*tests, *filters) if isinstance(each, nodes.Name)}


def _handed_to(name: str, ours: Names) -> frozenset[str]:
    """Return which values a template of this name may use."""
    known = names.templates()
    if name in FRAMES:
        # What some pages have: whoever uses it there asks whether it is defined.
        within = [each for each in known.values() if name in _frames_of(each)]
        return frozenset().union(*(each.values for each in within)) | names.everywhere()
    return ours.values | names.everywhere()


def _frames_of(each: Names) -> list[str]:
    found = []
    extends = each.extends
    while extends is not None:
        found.append(extends)
        extends = names.templates()[extends].extends
    return found
