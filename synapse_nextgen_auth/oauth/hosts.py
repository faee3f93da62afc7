"""Hosts of clients: who stands behind a name, as far as a name can tell (MSC2966).

Hosts are lower case here, and an IPv6 address keeps its brackets.
"""

import functools
import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from synapse_nextgen_auth.oauth import loopback
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# To a browser a name that ends in a number is an IPv4 address: 127.1, 0x7f000001 (C047).
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


# The option that lets clients be at hosts which are nobody's on the internet.
LISTING = "client_registration.public_hosts"


@frozen
class Listed:
    """Hosts that an operator lets clients be at as if they were on the internet."""

    names: frozenset[str] = frozenset()
    below: tuple[str, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> "Listed":
        """Take entries that `refuse_entry` has nothing against."""
        texts = [entry.lower() for entry in entries]
        networks = {text: network for text in texts if (network := _network(text))}
        names = [text for text in texts if text not in networks]
        return cls(
            frozenset(name for name in names if not name.startswith(".")),
            tuple(name if name.startswith(".") else f".{name}" for name in names),
            tuple(networks.values()),
        )

    def has(self, host: str) -> bool:
        """Say whether this host is listed, itself or by its domain or network."""
        try:
            address = ip_address(host.strip("[]"))
        except ValueError:
            return _is_name(host) and (host in self.names or host.endswith(self.below))
        return any(address in network for network in self.networks)


_NOTHING = Listed()


def refuse_entry(text: str) -> str | None:
    """Say why an operator cannot list this."""
    network = _network(text)
    if network is not None:
        return _refuse_loopback(network)
    name = text.lower().removeprefix(".")
    if loopback.is_name(name):
        return "is loopback, see allow_loopback_web"
    if not text.isascii():
        return _in_ascii(text)
    if not _is_name(name):
        return _behind(text) or (
            "must be a host, a domain (.example for all hosts below it) or a network (10.0.0.0/8)"
        )
    return None


def _behind(text: str) -> str | None:
    """Say which network an address with a length stands for; `None` of anything else."""
    try:
        network = ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None
    return (
        _refuse_loopback(network)
        or f"has bits behind the /{network.prefixlen}; did you mean {network}?"
    )


# What Python's codec (RFC 3490) and browsers (RFC 5891) write differently.
_DEVIATIONS = re.compile("[\u00df\u1e9e\u03c2\u200c\u200d]")


def _in_ascii(text: str) -> str:
    """Say how a name with other letters is written in DNS, where that is certain."""
    try:
        name = "" if _DEVIATIONS.search(text) else text.lstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        name = ""
    if not _is_name(name):
        return "must be in ASCII, as a browser's address bar copies it (xn--)"
    return f"must be in ASCII; write it as {'.' if text.startswith('.') else ''}{name}"


def _refuse_loopback(network: IPv4Network | IPv6Network) -> str | None:
    """Say why a network that has this machine in it cannot be listed."""
    part = loopback.inside(network)
    if part is None:
        return None
    if network.prefixlen >= part.prefixlen:
        return "is loopback, see allow_loopback_web"
    return f"has loopback in it ({part}); list the networks beside that"


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text.strip("[]"))
    except ValueError:
        return None


def refuse_public(host: str, listed: Listed = _NOTHING) -> str | None:
    """Say why this host is not the name of somebody on the internet (C046), nor listed."""
    labels = host.split(".")
    unless = "" if host in loopback.SPELLINGS else f", unless {LISTING} lists it"
    if loopback.is_name(host):
        return f"its host {quoted(host)} is this machine and must be a public domain name"
    if listed.has(host):
        return None
    if host.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        return f"its host {quoted(host)} is an IP address and must be a domain name{unless}"
    if not _is_name(host):
        return f"its host {quoted(host)} must be a domain name, in ASCII and without a final dot"
    if registrable_domain(host) is None:
        return f"its host {quoted(host)} is a public suffix and must be a domain name below one{unless}"
    return None


def _is_name(host: str) -> bool:
    labels = host.split(".")
    is_number = _NUMBER.fullmatch(labels[-1]) is not None
    return len(host) <= 253 and not is_number and all(map(_LABEL.fullmatch, labels))


def is_under(host: str, base: str) -> bool:
    """Say whether a public `host` is `base` or one of its subdomains.

    A public suffix between the two means another owner: x.s3.amazonaws.com is not amazonaws.com's.
    """
    if host != base and not host.endswith("." + base):
        return False
    return registrable_domain(host) == registrable_domain(base) is not None


def reverse(host: str) -> str:
    """Return the host in reverse-DNS notation: com.example for example.com."""
    return ".".join(reversed(host.split(".")))


def registrable_domain(host: str) -> str | None:
    """Return the part of a host that one party registered; `None` for a public suffix itself."""
    return _suffixes().privatesuffix(host)


@functools.cache
def _suffixes() -> "PublicSuffixList":
    # Read once, when first needed: 60 ms and 1.2 MB (measured). Without the punycode forms it would
    # be 12 ms, but punycode is the only form in which an internationalized host reaches us, and
    # without the private section 0.7 MB, but then one site of github.io could speak for another.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 (no start waits for it)

    return PublicSuffixList()
