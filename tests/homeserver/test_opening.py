"""Opening our own connection: whoever is slow to answer on the way holds up nothing else."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg2
import pytest

from support.listeners import leading_to, port, silent
from support.standstill import family, standing_still
from synapse_nextgen_auth.homeserver.database.opening import NotWanted, connect

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]


@pytest.fixture(scope="module")
def arguments(postgres_server):
    return postgres_server.create_database()


@pytest.fixture(scope="module")
def leads_there(postgres_server):
    with leading_to(postgres_server.directory / ".s.PGSQL.5432") as found:
        yield found


@contextmanager
def opening(arguments, **more):
    """Yield what becomes of a connection, and the pauses of the process while it is being opened."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(connect, psycopg2, {**arguments, **more})


def longest_pause(until):
    """Return for how long at most this thread could not go on, until something has happened."""
    longest, last = 0.0, time.monotonic()
    while not until():
        time.sleep(0.001)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest


def one(connection):
    return {
        name: connection.get_dsn_parameters().get(name) for name in ("host", "hostaddr", "port")
    }


def test_names_are_looked_up_here_and_hold_up_nobody(arguments, leads_there, monkeypatch):
    """A name server that does not answer for a while; libpq gets the address beside the name."""
    asked, answered = threading.Event(), threading.Event()

    def hanging(host, port, **_):
        assert host == b"database.invalid"  # nobody but us knows it
        asked.set()
        answered.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    with opening(arguments, host="database.invalid", port=leads_there) as coming:
        assert asked.wait(60)
        waits = not coming.done()
        answered.set()
        pause = longest_pause(coming.done)
        with closing(coming.result()) as connection:
            known = one(connection)

    assert waits
    assert pause < 1
    assert known == {"host": "database.invalid", "hostaddr": "127.0.0.1", "port": str(leads_there)}


def test_a_name_that_nobody_knows_is_an_error(arguments, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(socket.gaierror, match="no such name"):
        connect(psycopg2, {**arguments, "host": "database.invalid"})


def test_a_host_that_never_answers_costs_its_time_and_the_next_is_tried(arguments, leads_there):
    """Each has Synapse's `connect_timeout` for itself, and all others go on."""
    with silent() as dead:
        dead.listen()
        ports = f"{port(dead)},{leads_there}"
        began = time.monotonic()
        with opening(
            arguments, host="127.0.0.1,127.0.0.1", port=ports, connect_timeout=1
        ) as coming:
            pause = longest_pause(coming.done)
            with closing(coming.result()) as connection:
                known = one(connection)

    assert 1 <= time.monotonic() - began < 10
    assert pause < 0.8
    assert known == {"host": "127.0.0.1", "hostaddr": "127.0.0.1", "port": str(leads_there)}


def test_each_address_of_a_name_is_tried(arguments, leads_there, monkeypatch):
    """The first refuses."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
        for address in ("127.0.0.9", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    with closing(
        connect(psycopg2, {**arguments, "host": "two.invalid", "port": leads_there})
    ) as connection:
        known = one(connection)

    assert known["hostaddr"] == "127.0.0.1"


def test_a_server_of_the_wrong_kind_is_passed_by(arguments, leads_there):
    """`target_session_attrs` holds for each; a standby is only preferred."""
    hosts = {**arguments, "host": "127.0.0.1,127.0.0.1", "port": leads_there}

    with pytest.raises(psycopg2.OperationalError, match="standby"):
        connect(psycopg2, {**hosts, "target_session_attrs": "standby"})
    for wanted in ("read-write", "primary", "prefer-standby"):
        connect(psycopg2, {**hosts, "target_session_attrs": wanted}).close()


def test_a_database_that_stands_still_is_given_up_in_time(postgres_server, arguments):
    """It accepts, as the kernel does for it, and says nothing."""
    with standing_still(family(postgres_server.pid)):
        with opening(arguments, connect_timeout=1) as coming:
            pause = longest_pause(coming.done)
        error = coming.exception()
    connect(psycopg2, arguments).close()

    assert isinstance(error, TimeoutError)
    assert str(postgres_server.directory) in str(error)
    assert pause < 0.8


def test_who_stops_waits_for_no_connection(arguments):
    with silent() as dead:
        dead.listen()

        with pytest.raises(NotWanted):
            connect(
                psycopg2,
                {**arguments, "host": "127.0.0.1", "port": port(dead), "connect_timeout": 600},
                lambda: False,
            )


def test_a_connection_that_does_not_come_is_an_error(arguments, tmp_path):
    """Nobody listens there."""
    with pytest.raises(psycopg2.OperationalError):
        connect(psycopg2, {**arguments, "host": str(tmp_path)})


class Standby:
    """A connection to a server that says of itself that it only follows another one."""

    def __init__(self, connection):
        self._connection = connection

    def get_parameter_status(self, name):
        said = self._connection.get_parameter_status(name)
        return {"off": "on"}[said] if name == "in_hot_standby" else said

    def __getattr__(self, name):
        return getattr(self._connection, name)


def test_a_standby_is_left_alone(arguments, leads_there):
    """What it has is old, and nothing can be written there; the next host is asked."""
    made = []

    def connecting(**given):
        connection = psycopg2.connect(**given)
        made.append(connection if made else Standby(connection))
        return made[-1]

    class Driver:
        connect = staticmethod(connecting)
        extensions, OperationalError = psycopg2.extensions, psycopg2.OperationalError

    hosts = {"host": "127.0.0.1,127.0.0.1", "port": f"{leads_there},{leads_there}"}

    with closing(connect(Driver, {**arguments, **hosts})) as found:
        assert found is made[1]
    assert [each.closed for each in made] == [1, 1]

    made.clear()
    with pytest.raises(OSError, match=r"127\.0\.0\.1 is a standby"):
        connect(Driver, {**arguments, "host": "127.0.0.1", "port": leads_there})
    assert [each.closed for each in made] == [1]
