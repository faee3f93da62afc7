"""The reference pages say what the code says: every path, table, option, event and message."""

import ast
import re
import sqlite3
import sys
from importlib import util

import pytest

from support import bridges, sayings
from support.markdown import DOCS, ROOT, code, rows, section
from support.records import a_client
from synapse_nextgen_auth import config
from synapse_nextgen_auth.accounts.management import Action
from synapse_nextgen_auth.cli import main
from synapse_nextgen_auth.config.problems import Problems
from synapse_nextgen_auth.homeserver import metrics
from synapse_nextgen_auth.homeserver.counted import Counter, Gauge, Histogram
from synapse_nextgen_auth.homeserver.matrix import rendezvous
from synapse_nextgen_auth.homeserver.matrix.discovery import AuthIssuer, AuthMetadata
from synapse_nextgen_auth.homeserver.matrix.get_login_token import GetLoginToken
from synapse_nextgen_auth.homeserver.matrix.legacy_login import Login, SsoRedirect
from synapse_nextgen_auth.homeserver.startup.internals import NEWEST_KNOWN, OLDEST
from synapse_nextgen_auth.oauth.clients.configured import StaticClient
from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.oauth.grants.grant_types import GrantType
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.oauth.scopes.grammar import parse as parse_scope
from synapse_nextgen_auth.oauth.scopes.permissions import API, PERMISSIONS, READ, ROOM
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.web.kinds import RendezvousEndpoint
from synapse_nextgen_auth.web.routes import ROOTS, ROUTES, STATIC

SERVLETS = (
    *(AuthMetadata, AuthIssuer, GetLoginToken, Login, SsoRedirect, rendezvous.Versions),
    *(rendezvous.CreateWithEtag, rendezvous.CreateWithSequence, rendezvous.MeetWithSequence),
)
REFERENCE = DOCS / "reference"
TOPICS = DOCS / "topics"


def _cells(page, heading, column=0):
    """Return what stands in backticks in one column of the tables under a heading."""
    found = (re.findall(r"`([^`]+)`", row[column]) for row in rows(section(page, heading)))
    return [cell for cells in found for cell in cells]


def test_the_configuration_page_is_up_to_date():
    """Whoever changes an option also writes the page anew: docs/generate_configuration.py."""
    script = util.spec_from_file_location("generate", DOCS / "generate_configuration.py")
    generate = util.module_from_spec(script)
    script.loader.exec_module(generate)

    assert generate.PAGE.read_text("utf-8") == generate.page()


def test_every_path_is_on_the_endpoints_page():
    """The tables name the paths of web/routes.py with their methods, and no others."""
    listed = {
        row[0].strip("`"): set(row[1].split(", "))
        for row in rows(section(REFERENCE / "endpoints.md", "Below the issuer"))
    }

    assert listed.pop(f"{STATIC}…") == {"GET"}
    assert listed == {path: set(route.methods) for path, route in ROUTES.items()}


def test_the_paths_at_the_root_are_on_the_endpoints_page():
    """What we serve at the root of the host is all there, with its methods."""
    listed = {
        row[0].strip("`"): set(row[1].split(", "))
        for row in rows(section(REFERENCE / "endpoints.md", "At the root of the host"))
    }
    served = {
        root.path
        + (f"{path}<id>" if isinstance(route, RendezvousEndpoint) else path.rstrip("/")): (
            set(route.methods)
        )
        for root in ROOTS
        if root.path != PREFIX
        for path, route in root.routes.items()
    }

    assert listed == served


def test_the_matrix_endpoints_are_on_the_endpoints_page():
    """Each pattern of our own is named, and each name is a path that we serve."""
    table = section(REFERENCE / "endpoints.md", "Matrix")
    listed = [row[0].strip("`") for row in rows(table)]
    own = [pattern for servlet in SERVLETS for pattern in vars(servlet).get("PATTERNS", ())]
    served = [pattern for servlet in SERVLETS for pattern in servlet.PATTERNS]

    assert own
    assert [pattern for pattern in own if not any(map(pattern.match, listed))] == []
    assert [path for path in listed if not any(one.match(path) for one in served)] == []


@pytest.fixture(scope="module")
def tables():
    """Return the columns of each table that the schema makes."""
    connection = sqlite3.connect(":memory:")
    cursor = connection.cursor()
    migrations.apply(cursor, migrations.known(), now=0)
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = [name for (name,) in cursor.fetchall() if name.startswith("nextgen_")]
    return {
        name: [row[1] for row in cursor.execute(f"PRAGMA table_info({name})").fetchall()]
        for name in names
    }


def test_every_table_is_on_the_database_page(tables):
    """Each table has a heading, and each heading is a table."""
    page = (REFERENCE / "database.md").read_text()

    assert sorted(re.findall(r"^## `(nextgen_\w+)`$", page, re.MULTILINE)) == sorted(tables)


def test_every_column_is_on_the_database_page(tables):
    """The columns stand there in the order of the table."""
    page = REFERENCE / "database.md"
    listed = {name: _cells(page, f"`{name}`") for name in tables}

    assert listed == tables


def test_every_option_of_the_command_is_on_its_page():
    """The page names the commands and options that there are, and no others."""
    page = REFERENCE / "cli.md"
    parser = main._parser()
    commands = next(action for action in parser._actions if action.dest == "command").choices
    options = {
        option
        for each in (parser, *_parsers(commands))
        for action in each._actions
        for option in action.option_strings
    }
    named = {text.split()[0] for text in code(page) if text.startswith("-")}

    assert named == options
    for command in commands:
        assert section(page, command)


def _parsers(commands):
    """Yield the parsers of commands, and those below them."""
    for parser in commands.values():
        yield parser
        for action in parser._actions:
            if action.dest in {"act", "action"}:
                yield from _parsers(action.choices)


def _texts(tree):
    """Return the texts in a module; those of an f-string have a mark where a value goes in."""
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            parts = [part.value if isinstance(part, ast.Constant) else "\0" for part in node.values]
            yield "".join(parts)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            yield re.sub(r"%[sdr]", "\0", node.value)


SOURCES = [
    ast.parse(path.read_text("utf-8")) for path in (ROOT / "synapse_nextgen_auth").rglob("*.py")
]
TEXTS = [text for tree in SOURCES for text in _texts(tree)]
# Of Python, not ours.
FOREIGN = {"No module named 'synapse_nextgen_auth'"}


def _first_column(page):
    found = (re.findall(r"`([^`]+)`", row[0]) for row in rows(page.read_text("utf-8")))
    return [cell for cells in found for cell in cells]


def _quoted(page, heading):
    found = (re.findall(r'"([^"]+)"', row[0]) for row in rows(section(page, heading)))
    return [text for texts in found for text in texts]


TEMPLATES = [page.read_text("utf-8") for page in (ROOT / "templates").rglob("*.html")]


def _messages(page, *headings):
    return [text for heading in headings for text in _cells(page, heading)]


ERRORS = REFERENCE / "errors.md"
MESSAGES = [
    *_messages(ERRORS, "Settings", "Tables", "Installation", "The command", "While it runs"),
    *_messages(ERRORS, "Commands to the running server", "Of templates check"),
    *_messages(ERRORS, "What clients are told", "Reasons in the log"),
    *_messages(REFERENCE / "events-and-logs.md", "The log"),
]


@pytest.mark.parametrize("message", [text for text in MESSAGES if text not in FOREIGN])
def test_every_message_on_the_pages_is_in_the_code(message):
    """An operator who searches for a message finds it spelled as the code spells it."""
    pieces = [piece for piece in message.split("…") if piece.strip()]
    sayings = [text for text in TEXTS if pieces[0] in text]

    assert sayings
    for piece in pieces[1:]:
        assert any(piece in text for text in TEXTS), piece


def _pattern(text):
    return ".*".join(map(re.escape, " ".join(text.split()).split("…")))


# What the page says: in the first column of a table, and in the sentences between.
EXPLAINED = {" ".join(text.split()) for text in (*_first_column(ERRORS), *code(ERRORS))}
PATTERNS = [re.compile(_pattern(known)) for known in EXPLAINED]


def _is_explained(said):
    """Say whether a message is on the page, or is a part of one that is there."""
    said = " ".join(said.removesuffix("\n…").split())
    part = re.compile(_pattern(said))
    return any(pattern.fullmatch(said) for pattern in PATTERNS) or any(map(part.search, EXPLAINED))


# Not a complaint, a part of a log line, and what only a mistake of ours could show.
NO_MESSAGES = {
    "OK: the tables are there, and empty if they were not there before.",
    "all networks together",
    "No row found",  # Synapse's own words, for itself
    "Event not found.",  # the same, for everybody
    "Expected logging context … but found …",  # the same
    "Error in configuration",  # the same, how its refusals begin
    "client_redirect_url =",
    "localpart has characters that no database keeps",
    "the provider does not say who this is",
    "device_grants.burst or the share of a network",
    "the share of a network",
    "the share of a network or an address",
    "there is no … key to sign with",
    "register a new account",
    "use an immutable default",
    "with a password (…)",
    "… is no option: declare it with `option` or `section`",
}


# Why a grant type would hand out too much: whoever writes one reads it, at the import.
FOR_PROGRAMMERS = {
    "Nobody signs up here",  # to the script of our own page
    "a stranger could register a client and let itself in; nobody is asked",
    "clients that say nothing may not have it",
    "who of the two is asked?",
    "its client can ask anew at any time: a refresh token is of no use (RFC 6749 4.4.3)",
}


@pytest.mark.parametrize(
    "said", sorted(sayings.for_operators() | sayings.for_clients() | sayings.for_the_log())
)
def test_every_message_of_the_code_is_on_the_page(said):
    """Whoever adds a message adds a row to docs/reference/errors.md, with what to do."""
    assert said in NO_MESSAGES | FOR_PROGRAMMERS or _is_explained(said)


def test_what_is_no_message_is_still_there():
    """An exception that nobody needs any more is taken off."""
    assert sayings.for_operators() >= NO_MESSAGES
    assert sayings.for_clients() >= FOR_PROGRAMMERS


def test_the_headings_of_the_pages_are_explained():
    """Each page that says why something does not go on has its row, and each row its page."""
    listed = _quoted(ERRORS, "What people see")
    others = {
        "There were too many attempts.",
        "This sign-in does not count",
        "You are not signed in",
        "You are not signed in here",
        "You were not signed in",
        "No new accounts here",
        "This link does not work any more",
        "This link was used before",
    }

    assert set(listed) - others == sayings.headings()
    for heading in others:
        assert [page for page in TEMPLATES if heading in page], heading


@pytest.mark.parametrize(
    "message", ["There is no message like this", "it must be a bird", "… must be a … of birds"]
)
def test_a_message_that_is_not_on_the_page_is_missed(message):
    """The comparison can fail."""
    assert not _is_explained(message)


_NO_PROOF = {"client_id": "a", "redirect_uris": ["https://a.example/cb"]}
_SECRET = _NO_PROOF | {"client_secret": "a secret of enough letters"}
_SERVICE = _SECRET | {"grant_types": ["client_credentials"]}
_CALENDAR = {"resource": "https://a.example/", "name": "x", "scopes": {"calendar": "x"}}
MISTAKES = (
    {"token": {}},
    {"xyz": 1},
    {"tokens": {"code_lifetime": 60, "access_token_lifetime": "0s", "refresh_grace": "101y"}},
    {"client_registration": {"enabled": "yes", "per_second": 0, "burst": 1.5}},
    {"clients": {"client_id": "a"}},
    {"consent": True},
    {"languages": {"default": False}},
    {"secret": 123, "secret_path": "/nowhere"},
    {"secret": "short"},
    {"secret": "s" * 32, "secret_path": "/nowhere"},
    {"clients": [_NO_PROOF | {"client_id": "b c"}]},
    {"clients": [_NO_PROOF | {"uri": "", "url": ""}]},
    {
        "clients": [_NO_PROOF | {"grant_types": ["urn:ietf:params:oauth:grant-type:device_code"]}],
        "device_grants": {"enabled": False},
    },
    {"clients": [_NO_PROOF | {"uri": ""}]},
    {"clients": [_NO_PROOF, _NO_PROOF]},
    {"clients": [_NO_PROOF | {"grant_types": ["authorization_code", "refresh-token"]}]},
    {"authorization": {"burst": "many"}},
    {"client_registration": {"public_hosts": ["*.internal", "localhost", "0.0.0.0/1"]}},
    {"client_registration": {"public_hosts": ["10.0.0.1/8", "kr\u00e4h.test", "stra\u00dfe.test"]}},
    {"device_grants": {"interval": "30m"}},
    {"passwords": {"argon2_memory": 15, "argon2_parallelism": 2}},
    {"captcha": {"kind": "turnstile"}},
    {"captcha": {"secret": "s" * 32, "secret_path": "/nowhere"}},
    {"passwords": {"breached_service": "http://hashes.example/range/"}},
    {"passwords": {"breached_service": "https://user@hashes.example/range/"}},
    {"clients": [_NO_PROOF | {"redirect_uris": "https://a.example/cb"}]},
    {"clients": [_NO_PROOF | {"client_secret": "short"}]},
    {"clients": [_SECRET | {"client_secret_path": "/nowhere"}]},
    {"clients": [_NO_PROOF | {"token_endpoint_auth_method": "client_secret_post"}]},
    {"clients": [_SECRET | {"token_endpoint_auth_method": "none"}]},
    {"clients": [_NO_PROOF], "pkce_exempt": ["a"]},
    {"pkce_exempt": ["missing"]},
    {"pkce_exempt": [""]},
    {"secret_path": "{not_text}"},
    {"clients": ["grafana"]},
    {"clients": [_SERVICE]},
    {"clients": [_SERVICE | {"service_account": "@a"}]},
    {"clients": [_SERVICE | {"service_account": "a"}]},
    {"clients": [_SERVICE | {"service_account": "a", "scope": "openid x"}]},
    {"clients": [_SERVICE | {"application_service": "a"}]},
    {"clients": [bridges.client("a", application_service=7)]},
    {"clients": [bridges.client("a", refuse_as_token="yes")]},
    {"clients": [bridges.client("a", scope="x")]},
    {"clients": [_SERVICE | {"refuse_as_token": True}]},
    {"clients": [_SECRET | {"service_account": "a"}]},
    {"clients": [_NO_PROOF | {"client_secret": 17}]},
    {"clients": [_SECRET | {"client_secret": "é" * 40}]},
    {"factors": {"accounts": ["anna", {}, {"rule": "off"}, {"rule": "required"}]}},
    {"factors": {"accounts": [{"rule": "required", "users": ["@anna"], "matching": "("}]}},
    {"factors": {"providers": ["keycloak"]}},
    {"step_up": {"requests": ["admin_api", {"path": "/metrics", "max_age": "5m"}]}},
    {"step_up": {"requests": [{"path": "admin_api"}, {"path": "admin_api", "factors": 1}]}},
    {"step_up": {"requests": [{"path": "/_matrix/a", "methods": ["get"], "max_age": "5s"}]}},
    {"factors": {"providers": {5: ["mfa"], "keycloak": []}}},
    {"resource_servers": ["calendar"]},
    {"resource_servers": [_CALENDAR | {"resource": "/x", "name": {}, "scopes": {}}]},
    {"resource_servers": [_CALENDAR | {"resource": "https://a.example/#b", "name": {"a b": "x"}}]},
    {"resource_servers": [_CALENDAR | {"resource": "https://a@b.example/", "name": "x" * 400}]},
    {"resource_servers": [_CALENDAR | {"scopes": {f"w {n}": "x" for n in range(25)}}]},
    {"resource_servers": [_CALENDAR | {"token_format": "opaque"}]},
    {"resource_servers": [_CALENDAR | {"client_id": "calendar"}]},
    {"resource_servers": [_CALENDAR, _CALENDAR]},
    {"resource_servers": [_CALENDAR, _CALENDAR | {"resource": "https://A.example"}]},
    {"resource_servers": [_CALENDAR | {"resource": "javascript:x"}]},
    {"resource_servers": [_CALENDAR | {"resource": "http://a.example.com"}]},
    {"clients": [_SERVICE | {"service_account": "a", "scope": "x"}]},
    {"clients": [_SECRET | {"resource": "urn:a"}]},
    {"clients": [_SECRET | {"resource": 5}]},
    {"personal_tokens": {"scopes": [], "scopes_of_admins": "read"}},
    {"personal_tokens": {"scopes": ["read", "x", "urn:mas:admin"]}},
    {"personal_tokens": {"scopes_of_admins": ["urn:synapse:admin:*"]}},
    {"branding": {"name": {"en": "x", "EN": "y", "pt_BR": "z"}}},
    {"branding": {"name": {}, "accent": None, "background": {}, "links": [], "welcome": "Hello"}},
    {"branding": {"name": "x" * 61, "accent": "blue", "links": {"support": "a@example.com"}}},
    {"branding": {"accent": {"light": 5}, "links": {"help": 1, "terms": 7}}},
    {"branding": {"welcome": {"sign_in": "x" * 1001, "sign_up": "a\tb", "home": ""}}},
)


def _complaints():
    for options in MISTAKES:
        if options.get("secret_path") == "{not_text}":
            options = {"secret_path": sys.executable}  # noqa: PLW2901 - a file that is no text
        with pytest.raises(config.ConfigProblems) as problems:
            config.read(options)
        yield from (text for _, text in problems.value.problems)
    # No grant type of ours asks nobody; whoever adds one gets this check with it.
    found = Problems()
    client = StaticClient(a_client(grant_types=("made up",)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "GRANT_TYPES", (GrantType(name="made up"),))
        config._check_clients(found, config.Config(clients=(client,)))
    yield from (text for _, text in found.found)


COMPLAINTS = tuple(_complaints())


@pytest.mark.parametrize("message", _messages(REFERENCE / "errors.md", "Options of the module"))
def test_every_complaint_on_the_page_is_made(message):
    """What the page says of a mistake in the options is what the operator reads."""
    pattern = re.escape(message).replace("…", ".*")

    assert any(re.fullmatch(pattern, said) for said in COMPLAINTS)


def test_every_complaint_is_on_the_page():
    """A mistake that an operator makes is explained."""
    explained = _messages(REFERENCE / "errors.md", "Options of the module")
    patterns = [re.escape(message).replace("…", ".*") for message in explained]

    for said in COMPLAINTS:
        assert any(re.fullmatch(pattern, said) for pattern in patterns), said


def _logged():
    """Return the message of every call of a logger."""
    for tree in SOURCES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id == "logger":
                    yield re.sub(r"%[sdr]", "…", node.args[0].value)


def test_every_log_line_is_on_the_pages():
    """Nothing is logged that the pages do not explain."""
    explained = _messages(REFERENCE / "errors.md", "While it runs")
    explained += _messages(REFERENCE / "events-and-logs.md", "The log")
    unexplained = {
        line for line in _logged() if not any(line.startswith(known) for known in explained)
    }

    assert unexplained == set()


def test_every_kind_of_event_is_explained():
    """The table of events names the kinds that are written."""
    listed = _cells(REFERENCE / "events-and-logs.md", "Events")

    assert sorted(listed) == sorted(kind.value for kind in EventKind)


def test_every_metric_is_explained():
    """The table of metrics names those that there are, with their kind and labels."""
    ours = [one for one in vars(metrics).values() if isinstance(one, Counter | Gauge | Histogram)]
    expected = {one.name: (one.kind, sorted(set(one.labels) - {"server_name"})) for one in ours}
    listed = {
        row[0].strip("`"): (row[1], re.findall(r"`([^`]+)`", row[2]))
        for row in rows(section(REFERENCE / "events-and-logs.md", "Metrics"))
    }

    assert listed == expected


def test_every_end_of_a_session_is_explained():
    """Why a session may be over stands on the page about tokens, as the database spells it."""
    listed = _cells(TOPICS / "tokens.md", "What ends a session", column=1)

    assert sorted(listed) == sorted(end.value for end in End)


def test_the_actions_of_the_account_page_are_explained():
    """The page about the pages names the actions that the metadata announces."""
    listed = _cells(TOPICS / "account-pages.md", "Links from a client")

    assert listed == [action.value for action in Action]


@pytest.mark.parametrize("scope", _cells(TOPICS / "scopes-and-admin.md", "The scopes"))
def test_the_scopes_on_the_page_are_known(scope):
    """A scope that the page names is understood, beside those that it needs."""
    is_room = scope == f"{ROOM}<id>"
    named = scope.replace("<id>", "!a:example.com" if is_room else "DOCUMENTED")
    # A room is for parts of the API alone.
    needed = f"{READ if is_room else API} urn:matrix:client:device:DOCUMENTED"

    assert named in parse_scope(f"{named} {needed}").tokens


def test_every_scope_is_on_the_page():
    """The table names what the one in the code has, and nothing else."""
    listed = [
        scope.removesuffix("<id>") for scope in _cells(TOPICS / "scopes-and-admin.md", "The scopes")
    ]

    assert sorted(listed) == sorted(permission.scope for permission in PERMISSIONS)


def test_the_supported_synapse_is_the_one_that_is_declared():
    """The pages, the check at the start and the tests name the same releases."""
    oldest, newest = (f"{major}.{minor}" for major, minor in (OLDEST, NEWEST_KNOWN))
    pages = {
        ROOT / "README.md": f"{oldest} to {newest}",
        DOCS / "setup" / "installation.md": f"{oldest} to {newest}",
        DOCS / "development" / "supported-synapse.md": f"{oldest} to {newest}",
    }
    tested = re.findall(r"matrix-synapse==(\S+)\n", (ROOT / "tox.ini").read_text())
    page = (DOCS / "development" / "supported-synapse.md").read_text()

    assert {page.name: words in page.read_text() for page, words in pages.items()} == {
        page.name: True for page in pages
    }
    assert tested[0] == f"{oldest}.0"
    assert [version for version in tested if f"`{version}`" not in page] == []
