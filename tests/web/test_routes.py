"""The table of paths, and that whatever belongs to a page is there and under the dispatcher's care."""

import ast
import asyncio
import re
import subprocess
import sys
from importlib import import_module
from inspect import iscoroutinefunction, signature
from pathlib import Path
from pkgutil import walk_packages
from types import SimpleNamespace

import pytest

from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.web import forms, pages
from synapse_nextgen_auth.web.kinds import AccountPage, Page
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.records import PAGES
from synapse_nextgen_auth.web.pages.samples import samples_of
from synapse_nextgen_auth.web.routes import ROOTS, ROUTES
from synapse_nextgen_auth.web.visits import Visit

FOLDER = Path(pages.__path__[0])
JOURNEYS = {
    file.parent.relative_to(FOLDER).as_posix().replace("/", ".") for file in FOLDER.rglob("page.py")
}
# What other pages and endpoints show; nobody asks for it by a path of its own.
SHOWN_BY_OTHERS = {"end_session", "message", "way_back"}
# What the dispatcher does before a page is asked, and what it needs for that.
OF_THE_DISPATCHER = {
    "greet",
    "prove",
    "with_cookie",
    "proves",
    "Cookies",
    "body",
    "Incoming",
}
HANDLERS = [
    (path, handler.find())
    for path, route in ROUTES.items()
    if isinstance(route, Page | AccountPage)
    for handler in (route.show, route.submit, getattr(route, "receive", None))
    if handler is not None
]
OF_ACCOUNTS = {
    handler.find()
    for route in ROUTES.values()
    if isinstance(route, AccountPage)
    for handler in (route.show, route.submit, route.receive)
    if handler is not None
}
# Pages for everybody that look at who is signed in, and whether they have to ask for the account.
KNOW_THEMSELVES = {
    "stage.stage": None,  # of whoever proved who they are just now; `next_of` asks
    "factor.factor": None,  # the same
    "factor.enrol": None,  # the same
    "lost_factors.ask": None,  # the same
    "lost_factors.stop": None,  # whoever has the link stops it, whoever is signed in
    "accounts.accounts": None,  # lets go on whoever is signed in; the next page asks
    "language.language": None,  # how somebody reads, which nothing depends on
    "home.home": None,  # says who it is, and lets go
    "sign_in.sign_in": None,  # asks for the account whose password it has seen
    "mailbox.sign_in": None,  # asks for the account whose code it has seen
    # Asks with the scope; who may not go on may still decline or switch.
    "consent.consent": "check_account",
    "device.grant": "admit_application",  # the same
    "legacy_login.legacy_login": "admit",  # without a scope
    # Asks for the account of the link before anything is changed.
    "set_password.set_password": "admit",
    "providers.arrive": None,  # whose account it is says a provider; `attempts` asks for it
}
FILES = sorted(path for path in FOLDER.rglob("*.py"))


def modules():
    """Import every module of the pages and return them."""
    return [
        import_module(found.name) for found in walk_packages(pages.__path__, f"{pages.__name__}.")
    ]


def is_for_a_visit(function):
    return next(iter(signature(function).parameters.values())).annotation is Visit


def looking_at(query):
    return SimpleNamespace(parameters=forms.parse(query.encode()))


def names_in(path):
    """Return what a file speaks of: names and attributes, not texts."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def file_of(module):
    return Path(import_module(module).__file__)


def records():
    """Return every record of a page that is written anywhere below the folder of the pages."""
    return {
        record
        for module in modules()
        for record in vars(module).values()
        if isinstance(record, type) and issubclass(record, PageContent)
        if "template" in vars(record)  # others are only what several have in common
    }


def test_every_record_of_a_page_is_found():
    """One that stands in another file would be compiled by the first person who comes to it."""
    assert len(PAGES) == len(set(PAGES)) > 16
    assert records() == set(PAGES)


def test_every_sample_is_of_a_page_of_its_own_folder():
    """The samples of a record are found beside it, and nowhere else."""
    for name in JOURNEYS:
        samples = import_module(f"{pages.__name__}.{name}.samples").SAMPLES

        assert {page.__module__ for page in samples} == {f"{pages.__name__}.{name}.page"}
        for page, of_it in samples.items():
            assert {type(sample) for sample in of_it.values()} == {page}
            assert samples_of(page) is of_it


def test_every_journey_has_a_path_and_every_path_a_journey():
    """A page that nobody can come to is forgotten in the table."""
    served = {
        handler.__module__.removeprefix(f"{pages.__name__}.").rpartition(".")[0]
        for _, handler in HANDLERS
    }

    assert served | SHOWN_BY_OTHERS == JOURNEYS


def test_every_handler_of_a_page_is_in_the_table():
    """What is written for a visit, and is nobody's helper, answers a path or says where to sign in."""
    written = {
        function
        for module in modules()
        for name, function in vars(module).items()
        if iscoroutinefunction(function) and function.__module__ == module.__name__
        if not name.startswith("_") and is_for_a_visit(function)
    }

    assert written - {ROUTES["/account"].onward.find()} == {handler for _, handler in HANDLERS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_c181_no_page_does_what_the_dispatcher_does(path):
    """So none can skip it, or do it twice: cookie and body of a request are out of its reach."""
    allowed = {"Incoming"} if path.name == "onward.py" else set()

    assert names_in(path) & OF_THE_DISPATCHER <= allowed


def test_c179_a_page_that_knows_who_is_signed_in_is_about_an_account():
    """Whose page it is, the dispatcher has looked at; all others say here why they may know."""
    free = {handler.__module__ for _, handler in HANDLERS if handler not in OF_ACCOUNTS}
    knowing = {name for name in free if names_in(file_of(name)) & {"user_id", "browser"}}

    assert {name.removeprefix(f"{pages.__name__}.") for name in knowing} == set(KNOW_THEMSELVES)


@pytest.mark.parametrize(
    ("name", "asks"), [(name, asks) for name, asks in KNOW_THEMSELVES.items() if asks]
)
def test_c179_a_page_that_asks_more_of_an_account_asks_it(name, asks):
    """With what the application wants; `test_csrf.py` shows that each form asks in time."""
    assert asks in names_in(file_of(f"{pages.__name__}.{name}"))


def test_c194_every_page_about_the_account_is_one_to_come_back_to():
    """Under the name that the path has, with what it is about."""
    found = {
        path: asyncio.run(route.onward(looking_at("id=PHONE"))).next_url
        for path, route in ROUTES.items()
        if isinstance(route, AccountPage) and path.startswith("/account-")
    }
    places = {f"/{place.value}" for place in Place} - {"/account"}

    assert found == {path: f"{path[1:]}?id=PHONE" for path in places}
    assert asyncio.run(ROUTES["/account"].onward(looking_at(""))).next_url == "account"


def test_a_server_that_runs_loads_no_samples():
    """They are for whoever looks at pages; no request needs them."""
    code = (
        "import sys, synapse_nextgen_auth.assembly.start\n"
        "print([name for name in sys.modules if name.endswith('samples') and 'pages' in name])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )

    assert run.stdout.strip() == "[]"


def test_no_root_lies_in_another():
    """Synapse takes the deepest one; two that overlap would depend on the order."""
    paths = [root.path for root in ROOTS]

    assert [a for a in paths for b in paths if a != b and f"{a}/".startswith(f"{b}/")] == []


# What changes nothing of the account itself: it reads, counts, or belongs to an attempt of this browser.
LOOKS = {
    ("addresses.remove", "factor_flows.may_go"),
    ("factors.email", "flows.left"),
    ("factors.email", "flows.may_go"),
    ("overview.facts", "flows.look"),
    ("ways.password", "rows.list_for"),
    ("ways.providers", "rows.list_for"),
    ("ways.ways", "rows.list_for"),
    ("factors.factors", "flows.look"),
    ("factors.apps", "own_factors.useful"),
    ("factors.apps", "flows.why_it_stays"),
    ("factors.codes", "flows.look"),
    ("addresses.remove", "rows.list_for"),
    ("addresses.email", "flows.enter"),
    # It looks at the sign-in itself.
    ("identity.reset", "approve_operation.allow_reset"),
}


def test_c179_nothing_is_done_to_an_account_by_who_was_signed_out_meanwhile():
    """A form may be long on its way: each flow of the account pages looks in its transaction."""
    found = set()
    for file in sorted((FOLDER / "account").rglob("*.py")):
        name = file.relative_to(FOLDER / "account").with_suffix("").as_posix().replace("/", ".")
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and re.search(
                r"homeserver\.(run|settle)$", ast.unparse(node.func)
            ):
                found.add((name, ast.unparse(node.args[0])))
    looked = {each for each in found if each[1].startswith("visit.as_signed_in(")}

    assert found - looked == LOOKS
    assert len(looked) >= 10


# What pages have done elsewhere, by methods of the site: each comes after a flow that looked, or is
# over as soon as it is asked for.
DONE_ELSEWHERE = {
    "deactivation.close",
    "devices.expect_to_remove",
    "devices.logged_out",
    "devices.remove",
    "devices.remove_all",
    "devices.rename",
    "devices.sign_out",
    "profiles.remove_picture",
    "profiles.set_name",
    "profiles.set_picture",
    "sign_ups.phones.confirm",
    "sign_ups.phones.send",
    "threepids.added",
    "threepids.expect_to_remove",
    "threepids.removed",
}
ONLY_LOOKS = re.compile(
    r"clients\.|homeserver\.|providers\.|places\.|people\.|mailboxes\.|rates\.|\w+\.of$|other_modules\.cards$"
    r"|devices\.(list_for|verified\.of|name_of)$|profiles\.picture$|threepids\.may_have$"
    r"|invitations\.new_of_member$|sign_in_codes\.opens$|new_passwords\.judge$|password_changes\.hash$"
)


def test_c179_what_pages_of_the_account_have_done_elsewhere_is_known():
    """Whoever adds something has to look whether who is signed out meanwhile can still do it."""
    called = {
        ast.unparse(node.func).split("site.", 1)[1]
        for file in sorted((FOLDER / "account").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and re.match(r"(visit\.)?site\.\w+\.", ast.unparse(node.func))
    }

    assert {each for each in called if not ONLY_LOOKS.match(each)} == DONE_ELSEWHERE


# What Synapse writes of an account, in a transaction of its own.
CHANGES = re.compile(r"site\.(devices\.rename|profiles\.(set_|remove_)\w+)$")


def test_c179_whose_name_or_picture_is_changed_is_signed_in_just_before():
    """The form was long on its way; the sign-in that sent it may be over."""
    looks = {}
    for file in sorted((FOLDER / "account").rglob("*.py")):
        for function in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            calls = [each for each in ast.walk(function) if isinstance(each, ast.Call)]
            looked = [
                each.lineno
                for each in calls
                if ast.unparse(each) == "visit.site.homeserver.run(visit.as_signed_in(look))"
            ]
            for each in calls:
                if found := CHANGES.search(ast.unparse(each.func)):
                    looks[found[1]] = min(looked, default=each.lineno) < each.lineno

    assert looks == dict.fromkeys(
        ("devices.rename", "profiles.set_name", "profiles.remove_picture", "profiles.set_picture"),
        True,
    )
