"""Earlier releases of this package: what they left in a database, and their code.

`tests/upgrades/make_dump.py` wrote them, one folder for each release.
"""

import json
import os
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import attrs

FOLDER = Path(__file__).parents[1] / "upgrades"
_VERSIONS = (
    "CREATE TABLE nextgen_schema (version BIGINT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL,"
    " applied_at BIGINT NOT NULL)"
)
_BOOLEANS = (
    "SELECT column_name FROM information_schema.columns WHERE table_name = ?"
    " AND data_type = 'boolean'"
)
_YEAR = 365 * 24 * 3600


@attrs.frozen
class Release:
    """One release that landed."""

    version: str

    @property
    def steps(self):
        """Return the numbers of the steps that its schema has."""
        return [row[0] for row in self._dump()["tables"]["nextgen_schema"]["rows"]]

    @property
    def held(self):
        """Return what its clients hold."""
        return self._dump()["held"]

    def unpack(self, directory):
        """Write its code into a directory; return that."""
        with zipfile.ZipFile(FOLDER / self.version / "code.zip") as archive:
            archive.extractall(directory)
        return directory

    def leave(self, database):
        """Put into the database of a stock Synapse what the release left in one, as if just now."""
        dump = self._dump()
        since = int(time.time()) - dump["made_at"]
        database.query(_VERSIONS)
        for statement in self._schema(database.kind):
            database.query(statement)
        for table, content in dump["tables"].items():
            booleans = self._booleans(database, table)
            columns = ", ".join(content["columns"])
            places = ", ".join("?" for _ in content["columns"])
            for row in content["rows"]:
                values = [
                    bool(value)
                    if name in booleans and value is not None
                    else _moved(value, dump, since)
                    for name, value in zip(content["columns"], row, strict=True)
                ]
                database.query(f"INSERT INTO {table} ({columns}) VALUES ({places})", *values)

    def _dump(self):
        return json.loads((FOLDER / self.version / "dump.json").read_text("utf-8"))

    def _schema(self, kind):
        with zipfile.ZipFile(FOLDER / self.version / "code.zip") as archive:
            names = [name for name in archive.namelist() if "/store/schema/" in name]
            for name in sorted(name for name in names if name.endswith(".sql")):
                if name.endswith(".postgres.sql") and kind != "postgres":
                    continue
                lines = archive.read(name).decode("utf-8").splitlines()
                text = "\n".join(line.partition("--")[0] for line in lines)
                yield from (part.strip() for part in text.split(";") if part.strip())

    @staticmethod
    def _booleans(database, table):
        if database.kind != "postgres":
            return set()
        return {name for (name,) in database.query(_BOOLEANS, table)}


def _moved(value, dump, since):
    """Return a time as long ago as it was when the dump was made, anything else as it is."""
    is_time = isinstance(value, int) and abs(value - dump["made_at"]) < _YEAR
    return value + since if is_time else value


def releases():
    """Return every release that is kept, the oldest first."""
    return [Release(file.parent.name) for file in sorted(FOLDER.glob("*/dump.json"))]


@contextmanager
def code_of(directory):
    """Let the processes that start meanwhile run the code in this directory."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(directory), *([before] if before else [])])
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
