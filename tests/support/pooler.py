"""A PgBouncer in transaction mode, that takes nothing but TLS: statements go where there is room."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import attrs
from typing_extensions import Self

from support.databases import PostgresDatabase
from support.nginx import write_certificate
from support.ports import free_port
from support.postgres import PostgresServer
from support.raw_http import is_listening
from support.waiting import eventually

# Debian keeps it where only root looks for programs.
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_CONFIG = """
[databases]
* = host={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {directory}/users
pool_mode = transaction
default_pool_size = 3
client_tls_sslmode = require
client_tls_key_file = {directory}/key.pem
client_tls_cert_file = {directory}/cert.pem
"""


def program() -> str | None:
    """Return the path of PgBouncer if this machine has one."""
    return shutil.which("pgbouncer", path=_PLACES)


@attrs.frozen
class PooledDatabase(PostgresDatabase):
    """A database that Synapse reaches through a pooler, and tests directly."""

    port: int = attrs.field(kw_only=True)

    def section(self) -> dict[str, Any]:
        section = super().section()
        through = {"host": "localhost", "port": self.port, "sslmode": "require"}
        return section | {"args": section["args"] | through, "synchronous_commit": False}


@attrs.define
class Pooler:
    """One PgBouncer before a PostgreSQL."""

    server: PostgresServer
    directory: Path = attrs.field(factory=lambda: Path(tempfile.mkdtemp(prefix="pooler-")))
    port: int = attrs.field(factory=lambda: free_port(["127.0.0.1"]))
    _running: "subprocess.Popen[bytes] | None" = None

    def __enter__(self) -> Self:
        write_certificate(self.directory / "cert.pem", self.directory / "key.pem")
        values = {"server": self.server.directory, "port": self.port, "directory": self.directory}
        (self.directory / "pooler.ini").write_text(_CONFIG.format(**values))
        (self.directory / "users").write_text('"postgres" ""\n')
        for path in (self.directory, *self.directory.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return self.start()

    def start(self) -> Self:
        """Let it listen."""
        with (self.directory / "pooler.log").open("ab") as log:
            self._running = subprocess.Popen(
                [program(), self.directory / "pooler.ini"],
                stdout=log,
                stderr=log,
                # It refuses to run as root.
                user="nobody" if os.geteuid() == 0 else None,
            )
        if not eventually(lambda: is_listening("127.0.0.1", self.port)):
            self.kill()
            raise RuntimeError((self.directory / "pooler.log").read_text())
        return self

    def kill(self) -> None:
        """Take it away, and every connection with it."""
        if self._running is not None:
            self._running.kill()
            self._running.wait(30)
            self._running = None

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
