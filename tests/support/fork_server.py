"""Imports Synapse and the module once, and forks for each process that tests ask for; a program.

`support.forks` runs it and talks to it: a line of JSON says what to start, the answer is the process id,
and whatever ends is told with its status. It ends when whoever runs it does, and its children with it.
"""

import sys

# Not this directory, whose names are like those of packages.
sys.path[:] = [path for path in sys.path if path != __file__.rpartition("/")[0]]

import contextlib  # noqa: E402
import ctypes  # noqa: E402
import gc  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import pkgutil  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
from pathlib import Path  # noqa: E402

_SYNAPSE = ("synapse.app.homeserver", "synapse.app.generic_worker")
_OURS = "synapse_nextgen_auth"
_START = f"{_OURS}.assembly.start"
_NOT_FOR_SERVERS = f"{_OURS}.cli"
# What most tests see of the pages.
_SEEN = ("pages/sign_in.html", "pages/consent.html")
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None)


def main():
    """Fork whenever a line comes, until nobody is left to send one."""
    reactor = _unborn_reactor()
    poller = reactor._poller
    for name in _SYNAPSE:
        importlib.import_module(name)
    _ = importlib.import_module(_OURS).NextGenAuth  # as Synapse does
    importlib.import_module(_START)
    _import_what_is_late()
    _compile_once()
    _make_hasty()
    gc.collect()
    gc.freeze()  # what is not touched is not copied
    asked = socket.socket(fileno=int(sys.argv[1]))
    ended, awake = os.pipe2(os.O_NONBLOCK)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(awake, warn_on_full_buffer=False)
    lines = asked.makefile("r", encoding="utf-8")
    asked.sendall(b"ready 0 0\n")
    while True:
        readable, _, _ = select.select([asked, ended], [], [])
        if ended in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(ended, 4096)
            for pid, status in _who_ended():
                asked.sendall(b"ended %d %d\n" % (pid, status))
        if asked in readable:
            line = lines.readline()
            if not line:
                return None
            parent, pid = os.getpid(), os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                lines.close()
                for each in (asked.detach(), ended, awake):
                    os.close(each)
                _give_birth(reactor, poller)
                return _become(json.loads(line), parent)
            asked.sendall(b"begun %d 0\n" % pid)


def _import_what_is_late():
    """Import what the first request for it would, in each process anew."""
    for file in pkgutil.walk_packages(importlib.import_module(_OURS).__path__, f"{_OURS}."):
        if not file.name.startswith(_NOT_FOR_SERVERS):
            importlib.import_module(file.name)


def _compile_once():
    """Keep what our templates are compiled to by their text, and compile some of them now."""
    from jinja2 import Environment  # noqa: PLC0415 (is not cheap)

    from synapse_nextgen_auth.web import packed, templates  # noqa: PLC0415 (the path is set first)

    parse, compile_, trees, code = Environment.parse, Environment.compile, {}, {}

    def parse_once(self, source, name=None, filename=None):
        if not isinstance(self.loader, templates._Loader):
            return parse(self, source, name, filename)
        key = source, name, filename
        if key not in trees:
            trees[key] = parse(self, source, name, filename)
        return trees[key]

    def compile_once(self, source, name=None, filename=None, **options):
        if not isinstance(self.loader, templates._Loader):
            return compile_(self, source, name, filename, **options)
        # By the place of its tree, which stays.
        if id(source) not in code:
            code[id(source)] = compile_(self, source, name, filename, **options)
        return code[id(source)]

    Environment.parse, Environment.compile = parse_once, compile_once
    assert packed.PACKED._file is None, "each process writes into a file of its own"
    environment = templates.Templates("/").reader()
    for name in _SEEN:
        environment.get_template(name)
    packed.PACKED._file.close()
    packed.PACKED.__init__()


def _make_hasty():
    """Let SQLite not wait for the disk, as PostgreSQL does not: a test kills, and cuts no power."""
    from synapse.storage.engines.sqlite import Sqlite3Engine  # noqa: PLC0415 (is not cheap)

    opened = Sqlite3Engine.on_new_connection

    def on_new_connection(self, db_conn):
        opened(self, db_conn)
        db_conn.execute("PRAGMA synchronous = OFF")

    Sqlite3Engine.on_new_connection = on_new_connection


def _unborn_reactor():
    """Install Twisted's reactor without its files and signals, which processes cannot share."""
    from twisted.internet.epollreactor import EPollReactor  # noqa: PLC0415 (is not cheap)
    from twisted.internet.main import installReactor  # noqa: PLC0415

    reactor = EPollReactor.__new__(EPollReactor)
    reactor._poller = _Poller()
    installReactor(reactor)
    return reactor


class _Poller:
    """Stands where each process will have its own, so that Synapse can wrap it to measure ticks."""

    def poll(self, *values):
        return self.real.poll(*values)

    def __getattr__(self, name):
        return getattr(self.real, name)


def _give_birth(reactor, poller):
    wrapped = reactor._poller
    reactor.__init__()
    poller.real, reactor._poller = reactor._poller, wrapped


def _who_ended():
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def _become(what, parent):
    """Return what `python -m app …` would run, in a process that looks like it."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    os.setsid()
    log = os.open(what["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    if what["directory"] is not None:
        os.chdir(what["directory"])
    sys.path.insert(0, str(Path.cwd()))
    app = importlib.import_module(what["app"])
    sys.argv = [app.__file__, *what["arguments"]]
    return app.main


if __name__ == "__main__":
    # Called down here, so that nothing of the above is on the stack of a Synapse.
    if run := main():
        run()
