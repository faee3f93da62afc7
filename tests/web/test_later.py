"""Files that are imported when somebody first wants them, and what a start imports without them."""

import compileall
import inspect
import sys
import zipfile
from collections.abc import Callable
from importlib import invalidate_caches
from pathlib import Path
from typing import get_args

import pytest

from synapse_nextgen_auth import late
from synapse_nextgen_auth.web import kinds, later
from synapse_nextgen_auth.web.kinds import AccountPage, AuthorizationEndpoint, Endpoint, Page
from synapse_nextgen_auth.web.later import Later, Wanted
from synapse_nextgen_auth.web.own_templates import mail_faults
from synapse_nextgen_auth.web.pages import names
from synapse_nextgen_auth.web.pages.names import TEMPLATES
from synapse_nextgen_auth.web.pages.records import PAGES
from synapse_nextgen_auth.web.routes import ROUTES

ROOT = Path(__file__).parents[2]


def taken(expected: type[Callable]):
    """Return what a function of this type is handed: the names of the types."""
    return [_name_of(each) for each in get_args(expected)[0]]


def _name_of(kind):
    """Return what a type is called; what is imported later is named in quotes."""
    name = getattr(kind, "__forward_arg__", kind)
    return name if isinstance(name, str) else name.__name__


KINDS = {
    (Endpoint, "challenge"): kinds.Challenge,
    (Page, "show"): kinds.Show,
    (Page, "submit"): kinds.Submit,
    (AccountPage, "show"): kinds.ShowAccount,
    (AccountPage, "submit"): kinds.SubmitAccount,
    (AccountPage, "receive"): kinds.Receive,
    (AuthorizationEndpoint, "serve"): kinds.Authorize,
}


def deferred():
    """Return each function that the table does not import, with what the table promises it."""
    for path, route in ROUTES.items():
        if isinstance(route, Endpoint):
            for method, serve in route.methods.items():
                if isinstance(serve, Wanted):
                    yield f"{method} {path}", serve, kinds.Serve
        for (kind, name), expected in KINDS.items():
            found = getattr(route, name) if isinstance(route, kind) else None
            if isinstance(found, Wanted):
                yield f"{path} {name}", found, expected


FOUND = list(deferred())


def test_most_of_the_table_waits():
    """So the tests below look at something."""
    assert len(FOUND) > 80


@pytest.mark.parametrize(
    ("function", "expected"),
    [pytest.param(function, expected, id=name) for name, function, expected in FOUND],
)
def test_what_is_imported_later_takes_what_it_is_handed(function, expected):
    """A name that is not there, or takes other things, would be found by the first who comes."""
    found = function.find()
    parameters = inspect.signature(found).parameters.values()

    wanted = [each.annotation for each in parameters if each.default is each.empty]
    assert [_name_of(each) for each in wanted] == taken(expected)
    assert inspect.iscoroutinefunction(found) is (expected is not kinds.Challenge)


def test_every_template_of_a_page_is_looked_for_at_the_start():
    """By a list that needs no page to be imported."""
    assert list(TEMPLATES) == sorted({page.template for page in PAGES})


def test_every_template_of_a_mail_is_looked_for_at_the_start():
    """Though what writes mails is imported with the first of them."""
    assert list(names.MAILS) == sorted(mail_faults._NAMES)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A file of another package that is imported later, as ours are."""
    folder = tmp_path / "somebodys" / "web"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "hello.py").write_text("def greet(name):\n    return f'Hello {name}'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(late, "_FOLDER", folder.parent)
    monkeypatch.setattr(late, "_PACKAGE", "somebodys")
    yield folder / "hello.py"
    for name in [name for name in sys.modules if name.partition(".")[0] == "somebodys"]:
        del sys.modules[name]


def test_a_file_is_imported_by_the_first_call(written):
    greet = later.later("hello").greet

    assert "somebodys.web.hello" not in sys.modules
    assert greet("Alice") == "Hello Alice"
    assert "somebodys.web.hello" in sys.modules


@pytest.mark.parametrize("packed", [False, True], ids=["bytecode", "zip"])
def test_a_package_without_sources_starts(written, tmp_path, monkeypatch, packed):
    """As small images have it: Python imports it, wherever it is, and so do we."""
    package = written.parent.parent
    compileall.compile_dir(package, legacy=True, quiet=1)
    for source in package.rglob("*.py"):
        source.unlink()
    if packed:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for path in package.rglob("*.pyc"):
                archive.write(path, path.relative_to(tmp_path))
                path.unlink()
        monkeypatch.syspath_prepend(tmp_path / "all.zip")
    invalidate_caches()

    greet = later.later("hello").greet

    assert "somebodys.web.hello" not in sys.modules
    assert greet("Alice") == "Hello Alice"


def test_a_file_that_is_missing_stops_the_start(written):
    with pytest.raises(late.Broken, match=r"web/goodbye\.py is missing"):
        later.later("goodbye")


def test_a_file_has_no_hidden_attributes():
    """What looks whether something is special asks for these: that imports nothing."""
    assert not hasattr(Later("x"), "__wrapped__")
