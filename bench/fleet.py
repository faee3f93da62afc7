"""A homeserver of three processes: main and two generic workers, as the tests' deployment has them."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.proc import family_seconds, processor_seconds
from bench.servers import Scene
from support.redis import RedisServer
from support.synapse import Homeserver, Process

WORKERS = ("worker1", "worker2")


@contextmanager
def workers(homeserver: Homeserver) -> Iterator[list[Process]]:
    """Start the homeserver with two workers and lend these; stop everything afterwards."""
    homeserver.redis = RedisServer().start()
    try:
        for name in WORKERS:
            homeserver.workers[name] = homeserver.new_worker(name)
        homeserver.start()
        yield list(homeserver.workers.values())
    finally:
        homeserver.stop()
        homeserver.redis.stop()


def processor_of(processes: list[Process]) -> float:
    """Return the processor time of these processes in seconds."""
    return sum(processor_seconds(process.pid) for process in processes)


def processor_of_database(scene: Scene) -> float:
    return family_seconds(scene.postgres.pid)
