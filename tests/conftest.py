"""Fixtures for whoever needs a real server; without them a test stays fast and alone."""

import contextlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from support import metrics, node, smtp
from support.databases import Database, PostgresDatabase, SqliteDatabase
from support.deployment import Deployment
from support.postgres import PostgresServer
from support.providers.servers import Providers
from support.redis import RedisServer
from support.synapse import Homeserver
from synapse_nextgen_auth import lean

DATABASES = ("sqlite", "postgres")

# A busy machine is slow, not wrong.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

# Only servers do without words: some tests read them, whatever ran before.
lean.install = lambda: None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Yield a PostgreSQL that lives as long as the session."""
    server = PostgresServer()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    """Yield a Redis for the one homeserver of a file.

    All homeservers of tests have the same name, and on one Redis they would hear each other's news.
    """
    server = RedisServer()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def make_database(request: pytest.FixtureRequest) -> Callable[[str, Path], Database]:
    """Return a function that makes an empty database of a kind: `sqlite` or `postgres`."""

    def make(kind: str, directory: Path) -> Database:
        if kind == "postgres":
            return PostgresDatabase.on(request.getfixturevalue("postgres_server"))
        return SqliteDatabase(directory)

    return make


@pytest.fixture(scope="session")
def shared_homeserver(tmp_path_factory, make_database) -> Iterator[Callable[[str], Homeserver]]:
    """Return a function that gives the session's one homeserver on a kind of database."""
    started: dict[str, Homeserver] = {}
    counted: dict[str, set[str]] = {}

    def get(kind: str) -> Homeserver:
        if kind not in started:
            directory = tmp_path_factory.mktemp(f"homeserver-{kind}")
            homeserver = Homeserver(directory, make_database(kind, directory), log_level="DEBUG")
            homeserver.config = metrics.listening(homeserver)
            started[kind] = homeserver.start()
            counted[kind] = metrics.series(homeserver)
        return started[kind]

    yield get
    new = {kind: metrics.series(started[kind]) - counted[kind] for kind in started}
    for homeserver in started.values():
        homeserver.stop()
    # Whatever the tests did: what counts was there at 0 before, so that alerts see the first one.
    assert new == {kind: set() for kind in started}


@pytest.fixture(scope="session", params=DATABASES)
def homeserver(request, shared_homeserver) -> Homeserver:
    """Return a homeserver with the module, once per kind of database.

    It is shared: make your own users with `new_user()`, and start your own with
    `start_homeserver` when you change its settings or stop it.
    """
    return shared_homeserver(request.param)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc):
    """Run what is marked `one_database` on the first of them."""
    test = metafunc.definition
    if test.get_closest_marker("one_database"):
        # In a file whose `homeserver` is the busy one, that one has the databases.
        names = [n for n in ("busy_homeserver", "homeserver") if n in metafunc.fixturenames]
        for name in names[:1]:
            one = pytest.mark.parametrize(name, DATABASES[:1], indirect=True, scope="session")
            test.add_marker(one)


@pytest.fixture(scope="session")
def sqlite_homeserver(shared_homeserver) -> Homeserver:
    """Return the same homeserver as `homeserver[sqlite]`, where the database does not matter."""
    return shared_homeserver("sqlite")


@pytest.fixture(scope="session")
def session_mailbox() -> Iterator[smtp.MailServer]:
    """Yield the mail server of `mailing_homeserver`; see `mailbox`."""
    server = smtp.MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def mailbox(session_mailbox) -> Iterator[smtp.MailServer]:
    """Return that mail server, which a test may let refuse, dawdle or be away."""
    yield session_mailbox
    session_mailbox.heal()


@pytest.fixture(scope="session")
def mailing_homeserver(tmp_path_factory, make_database, session_mailbox) -> Iterator[Homeserver]:
    """Yield a homeserver on SQLite that sends mails to `mailbox`, and wants an address of newcomers.

    Of those without a registration token, that is. Like `homeserver` it is shared.
    """
    directory = tmp_path_factory.mktemp("homeserver-mailing")
    homeserver = Homeserver(
        directory,
        make_database("sqlite", directory),
        module={
            "secret": smtp.SECRET,
            "notices": {"approval_questions": True, "device_questions": True},
        },
        config={
            "email": {**session_mailbox.settings(), "enable_notifs": True},
            "enable_registration": True,
            "registrations_require_3pid": ["email"],
            "enable_registration_token_3pid_bypass": True,
            "ui_auth": {"session_timeout": "1h"},
            "server_notices": {
                "system_mxid_localpart": "notices",
                "system_mxid_display_name": "Notices",
                "room_name": "Notices",
            },
        },
        log_level="DEBUG",
    )
    with homeserver:
        yield homeserver


@pytest.fixture
def start_homeserver(tmp_path_factory, make_database) -> Iterator[Callable[..., Homeserver]]:
    """Return a function that starts a homeserver for this one test.

    It takes the kind of database and the attributes of `Homeserver`: `module`, `config`, …
    """
    started: list[Homeserver] = []

    def start(kind: str = "sqlite", **attributes: Any) -> Homeserver:
        directory = tmp_path_factory.mktemp("homeserver")
        homeserver = Homeserver(directory, make_database(kind, directory), **attributes)
        started.append(homeserver)
        return homeserver.start()

    yield start
    for homeserver in started:
        homeserver.stop()


@pytest.fixture(scope="session")
def shared_deployment(tmp_path_factory) -> Iterator[Deployment]:
    """Yield the session's one homeserver of three processes; see `deployment`."""
    directory = tmp_path_factory.mktemp("deployment")
    with Deployment.create(directory) as deployment:
        yield deployment


@pytest.fixture
def deployment(shared_deployment) -> Iterator[Deployment]:
    """Return a homeserver of three processes, any of which a test may kill or let fail."""
    yield shared_deployment
    shared_deployment.heal()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the Chromium that browser tests drive."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium: install the package chromium, or set CHROMIUM to its path")
    return found


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Let Synapse and Twisted be imported; every warning of ours is an error."""
    _forgive_dependencies()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """Let Synapse and Twisted be imported by a test, too."""
    _forgive_dependencies()
    return (yield)


def _forgive_dependencies():
    # A filter in pyproject.toml would lose against `-W error` on the command line.
    dependencies = r"(synapse|twisted)\."
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=dependencies)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Return the JavaScript libraries that tests drive, installed if they are not yet."""
    try:
        return node.installed()
    except node.NotInstalled as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def make_providers(tmp_path_factory, node_modules) -> Iterator[Callable[[str], Providers]]:
    """Return a function that runs a provider of each kind for the homeserver at an address."""
    if shutil.which("xmlsec1") is None:
        pytest.skip("no xmlsec1, which Synapse needs for SAML: install the package xmlsec1")
    with contextlib.ExitStack() as running:

        def make(base_url: str) -> Providers:
            directory = tmp_path_factory.mktemp("providers")
            return running.enter_context(Providers.run(directory, node_modules, base_url))

        yield make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail a test that skips itself under CI: a test that did not run proves nothing."""
    report = yield
    return _no_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Fail a whole file that skips itself under CI."""
    report = yield
    return _no_skip(report)


# What a test under CI was not skipped for but failed: once is enough to read it, and to fail.
_told = set()


def _no_skip(report):
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if reason not in _told:
            _told.add(reason)
            report.outcome = "failed"
            report.longrepr = f"under CI nothing may skip: {reason}"
    return report
