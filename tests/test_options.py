"""An option is declared once, and says what it takes, how it reads, and that something reads it."""

import ast
import typing

import attrs
import pytest
import yaml

from support.markdown import ROOT
from synapse_nextgen_auth import config
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.config.brand import Links, Shades, Welcome
from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.numbers import WholeNumber
from synapse_nextgen_auth.config.options import Option, option, options_of, section
from synapse_nextgen_auth.config.problems import Problems
from synapse_nextgen_auth.config.reader import Reader
from synapse_nextgen_auth.oauth.languages import Wording
from synapse_nextgen_auth.oauth.resources import ResourceServer

each = pytest.mark.parametrize("one", config.OPTIONS, ids=lambda one: one.path)
ABOUT = {"about": "How many.", "example": "5", "label": "many"}
SERVICE = {
    "resource": "https://calendar.example.com/",
    "name": "Calendar",
    "scopes": {"calendar.read": "See your appointments"},
}
# What a start does not import is declared by its name.
LATE = {
    "tuple[ResourceServer, ...]": tuple[ResourceServer, ...],
    "Wording | None": Wording | None,
    **{f"{each.__name__} | None": each | None for each in (Links, Shades, Welcome)},
}
CLIENT = {"client_id": "grafana", "redirect_uris": ["https://grafana.example.com/cb"]}


def example_of(one):
    """Return the value that the reference shows; a client there has a secret in a file."""
    entries = {"clients": [CLIENT], "resource_servers": [SERVICE]}
    return entries.get(one.path) or yaml.safe_load(one.example)


def annotation_of(one):
    """Return the type that the record declares."""
    record, _, name = one.path.rpartition(".")
    declared = attrs.fields_dict(config.SECTIONS.get(record, Config))[name].type
    return LATE.get(declared, declared)


def fits(value, annotation):
    """Say whether a value is of an annotated type, items of a collection included."""
    if annotation is type(None):
        return value is None
    arguments = typing.get_args(annotation)
    if isinstance(annotation, type) and not arguments:
        return type(value) is annotation or (annotation is float and type(value) is int)
    if typing.get_origin(annotation) in {tuple, frozenset}:
        is_of = isinstance(value, typing.get_origin(annotation))
        return is_of and all(fits(item, arguments[0]) for item in value)
    return any(fits(value, argument) for argument in arguments)


@each
def test_the_example_is_of_the_kind_and_no_default(one):
    """What the reference shows is taken without a word, and changes something."""
    problems = Problems()
    value = one.kind.read(example_of(one), one.path, problems)

    assert problems.found == []
    assert value != one.default
    assert fits(value, annotation_of(one)), value


@each
def test_the_default_is_of_the_kind(one):
    """Written as an operator would write it, it is read as itself; unset is written by nobody."""
    assert fits(one.default, annotation_of(one))
    if one.default is None:
        assert isinstance(one.kind, Optional)
        assert one.kind.show(None, None)
    elif one.default:
        problems = Problems()
        raw = yaml.safe_load(one.kind.write(one.default))
        assert one.kind.read(raw, one.path, problems) == one.default, problems.found


@each
def test_an_option_has_a_name_of_its_own_in_check_config(one):
    """No two lines are called the same."""
    assert [other.path for other in config.OPTIONS if other.label == one.label] == [one.path]


@attrs.frozen
class Unread:
    """A section with a field that nothing declares."""

    burst: int = option(WholeNumber(), default=5, **ABOUT)
    per_second: float = 2.0


@attrs.frozen
class Whole:
    """A record with a section in it."""

    lifetimes: Unread = section(Unread)  # noqa: RUF009 - attrs makes the value of it


@pytest.mark.parametrize("record", [Unread, Whole])
def test_a_field_that_is_no_option_is_refused(record):
    """An operator could write it, and it would be ignored; so the package cannot be imported."""
    with pytest.raises(TypeError, match="per_second is no option"):
        list(options_of(record))
    with pytest.raises(TypeError, match="per_second is no option"):
        Reader(Problems(), ()).read(record, {})


@pytest.mark.parametrize("missing", ABOUT)
def test_an_option_that_is_not_explained_is_refused(missing):
    """Reference and `check-config` need all three."""
    with pytest.raises(TypeError, match=missing):
        option(
            WholeNumber(),
            default=5,
            **{name: text for name, text in ABOUT.items() if name != missing},
        )


def test_a_label_fits_its_column():
    """Else the values of all the others would move."""
    with pytest.raises(TypeError, match="longer than 21"):
        option(WholeNumber(), default=5, **ABOUT | {"label": "x" * 22})


# What an option is for happens elsewhere: warnings and output are no use that is made of it.
PACKAGE = ROOT / "synapse_nextgen_auth"
ASIDE = {"homeserver/startup/advice.py", "homeserver/startup/selfcheck.py"}
# The file is read with the configuration, into `secret`.
READ_AT_ONCE = {"secret_path", "captcha.secret_path"}


def code():
    """Return the syntax of everything that may make use of an option."""
    return [
        ast.parse(path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in {"cli", "config"}
        and path.relative_to(PACKAGE).as_posix() not in ASIDE
    ]


RECORDS = {record.__name__: name for name, record in config.SECTIONS.items()} | {"Config": ""}


def name_of(node):
    """Return what a variable, an argument or an attribute is called."""
    return next(
        (getattr(node, kind) for kind in ("id", "arg", "attr") if hasattr(node, kind)), None
    )


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def scopes(tree):
    """Yield the statements that share their variables: each function, and what is around them."""
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))]:
        inside, left = [], list(ast.iter_child_nodes(scope))
        while left:
            node = left.pop(0)
            inside.append(node)
            if not isinstance(node, FUNCTIONS):
                left += ast.iter_child_nodes(node)
        yield inside


def assigned(scope):
    """Yield what is assigned to what, the parts of a tuple one by one."""
    for node in scope:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            yield from zip(target.elts, value.elts, strict=True) if both else [(target, value)]


def section_of(value, known):
    """Return the section that an expression stands for, "" for all of them, `None` for neither."""
    is_member = isinstance(value, ast.Attribute) and known.get(name_of(value.value)) == ""
    if is_member and value.attr in config.SECTIONS:
        return value.attr
    return known.get(name_of(value)) if isinstance(value, ast.Attribute | ast.Name) else None


def bound(scope, attributes):
    """Return each name that holds options here, by its annotation or what is assigned to it."""
    known = dict(attributes)
    for node in scope:
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
            kind = ast.unparse(node.annotation)
            if kind in RECORDS:
                known[name_of(getattr(node, "target", node))] = RECORDS[kind]
    for target, value in assigned(scope):
        held = section_of(value, known)
        if held is not None:
            known[name_of(target)] = held
    return known


def attributes_of(trees):
    """Return the attributes that hold options, in whatever class: `self.config`, `site.config`."""
    known = {}
    for tree in trees:
        for node in ast.walk(tree):
            fields = node.body if isinstance(node, ast.ClassDef) else ()
            for field in fields:
                if isinstance(field, ast.AnnAssign) and ast.unparse(field.annotation) in RECORDS:
                    known[name_of(field.target)] = RECORDS[ast.unparse(field.annotation)]
        for scope in scopes(tree):
            own = bound(scope, {})
            for target, value in assigned(scope):
                if isinstance(target, ast.Attribute) and section_of(value, own) is not None:
                    known[target.attr] = section_of(value, own)
    return known


def used(trees):
    """Return the paths of the options that are read as attributes of their records."""
    attributes, found = attributes_of(trees), set()
    for scope in (scope for tree in trees for scope in scopes(tree)):
        own = bound(scope, attributes)
        for node in scope:
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                held = section_of(node.value, own)
                found |= {f"{held}.{node.attr}".lstrip(".")} if held is not None else set()
    return found


READ = used(code())


@each
def test_something_reads_every_option(one):
    """An option that is accepted and does nothing would be a promise broken in silence."""
    assert one.path in READ | READ_AT_ONCE


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (
            "class Site:\n config: Config\ndef f():\n site.config.tokens.code_lifetime",
            {"tokens.code_lifetime"},
        ),
        ("def f(options: Registration):\n options.burst", {"client_registration.burst"}),
        ("class A:\n events: Events\ndef f(self):\n self.events.lifetime", {"events.lifetime"}),
        (
            "def f(config: Config):\n a, b = config.tokens, config.sessions\n b.lifetime",
            {"sessions.lifetime"},
        ),
        (
            "def f(events: Events):\n self._kept = events\ndef g():\n self._kept.lifetime",
            {"events.lifetime"},
        ),
        ("def f(config: Config):\n config.drain", {"drain"}),
        # Other things have a lifetime, too; and what is only named or set is not read.
        ("token.lifetime\nlimits.burst\ndrain\n'tokens.code_lifetime'", set()),
        ("site.lifetimes.sessions.lifetime", set()),
        ("def f(config: Config):\n config.drain = 5", set()),
        ("def f(options: Registration):\n 0\ndef g(options: Rate):\n options.burst", set()),
        ("def f(options: Rate):\n options.burst", set()),
    ],
)
def test_what_reads_an_option_is_known(text, paths):
    """Only an attribute of the record counts, however it is called there."""
    known = {one.path for one in config.OPTIONS}

    assert used([ast.parse(text)]) & known == paths


def test_every_option_is_one():
    """The walk finds all of them: as many as there are fields."""
    fields = [
        field.name
        for record in (Config, *config.SECTIONS.values())
        for field in attrs.fields(record)
        if record is not Config or field.name not in config.SECTIONS
    ]

    assert len(fields) == len(config.OPTIONS) > 30
    assert all(isinstance(one, Option) for one in config.OPTIONS)
