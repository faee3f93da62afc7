"""Several processes that know providers of others, and other modules that ask a human."""

import pytest

from support.databases import PostgresDatabase
from support.providers import servers
from support.providers.lying import lying
from support.redis import RedisServer
from support.synapse import Homeserver

LYING = ("silent", "names", "picks", "mails", "mails-picks", "confirms")


@pytest.fixture(scope="session")
def liar():
    """Yield the provider that says what a test tells it to."""
    with lying() as found:
        yield found


@pytest.fixture(scope="session")
def provided(tmp_path_factory, postgres_server, make_providers, liar):
    """Yield three processes that know a provider of each kind, and one that says what a test wants.

    Of accounts with `human` in their names a human is asked. It is shared.
    """
    directory = tmp_path_factory.mktemp("provider-hops")
    redis = RedisServer()
    database = PostgresDatabase.on(postgres_server)
    homeserver = Homeserver(directory, database, redis=redis.start())
    homeserver.config = make_providers(homeserver.base_url).config
    homeserver.config["oidc_providers"] += liar.entries(*LYING, prefix="lying-")
    homeserver.config["modules"] = [
        {"module": "support.saboteur.Module"},
        {"module": "support.extenders.Human"},
    ]
    servers.lend_support(directory)
    homeserver.config["sso"] = {"update_profile_information": True}
    try:
        homeserver.start()
        homeserver.add_worker("worker1")
        homeserver.add_worker("worker2")
        yield homeserver
    finally:
        homeserver.stop()
        redis.stop()
