"""URIs read strictly (RFC 3986): refuse what browsers and libraries would silently repair.

`urllib.parse.urlsplit` drops tabs and line ends and browsers turn backslashes into slashes, so two
readers of one text can see two hosts. Here the raw text is checked first (C049).
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

import idna

from synapse_nextgen_auth.oauth import hosts, loopback
from synapse_nextgen_auth.records import frozen

MAX_LENGTH = 2048

_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PARTS = re.compile(
    r"([A-Za-z][A-Za-z0-9+.\-]*):(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(#.*)?",
)
_AUTHORITY = re.compile(r"(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[^@:\[\]]*)(?::([1-9][0-9]{0,4}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@frozen
class Uri:
    """A URI taken apart: scheme and host in lower case, everything else as written.

    `host` is empty when there is none; `has_fragment` is true for a bare "#" too.
    """

    text: str
    scheme: str
    host: str
    port: int | None
    path: str
    query: str | None
    has_authority: bool
    has_userinfo: bool
    has_fragment: bool

    @property
    def host_and_port(self) -> str:
        """The host with the port that is really used."""
        return f"{self.host}:{self.port or _DEFAULT_PORTS.get(self.scheme, 0)}"

    @property
    def is_loopback(self) -> bool:
        """Whether this is plain http to the machine of the reader."""
        return self.scheme == "http" and self.host in loopback.SPELLINGS

    @property
    def is_web_on_loopback(self) -> bool:
        """Whether this is http or https to the machine of the reader."""
        return self.scheme in _DEFAULT_PORTS and self.host in loopback.SPELLINGS


def parse(text: str) -> Uri | None:
    """Take a URI apart; `None` for what `refuse` refuses."""
    if refuse(text):
        return None
    parts = _PARTS.fullmatch(text)
    authority = _AUTHORITY.fullmatch(parts[2] or "") if parts else None
    if not parts or not authority:
        return None
    return Uri(
        text=text,
        scheme=parts[1].lower(),
        host=authority[1].lower(),
        port=int(authority[2]) if authority[2] else None,
        path=parts[3],
        query=parts[4],
        has_authority=parts[2] is not None,
        has_userinfo="@" in (parts[2] or ""),
        has_fragment=parts[5] is not None,
    )


def origin(url: str) -> str:
    """Return the origin of a URL as browsers write it (RFC 6454 sections 4 and 6.2).

    Scheme and host are in lower case, a name in other letters than ASCII is an A-label, and a port
    stands there only if it is not the scheme's own.
    """
    parts = urlsplit(url)
    host = _canonical(parts.hostname or "")
    is_usual = parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)}
    return f"{parts.scheme}://{host}{'' if is_usual else f':{parts.port}'}"


def _canonical(host: str) -> str:
    if ":" in host:
        return f"[{ip_address(host).compressed}]"
    if host.isascii():
        return host.lower()
    return idna.encode(host, uts46=True).decode("ascii")


def refuse(text: str) -> str | None:
    """Say why this text is not a URI that everybody reads alike."""
    if len(text) > MAX_LENGTH:
        return f"it must not be longer than {MAX_LENGTH} characters"
    if not _CHARACTERS.fullmatch(text) or _BAD_PERCENT.search(text):
        return "it is empty or has characters that RFC 3986 does not allow without percent-encoding"
    parts = _PARTS.fullmatch(text)
    if not parts:
        return "it must be an absolute URI that begins with a scheme"
    authority = _AUTHORITY.fullmatch(parts[2] or "")
    if not authority or int(authority[2] or 1) > 65535:
        return "its host or port is malformed"
    if parts[1].lower() in _DEFAULT_PORTS and not authority[1]:
        return "it must have a host after two slashes"
    return None


def refuse_service(text: str) -> str | None:
    """Say why this is not the address of a service that an operator lets this server ask."""
    uri = parse(text)
    if uri is None:
        return refuse(text)
    if uri.has_userinfo or uri.query is not None or uri.has_fragment:
        return "must not have a user name, a password, a query or a fragment"
    if uri.scheme == "http" and uri.is_loopback:
        return None
    if uri.scheme != "https" or not uri.host:
        return "must be an https address, or an http one of this machine"
    return None


def refuse_public_https(uri: Uri, listed: hosts.Listed | None = None) -> str | None:
    """Say why this is not the https address of a page on the internet (MSC2966), or one listed."""
    if uri.scheme != "https":
        return "its scheme must be https"
    if uri.has_userinfo:
        return "it must not contain a user name or password"
    return hosts.refuse_public(uri.host, listed or hosts.Listed())
