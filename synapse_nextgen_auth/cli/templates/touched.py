"""Which pages are made of files of the operator's, and in which languages they may differ."""

from collections.abc import Iterator
from pathlib import Path

import attrs
from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, meta, nodes

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.own_templates import syntax
from synapse_nextgen_auth.web.translations import ENGLISH

_SENTENCES = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext"})
_OF_THE_LANGUAGE = frozenset({"lang", "language_name"})
# What only hands a text on.
_JOINS = (nodes.Concat, nodes.Add, nodes.MarkSafe, nodes.MarkSafeIfAutoescape)
_HANDS = (*_JOINS, nodes.Call, nodes.Keyword)
_RIGHT_TO_LEFT = "ar"


@frozen
class Touched:
    """Reads each template once; `own` is where the operator's are."""

    environment: Environment
    own: Path
    _known: dict[str, frozenset[Path]] = attrs.field(factory=dict)
    _trees: dict[Path, nodes.Template | None] = attrs.field(factory=dict)

    def by(self, name: str) -> frozenset[Path]:
        """Return the operator's files that a template is made of; all of them, where one may be any."""
        if name not in self._known:
            self._known[name] = frozenset()  # of what names itself
            self._known[name] = frozenset(self._found(name))
        return self._known[name]

    def languages(self, files: frozenset[Path], tags: tuple[str, ...]) -> tuple[str, ...]:
        """Return in which languages a page of these is to be made.

        Words of theirs are the same in all, and sentences of ours were looked at: so English and one
        that runs the other way, and each that a file asks for. All of them, where a file does more with
        its language than to say it or to ask for one, or takes our sentences apart.
        """
        wanted = {ENGLISH, _RIGHT_TO_LEFT}
        for path in files:
            tree = self._trees.get(path)
            if tree is None:
                continue
            for asked in _asked_for(tree, ()):
                if asked is None:
                    return tags
                wanted |= asked
        return tuple(tag for tag in tags if tag in wanted)

    def _found(self, name: str) -> Iterator[Path]:
        assert self.environment.loader is not None  # noqa: S101 (ours has one)
        try:
            source, filename, _ = self.environment.loader.get_source(self.environment, name)
        except (TemplateNotFound, OSError, UnicodeDecodeError):
            return  # a fault of its own
        path = Path(filename or name)
        if not path.is_relative_to(self.own):
            for named in syntax.named_in(source):
                yield from self.by(named)
            return
        yield path
        try:
            tree = self._trees[path] = self.environment.parse(source, name)
        except (TemplateSyntaxError, RecursionError):
            self._trees[path] = None
            return
        for reference in meta.find_referenced_templates(tree):
            if reference is None:  # said while the page is made: it may be any of theirs
                yield from sorted(self.own.rglob("*.html"))
            else:
                yield from self.by(reference)


def _asked_for(node: nodes.Node, way: tuple[nodes.Node, ...]) -> Iterator[frozenset[str] | None]:
    """Yield the languages that a template asks for, and nothing where that cannot be told."""
    if isinstance(node, nodes.Name) and node.name in _OF_THE_LANGUAGE and node.ctx == "load":
        yield _of(way)
    elif isinstance(node, nodes.Call) and getattr(node.node, "name", "") in _SENTENCES:
        yield frozenset() if _comes_out(way, _HANDS) else None
    elif isinstance(node, nodes.Macro) and _takes_apart(node):
        yield None
    for child in node.iter_child_nodes():
        yield from _asked_for(child, (*way, node))


def _of(way: tuple[nodes.Node, ...]) -> frozenset[str] | None:
    if _comes_out(way, _JOINS):
        return frozenset()
    compared = way[-2] if isinstance(way[-1], nodes.Operand) else way[-1]
    if not isinstance(compared, nodes.Compare):
        return None
    sides = [compared.expr, *(each.expr for each in compared.ops)]
    tags = [tag for side in sides for tag in _constants(side)]
    return None if None in tags else frozenset(filter(None, tags))


def _constants(side: nodes.Expr) -> list[str | None]:
    if isinstance(side, nodes.Const):
        return [str(side.value)]
    if isinstance(side, nodes.List | nodes.Tuple):
        return [tag for each in side.items for tag in _constants(each)]
    is_language = isinstance(side, nodes.Name) and side.name in _OF_THE_LANGUAGE
    return [""] if is_language else [None]


def _comes_out(way: tuple[nodes.Node, ...], by: tuple[type[nodes.Node], ...]) -> bool:
    """Say whether a text is shown as it is: nothing is asked of it, and nothing done to it."""
    for each in reversed(way):
        if isinstance(each, nodes.Output):
            return True
        if not isinstance(each, by):
            return False
    return False


def _takes_apart(macro: nodes.Macro) -> bool:
    """Say whether a macro looks into what it is handed, which may be a sentence."""
    handed = {each.name for each in macro.args}
    looked_into = [each.node for each in macro.find_all(nodes.Getitem)]
    called = (each.node for each in macro.find_all(nodes.Call))
    looked_into += [each.node for each in called if isinstance(each, nodes.Getattr)]
    return any(isinstance(each, nodes.Name) and each.name in handed for each in looked_into)
