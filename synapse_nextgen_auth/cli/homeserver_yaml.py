"""Build the homeserver.yaml of a throwaway Synapse: a pure function from choices to settings.

The demo and the tests share it, so that what is tested is what people try.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from synapse_nextgen_auth.records import frozen

Settings = dict[str, Any]

MODULE = "synapse_nextgen_auth.NextGenAuth"
SERVER_NAME = "localhost"

_GENEROUS = {"per_second": 1000, "burst_count": 10000}


@frozen
class ServerSecrets:
    """What a homeserver must keep between runs so that its tokens and pages stay valid."""

    registration_shared_secret: str = attrs.field(repr=False)
    macaroon_secret_key: str = attrs.field(repr=False)
    form_secret: str = attrs.field(repr=False)


def homeserver_settings(
    directory: Path,
    *,
    port: int,
    secrets: ServerSecrets,
    database: Settings,
    bind_addresses: Sequence[str] = ("127.0.0.1",),
    modules: Sequence[Settings] = ({"module": MODULE},),
) -> Settings:
    """Return the settings of a homeserver on loopback that keeps all its files in `directory`."""
    return {
        "server_name": SERVER_NAME,
        "public_baseurl": f"http://localhost:{port}/",
        "listeners": [_listener(port, bind_addresses)],
        "database": database,
        "modules": list(modules),
        "log_config": str(directory / "log.yaml"),
        "pid_file": str(directory / "homeserver.pid"),
        "signing_key_path": str(directory / "signing.key"),
        "media_store_path": str(directory / "media_store"),
        "registration_shared_secret": secrets.registration_shared_secret,
        "macaroon_secret_key": secrets.macaroon_secret_key,
        "form_secret": secrets.form_secret,
        "enable_registration": False,
        "bcrypt_rounds": 4,  # the fewest there are: these passwords guard nothing
        "presence": {"enabled": False},
        "report_stats": False,
        "experimental_features": {},
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        **_rate_limits(),
    }


def sqlite(directory: Path) -> Settings:
    """Return the database section for a file in `directory`."""
    return {"name": "sqlite3", "args": {"database": str(directory / "homeserver.db")}}


def postgres(connection: Mapping[str, Any]) -> Settings:
    """Return the database section for psycopg2's connection arguments.

    Any locale will do: nobody upgrades the C library under a demo's indexes.
    """
    pool = {"cp_min": 1, "cp_max": 5}
    return {"name": "psycopg2", "allow_unsafe_locale": True, "args": {**pool, **connection}}


def log_settings(log_file: Path, level: str = "INFO") -> Settings:
    """Return a Python logging configuration that writes every line to `log_file` at once.

    SQL stays at INFO: below it Synapse logs the values, access tokens among them.
    """
    line = "%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s"
    file = {"class": "logging.FileHandler", "formatter": "line", "filename": str(log_file)}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": line}},
        "handlers": {"file": {**file, "encoding": "utf-8"}},
        "loggers": {"synapse.storage.SQL": {"level": "INFO"}},
        "root": {"level": level, "handlers": ["file"]},
    }


def deep_merge(base: Mapping[str, Any], extra: Mapping[str, Any]) -> Settings:
    """Return `base` with `extra` laid over it: mappings are merged, anything else is replaced."""
    merged = dict(base)
    for key, new in extra.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(new, Mapping)
        merged[key] = deep_merge(old, new) if both else new  # type: ignore[arg-type]
    return merged


def customized(settings: Mapping[str, Any], extra: Mapping[str, Any]) -> Settings:
    """Return `settings` with somebody's own YAML laid over them.

    Options for our module join ours and other modules join the list. A database is replaced as a
    whole: half of one and half of another is none.
    """
    merged = deep_merge(settings, {key: extra[key] for key in extra if key != "modules"})
    if "database" in extra:
        merged["database"] = extra["database"]
    if extra.get("modules") is not None:
        merged["modules"] = _joined_modules(settings["modules"], extra["modules"])
    return merged


def _joined_modules(ours: Sequence[Settings], theirs: Any) -> Any:
    if not isinstance(theirs, list):
        return theirs  # Synapse says what is wrong with it
    joined = list(ours)
    for entry in theirs:
        place = _place_of(entry, joined)
        if place is None:
            joined.append(entry)
        else:
            joined[place] = deep_merge(joined[place], entry)
    return joined


def _place_of(entry: Any, modules: Sequence[Settings]) -> int | None:
    if not isinstance(entry, Mapping) or entry.get("module") != MODULE:
        return None
    return next((i for i, module in enumerate(modules) if module.get("module") == MODULE), None)


def _listener(port: int, bind_addresses: Sequence[str]) -> Settings:
    return {
        "type": "http",
        "port": port,
        "bind_addresses": list(bind_addresses),
        "tls": False,
        "x_forwarded": False,
        "resources": [{"names": ["client"], "compress": False}],
    }


def _rate_limits() -> Settings:
    """Return limits that neither a demo nor a test meets by accident."""
    flat = (
        "rc_message rc_registration rc_registration_token_validity rc_admin_redaction "
        "rc_joins_per_room rc_3pid_validation rc_third_party_invite rc_media_create "
        "rc_room_creation rc_reports rc_user_directory rc_profile rc_delayed_event_mgmt"
    )
    nested = {
        "rc_login": ("address", "account", "failed_attempts"),
        "rc_joins": ("local", "remote"),
        "rc_invites": ("per_room", "per_user", "per_issuer"),
        "rc_presence": ("per_user",),
    }
    return {
        **{name: dict(_GENEROUS) for name in flat.split()},
        **{name: {part: dict(_GENEROUS) for part in parts} for name, parts in nested.items()},
    }
