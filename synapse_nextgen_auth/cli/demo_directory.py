"""The directory of a demo homeserver: its configuration files, its secrets, its accounts."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import yaml

from synapse_nextgen_auth import secret
from synapse_nextgen_auth.cli.accounts import Credentials, memorable_password
from synapse_nextgen_auth.cli.homeserver_yaml import ServerSecrets
from synapse_nextgen_auth.records import frozen

_KEPT = "demo.json"
_SERVED = "served-database"


@frozen
class Kept:
    """What a later run in the same directory needs again."""

    secrets: ServerSecrets
    account: Credentials
    admin: Credentials

    @classmethod
    def fresh(cls) -> "Kept":
        """Draw new secrets and passwords."""
        return cls(
            secrets=ServerSecrets(*(secret.random_token().reveal() for _ in range(3))),
            account=Credentials("demo", memorable_password()),
            admin=Credentials("admin", memorable_password(), admin=True),
        )

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Kept":
        """Make the record of its JSON form."""
        return cls(
            secrets=ServerSecrets(**stored["secrets"]),
            account=Credentials(**stored["account"]),
            admin=Credentials(**stored["admin"]),
        )


@contextmanager
def opened(directory: Path | None) -> Iterator[Path]:
    """Make sure the directory is there; without one, lend a temporary one and remove it after."""
    if directory is not None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield directory.resolve()
        return
    lent = Path(tempfile.mkdtemp(prefix="synapse-nextgen-auth-"))
    try:
        yield lent
    finally:
        shutil.rmtree(lent, ignore_errors=True)


def kept(directory: Path) -> Kept:
    """Return what an earlier run left here, or draw and store it."""
    path = directory / _KEPT
    if path.exists():
        return Kept.of(json.loads(path.read_text("utf-8")))
    fresh = Kept.fresh()
    write_private(path, json.dumps(attrs.asdict(fresh), indent=2) + "\n")
    return fresh


def has_served(directory: Path, database: object) -> bool:
    """Say whether the accounts kept here were created in this very database."""
    path = directory / _SERVED
    return path.exists() and path.read_text("utf-8") == _fingerprint(database)


def note_served(directory: Path, database: object) -> None:
    """Remember in which database the accounts kept here were created."""
    write_private(directory / _SERVED, _fingerprint(database))


def write_yaml(path: Path, settings: dict[str, Any]) -> Path:
    """Write settings that only their owner may read."""
    write_private(path, yaml.safe_dump(settings, sort_keys=False))
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that was never readable by anybody else."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _fingerprint(database: object) -> str:
    return secret.digest(json.dumps(database, sort_keys=True, default=str))
