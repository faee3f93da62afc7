"""What templates are handed, and must offer to others."""

from collections.abc import Iterator

from jinja2 import meta, nodes

from synapse_nextgen_auth.web.own_templates import names, syntax
from synapse_nextgen_auth.web.own_templates.names import Names
from synapse_nextgen_auth.web.own_templates.syntax import hint
from synapse_nextgen_auth.web.sources import MAILS

# What pages are put into.
FRAMES = ("base.html", "console.html", "goes_on.html")
# A mail loads nothing, and leads nobody to another language.
_NOT_IN_MAILS = frozenset({"dir", "has_extra_style", "language_name", "language_url", "static"})
_OF_JINJA = frozenset({"self", "super", "caller", "kwargs", "varargs", "loop", "_trans"})


def macros(ours: Names, tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Yield which macros of ours a template in the place of ours has not, or not with all they take."""
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


def unknown(
    known: frozenset[str], set_here: frozenset[str], tree: nodes.Template
) -> Iterator[tuple[int, str]]:
    """Yield which values a template asks for that are not there, each where it first does."""
    asked = meta.find_undeclared_variables(tree)
    for name in sorted(asked - known - set_here - _OF_JINJA - _asked_for(tree)):
        lines = [each.lineno or 0 for each in tree.find_all(nodes.Name) if each.name == name]
        yield min(lines, default=0), f"there is no value {name} here{hint(name, sorted(known))}"


def _asked_for(tree: nodes.Template) -> set[str]:
    """Return what a template asks for before it uses it: of another release, say."""
    tests = [
        each.node for each in tree.find_all(nodes.Test) if each.name in {"defined", "undefined"}
    ]
    filters = [each.node for each in tree.find_all(nodes.Filter) if each.name in {"default", "d"}]
    return {each.name for each in (*tests, *filters) if isinstance(each, nodes.Name)}


def to(name: str, ours: Names) -> frozenset[str]:
    """Return which values a template of this name may use."""
    known = names.templates()
    if name.startswith(MAILS):
        return ours.values | names.everywhere() - _NOT_IN_MAILS
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
