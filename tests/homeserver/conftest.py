"""Homeservers of several processes, or as the internet sees them, and their endpoints."""

from collections.abc import Iterator

import pytest

from support import brand, neighbours, public, smtp
from support.databases import SqliteDatabase
from support.extended import extended_homeserver
from support.oauth import Browser, Server
from support.providers import servers
from support.providers.lying import Liar, lying
from support.redis import RedisServer
from support.synapse import Homeserver


@pytest.fixture
def server(homeserver) -> Server:
    """Return the endpoints of the shared homeserver."""
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    """Return an account of this test's own."""
    return homeserver.new_user()


@pytest.fixture
def browser(server, user) -> Browser:
    """Return a browser in which that account is signed in."""
    return Browser.of(server, user)


@pytest.fixture(scope="session")
def public_homeserver(tmp_path_factory, make_database) -> Iterator[Homeserver]:
    """Yield a homeserver on PostgreSQL that believes to be https://matrix.example.com/.

    It has the settings of `support.public`: clients with secrets and keys, limits that a test can
    reach. Like `homeserver` it is shared.
    """
    directory = tmp_path_factory.mktemp("homeserver-public")
    homeserver = Homeserver(
        directory,
        make_database("postgres", directory),
        module=public.MODULE,
        config={"public_baseurl": public.PUBLIC_URL},
        log_level="DEBUG",
    )
    with homeserver:
        yield homeserver


@pytest.fixture(scope="session")
def factor_homeserver(tmp_path_factory, make_database) -> Iterator[Homeserver]:
    """Yield a homeserver on SQLite on which people may have second factors; it is shared."""
    directory = tmp_path_factory.mktemp("homeserver-factors")
    homeserver = Homeserver(
        directory,
        make_database("sqlite", directory),
        module={"factors": {"policy": "optional"}},
        log_level="DEBUG",
    )
    with homeserver:
        yield homeserver


@pytest.fixture
def factor_server(factor_homeserver) -> Server:
    """Return the endpoints of that homeserver."""
    return Server(factor_homeserver.base_url)


@pytest.fixture
def public_server(public_homeserver) -> Server:
    """Return the endpoints of that homeserver, as its proxy reaches them."""
    return Server(public_homeserver.base_url)


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def busy_homeserver(request, tmp_path_factory, make_database) -> Iterator[Homeserver]:
    """Yield the homeserver of `support.neighbours`, once per kind of database; it is shared."""
    directory = tmp_path_factory.mktemp(f"homeserver-busy-{request.param}")
    database = make_database(request.param, directory)
    with neighbours.homeserver(directory, database, log_level="DEBUG") as homeserver:
        yield homeserver


@pytest.fixture(scope="session")
def homeserver_with_worker(tmp_path_factory, make_database) -> Iterator[Homeserver]:
    """Yield a homeserver on PostgreSQL with one generic worker, `workers["worker1"]`.

    The worker does what Synapse does in the background. Whatever Synapse offers to those who have a
    token is switched on, and `support.requesters` tells who they are. Its pages have a brand.
    """
    directory = tmp_path_factory.mktemp("homeserver-worker")
    servers.lend_support(directory)
    database = make_database("postgres", directory)
    redis = RedisServer()
    homeserver = Homeserver(
        directory,
        database,
        module={"factors": {"policy": "optional"}, "branding": brand.options(directory)},
        config={
            "modules": [
                {"module": "support.requesters.Module", "config": {"directory": str(directory)}}
            ],
            "run_background_tasks_on": "worker1",
            "refreshable_access_token_lifetime": "5m",
            "login_via_existing_session": {"enabled": True, "require_ui_auth": False},
            "experimental_features": {"msc3814_enabled": True, "msc2697_enabled": False},
        },
        log_level="DEBUG",
        redis=redis.start(),
    )
    try:
        homeserver.start()
        homeserver.add_worker()
        yield homeserver
    finally:
        homeserver.stop()
        redis.stop()


@pytest.fixture(scope="session")
def liar() -> Iterator[Liar]:
    """Yield the provider that says what a test tells it to."""
    with lying() as found:
        yield found


@pytest.fixture(scope="session")
def other_liar() -> Iterator[Liar]:
    """Yield another one, which says that it names itself in its answers."""
    with lying(announces_iss=True) as found:
        yield found


@pytest.fixture(scope="session")
def lying_homeserver(tmp_path_factory, liar, other_liar) -> Iterator[Homeserver]:
    """Yield a homeserver that believes both, the first in many ways; it is shared."""
    directory = tmp_path_factory.mktemp("homeserver-lying-providers")
    homeserver = Homeserver(directory, SqliteDatabase(directory))
    homeserver.config = liar.config
    homeserver.config["oidc_providers"].append(other_liar.entry("announces"))
    homeserver.config["modules"] = [{"module": "support.saboteur.Module"}]
    homeserver.module = {
        "providers": {
            "trusted_to_be_fresh": ["trusted", "oidc-plain-trusted"],
            "backchannel_logout": "delete",
        }
    }
    servers.lend_support(directory)
    with homeserver:
        yield homeserver


@pytest.fixture(scope="session")
def extended(tmp_path_factory, liar, session_mailbox) -> Iterator[Homeserver]:
    """Yield a homeserver with modules of others, after ours; the first is that of the documentation.

    People come to it in every way there is: with a password, a code by mail, a provider, a link, and
    they sign up. It is shared.
    """
    ways = {"silent", "picks"}
    config = {
        "email": session_mailbox.settings(),
        "enable_registration": True,
        "enable_registration_without_verification": True,
        "oidc_providers": [
            each for each in liar.config["oidc_providers"] if each["idp_id"] in ways
        ],
        "cas_config": {"enabled": True, "server_url": liar.issuer},
        "login_via_existing_session": {"enabled": True},
    }
    module = {"secret": smtp.SECRET, "sign_in": {"email_codes": True}}
    directory = tmp_path_factory.mktemp("homeserver-extended")
    with extended_homeserver(directory, config=config, module=module) as homeserver:
        yield homeserver
