"""A real slapd on loopback, with a directory of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import attrs
from typing_extensions import Self

from support.ports import free_port
from support.raw_http import is_listening
from support.waiting import eventually

# Debian keeps them where only root looks for programs.
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_SCHEMA, _MODULES = Path("/etc/ldap/schema"), Path("/usr/lib/ldap")
BASE = "dc=example,dc=org"
_CONFIG = """
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
pidfile {directory}/slapd.pid
database mdb
maxsize 10485760
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw of-the-admin
directory {directory}/data
"""
_TREE = """
dn: {base}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people
"""
_PERSON = """
dn: uid={uid},ou=people,{base}
objectClass: inetOrgPerson
uid: {uid}
cn: {name}
sn: {name}
mail: {uid}@example.org
userPassword: {password}
"""


def program() -> str | None:
    """Return the path of slapd if this machine has one."""
    return shutil.which("slapd", path=_PLACES)


@attrs.define
class Ldap:
    """One slapd; `people` are pairs of name and password."""

    directory: Path
    people: dict[str, str]
    port: int = attrs.field(factory=lambda: free_port(["127.0.0.1"]))
    _running: subprocess.Popen | None = None

    @property
    def uri(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def module(self) -> dict:
        """The line of homeserver.yaml for the published module."""
        return {
            "module": "ldap_auth_provider.LdapAuthProviderModule",
            "config": {
                "enabled": True,
                "uri": self.uri,
                "start_tls": False,
                "base": f"ou=people,{BASE}",
                "attributes": {"uid": "uid", "mail": "mail", "name": "cn"},
            },
        }

    def __enter__(self) -> Self:
        (self.directory / "data").mkdir()
        config = self.directory / "slapd.conf"
        config.write_text(
            _CONFIG.format(schema=_SCHEMA, modules=_MODULES, directory=self.directory, base=BASE)
        )
        entries = _TREE.format(base=BASE) + "".join(
            _PERSON.format(uid=uid, name=uid.title(), password=password, base=BASE)
            for uid, password in self.people.items()
        )
        slapadd = shutil.which("slapadd", path=_PLACES)
        subprocess.run(
            [slapadd, "-f", config], input=entries, text=True, check=True, capture_output=True
        )
        self.start()
        return self

    def start(self) -> None:
        """Let it listen."""
        command = [program(), "-f", self.directory / "slapd.conf", "-h", self.uri, "-d", "0"]
        with (self.directory / "slapd.log").open("ab") as log:
            self._running = subprocess.Popen(command, stdout=log, stderr=log)
        if not eventually(lambda: is_listening("127.0.0.1", self.port)):
            self.stop()
            raise RuntimeError((self.directory / "slapd.log").read_text())

    def stop(self) -> None:
        """Let it go, with what it knows."""
        if self._running is not None:
            self._running.terminate()
            self._running.wait(30)
            self._running = None

    def __exit__(self, *_: object) -> None:
        self.stop()
