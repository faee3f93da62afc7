"""A pooler in transaction mode and TLS between Synapse and its database: refreshes go together."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support import metrics, pooler
from support.oauth import Server
from support.pooler import PooledDatabase, Pooler
from support.synapse import Homeserver
from support.tokens import inside
from support.waiting import eventually

pytestmark = pytest.mark.newest_only


@pytest.fixture(scope="module")
def between(postgres_server):
    """Yield the pooler."""
    if pooler.program() is None:
        pytest.skip("no PgBouncer: install the package pgbouncer")
    with Pooler(postgres_server) as running:
        yield running


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, postgres_server, between):
    """Yield a homeserver that knows its database by the pooler's address."""
    connection = postgres_server.create_database()
    database = PooledDatabase(postgres_server, connection, port=between.port)
    homeserver = Homeserver(tmp_path_factory.mktemp("homeserver-pooled"), database, module={})
    homeserver.config = metrics.listening(homeserver)
    with homeserver:
        yield homeserver


def batched(homeserver):
    return metrics.value(homeserver, "refresh_batched_total")


def opened(homeserver):
    return metrics.value(homeserver, "refresh_connections_total", outcome="opened")


def test_refreshes_go_together_through_a_pooler(homeserver, between):
    """One server connection or another, each statement for itself; and again after the pooler died."""
    user, client = homeserver.new_user(), Server(homeserver.base_url).client()
    held = [client.sign_in(user.localpart, user.password) for _ in range(4)]

    def refresh(tokens):
        answer = client.refresh(tokens["refresh_token"])
        assert answer.status_code in {200, 503}, answer.text
        return answer.json() if answer.status_code == 200 else tokens

    def all_refresh():
        with ThreadPoolExecutor(len(held)) as pool:
            held[:] = pool.map(refresh, held)

    def go_together():
        before = batched(homeserver)
        all_refresh()
        return batched(homeserver) >= before + len(held)

    first = eventually(go_together)
    for _ in range(20):
        all_refresh()
    used = batched(homeserver)
    between.kill()
    between.start()
    again = eventually(go_together)
    generations = [inside(tokens["access_token"]).generation for tokens in held]
    stored = homeserver.query("SELECT generation FROM nextgen_sessions ORDER BY generation")

    assert first
    assert used >= 80
    assert again
    assert opened(homeserver) >= 2
    assert [row for (row,) in stored] == sorted(generations)
