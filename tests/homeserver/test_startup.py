"""What must be right before the module starts, and what the operator is told when it is not."""

import ast
import base64
import importlib
import io
import re
import subprocess
import sys
from functools import partial
from textwrap import indent
from unittest import mock

import pytest
import yaml
from synapse.config._base import ConfigError, read_config_files
from synapse.config.homeserver import HomeServerConfig
from synapse.util import SYNAPSE_VERSION

from support import bridges
from support.brand import LOGO
from support.oauth import Server
from support.synapse import sqlite_homeserver
from synapse_nextgen_auth import NextGenAuth
from synapse_nextgen_auth import config as configuration
from synapse_nextgen_auth.cli.synapse_process import MAIN, WORKER, SynapseStoppedError
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.matrix import discovery
from synapse_nextgen_auth.homeserver.startup import internals, read_later, selfcheck
from synapse_nextgen_auth.homeserver.startup import settings as startup_settings
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.web.kinds import Endpoint
from synapse_nextgen_auth.web.later import Wanted
from synapse_nextgen_auth.web.routes import ROUTES

PACKAGE = "synapse_nextgen_auth.homeserver"
DELEGATED = {
    "enabled": True,
    "endpoint": "http://localhost:1/",
    "secret": "a-secret-of-that-service",
}


@pytest.fixture
def settings(tmp_path):
    """Return the settings of a homeserver that could start."""
    key = base64.b64encode(b"k" * 32).rstrip(b"=").decode()
    return sqlite_homeserver(tmp_path).settings() | {"signing_key": f"ed25519 a_test {key}"}


def problems(settings, directory, config=None):
    """Return what the module would say about a homeserver.yaml."""
    file = directory / "homeserver.yaml"
    file.write_text(yaml.safe_dump({name: v for name, v in settings.items() if v is not None}))
    hs_config = HomeServerConfig.load_config("test", ["-c", str(file)])
    return selfcheck.config_problems(hs_config, config or Config())


@pytest.mark.parametrize(
    "resource",
    [
        "https://matrix.example.com/_synapse/client/auth/",
        "https://Matrix.Example.com:443/_synapse/client/auth/",
    ],
)
def test_c387_no_service_stands_for_this_server(settings, tmp_path, resource):
    """Its tokens would say that they are for us, and nobody could ask for them."""
    service = {"resource": resource, "name": "Calendar", "scopes": {"calendar": "See"}}
    config = configuration.read({"resource_servers": [service]})
    (said,) = problems(
        settings | {"public_baseurl": "https://matrix.example.com/"}, tmp_path, config
    )

    assert said.endswith(f"resource_servers[0].resource is {resource}, the issuer of this server")


@pytest.mark.parametrize(
    "url",
    [
        "https://matrix.example.com/",
        "https://matrix.example.com",
        "https://example.com/behind/a/path/",
        "https://example.com:8448/",
        "http://localhost:8008/",
        "http://127.0.0.1/",
        "http://[::1]:8008/",
    ],
)
def test_c010_addresses_that_will_do(settings, tmp_path, url):
    assert problems(settings | {"public_baseurl": url}, tmp_path) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "public_baseurl is not set. Set it to the address"),
        ("http://matrix.example.com/", "must begin with https://"),
        ("http://localhost.example.com/", "must begin with https://"),
        ("http://10.0.0.1/", "must begin with https://"),
        ("http://0.0.0.0:8008/", "must begin with https://"),
        ("https://me@matrix.example.com/", "must have no user, query or fragment"),
        ("https://me:hunter2@matrix.example.com/", "must have no user, query or fragment"),
    ],
)
def test_c010_addresses_that_will_not_do(settings, tmp_path, url, words):
    """Each is told what to set; a password in the address is not repeated."""
    (problem,) = problems(settings | {"public_baseurl": url}, tmp_path)

    assert words in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("factors", "modules", "is_fine"),
    [
        ({}, [], False),
        ({"policy": "optional"}, [], True),
        ({"admins": "required"}, [], True),
        # Who needs a factor another module may say, once it is there.
        ({}, [{"module": "support.rulers.Ruler"}], True),
    ],
)
def test_nobody_is_asked_for_two_factors_that_nobody_has(
    settings, tmp_path, factors, modules, is_fine
):
    """What is protected so would be closed for good."""
    ours = {"module": "synapse_nextgen_auth.NextGenAuth"}
    requests = [{"path": "admin_api", "max_age": "1h"}, {"path": "admin_api", "factors": 2}]
    options = {"factors": factors, "step_up": {"requests": requests}}
    found = problems(
        settings | {"modules": [{**ours, "config": options}, *modules]},
        tmp_path,
        configuration.read(options),
    )

    assert len(found) == (not is_fine)
    assert all("admin_api takes two factors, and nobody has two" in problem for problem in found)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"users": ["anna", "@ben:localhost", "@CARLA:LOCALHOST"]}, None),
        ({"users": ["@anna:other.example"]}, "[1].users names @anna:other.example, which is no"),
        ({"matching": "anna"}, "[1].matching fits nobody: a Matrix id begins with @"),
        ({"matching": r"^\w+-ext:localhost"}, None),
        ({"matching": r"ext-.*:localhost$"}, "[1].matching fits nobody: a Matrix id begins"),
        ({"matching": r"@.*:other\.example"}, "[1].matching fits nobody: the server that it names"),
        ({"matching": r"@.*:local"}, "[1].matching fits nobody: the server that it names"),
        ({"matching": r"@.*-ext:localhost"}, None),
        ({"matching": r"@.*:localhost$"}, None),
        ({"matching": r"@.*:other\.example|@anna:localhost"}, None),
        ({"matching": r"(?i)anna|@ben.*"}, None),
        ({"matching": r".*anna.*"}, None),
        ({"matching": r"[@]anna:.*"}, None),
    ],
)
def test_a_rule_about_nobody_here_is_a_mistake(settings, tmp_path, rule, words):
    """Whoever was meant would need no second factor, and nobody would hear of it."""
    module = "synapse_nextgen_auth.NextGenAuth"
    entries = [{"users": ["someone"], "rule": "optional"}, {**rule, "rule": "required"}]
    options = {"factors": {"accounts": entries}}
    found = problems(
        settings | {"modules": [{"module": module, "config": options}]},
        tmp_path,
        configuration.read(options),
    )

    assert len(found) == (words is not None)
    assert all("factors.accounts" in problem and words in problem for problem in found)


@pytest.mark.parametrize(
    ("name", "in_memory"),
    [
        (":memory:", True),
        ("", True),
        (None, True),
        ("file::memory:?cache=shared", True),
        ("file:homeserver?mode=memory&cache=shared", True),
        ("/data/homeserver.db", False),
        ("file:/data/homeserver.db?mode=rw", False),
    ],
)
def test_a_database_in_memory_is_refused(settings, tmp_path, name, in_memory):
    """Our tables would be in another one than Synapse's, and every registration and login a 500."""
    database = {"name": "sqlite3", "args": {"database": name}}

    found = problems(settings | {"database": database}, tmp_path)

    assert len(found) == in_memory
    assert all(problem.startswith("database.args.database names an SQLite") for problem in found)


def test_the_old_spelling_of_a_database_in_memory_is_refused(settings, tmp_path):
    """`database_path`, which Synapse still reads."""
    old = {name: value for name, value in settings.items() if name != "database"}

    assert len(problems(old | {"database_path": ":memory:"}, tmp_path)) == 1


def test_a_package_that_went_away_is_told_before_anybody_needs_it(settings, tmp_path, monkeypatch):
    """It is imported at first use; a start without it would be found out about by people."""
    monkeypatch.setitem(selfcheck.LATER, "not_there_at_all", "not-there")

    assert [each for each in problems(settings, tmp_path) if "package" in each] == [
        "The package not-there is not installed."
        " Install synapse_nextgen_auth again, with what it needs."
    ]


OPTION = re.compile(r"\bconfig((?:\.[a-z]\w*){1,2})")


def read_by_late_parts():
    """Return which of Synapse's options the late files of `homeserver/` read as their parts are made."""
    for name in internals.needs_of_late():
        source = internals.FOLDER.joinpath(*name.split(".")).with_suffix(".py")
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                for found in OPTION.findall(ast.unparse(node).replace("self._config", "")):
                    yield found.removeprefix(".")


def test_options_that_are_read_later_are_looked_for_at_the_start():
    """A part that is made by the first who needs it would be made for nobody."""
    ours = {"notices"}  # an option of this module
    found = set(read_by_late_parts()) - ours

    assert found <= {*read_later.OPTIONS, *read_later.OF_MEDIA, "email"}
    assert len(found) > 15


@pytest.mark.parametrize("name", ["ratelimiting.rc_login_address", "media.max_image_pixels"])
def test_a_synapse_that_keeps_an_option_elsewhere_is_refused(settings, tmp_path, monkeypatch, name):
    monkeypatch.setattr(read_later, "OPTIONS", (*read_later.OPTIONS, f"{name}_of_old"))

    assert problems(settings, tmp_path) == [
        f"config.{name}_of_old is missing in Synapse {SYNAPSE_VERSION}, which this release does not"
        " know yet. Install a release of synapse-nextgen-auth made for it."
    ]


def test_who_has_no_media_repository_has_none_of_its_options(settings, tmp_path):
    assert problems(settings | {"enable_media_repo": False}, tmp_path) == []


def test_options_beside_the_module_line_are_refused(settings, tmp_path):
    """Synapse would ignore them in silence, and a server that is to be off would be on."""
    line = {"module": "synapse_nextgen_auth.NextGenAuth", "enabled": False, "comment": "ours"}

    (problem,) = problems(settings | {"modules": [line]}, tmp_path)

    assert problem.startswith("modules[0].enabled stands beside module: and is ignored there.")


def test_sign_in_that_is_delegated_elsewhere(settings, tmp_path):
    (problem,) = problems(settings | {"matrix_authentication_service": DELEGATED}, tmp_path)

    assert problem.startswith("matrix_authentication_service is enabled")


def test_sign_in_that_is_delegated_the_old_way(settings, tmp_path):
    """Old releases have an experiment for it, which we refuse; new ones refuse it themselves."""
    delegated = {
        "enabled": True,
        "issuer": "https://issuer.example.com/",
        "client_id": "synapse",
        "client_auth_method": "client_secret_basic",
        "client_secret": DELEGATED["secret"],
        "admin_token": "a-token",
    }
    old = {"experimental_features": {"msc3861": delegated}, "enable_3pid_changes": False}

    try:
        found = problems(settings | old, tmp_path)
    except ConfigError as by_synapse:
        found = ["{}.{} is enabled".format("experimental_features", by_synapse.path[1])]

    assert [problem.partition(" is enabled")[0] for problem in found] == [
        "experimental_features.msc3861"
    ]


def test_c343_a_short_key_is_no_key(settings, tmp_path):
    """Tokens hang on `macaroon_secret_key`, unless the module has a secret of its own."""
    short = settings | {"macaroon_secret_key": "too-short-a-key"}

    (problem,) = problems(short, tmp_path)

    assert problem.startswith("macaroon_secret_key is shorter than 32 bytes")
    assert "too-short-a-key" not in problem
    assert problems(short, tmp_path, Config(secret=Secret("s" * 32))) == []


@pytest.mark.parametrize(
    ("synapses", "options", "words"),
    [
        (
            {},
            {"sessions": {"idle_lifetime": "40s"}},
            ("sessions.idle_lifetime is 40s", "304s", "5m", "every 4s"),
        ),
        (
            {},
            {"sessions": {"idle_lifetime": "332s"}},
            ("332s", "333s", "every 33s", "334s would do"),
        ),
        ({}, {"sessions": {"idle_lifetime": "333s"}}, ()),
        ({}, {"sessions": {"idle_lifetime_without_device": "5m"}}, ("device is 5m", "330s")),
        ({}, {"sessions": {"idle_lifetime_without_device": "334s"}}, ()),
        ({}, {"sessions": {"idle_lifetime_without_device": "6m"}}, ()),
        ({"refresh_token_lifetime": "200s"}, {}, ("refresh_token_lifetime is 200s", "320s")),
        (
            {"refresh_token_lifetime": "200s"},
            {"tokens": {"access_token_lifetime": "60s"}, "sessions": {"idle_lifetime": "1h"}},
            (),
        ),
        (
            {"refreshable_access_token_lifetime": "1h"},
            {"sessions": {"idle_lifetime": "1h"}},
            ("is 1h", "for 65m", "at least 65m would do."),
        ),
        # Nobody has to know of an option that was not set.
        ({}, {"tokens": {"access_token_lifetime": "60d"}}, ()),
    ],
)
def test_an_idle_limit_that_would_end_sessions_in_use(settings, tmp_path, synapses, options, words):
    """It must be longer than an access token works and the next use is written; numbers in force."""
    found = problems(settings | synapses, tmp_path, configuration.read(options))

    assert len(found) == bool(words), found
    assert all(word in found[0] for word in words)
    if found:
        name = found[0].partition(" is ")[0]
        assert f"or raise {name}: at least" in found[0]


def test_every_idle_limit_that_is_too_short_is_named(settings, tmp_path):
    """Raising one would bring up the next one otherwise."""
    short = {"idle_lifetime": "310s", "idle_lifetime_without_device": "5m"}
    synapses = settings | {"refresh_token_lifetime": "40s"}

    found = problems(synapses, tmp_path, configuration.read({"sessions": short}))

    assert [problem.partition(" is ")[0] for problem in found] == [
        "modules[0].config.sessions.idle_lifetime",
        "refresh_token_lifetime",
        "modules[0].config.sessions.idle_lifetime_without_device",
    ]


PROVIDERS = {
    "oidc_providers": [
        {"idp_id": each, "idp_name": each, "issuer": "https://idp.example.com/", "client_id": "a"}
        for each in ("silent", "loud")
    ],
    "cas_config": {"enabled": True, "server_url": "https://cas.example.com/"},
}


@pytest.mark.parametrize(
    ("trusted", "words"),
    [
        (["silent", "oidc-loud", "cas"], []),
        (["sillent"], ["names sillent, and no provider has that idp_id; did you mean silent?"]),
        (["saml"], ["names saml, and no provider has that idp_id. There are: cas, silent, loud"]),
        (["one", "two"], ["names one,", "names two,"]),
    ],
)
def test_a_trusted_provider_that_nobody_configured(settings, tmp_path, trusted, words):
    """A slip of the pen would leave people without a way to confirm that it is them."""
    options = configuration.read({"providers": {"trusted_to_be_fresh": trusted}})
    found = problems(settings | PROVIDERS, tmp_path, options)

    assert len(found) == len(words), found
    for problem, each in zip(found, words, strict=True):
        assert problem.startswith("modules[0].config.providers.trusted_to_be_fresh names ")
        assert each in problem


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("keyed", None),
        (
            "kyed",
            "is kyed, and no file of app_service_config_files has that id; did you mean keyed?",
        ),
        ("irc", "is irc, and no file of app_service_config_files has that id. There are: keyed"),
    ],
)
def test_an_application_service_that_nobody_registered(settings, tmp_path, name, words):
    """A slip of the pen would leave a bridge without a token; what is no registration is no matter."""
    registration, broken = tmp_path / "keyed.yaml", tmp_path / "broken.yaml"
    registration.write_text(yaml.safe_dump(bridges.KEYED))
    broken.write_text(": [")
    files = [str(registration), str(broken), str(tmp_path / "missing.yaml")]
    options = configuration.read({"clients": [bridges.client("a", application_service=name)]})
    found = problems(settings | {"app_service_config_files": files}, tmp_path, options)

    assert found == ([f"modules[0].config.clients[0].application_service {words}"] if words else [])


def test_all_that_is_wrong_with_the_homeserver_is_said_at_once(settings, tmp_path):
    broken = {
        "public_baseurl": "http://matrix.example.com/",
        "matrix_authentication_service": DELEGATED,
        "macaroon_secret_key": "short",
    }

    found = problems(settings | broken, tmp_path)

    assert len(found) == 3
    assert DELEGATED["secret"] not in "".join(found)


def test_this_synapse_has_all_that_we_rely_on():
    """Also of what it loads only where the configuration asks for it."""
    for file in internals.files():
        for needed in internals.needs_of(importlib.import_module(f"{PACKAGE}.{file}")):
            importlib.import_module(needed.once_loaded or needed.module)

    assert internals.problems() == []


def test_what_is_not_configured_is_not_loaded():
    """Whoever has no SAML or OpenID Connect waits for neither at each start, nor keeps it in memory."""
    look = f"""
import sys
import synapse.config.homeserver  # older ones load Authlib in any case

loaded = set(sys.modules)
from {PACKAGE}.startup import internals

assert internals.problems() == []
ours = set(sys.modules) - loaded
print({{"saml2", "authlib", "email_validator", "maxminddb"}} & ours)
"""

    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", look], check=True, capture_output=True, text=True
    )

    assert said.stdout == "set()\n"


# What a start imports of ours, with a little room: one more than this is a page that somebody imports
# before anybody asked for it, or something large that deserves a thought (12 KB each, in every process).
AT_MOST = 251
# What of others we load at a start beyond what Synapse has; each took less than 300 KB.
LIGHT = {"cryptography", "jinja2", "pkgutil"}


def test_a_start_imports_little():
    """No page, no library that only some requests need, and no more files than it takes."""
    look = """
import sys
import synapse.app.generic_worker, synapse.app.homeserver, synapse.config.oidc

loaded = set(sys.modules)
import synapse_nextgen_auth.module, synapse_nextgen_auth.assembly.start
from synapse_nextgen_auth.homeserver.startup import internals

assert internals.problems() == []
print(*sorted(set(sys.modules) - loaded))
"""

    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", look], check=True, capture_output=True, text=True
    )
    loaded = said.stdout.split()
    ours = {name for name in loaded if name.partition(".")[0] == "synapse_nextgen_auth"}
    waiting = {each.file for each in served() if isinstance(each, Wanted)}

    assert {name for name in loaded if name.endswith(tuple(waiting))} == set()
    assert {name.partition(".")[0] for name in set(loaded) - ours} <= LIGHT
    assert 200 < len(ours) <= AT_MOST


def served():
    """Return what the table of paths has answer requests."""
    for route in ROUTES.values():
        yield from getattr(route, "methods", {}).values() if isinstance(route, Endpoint) else ()
        yield from (getattr(route, name, None) for name in ("show", "submit", "receive", "serve"))


@pytest.mark.parametrize(("loaded", "is_told"), [("json", True), ("nobody.loaded.this", False)])
def test_what_is_configured_is_looked_at(loaded, is_told):
    """By what reading the configuration leaves behind."""
    needed = Needed("synapse.handlers.saml", "SamlHandler.gone", once_loaded=loaded)

    assert (needed.problem() is not None) == is_told


@pytest.mark.parametrize(
    ("needed", "words"),
    [
        (Needed("synapse.handlers.gone", "Anything"), "synapse.handlers.gone.Anything is missing"),
        (
            Needed("synapse.handlers.auth", "AuthHandler.gone"),
            "synapse.handlers.auth.AuthHandler.gone is missing",
        ),
        (
            Needed("synapse.handlers.auth", "AuthHandler.validate_hash", ("password", "pepper")),
            "synapse.handlers.auth.AuthHandler.validate_hash takes no pepper",
        ),
        (
            Needed("synapse.rest", "SERVLET_GROUPS", ("client",)),
            "synapse.rest.SERVLET_GROUPS takes no client",
        ),
    ],
)
def test_a_synapse_that_moved_something_is_refused(monkeypatch, needed, words):
    """The message names the missing piece and this Synapse."""
    monkeypatch.setattr(discovery, "NEEDS", (*discovery.NEEDS, needed))

    (problem,) = internals.problems()

    assert problem.startswith(f"{words} in Synapse {SYNAPSE_VERSION}")
    assert "Install a release of synapse-nextgen-auth made for it." in problem


@pytest.fixture(params=["missing", "cut short", "of another release"])
def late_list(request, tmp_path, monkeypatch):
    """The list of what late files need, and what is wrong with it."""
    place = tmp_path / "startup/late.json"
    if request.param != "missing":
        text = (internals.FOLDER / "startup/late.json").read_text("utf-8")
        place.parent.mkdir()
        place.write_text(
            text[: len(text) // 2]
            if request.param == "cut short"
            else text.replace('"module":', '"of_the_next_one": 1, "module":', 1)
        )
    monkeypatch.setattr(internals, "resources", lambda _package: tmp_path)
    return place


def test_a_list_that_cannot_be_read_is_a_sentence(late_list):
    """About the installation, and no traceback."""
    (problem,) = internals.problems()

    assert problem.startswith(f"{late_list} cannot be read: ")
    assert problem.endswith(". Install synapse_nextgen_auth again.")


def test_who_is_switched_off_needs_no_list(late_list):
    """A module that does nothing keeps no homeserver from starting."""
    assert internals.problems_of_rest() == []
    assert internals.problems_of_imports() == []


def test_without_sources_a_synapse_that_moved_something_is_refused(monkeypatch):
    """Where there are none, the list names the files."""
    needed = {"late_file": (Needed("synapse.handlers.gone", "Anything"),)}
    monkeypatch.setattr(internals, "files", lambda: ())
    monkeypatch.setattr(internals, "needs_of_late", lambda: needed)

    (problem,) = internals.problems()

    assert problem.startswith("synapse.handlers.gone.Anything is missing in Synapse")


def test_c383_the_operator_reads_every_mistake_in_one_message():
    """As Synapse shows it: one `ConfigError` with a line for each, and no secret in it."""
    raw = {
        "tokens": {"acces_token_lifetime": "5m", "refresh_grace": 30},
        "secret": "hunter2",
        "nonsense": 1,
        "clients": [{"client_id": "a", "client_secret": "swordfish"}],
    }

    with pytest.raises(ConfigError) as refused:
        NextGenAuth.parse_config(raw)

    lines = refused.value.msg.splitlines()
    assert lines[0] == "synapse_nextgen_auth found these mistakes:"
    assert [line.split(":")[0] for line in lines[1:]] == [
        "* nonsense",
        "* secret",
        "* clients[0]",
        "* tokens.acces_token_lifetime",
        "* tokens.refresh_grace",
    ]
    assert "hunter2" not in refused.value.msg
    assert "swordfish" not in refused.value.msg


def refusal(directory, **attributes):
    """Return what the log of a Synapse that does not start ends with."""
    homeserver = sqlite_homeserver(directory, **attributes)
    with pytest.raises(SynapseStoppedError) as stopped, homeserver:
        pytest.fail("it started")
    return str(stopped.value)


WRONG_ADDRESS = """\

synapse_nextgen_auth does not start:
 * public_baseurl http://matrix.example.com/ must begin with https://, because people type passwords\
 there. Plain http is for localhost only.
"""


def test_synapse_does_not_start_with_a_wrong_address(tmp_path):
    """The last thing in the log and on the console is what to do."""
    text = refusal(tmp_path, config={"public_baseurl": "http://matrix.example.com/"})

    assert text.rstrip().endswith(indent(WRONG_ADDRESS.strip("\n"), "  "))


def printed(homeserver, app, *more):
    """Return what a process prints that does not start, and what is in its log."""
    files = [homeserver.write_config(), *more]
    arguments = [part for file in files for part in ("-c", str(file))]
    command = [sys.executable, "-m", app, *arguments]
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, cwd=homeserver.directory
    )
    assert ended.returncode == 1
    return ended.stderr, homeserver.log_text()


@pytest.fixture
def worker_file(tmp_path):
    """Return the configuration of a worker that gets as far as the module."""
    file = tmp_path / "worker.yaml"
    listener = {"type": "http", "port": 0, "resources": [{"names": ["client"]}]}
    worker = {"worker_app": WORKER, "worker_name": "w", "worker_listeners": [listener]}
    file.write_text(yaml.safe_dump(worker | {"worker_log_config": str(tmp_path / "log.yaml")}))
    return file


def test_a_refusal_is_printed_last_and_alone(tmp_path, worker_file):
    """On the console and in the log, by the main process and a worker: no traceback hides it."""
    config = {
        "public_baseurl": "http://matrix.example.com/",
        "instance_map": {"main": {"host": "localhost", "port": 1}},
    }
    homeserver = sqlite_homeserver(tmp_path, config=config)

    for app, more in ((MAIN, ()), (WORKER, (worker_file,))):
        console, log = printed(homeserver, app, *more)

        assert console == WRONG_ADDRESS
        assert log.endswith(WRONG_ADDRESS.strip("\n") + "\n")
        assert "Traceback" not in log
        homeserver.main.log_file.unlink()


def test_mistakes_in_the_options_are_printed_last_and_alone(tmp_path, worker_file):
    """A worker, too, says which they are."""
    homeserver = sqlite_homeserver(tmp_path, module={"tokns": {}})

    for app, more in ((MAIN, ()), (WORKER, (worker_file,))):
        console, _ = printed(homeserver, app, *more)

        assert console.rstrip().endswith(
            "synapse_nextgen_auth found these mistakes:\n"
            "* tokns: unknown option; did you mean tokens?"
        )
        assert "Traceback" not in console


def test_tables_that_cannot_be_made_are_a_sentence(tmp_path):
    """The database's own reason, and no traceback."""
    homeserver = sqlite_homeserver(tmp_path, module=None)
    with homeserver:
        pass
    homeserver.query("CREATE VIEW nextgen_schema AS SELECT 1 AS version, '' AS checksum")
    homeserver.module = {}
    homeserver.main.log_file.unlink()

    console, _ = printed(homeserver, MAIN)

    assert console.startswith("\nsynapse_nextgen_auth does not start:\n * ")
    assert "Traceback" not in console


def test_synapse_does_not_start_with_wrong_options(tmp_path):
    text = refusal(tmp_path, module={"tokens": {"acces_token_lifetime": "5m"}, "secret": "hunter2"})

    assert "* secret: is shorter than 32 bytes" in text
    assert "* tokens.acces_token_lifetime: unknown option; did you mean" in text
    assert "hunter2" not in text
    assert "Traceback" not in text


def test_synapse_does_not_start_with_the_module_twice(tmp_path):
    """Half of one and half of another is none: the operator is told to write it once.

    What is wrong with a file is told with it (C163).
    """
    again = {"module": "synapse_nextgen_auth.module.NextGenAuth", "config": {}}
    logo = tmp_path / "evil.svg"
    logo.write_text(LOGO.format("red").replace("rect", "script"))

    text = refusal(tmp_path, module={"branding": {"logo": str(logo)}}, config={"modules": [again]})

    assert "synapse_nextgen_auth does not start:" in text
    assert "is there twice under modules; once is enough" in text
    assert f" * branding.logo: {logo} has the element <script>, which is not taken" in text


def test_switched_off_it_is_a_stock_synapse(start_homeserver):
    """C003: clients find nothing of ours and fall back to the legacy login; no tables are made."""
    homeserver = start_homeserver(module={"enabled": False, "tokens": {"code_lifetime": "1m"}})
    server = Server(homeserver.base_url)
    token = homeserver.login(homeserver.new_user())["access_token"]

    for path in (
        "/_matrix/client/v1/auth_metadata",
        "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
        "/_matrix/client/unstable/org.matrix.msc2965/auth_issuer",
    ):
        answer = server.api("GET", path, token)

        assert (answer.status_code, answer.json()["errcode"]) == (404, "M_UNRECOGNIZED")
    assert server.api("GET", "/_synapse/client/auth/", token).status_code == 404
    assert server.whoami(token).status_code == 200
    names = "SELECT 1 FROM sqlite_master WHERE name LIKE 'nextgen%'"
    assert homeserver.query(names) == []


def test_what_stands_in_the_files_is_what_synapse_reads(tmp_path):
    """The last file counts, and one without settings counts for nothing."""
    texts = (
        "server_name: a.example\nreport_stats: no\nlisteners: [{port: 8008}]\n",
        "# nothing\n",
        "- a list\n",
        "listeners: []\nmodules:\n  - module: é\n    config: {secret: 0123, at: 2026-11-29}\n",
    )
    files = [tmp_path / f"{n}.yaml" for n in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, "utf-8")

    assert startup_settings._together(map(str, files)) == read_config_files(map(str, files))


@pytest.mark.parametrize(
    "text",
    [
        'about: "\\ud83d\\ude00"\n',  # as json.dumps writes what is beyond 16 bits
        "a: 1\n\ufeffb: 2\n",  # files of Windows, one behind the other
        "%NOTE of ours\n---\n",
    ],
)
def test_what_only_synapses_parser_reads_keeps_no_server_from_starting(tmp_path, text):
    file = tmp_path / "homeserver.yaml"
    file.write_text(f"{text}server_name: a.example\nreport_stats: no\n", "utf-8")

    assert startup_settings._together([str(file)]) == read_config_files([str(file)])


def test_files_are_in_the_encoding_in_which_synapse_reads_them(tmp_path):
    """Python opens them as the locale says."""
    file = tmp_path / "homeserver.yaml"
    file.write_text("server_name: é.example\nreport_stats: no\n", "latin-1")
    open_in_latin = partial(io.open, encoding="latin-1")
    with mock.patch("builtins.open", open_in_latin):
        assert startup_settings._together([str(file)]) == read_config_files([str(file)])
