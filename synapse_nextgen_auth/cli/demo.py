"""`synapse-nextgen-auth demo`: a real Synapse with the module and two accounts, until Ctrl-C."""

import importlib.util
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from synapse_nextgen_auth.cli import demo_directory, loopback, synapse_process, yaml_file
from synapse_nextgen_auth.cli.accounts import AccountError, SharedSecret
from synapse_nextgen_auth.cli.database_url import DatabaseUrlError, database_section
from synapse_nextgen_auth.cli.demo_words import announcement, signs_in_by_password
from synapse_nextgen_auth.cli.homeserver_yaml import (
    Settings,
    customized,
    homeserver_settings,
    log_settings,
)
from synapse_nextgen_auth.records import frozen

# What Synapse's own extras bring for identity providers, by the section that needs it.
_LIBRARIES = (("oidc_providers", "authlib", "oidc"), ("saml2_config", "saml2", "saml2"))


class DemoError(Exception):
    """The demo cannot go on; the message says why in plain words."""


@frozen
class DemoOptions:
    """What the command line asked for."""

    port: int = 8008
    directory: Path | None = None
    database: str | None = None
    config: Path | None = None
    as_json: bool = False


@frozen
class RunningDemo:
    """A homeserver that is ready to be used; `is_again` where its accounts are of an earlier run."""

    process: "subprocess.Popen[bytes]"
    settings: Settings
    kept: demo_directory.Kept
    config_path: Path
    is_again: bool

    @property
    def database(self) -> str | None:
        """The name of the PostgreSQL database in use, `None` for a file of SQLite."""
        section = self.settings["database"]
        if section.get("name") != "psycopg2":
            return None
        arguments = section.get("args") or {}
        # Without a name libpq takes that of the user.
        names = (arguments.get(name) for name in ("dbname", "database", "user"))
        return next((str(name) for name in names if name), "")

    def facts(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        server_name = self.settings["server_name"]
        return {
            "base_url": str(self.settings["public_baseurl"]).rstrip("/"),
            "server_name": server_name,
            "user_id": self.kept.account.user_id(server_name),
            "password": self.kept.account.password,
            "admin_user_id": self.kept.admin.user_id(server_name),
            "admin_password": self.kept.admin.password,
            "registration_shared_secret": self.settings["registration_shared_secret"],
            "config_path": str(self.config_path),
            "pid": self.process.pid,
        }


def run(options: DemoOptions) -> int:
    """Run the demo until somebody stops it and return the exit code."""
    _stop_on_signals()
    try:
        with demo_directory.opened(options.directory) as directory:
            return _run_in(directory, options)
    except KeyboardInterrupt:
        return 0
    except (
        DatabaseUrlError,
        DemoError,
        OSError,
        synapse_process.SynapseStoppedError,
        yaml_file.YamlFileError,
    ) as error:
        _say(str(error))
        return 1


def _run_in(directory: Path, options: DemoOptions) -> int:
    with _homeserver(directory, options) as demo:
        if options.as_json:
            print(json.dumps(demo.facts()), flush=True)
        else:
            temporary = options.directory is None
            words = announcement(
                demo.facts(),
                directory,
                temporary=temporary,
                database=demo.database,
                by_password=signs_in_by_password(demo.settings),
                is_again=demo.is_again,
            )
            print(words, flush=True)
        code = demo.process.wait()
        if code != 0:
            last_words = synapse_process.tail(directory / "homeserver.log")
            raise DemoError(f"Synapse ended with code {code}:\n{last_words}")
        return 0


def _require_libraries(settings: Mapping[str, Any]) -> None:
    """Say in a sentence what Synapse would end with a traceback for."""
    for section, library, extra in _LIBRARIES:
        given = settings.get(section)
        is_off = isinstance(given, Mapping) and not given.get("enabled", True)
        if given and not is_off and importlib.util.find_spec(library) is None:
            raise DemoError(
                f"{section} needs a package that is not here: pip install 'matrix-synapse[{extra}]'"
            )


@contextmanager
def _homeserver(directory: Path, options: DemoOptions) -> Iterator[RunningDemo]:
    addresses = loopback.addresses()
    port = _chosen_port(options.port, addresses)
    kept = demo_directory.kept(directory)
    settings = homeserver_settings(
        directory,
        port=port,
        secrets=kept.secrets,
        database=database_section(options.database, directory=directory),
        bind_addresses=addresses,
    )
    if options.config is not None:
        settings = customized(settings, yaml_file.read(options.config))
    log_file = directory / "homeserver.log"
    config_path = demo_directory.write_yaml(directory / "homeserver.yaml", settings)
    demo_directory.write_yaml(directory / "log.yaml", log_settings(log_file))

    _require_libraries(settings)
    process = synapse_process.start([config_path], log_file=log_file, directory=directory)
    try:
        synapse_process.wait_until_healthy(process, port=port, log_file=log_file)
        is_again = demo_directory.has_served(directory, settings["database"])
        _create_accounts(directory, port, settings=settings, kept=kept)
        yield RunningDemo(process, settings, kept, config_path, is_again)
    finally:
        _ignore_signals()
        synapse_process.stop(process)


def _chosen_port(wanted: int, addresses: tuple[str, ...]) -> int:
    port = wanted or loopback.free_port(addresses)
    for address in addresses:
        if problem := loopback.why_not(address, port):
            raise DemoError(f"{problem}. Choose another with --port, or --port 0 for any.")
    return port


def _create_accounts(
    directory: Path, port: int, *, settings: Settings, kept: demo_directory.Kept
) -> None:
    database = settings["database"]
    is_again = demo_directory.has_served(directory, database)
    if is_again and not signs_in_by_password(settings):
        return  # no password is printed, and Synapse sets none
    door = SharedSecret(port, settings["registration_shared_secret"])
    try:
        for credentials in (kept.account, kept.admin):
            door.ensure(
                credentials, server_name=settings["server_name"], trusted=is_again, tell=_say
            )
    except AccountError as error:
        raise DemoError(f"Synapse did not create the demo accounts: {error}") from error
    demo_directory.note_served(directory, database)


def _say(text: str) -> None:
    print(f"synapse-nextgen-auth demo: {text}", file=sys.stderr)


def _stop_on_signals() -> None:
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup sets it
        signal.signal(signal.SIGHUP, _interrupt)


def _ignore_signals() -> None:
    """Let the clean-up finish: a second Ctrl-C would leave Synapse or its directory behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
