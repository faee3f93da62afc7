"""The list of what we use of Synapse is complete, and one file knows which Synapse this is."""

import ast
import functools
import inspect
import re
from collections import defaultdict
from importlib import import_module, util
from operator import attrgetter
from pathlib import Path

import pytest
import synapse

import synapse_nextgen_auth
from support.markdown import DOCS
from synapse_nextgen_auth.homeserver.startup import internals, needed, sources

PACKAGE = Path(synapse_nextgen_auth.__file__).parent


# What some names in `homeserver/` always hold. What an object gets when it is made is of no class, and
# needs no line in `NEEDS`.
HOLDS = {
    "hs": "HomeServer",
    "store": "DataStore",
    "db_pool": "DatabasePool",
    "auth_handler": "AuthHandler",
    "device_handler": "DeviceHandler",
    "auth": "InternalAuth",
    "pusher_pool": "PusherPool",
    "registration_handler": "RegistrationHandler",
}
OF_OBJECTS = {
    ("HomeServer", "config"),
    ("HomeServer", "hostname"),
    ("DataStore", "database_engine"),
    ("DataStore", "db_pool"),
    ("DataStore", "_cache_id_gen"),
    ("DatabasePool", "_database_config"),
    ("AuthHandler", "_extra_attributes"),
    ("AuthHandler", "password_auth_provider"),
}
# What is our own on Synapse's auth object.
OURS = {
    ("InternalAuth", "_nextgen"),
    ("InternalAuth", "session_of"),
    ("InternalAuth", "is_token_of_ours"),
    ("InternalAuth", "is_admin_without_scope"),
}
FILES = sorted(internals.FOLDER.rglob("*.py"))
SETTERS = {"setattr", "object.__setattr__"}


def used(source):
    """Return which members of Synapse's objects a file asks for: `(class, name)`."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            path, _, holder = ast.unparse(node.value).rpartition(".")
            if path.endswith("config"):  # a section of the settings has the name of a handler
                continue
            holder = holder.lstrip("_")
            holder = holder.removeprefix("get_").removesuffix("()")
            if holder in HOLDS and not node.attr.startswith("__"):
                yield HOLDS[holder], node.attr


@pytest.mark.parametrize("source", FILES, ids=lambda source: source.stem)
def test_every_member_of_synapse_that_is_used_is_written_down_beside_the_use(source):
    """So a release that moved it is refused with a sentence, and two releases can be compared."""
    written = {tuple(needed.name.split(".")[:2]) for needed in sources.written(source)}

    assert set(used(source)) - OF_OBJECTS - OURS - written == set()


@pytest.mark.parametrize("source", FILES, ids=lambda source: source.stem)
def test_nothing_is_written_down_that_is_not_used_there(source):
    """What moved to another file takes its line along."""
    text = source.read_text("utf-8")
    body = [node for node in ast.parse(text).body if not ast.unparse(node).startswith("NEEDS = ")]
    words = set(re.findall(r"\w+", "\n".join(map(ast.unparse, body))))

    unused = {
        needed.name
        for needed in sources.written(source)
        if not words & {needed.name.rpartition(".")[2], *needed.parameters}
    }

    assert unused - {"register_start"} == set()  # of which `refusal.py` knows the function inside


def test_the_members_are_found():
    """The names that are looked at hold what they are said to: most files use something."""
    found = {source.stem: len(set(used(source))) for source in FILES}

    assert found["matrix_devices"] >= 8
    assert found["passwords"] >= 6
    assert sum(found.values()) > 60


def test_what_is_written_down_is_what_the_program_reads():
    """Two releases are compared by the text; the start goes by the values."""
    for name in internals.files():
        source = internals.FOLDER.joinpath(*name.split(".")).with_suffix(".py")
        file = import_module(f"synapse_nextgen_auth.homeserver.{name}")
        assert tuple(sources.written(source)) == tuple(internals.needs_of(file)), name


def test_a_member_is_found_as_python_finds_it():
    """Without what a start would have to wait for."""
    listed = {name for source in FILES for name in sources.written(source)}
    members = [name for name in listed if "." in name.name and name.once_loaded is None]
    for name in members:
        owner, _, member = name.name.rpartition(".")
        found = attrgetter(owner)(import_module(name.module))
        assert needed._static(found, member) is inspect.getattr_static(found, member), name
    assert len(members) > 100
    for owner in (internals, needed.Needed):
        with pytest.raises(AttributeError):
            needed._static(owner, "no_such_name")


@pytest.fixture(scope="module")
def listing():
    """Return the script that writes down what files need that a start does not import."""
    specification = util.spec_from_file_location("listing", DOCS / "list_late_needs.py")
    module = util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_what_a_start_does_not_import_is_looked_for_all_the_same(listing):
    """Whoever changes what such a file uses writes the list anew: docs/list_late_needs.py."""
    assert listing.LIST.read_text("utf-8") == listing.written()


def test_all_that_such_a_file_needs_is_on_the_list():
    """What it writes down, and what it imports from Synapse."""
    of_late = internals.needs_of_late()
    assert len(of_late) > 30
    for name, listed in of_late.items():
        source = internals.FOLDER.joinpath(*name.split(".")).with_suffix(".py")
        assert {*sources.written(source), *sources.imported(source)} <= set(listed), name


def _at_import(node):
    """Walk what runs at an import: neither bodies of functions nor what is for types alone."""
    yield node
    for child in ast.iter_child_nodes(node):
        is_for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for each in child.decorator_list:
                yield from _at_import(each)
        elif not isinstance(child, ast.Lambda) and not is_for_types:
            yield from _at_import(child)


@pytest.mark.parametrize("name", sorted(internals.needs_of_late()))
def test_a_late_import_calls_nothing_of_synapse(name):
    """A name that is there is all that it needs: what a call does could not be looked for."""
    source = internals.FOLDER.joinpath(*name.split(".")).with_suffix(".py")
    tree = ast.parse(source.read_text("utf-8"))
    theirs = {
        each.asname or each.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in {"synapse", "twisted"}
        for each in node.names
    }
    run = [
        each
        for node in _at_import(tree)
        for each in (
            node.func if isinstance(node, ast.Call) else None,
            *getattr(node, "decorator_list", ()),
        )
        if each is not None
    ]
    called = {part.id for each in run for part in ast.walk(each) if isinstance(part, ast.Name)}

    assert called & theirs == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from synapse.types import UserID", {("synapse.types", "UserID", False)}),
        ("import twisted.web", {("twisted.web", "__name__", False)}),
        ("import json\nfrom synapse_nextgen_auth import late", set()),
        (
            "from synapse.types import Requester\ndef f(a: Requester | None): pass",
            {("synapse.types", "Requester", False), ("synapse.types", "Requester", True)},
        ),
        (
            "from synapse.api.errors import Codes\nA = {Codes.FORBIDDEN: 1}",
            {
                ("synapse.api.errors", "Codes", False),
                ("synapse.api.errors", "Codes.FORBIDDEN", False),
            },
        ),
        (
            "from synapse.api.errors import Codes\ndef f(): return Codes.FORBIDDEN",
            {("synapse.api.errors", "Codes", False)},
        ),
    ],
)
def test_what_an_import_asks_for_is_read(tmp_path, source, found):
    """Names, members that stand in a table, and what has to be a class."""
    file = tmp_path / "file.py"
    file.write_text(source)

    read = {(each.module, each.name, each.is_class) for each in sources.at_import(file)}

    assert read == found


def test_nobody_else_imports_synapse():
    """But for the commands, which read its configuration, and the module that it loads."""
    # But for the names of types, which are of no use to a program that runs.
    importing = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if any(sources.imported(file)) and not file.is_relative_to(internals.FOLDER)
    }

    assert importing == {
        "cli/check_config.py",
        "cli/database_check.py",
        "cli/doctor/patient.py",
        "cli/factors_check.py",
        "cli/running_server.py",
        "cli/settings_words.py",
        "cli/sign_ups.py",
        "cli/ways_in.py",
        "assembly/issuer.py",
        "assembly/start.py",
        "module.py",
    }


def test_synapse_is_changed_in_one_file_only():
    """What replaces a method, a class or a function says so to whoever asks what is changed."""
    changing = defaultdict(list)
    for source in FILES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            targets = node.targets if isinstance(node, ast.Assign) else []
            owners = {ast.unparse(t.value) for t in targets if isinstance(t, ast.Attribute)}
            is_call = isinstance(node, ast.Call) and ast.unparse(node.func) in SETTERS
            if owners - {"self"} or is_call:
                changing[source.stem].append(ast.unparse(node).partition(" = ")[0])

    assert changing.pop("patches")
    assert changing == {
        # Attributes of our own, and those of one request or one answer.
        "checker": ["auth._nextgen", "request.requester"],
        "challenges": ["error.headers", "error.headers"],
        "written_addresses": ["request.content"],
        # Copies that one check of a password uses.
        "new_people": ["handler.register_with_store"],
        "passwords": ["handler.password_auth_provider", "handler._check_local_password"],
        "module_checks": [
            "watched.auth_checker_callbacks",
            "watched.check_3pid_auth_callbacks",
        ],
        # Copies that make one account.
        "registrations": [
            "own._registration_handler",
            "own._store",
            "registration._auth_handler",
            "addresses.store",
            "registration._register_email_threepid",
        ],
        "guard": [
            "setattr(request, _NAMED, True)",
            "setattr(request, _ENDING, True)",
            "setattr(request, _LATE, True)",
        ],
        "seams": ["setattr(request, _START, start)"],
        "statements": ["setattr(request, _STATEMENT, statement)"],
        "http": ["request.uri", "setattr(request, _QUERY, query)"],
    }


def test_nothing_else_asks_which_synapse_this_is():
    """Two ways to do one thing because of a release stand in one file."""
    asking = {
        file.name
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and "SYNAPSE_VERSION" in [n.name for n in node.names]
    }

    assert asking == {"internals.py"}


@pytest.fixture(scope="module")
def compare():
    """Return the script that compares two releases."""
    specification = util.spec_from_file_location("compare", DOCS / "compare_synapse.py")
    module = util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def here(compare):
    """Return the release that is installed, of which each file is read once."""
    return compare.Release(Path(synapse.__file__).parents[1], "here")


@pytest.fixture(scope="module")
def another(compare, here):
    """Return a function that makes the same release with another file, or none, for one module."""

    def make(changed, file):
        class Another(compare.Release):
            def _file(self, module):
                return file if module == changed else here._file(module)

            def _body(self, module):
                return super()._body(module) if module == changed else here._body(module)

        return Another(here.root, "another")

    return make


def test_what_moved_is_asked_of_every_piece(compare, here, capsys):
    """Each piece is found in the source, also where a class inherits it; nothing moved since itself."""
    pieces = compare.used()
    assert len(pieces) > 100

    assert [piece for piece in pieces if here.piece(*piece) is None] == []
    assert compare.compare(here, here) == 0
    assert "changed" not in capsys.readouterr().out


def test_what_moved_is_printed(compare, here, another, tmp_path, capsys):
    """A method with other parameters, and one that is gone; a docstring is no change."""
    edited = tmp_path / "internal.py"
    source = here._file("synapse.api.auth.internal").read_text()
    source = source.replace("allow_expired: bool = False", "may_be_old: bool = False")
    source = source.replace("async def is_server_admin(", "async def is_admin(")
    edited.write_text(source)

    compare.compare(here, another("synapse.api.auth.internal", edited))
    changed = re.findall(
        r"^== synapse.api.auth.internal.InternalAuth.(\w+): ", capsys.readouterr().out, re.MULTILINE
    )

    assert changed == ["get_user_by_access_token", "get_user_by_req", "is_server_admin"]


def test_what_is_gone_is_a_failure(compare, here, another, capsys):
    """A release without a module that we need ends with an exit code that says so."""
    without = another("synapse.handlers.account_validity", None)

    assert compare.compare(here, without) == 2
    assert "AccountValidityHandler.on_user_login: GONE" in capsys.readouterr().out


def test_what_something_takes_is_what_python_says_of_it():
    """Functions say so themselves, and are asked without a table of annotations that would stay."""

    def plain(self, first, /, second=1, *rest, third: int, **more):
        local = [first, second, rest, third, more]
        return local[0]

    @functools.wraps(plain)
    def around(*args, **kwargs):
        return plain(*args, **kwargs)

    class Made:
        def __init__(self, first, *, second):
            pass

    for asked in (plain, around, Made, functools.partial(plain, 1), dict.fromkeys):
        by_name = {
            each.name
            for each in inspect.signature(asked).parameters.values()
            if each.kind not in {each.VAR_POSITIONAL, each.VAR_KEYWORD}
        }
        assert by_name <= set(needed.parameters_of(asked)), asked
    assert "local" not in needed.parameters_of(plain)
