"""A homeserver of several processes, for what only such a one can show."""

from collections.abc import Iterator

import pytest

from support.synapse import Homeserver


@pytest.fixture(scope="session")
def homeserver_with_worker(tmp_path_factory, make_database, redis_server) -> Iterator[Homeserver]:
    """Yield a homeserver on PostgreSQL with one generic worker, `workers["worker1"]`."""
    directory = tmp_path_factory.mktemp("homeserver-worker")
    database = make_database("postgres", directory)
    homeserver = Homeserver(directory, database, log_level="DEBUG", redis=redis_server)
    try:
        homeserver.start()
        homeserver.add_worker()
        yield homeserver
    finally:
        homeserver.stop()
