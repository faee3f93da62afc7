"""Settings under which the module cannot work, and what stands in the files that Synapse read."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import attrs
import yaml
from synapse.config.database import DatabaseConnectionConfig
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.config.problems import likely
from synapse_nextgen_auth.records import frozen

# Files are read once for what Synapse made of them: many look into them at a start.
_read: WeakKeyDictionary[HomeServerConfig, Mapping[str, Any]] = WeakKeyDictionary()

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

OURS = ("synapse_nextgen_auth.NextGenAuth", "synapse_nextgen_auth.module.NextGenAuth")


def unusable(hs_config: HomeServerConfig) -> list[str]:
    """Return the settings under which the module would start and not do what it is told."""
    return [*_memory(hs_config), *(text for text, known in beside_config(hs_config) if known)]


def no_way_in(hs_config: HomeServerConfig) -> str:
    """Return why nobody can sign in where there is no way in at all, and what helps in this case."""
    options = hs_config.auth
    off = [
        name
        for name, is_on in (
            ("password_config.enabled", options.password_enabled_for_login),
            ("password_config.localdb_enabled", options.password_localdb_enabled),
        )
        if not is_on
    ]
    if "password_config.enabled" in off:
        return (
            "signing in with a password is switched off, and they offer no other way. Set"
            f" {' and '.join(off)} to true, or configure an identity provider (oidc_providers,"
            " saml2_config or cas_config). Applications that see this module offer no other way to sign"
            " in, either."
        )
    return (
        "signing in with a password is switched off, and they offer no other way. Set"
        " password_config.localdb_enabled to true, add a module that checks passwords, or configure an"
        " identity provider (oidc_providers, saml2_config or cas_config). Applications that see this"
        " module offer no other way to sign in, either."
    )


def ours_at(hs_config: HomeServerConfig) -> str:
    """Return the path of our line."""
    return next((f"modules[{n}]" for n, _ in our_entries(hs_config)), "modules")


def source_of_keys(hs_config: HomeServerConfig) -> str:
    """Return what Synapse makes its `macaroon_secret_key` of, by the names of its settings."""
    raw = in_files(hs_config)
    for name in ("macaroon_secret_key", "macaroon_secret_key_path"):
        if raw.get(name):
            return name
    if hs_config.registration.registration_shared_secret:
        return "registration_shared_secret"
    return "the signing key"


def in_files(hs_config: HomeServerConfig) -> Mapping[str, Any]:
    """Return what stands in the files: Synapse keeps only what it understood."""
    if hs_config not in _read:
        _read[hs_config] = _together(hs_config.config_files or ())
    return _read[hs_config]


def _together(files: Iterable[str]) -> Mapping[str, Any]:
    """Return what stands in files, of a name in several of them what the last one says, as Synapse does.

    Synapse reads them with a parser in Python; a start waits for the one in C a tenth of that.
    """
    found: dict[str, Any] = {}
    for file in files:
        content = _content(file)
        if isinstance(content, dict):
            found |= content
    return found


def _content(file: str) -> object:
    with open(file) as stream:  # noqa: PTH123 (as Synapse opens it, in the encoding of the locale)
        text = stream.read()
    try:
        return yaml.load(text, _LOADER)  # noqa: S506 (a safe one)
    except yaml.YAMLError:
        # Some of what is none for the parser in C, Synapse has just read.
        return yaml.safe_load(text)


def our_entries(hs_config: HomeServerConfig) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield our lines below `modules` as they stand there, each with its place."""
    entries = in_files(hs_config).get("modules")
    for place, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping) and entry.get("module") in OURS:
            yield place, entry


@frozen
class Written:
    """What the operator wrote down, read from the files once."""

    place: str | None
    options: object
    synapses: Mapping[str, Any]

    @classmethod
    def of(cls, hs_config: HomeServerConfig) -> "Written":
        """Read the files."""
        place, entry = next(our_entries(hs_config), (None, {}))
        where = None if place is None else f"modules[{place}].config"
        return cls(where, entry.get("config"), in_files(hs_config))

    def option(self, path: str) -> object:
        """Return what stands for an option of ours, `None` where it is not there."""
        value = self.options
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def whole(self, path: str) -> str:
        """Return the path of an option of ours from the top of the files."""
        return path if self.place is None else f"{self.place}.{path}"


def beside_config(hs_config: HomeServerConfig) -> Iterator[tuple[str, bool]]:
    """Yield what stands beside `module:`, which Synapse ignores, and whether it is an option of ours."""
    known = [field.name for field in attrs.fields(Config)]
    for place, entry in our_entries(hs_config):
        for name in entry:
            if name in known:
                yield (
                    f"modules[{place}].{name} stands beside module: and is ignored there. Indent it"
                    " below config:",
                    True,
                )
            elif name not in {"module", "config"}:
                near = likely(str(name), ["config", *known])
                hint = f"; did you mean {near}?" if near else ""
                yield (
                    f"modules[{place}].{name} is ignored: options stand below config:{hint}",
                    False,
                )


def _memory(hs_config: HomeServerConfig) -> Iterator[str]:
    """Each connection to such a database has one of its own: our tables would be in another one."""
    for database in hs_config.database.databases:
        if is_sqlite(database) and _is_in_memory(database.config.get("args") or {}):
            yield (
                "database.args.database names an SQLite database in memory, which ends with its"
                " connection: the tables of this module would not be in the one that Synapse uses."
                " Name a file, like /var/lib/matrix-synapse/homeserver.db, or use PostgreSQL."
            )


def is_sqlite(database: DatabaseConnectionConfig) -> bool:
    """Say whether this database is SQLite's, as it is where nothing is said."""
    return bool(database.config.get("name", "sqlite3") == "sqlite3")


def _is_in_memory(arguments: Mapping[str, object]) -> bool:
    name = str(arguments.get("database") or "")
    # An empty name is a temporary file of one connection (sqlite.org/inmemorydb.html).
    return not name or ":memory:" in name or (name.startswith("file:") and "mode=memory" in name)
