"""A Synapse module that lets its process fail at a chosen place; tests load it after ours.

Only database work and answers of requests to one path count, or the database work of one kind of
background chore, so that others are neither hit nor counted.
"""

import json
import os
import random
import signal
import threading
import time

import attrs
import psycopg2
from synapse.logging.context import current_context
from synapse.replication.tcp import client as replication
from synapse.storage.database import LoggingTransaction
from twisted.web.resource import Resource

from support.sabotage import (
    AFTER_COMMIT,
    ANSWER,
    BEFORE_COMMIT,
    PATH,
    STATEMENT,
    TOGETHER,
    Plan,
    Point,
)
from synapse_nextgen_auth.homeserver import http
from synapse_nextgen_auth.homeserver.database.own_connection import OwnConnection

_BACKGROUND = "nextgen_"  # what our work beside requests is called
# Stands for the connection of our own, on which nothing but its one statement can run.
_OWN = object()


@attrs.define
class Saboteur:
    """The one of a process: patched into its database pool and its answers."""

    plan: Plan | None = None
    seen: list[Point] = attrs.field(factory=list)
    fired: int = 0
    shift: float = 0  # seconds by which the clock of the process is wrong
    together: bool = True
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    _here: threading.local = attrs.field(factory=threading.local)

    def patch(self, hs):
        self._patch_clock(hs.get_clock())
        self._patch_pool(hs.get_datastores().main.db_pool)
        self._patch_statements()
        self._patch_answers()
        self._patch_own_connection()

    def take(self, plan, shift, *, together):
        with self._lock:
            self.plan, self.seen, self.fired, self.shift = plan, [], 0, shift
            self.together = together

    def reach(self, point, path, connection):
        """Note that a request is here, and strike if that is the plan."""
        plan = self.plan
        if plan is None or path is None or not path.endswith(plan.path):
            return
        if path.startswith(_BACKGROUND) and not plan.path:
            return
        with self._lock:
            self.seen.append(point)
            meant = plan.fault is not None and plan.point in (None, point)
            strikes = meant and self.fired < plan.times and random.random() < plan.chance
            self.fired += strikes
        if strikes and connection is _OWN and plan.fault != "kill":
            raise psycopg2.OperationalError(f"on purpose: {plan.fault}")
        if strikes and plan.fault.startswith("held"):
            while self.plan is plan:
                time.sleep(0.05)
        if strikes:
            FAULTS[plan.fault](connection)

    def _patch_clock(self, clock):
        seconds = clock.time
        clock.time = lambda: seconds() + self.shift

    def _patch_pool(self, pool):
        new_transaction = pool.new_transaction

        def watched(conn, desc, after, async_after, on_exception, func, *args, **kwargs):
            def counted(txn, *args, **kwargs):
                self._here.statement, self._here.transaction = 0, desc
                self._here.connection = conn.conn
                return func(txn, *args, **kwargs)

            conn = _Watched(conn, self, desc)
            try:
                return new_transaction(
                    conn, desc, after, async_after, on_exception, counted, *args, **kwargs
                )
            finally:
                self._here.transaction = None

        pool.new_transaction = watched

    def _patch_statements(self):
        execute = LoggingTransaction._do_execute
        here = self._here

        def watched(txn, func, sql, *args, **kwargs):
            transaction = getattr(here, "transaction", None)
            if transaction is not None:
                here.statement += 1
                point = Point(STATEMENT, transaction, here.statement)
                self.reach(point, _path_of_database_work(), here.connection)
            return execute(txn, func, sql, *args, **kwargs)

        LoggingTransaction._do_execute = watched

    def _patch_answers(self):
        send = http.send

        def watched(request, outgoing):
            self.reach(Point(ANSWER), request.path.decode(), None)
            send(request, outgoing)

        http.send = watched

    def _patch_own_connection(self):
        """Its statements belong to many requests at once, all of them to this path."""
        is_open, run = OwnConnection.is_open, OwnConnection.run
        path = f"/{TOGETHER}/token"

        async def watched(connection, sql, parameters):
            self.reach(Point(STATEMENT, TOGETHER, 1), path, _OWN)
            rows = await run(connection, sql, parameters)
            self.reach(Point(AFTER_COMMIT, TOGETHER), path, _OWN)
            return rows

        OwnConnection.run = watched
        OwnConnection.is_open = property(
            lambda connection: self.together and is_open.fget(connection)
        )


@attrs.define
class _Watched:
    """A connection whose commit can be disturbed."""

    conn: object
    saboteur: Saboteur
    transaction: str

    def commit(self):
        path = _path_of_database_work()
        self.saboteur.reach(Point(BEFORE_COMMIT, self.transaction), path, self.conn.conn)
        self.conn.commit()
        if self.saboteur.plan is not None and self.saboteur.plan.fault == "mixed":
            return  # the connection is at rest; nothing that it reports fits here
        self.saboteur.reach(Point(AFTER_COMMIT, self.transaction), path, self.conn.conn)

    def __getattr__(self, name):
        return getattr(self.conn, name)


def _path_of_database_work():
    """Return the path of the request, or the name of the background work without its number."""
    context = current_context()
    request = getattr(context, "request", None)
    if request is not None:
        return request.url
    name, _, number = str(context).rpartition("-")
    return name if number.isdecimal() and name.startswith(_BACKGROUND) else None


def _kill(connection):
    os.kill(os.getpid(), signal.SIGKILL)


def _raise_in_database(sqlstate):
    """Return a fault that PostgreSQL itself reports with this code."""

    def fault(connection):
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$BEGIN RAISE 'on purpose' USING ERRCODE = '{sqlstate}'; END$$")

    return fault


def _disconnect(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def _hang_up(connection):
    """The connection breaks on our side: what was sent may have happened or not."""
    connection._connection.close()  # Twisted's own close() keeps it open
    raise psycopg2.OperationalError("on purpose: the connection was lost")


def _interface_error(connection):
    raise psycopg2.InterfaceError("on purpose")


def _dawdle(connection):
    """Take two seconds, in a thread of the database's pool: everything else goes on."""
    time.sleep(2)


def _mixed(connection):
    """Strike like a busy database: twice out of three times a lost race, else a lost connection."""
    if connection is not None:
        FAULTS[random.choice(("serialization", "serialization", "disconnect"))](connection)


FAULTS = {
    "mixed": _mixed,
    "kill": _kill,
    "slow": _dawdle,
    # Until the plan is taken back, in a thread of the database's pool: everything else goes on.
    "held": lambda connection: None,
    "held, then rolled back": _raise_in_database("22012"),
    "serialization": _raise_in_database("40001"),
    "deadlock": _raise_in_database("40P01"),
    "disk full": _raise_in_database("53100"),
    "out of memory": _raise_in_database("53200"),
    "disconnect": _disconnect,
    "hang up": _hang_up,
    "interface": _interface_error,
}


class Module:
    """What Synapse loads; it answers at `PATH`."""

    def __init__(self, config, api):
        # How long a worker waits for news of what it just asked another process to write; without
        # Redis none come.
        replication._WAIT_FOR_REPLICATION_TIMEOUT_SECONDS = 1
        saboteur = Saboteur()
        saboteur.patch(api._hs)
        news = api._hs.get_datastores().main._cache_id_gen
        api.register_web_resource(PATH, _Control(saboteur, news))

    @staticmethod
    def parse_config(config):
        return config


class _Control(Resource):
    isLeaf = True  # noqa: N815 (Twisted's name)

    def __init__(self, saboteur, news):
        super().__init__()
        self._saboteur, self._news = saboteur, news

    def render_PUT(self, request):  # noqa: N802
        order = json.loads(request.content.read())
        plan = order["plan"]
        if plan is not None and plan["point"] is not None:
            plan["point"] = Point(**plan["point"])
        plan = None if plan is None else Plan(**plan)
        self._saboteur.take(plan, order["shift"], together=order["together"])
        return b"{}"

    def render_GET(self, request):  # noqa: N802
        seen = [attrs.asdict(point) for point in self._saboteur.seen]
        heard = [] if self._news is None else sorted(self._news.get_positions())
        told = {"seen": seen, "fired": self._saboteur.fired, "heard": heard}
        return json.dumps(told).encode()
