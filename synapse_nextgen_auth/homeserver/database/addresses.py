"""Where the database listens, address by address, so that libpq has nothing to look up.

In asynchronous mode psycopg2 lets libpq connect while it holds Python's lock: where libpq asks a name
server, or Kerberos, nothing else of the process runs until it has its answer. The rules for hosts and
ports are libpq's own ("Connection Strings" in PostgreSQL's manual).
"""

import os
import random
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_NAMES_A_SOCKET = ("/", "@")

# libpq takes these for arguments that are not given.
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "service": "PGSERVICE",
    "gssencmode": "PGGSSENCMODE",
    "require_auth": "PGREQUIREAUTH",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
}
# Who sets one of these may have tickets of Kerberos, which libpq uses unless it is told not to.
_KERBEROS = ("KRB5CCNAME", "KRB5_CLIENT_KTNAME", "GSS_USE_PROXY", "PGKRBSRVNAME")
_TICKETS = "/tmp/krb5cc_{}"  # noqa: S108 (MIT Kerberos's place, which is only looked for)
# The versions of libpq that know an argument.
_KNOWS_GSSENCMODE, _KNOWS_REQUIRE_AUTH = 120000, 160000


def given(arguments: Mapping[str, Any], name: str) -> str:
    """Return an argument for a connection as libpq would see it, empty where there is none."""
    value = arguments.get(name)
    return os.environ.get(_VARIABLES[name], "") if value is None else str(value)


def why_not(arguments: Mapping[str, Any]) -> str | None:
    """Return why libpq would ask others while it connects, whatever is done here, or `None`."""
    if arguments.get("dsn") is not None:
        return "dsn says where it is"
    if given(arguments, "service"):
        return "a service file says where it is"
    try:
        places = _places(arguments)
    except ValueError as error:
        return str(error)
    mode = given(arguments, "gssencmode")
    # Over a socket of the file system Kerberos encrypts nothing.
    is_local = all(_is_socket(host) and not address for host, address, _ in places)
    if mode not in ("", "disable") or not (mode or is_local or not _may_have_tickets(arguments)):
        return "Kerberos may encrypt the connection"
    if not _is_without_gss(given(arguments, "require_auth")):
        return "Kerberos may sign in to it"
    return None


def each(arguments: Mapping[str, Any], *, libpq: int) -> Iterator[dict[str, Any]]:
    """Yield the arguments for one address after the other; block while names are looked up.

    A name is looked up when its turn comes; one that is not known raises when it is the last.
    """
    places = _places(arguments)
    is_random = given(arguments, "load_balance_hosts") == "random"
    if is_random:
        random.shuffle(places)
    quiet = _without_kerberos(arguments, libpq)
    unknown: OSError | None = None
    for wanted in _passes(given(arguments, "target_session_attrs")):
        for host, address, port in places:
            try:
                found = [address] if address or _is_socket(host) else _look_up(host)
            except OSError as error:
                unknown = error
                continue
            if is_random:
                random.shuffle(found)
            for one in found:
                unknown = None
                yield {**arguments, **quiet, **wanted, "host": host, "hostaddr": one, "port": port}
    if unknown is not None:
        raise unknown


def _places(arguments: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return host, address and port of each place in the lists; what is not given is empty."""
    hosts, addresses, ports = (given(arguments, name) for name in ("host", "hostaddr", "port"))
    count = len((addresses or hosts).split(","))
    each_port = _in_step(ports, count) if "," in ports else [ports] * count
    return list(zip(_in_step(hosts, count), _in_step(addresses, count), each_port, strict=True))


def _in_step(listed: str, count: int) -> list[str]:
    values = listed.split(",") if listed else [""] * count
    if len(values) != count:
        raise ValueError("host, hostaddr and port are lists of different length")
    return values


def _is_socket(host: str) -> bool:
    """Say whether it is in the file system, or libpq's own default, which is there as well."""
    return not host or host.startswith(_NAMES_A_SOCKET)


def _look_up(host: str) -> list[str]:
    """Return the addresses of a host, as libpq would ask for them; other threads go on meanwhile."""
    # As bytes: Python has opinions about names, libpq has none.
    found = socket.getaddrinfo(host.encode(), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(_text(where) for *_, where in found))


def _text(where: tuple[Any, ...]) -> str:
    address, _, *rest = where
    is_scoped = len(rest) == 2 and rest[1]
    return f"{address.partition('%')[0]}%{rest[1]}" if is_scoped else str(address)


def _passes(wanted: str) -> list[dict[str, str]]:
    """Return what to want of the servers, in one round through all of them after the other."""
    if wanted == "prefer-standby":
        return [{"target_session_attrs": "standby"}, {"target_session_attrs": "any"}]
    return [{}]


def _without_kerberos(arguments: Mapping[str, Any], libpq: int) -> dict[str, str]:
    """Return what keeps libpq from Kerberos, as far as it can be told."""
    quiet = {}
    if libpq >= _KNOWS_GSSENCMODE:
        quiet["gssencmode"] = "disable"
    if libpq >= _KNOWS_REQUIRE_AUTH and not given(arguments, "require_auth"):
        quiet["require_auth"] = "!gss"
    return quiet


def _is_without_gss(methods: str) -> bool:
    """Say whether this list of ways to sign in leaves Kerberos out; nothing given is for us to say."""
    listed = [one.strip() for one in methods.split(",")]
    if listed[0].startswith("!"):
        return "!gss" in listed
    return "gss" not in listed


def _may_have_tickets(arguments: Mapping[str, Any]) -> bool:
    if arguments.get("krbsrvname") or any(os.environ.get(name) for name in _KERBEROS):
        return True
    return Path(_TICKETS.format(os.geteuid())).exists()
