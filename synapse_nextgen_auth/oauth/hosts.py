"""Hosts of clients: who stands behind a name, as far as a name can tell (MSC2966).

Hosts are lower case here, and an IPv6 address keeps its brackets.
"""

import functools
import re

from publicsuffixlist import PublicSuffixList

from synapse_nextgen_auth.oauth.wording import quoted

# The three spellings that RFC 8252 section 7.3 and the Client-Server API know, and no other.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# To a browser a name that ends in a number is an IPv4 address: 127.1, 0x7f000001 (C047).
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def refuse_public(host: str) -> str | None:
    """Say why this host is not the name of somebody on the internet (C046)."""
    labels = host.split(".")
    if host.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        return f"its host {quoted(host)} is an IP address and must be a domain name"
    if labels[-1] == "localhost":
        return f"its host {quoted(host)} is this machine and must be a public domain name"
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return f"its host {quoted(host)} must be a domain name, in ASCII and without a final dot"
    if registrable_domain(host) is None:
        return f"its host {quoted(host)} is a public suffix and must be a domain name below one"
    return None


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
def _suffixes() -> PublicSuffixList:
    # Read once, when first needed: 60 ms and 1.2 MB (measured). Without the punycode forms it would
    # be 12 ms, but punycode is the only form in which an internationalized host reaches us, and
    # without the private section 0.7 MB, but then one site of github.io could speak for another.
    return PublicSuffixList()
