"""Talking to the Synapse that runs: where it listens, and what proves to it that we may ask.

Both stand in its homeserver.yaml. Nothing is written anywhere.
"""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
from synapse.config._base import ConfigError, format_config_error
from synapse.config.homeserver import HomeServerConfig
from synapse.config.server import ListenerConfig, UnixListenerConfig, parse_listener_def

from synapse_nextgen_auth.accounts import commands
from synapse_nextgen_auth.accounts.commands import Stamp
from synapse_nextgen_auth.assembly.issuer import keyring
from synapse_nextgen_auth.cli import check_config
from synapse_nextgen_auth.cli.tables import shown
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, random_id

_PATIENCE = 60  # seconds
_PATH = PREFIX + commands.PATH
# What a listener on every address of the machine is reached by on the machine itself.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here


class CannotAsk(Exception):
    """The server could not be asked; one sentence for each thing that is in the way."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


class Refused(Exception):
    """The server was asked, and does not do it; the message says why."""


@frozen
class Place:
    """Where a server may listen, as people write it, and how to connect to it."""

    name: str
    connect: Callable[[], http.client.HTTPConnection] = attrs.field(repr=False)
    path: str = _PATH
    headers: Mapping[str, str] = attrs.field(factory=dict)


@frozen
class RunningServer:
    """The server of a configuration: its places in the order in which they are tried."""

    places: Sequence[Place]
    keys: Keyring = attrs.field(repr=False)

    @classmethod
    def of(cls, files: Sequence[Path], url: str | None = None) -> "RunningServer":
        """Read the files of Synapse, each as one `-c`; raise `CannotAsk` where they do not do."""
        if not files:
            raise CannotAsk(
                "Name the configuration of the server, as Synapse is started with it:"
                " synapse-nextgen-auth -c /etc/matrix-synapse/homeserver.yaml …"
            )
        raw, problems = check_config.read_files(files)
        config, mistakes = check_config.read_options(raw)
        if problems or mistakes:
            raise CannotAsk(*(problems or mistakes))
        if not config.enabled:
            raise CannotAsk("The module is switched off in these files (enabled: false)")
        hs_config, problems = check_config.load(files)
        if hs_config is None:
            raise CannotAsk(*problems)
        places = [place_of(url)] if url else places_of(files, hs_config)
        return cls(places, keyring(config, hs_config))

    def ask(self, command: str, **given: Any) -> dict[str, Any]:
        """Let the server do something and return what it says; raise `CannotAsk` or `Refused`."""
        body = json.dumps(
            {
                "command": command,
                **{name: value for name, value in given.items() if value is not None},
            }
        ).encode("utf-8")
        tried = []
        for place in self.places:
            stamp = Stamp(int(time.time()), random_id())
            try:
                response, text = _post(place, stamp.header(self.keys, path=_PATH, body=body), body)
            except ConnectionRefusedError:
                tried.append(f"Nothing listens at {place.name}")
            except FileNotFoundError:
                tried.append(f"There is no socket {place.name}")
            except (OSError, http.client.HTTPException) as error:
                # Whether it was done is not known: nowhere else it is asked again.
                raise CannotAsk(
                    *tried, f"{place.name} does not answer: {error or type(error).__name__}"
                ) from error
            else:
                return self._read(place, stamp, response, text)
        raise CannotAsk(*tried, "Is the server running? --url says where it is to be found")

    def _read(
        self, place: Place, stamp: Stamp, response: http.client.HTTPResponse, text: bytes
    ) -> dict[str, Any]:
        try:
            said = json.loads(text)
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        if response.status == http.HTTPStatus.OK and isinstance(said.get("sealed"), str):
            answer = stamp.unseal(self.keys, said["sealed"])
            if answer is None:
                raise CannotAsk(f"What answers at {place.name} is not this server")
            if "refused" in answer:
                raise Refused(answer["refused"])
            done: dict[str, Any] = answer["done"]
            return done
        if "error_description" in said:
            # It proved nothing: what it says reaches a terminal as letters alone.
            raise CannotAsk(f"{place.name}: {shown(said['error_description'])}")
        raise CannotAsk(
            f"{place.name} knows no commands ({response.status}). Is the module loaded there, in this"
            " release, and Synapse restarted since?"
        )


def _post(place: Place, proof: str, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
    connection = place.connect()
    try:
        connection.connect()
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        raise
    try:
        headers = {**place.headers, "Authorization": proof, "Content-Type": commands.MEDIA_TYPE}
        connection.request(commands.METHOD, place.path, body, headers)
        response = connection.getresponse()
        return response, response.read()
    except ConnectionRefusedError as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def _workers_listeners(files: Sequence[Path]) -> list[ListenerConfig]:
    """Return what the worker of each file listens at; raise `CannotAsk` where that is not readable.

    Synapse merges the files of one process. Here several processes may be named, and a second one
    takes nothing away from the first.
    """
    found: list[ListenerConfig] = []
    for content in check_config.contents(files):
        listeners = content.get("worker_listeners")
        try:
            found += [parse_listener_def(*each) for each in enumerate(listeners or ())]
        except ConfigError as error:
            raise CannotAsk(f"worker_listeners: {''.join(format_config_error(error))}") from error
        except (KeyError, TypeError) as error:
            raise CannotAsk("worker_listeners: this is no list of listeners") from error
    return found


def _places(
    hs_config: HomeServerConfig, of_workers: Iterable[ListenerConfig] = ()
) -> Iterator[Place]:
    """Yield where the server listens for clients: the main process first, IPv6 at the end."""
    found = []
    public = urlsplit(hs_config.server.public_baseurl or "").hostname
    for listener in (*hs_config.server.listeners, *of_workers):
        options = listener.http_options
        if options is None or not any("client" in each.names for each in options.resources):
            continue
        if isinstance(listener, UnixListenerConfig):
            found.append(_at_socket(listener.path))
            continue
        for address in listener.bind_addresses:
            host = _EVERYWHERE.get(address, address)
            found.append(_at_host(host, listener.port, tls=listener.tls, name=public))
    unique = {place.name: place for place in found}
    yield from sorted(unique.values(), key=lambda place: "//[::" in place.name)


def places_of(files: Sequence[Path], hs_config: HomeServerConfig) -> list[Place]:
    """Return where the server of these files listens for clients; raise `CannotAsk` if nowhere."""
    places = list(_places(hs_config, _workers_listeners(files)))
    if not places:
        raise CannotAsk(
            "None of these files has an http listener with the resource client. Add the file of a"
            " worker that has one with another -c, or give --url"
        )
    return places


def place_of(
    url: str, *, trust: str | None = None, headers: Mapping[str, str] | None = None
) -> Place:
    """Return the place at an address; `trust` is a file of certificates that it may have."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme == "unix" or not host or parts.scheme not in {"http", "https"}:
        if parts.scheme == "unix" and parts.path:
            return _at_socket(parts.path)
        raise CannotAsk(
            "--url wants an address such as http://localhost:8008, https://matrix.example.org or"
            " unix:/run/synapse.sock"
        )
    tls = parts.scheme == "https"
    place = _at_host(host, port or (443 if tls else 80), tls=tls, name=host, trust=trust)
    return attrs.evolve(place, path=parts.path.rstrip("/") + _PATH, headers=headers or {})


def _at_host(
    host: str, port: int, *, tls: bool, name: str | None, trust: str | None = None
) -> Place:
    shown = f"[{host}]" if ":" in host else host
    if not tls:
        return Place(
            f"http://{shown}:{port}",
            lambda: http.client.HTTPConnection(host, port, timeout=_PATIENCE),
        )
    return Place(f"https://{shown}:{port}", lambda: _Tls(host, port, name or host, trust))


def _at_socket(path: str) -> Place:
    return Place(path, lambda: _OverSocket(path))


class _Tls(http.client.HTTPConnection):
    """TLS to an address by the name that the certificate has; on this machine any will do."""

    def __init__(self, host: str, port: int, name: str, trust: str | None) -> None:
        super().__init__(host, port, timeout=_PATIENCE)
        self._name = name
        self._trust = trust

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context(cafile=self._trust)
        if _is_this_machine(self.host):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=self._name)


class _OverSocket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(self._path)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
