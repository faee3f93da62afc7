"""Reads templates of an operator's beside ours: which names of theirs nobody has."""

from collections.abc import Iterator
from pathlib import Path

from jinja2 import TemplateNotFound, TemplateSyntaxError, meta, nodes

from synapse_nextgen_auth.web.own_templates import handed, names, syntax
from synapse_nextgen_auth.web.own_templates.fault import Fault
from synapse_nextgen_auth.web.own_templates.names import Names
from synapse_nextgen_auth.web.own_templates.syntax import hint
from synapse_nextgen_auth.web.sources import MAILS, SHIPPED

# Parts of an operator's own, of any name, which their other templates use.
OWN_PARTS = "own/"
_USES = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


class Looker:
    """Reads the templates of directories beside ours; of one name in several it is the first's.

    Of mails, `folder` is where ours lie: theirs are called without it.
    """

    def __init__(self, *own: Path, static: frozenset[str] = frozenset(), folder: str = "") -> None:
        self._own = own
        self._environment = syntax.reader()
        self._static = static
        self._folder = folder
        self._read: dict[str, nodes.Template] = {}
        self._filters = frozenset(self._environment.filters)
        self._tests = frozenset(self._environment.tests)

    def look(self, path: Path) -> list[Fault]:
        """Return what is wrong with one, in the order of its lines."""
        if not path.is_file():
            return [Fault(path, 0, "is not a regular file")]
        own = next(each for each in self._own if path.is_relative_to(each))
        found: list[Fault] = []
        try:
            found.extend(self._wrong_in(path, path.relative_to(own).as_posix()))
        except TemplateSyntaxError as error:
            found.append(Fault(path, error.lineno, error.message or ""))
        except RecursionError:
            found.append(Fault(path, 0, "cannot be read: too much is nested in it"))
        except (OSError, UnicodeDecodeError) as error:
            found.append(Fault(path, 0, f"cannot be read: {error}"))
        return sorted(found, key=lambda each: each.line)

    def _wrong_in(self, path: Path, name: str) -> Iterator[Fault]:
        ours = self._named(name)
        if ours is None and (self._folder or not name.startswith(OWN_PARTS)):
            known = [each.removeprefix(self._folder) for each in names.templates()]
            yield Fault(path, 0, f"no template is called that{hint(name, known)}")
            return
        tree = self._environment.parse(path.read_text(encoding="utf-8"), name, str(path))
        ring = self._ring(name, tree) or (None if self._folder else self._loop(name, tree))
        if ring:
            yield Fault(path, *ring)
            return
        for line, text in self._unknown(tree):
            yield Fault(path, line, text)
        for line, text in self._structure(name, ours, tree):
            yield Fault(path, line, text)
        for line, text in self._files(tree):
            yield Fault(path, line, text, lets_look=True)
        self._environment.compile(tree, name, str(path))
        if ours is not None:
            mine = handed.to(self._folder + name, ours)
            for line, text in handed.unknown(mine, self._set_above(tree), tree):
                yield Fault(path, line, text, lets_look=True)

    def _structure(
        self, name: str, ours: Names | None, tree: nodes.Template
    ) -> Iterator[tuple[int, str]]:
        yield from self._references(tree)
        yield from self._blocks(name, ours, tree)
        if self._folder:
            yield from self._parts_of_mails(tree)
        if ours is not None:
            yield from handed.macros(ours, tree)

    def _named(self, name: str) -> Names | None:
        """Return what is known of a template of ours by the name that it has in a template."""
        return names.templates().get(self._plain(name))

    def _theirs(self, name: str) -> nodes.Template | None:
        """Return the template of the operator's that a name in a template means, if one is meant."""
        return None if name.startswith(SHIPPED) else self._tree(name.removeprefix(self._folder))

    def _unknown(self, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        """Yield filters and tests that nobody has; Jinja would stop at the first of them."""
        for each in tree.find_all((nodes.Filter, nodes.Test)):
            word = "filter" if isinstance(each, nodes.Filter) else "test"
            known = self._filters if word == "filter" else self._tests
            name = str(getattr(each, "name", ""))
            if name not in known:
                yield each.lineno, f"there is no {word} {name}{hint(name, sorted(known))}"
                # So that the rest is read.
                self._environment.filters.setdefault(name, str)
                self._environment.tests.setdefault(name, callable)

    def _ring(self, name: str, tree: nodes.Template) -> tuple[int, str] | None:
        """Say where a template is to be put into itself, or into one that is: such are never made."""
        way, line, above = [name], 0, _extended(tree)
        while above is not None:
            line = line or above[1]
            next_one = self._called(above[0])
            if next_one in way:
                break
            way.append(next_one)
            found = self._theirs(above[0])
            above = _extended(self._ours(above[0]) if found is None else found)
        else:
            return None
        if next_one != name:
            return line, f"{above[0]} extends itself"
        if len(way) > 1:
            return line, f"it extends itself, by {way[1]}"
        return line, f"it extends itself; ours is called {SHIPPED}{name}"

    def _loop(self, name: str, tree: nodes.Template) -> tuple[int, str] | None:
        """Say where a page or a part uses itself: it is compiled with all that it is made of."""
        for each in tree.find_all(_USES):
            template = getattr(each, "template", None)
            if isinstance(template, nodes.Const) and self._leads(template.value, name, set()):
                by = self._called(template.value)
                return each.lineno, "it uses itself" + (f", by {by}" if by != name else "")
        return None

    def _leads(self, start: str, to: str, seen: set[str]) -> bool:
        called = self._called(start)
        if called == to:
            return True
        if called in seen:
            return False
        seen.add(called)
        return any(self._leads(each, to, seen) for each in self._made_of(start))

    def _made_of(self, name: str) -> Iterator[str]:
        theirs = self._theirs(name)
        if theirs is not None:
            yield from filter(None, meta.find_referenced_templates(theirs))
            return
        try:
            yield from syntax.named_in(syntax.source_of(self._environment, self._plain(name)))
        except TemplateNotFound:
            return  # a fault of its own

    def _plain(self, name: str) -> str:
        """Return the name of one of ours among all of them."""
        return self._folder + name.removeprefix(SHIPPED).removeprefix(self._folder)

    def _called(self, name: str) -> str:
        """Return the one name of a template that may be called by two."""
        plain = name.removeprefix(SHIPPED)
        own_name = plain.removeprefix(self._folder)
        return own_name if name == plain else f"{SHIPPED}{own_name}"

    def _ours(self, name: str) -> nodes.Template:
        """Return a template of ours, which is empty where there is none."""
        try:
            source = syntax.source_of(self._environment, self._plain(name))
        except TemplateNotFound:  # which is a fault of its own
            return nodes.Template([])
        return self._environment.parse(source, name)

    def _tree(self, name: str) -> nodes.Template | None:
        """Return an operator's template of this name; of one that cannot be read it is said already."""
        path = next((own / name for own in self._own if (own / name).is_file()), None)
        if name not in self._read and path is not None:
            try:
                self._read[name] = self._environment.parse(path.read_text("utf-8"), name)
            except (OSError, UnicodeDecodeError, TemplateSyntaxError, RecursionError):
                self._read[name] = nodes.Template([])
        return self._read.get(name)

    def _references(self, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        for each in tree.find_all(_USES):
            template = getattr(each, "template", None)
            if not isinstance(template, nodes.Const):
                continue
            name = str(template.value)
            theirs, ours = self._theirs(name), self._named(name)
            is_mail = not self._folder and name.removeprefix(SHIPPED).startswith(MAILS)
            if theirs is None and (ours is None or is_mail):
                yield each.lineno, f"there is no {name}{self._near(name)}"
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

    def _near(self, name: str) -> str:
        """Return which template somebody may have meant, called as it is called where they stand."""
        plain = name.removeprefix(SHIPPED)
        before = name.removesuffix(plain)
        if not self._folder and plain.startswith(MAILS):
            return "; a page is not made of mails"
        mine = [each for each in names.templates() if each.startswith(self._folder)]
        return hint(name, [before + each.removeprefix(self._folder) for each in mine])

    def _blocks(
        self, name: str, ours: Names | None, tree: nodes.Template
    ) -> Iterator[tuple[int, str]]:
        mine = {each.name: each.lineno for each in tree.find_all(nodes.Block)}
        if name in handed.FRAMES and ours is not None:
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
        extends = _extended(tree)
        if extends is None:
            return set()
        theirs, ours = self._theirs(extends[0]), self._named(extends[0])
        if theirs is not None:
            return {each.name for each in theirs.find_all(nodes.Block)} | self._above(theirs)
        return set() if ours is None else set(ours.blocks) | _above_ours(ours)

    def _set_above(self, tree: nodes.Template) -> frozenset[str]:
        """Return what a template and whatever it is put into import or set: blocks see all of it."""
        found = frozenset(syntax.exported(tree)) | {
            each.name for each in tree.find_all(nodes.Name) if each.ctx != "load"
        }
        extends = _extended(tree)
        if extends is None:
            return found
        theirs = self._theirs(extends[0])
        return found | self._set_above(self._ours(extends[0]) if theirs is None else theirs)

    def _files(self, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        for call in tree.find_all(nodes.Call):
            is_static = isinstance(call.node, nodes.Name) and call.node.name == "static"
            if is_static and len(call.args) == 1 and isinstance(call.args[0], nodes.Const):
                name = str(call.args[0].value)
                if name not in self._static:
                    near = hint(name, sorted(self._static))
                    yield call.lineno, f"there is no static file {name}{near}"

    def _parts_of_mails(self, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        """Yield what is asked of the kit and is no part of it."""
        offered: set[str] = set()
        for name in ("kit.html", "kit.txt"):
            theirs, ours = self._tree(name), self._named(name)
            offered |= set(syntax.exported(theirs) if theirs else ours.macros if ours else ())
        for each in tree.find_all(nodes.Getattr):
            of_kit = isinstance(each.node, nodes.Name) and each.node.name == "kit"
            if of_kit and each.attr not in offered:
                yield each.lineno, f"kit has no {each.attr}{hint(each.attr, sorted(offered))}"


def _extended(tree: nodes.Template) -> tuple[str, int] | None:
    """Return the name of what a template is put into, and its line, where both are written there."""
    extends = tree.find(nodes.Extends)
    if extends is None or not isinstance(extends.template, nodes.Const):
        return None
    return str(extends.template.value), extends.lineno


def _above_ours(ours: Names) -> set[str]:
    above = names.templates().get(ours.extends or "")
    return set() if above is None else set(above.blocks) | _above_ours(above)
