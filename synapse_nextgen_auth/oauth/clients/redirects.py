"""Redirect URIs: which ones a client may register, and which request fits a registered one.

The rules are those of the Client-Server API, "Redirect URI validation" (MSC2966, RFC 8252). There
are no wildcards and no prefixes, for nobody (C058).
"""

import re
from urllib.parse import unquote_plus, urlsplit

import attrs

from synapse_nextgen_auth.oauth import hosts, loopback, uris
from synapse_nextgen_auth.oauth.uris import Uri
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen

WEB, NATIVE = "web", "native"  # the values of application_type

# What we, or an extension we may grow, add to the query: a registered value would compete (C051).
_RESPONSE_PARAMETERS = frozenset(
    {
        *("code", "state", "iss", "response", "error", "error_description", "error_uri"),
        *("access_token", "token_type", "expires_in", "scope", "id_token", "session_state"),
    }
)

_LOOPBACK = re.compile(
    rf"(http://(?:{'|'.join(map(re.escape, loopback.SPELLINGS))}))"
    r"(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_HOST = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9._-]+")


@frozen
class RedirectRules:
    """What this server adds to the rules of the specification.

    `own_hosts` serve our own pages and other people's uploads, so no code is sent there: `host` for
    every port of it, `host:port` for one (C050). `allow_loopback_web` is for a homeserver that is
    on loopback http itself: a web client under development may be there too, on any port, with
    http or https. `listed`, `allow_without_client_uri` and `allow_other_hosts` are an operator's
    exceptions from whose a host has to be.
    `trusted` is for clients that the operator wrote down: they may be anywhere, inside networks
    too, but still at complete URIs and nowhere that a browser would run as a script (C058).
    """

    own_hosts: frozenset[str] = frozenset()
    allow_loopback_web: bool = False
    listed: hosts.Listed = attrs.field(factory=hosts.Listed)
    allow_without_client_uri: bool = False
    allow_other_hosts: bool = False
    trusted: bool = False


def rules_at(issuer: str, *, allow_loopback_web: bool | None = None) -> RedirectRules:
    """Return the strictest rules of a homeserver at this address; `None` leaves it to the address.

    On loopback other ports are other applications; elsewhere every port of our host is ours.
    """
    parts = urlsplit(uris.origin(issuer))
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    on_loopback = host in loopback.SPELLINGS
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return RedirectRules(
        own_hosts=frozenset({f"{host}:{port}" if on_loopback else host}),
        allow_loopback_web=on_loopback if allow_loopback_web is None else allow_loopback_web,
    )


def refuse_registration(
    uri: str, *, application_type: str, client_uri: Uri | None, rules: RedirectRules
) -> str | None:
    """Say why a client must not register this redirect URI, and what would be right.

    `client_uri` stands for the client; `None` if nothing does, which the operator has to allow.
    """
    parsed = uris.parse(uri)
    if parsed is None:
        return uris.refuse(uri)
    reason = _refuse_parts(parsed)
    if rules.trusted or reason:
        return reason or _refuse_trusted(parsed)
    reason = _refuse_own(parsed, rules)
    if reason:
        return reason
    if rules.allow_loopback_web and application_type == WEB and parsed.is_web_on_loopback:
        return None
    if parsed.scheme == "https":
        return refuse_public(parsed, rules) or _refuse_host(parsed, client_uri, rules)
    if application_type == NATIVE:
        return _refuse_native(parsed, client_uri, rules)
    unless = f", unless {_LOOPBACK_WEB} is true" if parsed.is_loopback else ""
    return f"its scheme must be https, because application_type is web{unless}"


# The options that would let through what is refused.
_LOOPBACK_WEB = "client_registration.allow_loopback_web"
_OTHER_HOSTS = "client_registration.allow_other_hosts"


def refuse_public(uri: Uri, rules: RedirectRules) -> str | None:
    """Say why a web client cannot be at this address, and which option would let it."""
    if rules.allow_loopback_web and uri.is_web_on_loopback and not uri.has_userinfo:
        return None
    reason = uris.refuse_public_https(uri, rules.listed)
    unless = f", unless {_LOOPBACK_WEB} is true" if uri.is_web_on_loopback else ""
    return f"{reason}{unless}" if reason else None


def _refuse_host(uri: Uri, client_uri: Uri | None, rules: RedirectRules) -> str | None:
    if client_uri is None or rules.allow_other_hosts:
        return None
    reason = refuse_base(uri, client_uri, rules)
    return f"{reason}, unless {_OTHER_HOSTS} is true" if reason else None


def refuse_base(uri: Uri, client_uri: Uri, rules: RedirectRules) -> str | None:
    """Say why `client_uri` is not the common base of `uri` (MSC2966); port and path are free."""
    if hosts.is_under(uri.host, client_uri.host):
        return None
    # What lies below a host that is listed need not be its owner's.
    if uri.host == client_uri.host and (
        rules.listed.has(uri.host) or (uri.is_web_on_loopback and client_uri.is_web_on_loopback)
    ):
        return None
    base = quoted(client_uri.host)
    return f"its host {quoted(uri.host)} must be that of client_uri, {base}, or a subdomain of it"


def speaks_for(client_uri: Uri, uri: Uri) -> bool:
    """Say whether whoever is behind `client_uri` is behind a redirect URI, too, as far as one can tell.

    Of an app on the person's own machine nobody can tell; but a scheme in another name is not its own.
    """
    if uri.is_loopback:
        return True
    if is_private_use(uri):
        base = hosts.reverse(client_uri.host)
        return uri.scheme == base or uri.scheme.startswith(base + ".")
    return uri.host == client_uri.host or hosts.is_under(uri.host, client_uri.host)


def destination(redirect_uri: str) -> str:
    """Name where an answer goes: a host, or the scheme of an app with its colon.

    What an app writes between its slashes is no host: it may be anybody's (C195).
    """
    uri = uris.parse(redirect_uri)
    if uri is None:
        return redirect_uri
    return f"{uri.scheme}:" if is_private_use(uri) else uri.host


def stays_here(place: str) -> bool:
    """Say whether a destination is the machine of the person and no host on a network."""
    return place in loopback.SPELLINGS or place.endswith(":")


def is_private_use(uri: Uri) -> bool:
    """Say whether this is a scheme of an app and no address on the web (RFC 8252 section 7.1)."""
    return uri.scheme not in {"http", "https"}


def is_own(uri: Uri, own_hosts: frozenset[str]) -> bool:
    """Say whether a URI leads to this server itself (C050)."""
    return uri.host in own_hosts or uri.host_and_port in own_hosts


def matches(registered: str, presented: str) -> bool:
    """Say whether a request may use `presented`: the same string, but for a loopback port.

    The port of a loopback URI is that of the moment (RFC 8252 section 7.3).
    """
    if registered == presented:
        return True
    port_aside = without_port(registered)
    return port_aside is not None and port_aside == without_port(presented)


def without_port(uri: str) -> str | None:
    """Return a loopback URI without its port, if it has one; `None` for any other URI.

    An app listens on whatever port is free at the moment, and many register that one
    (RFC 8252 section 7.3).
    """
    match = _LOOPBACK.fullmatch(uri)
    if not match or int(match[2] or 1) > 65535:
        return None
    return match[1] + match[3]


def _refuse_parts(uri: Uri) -> str | None:
    if uri.has_fragment:
        return "it must not have a fragment, not even an empty one"
    if uri.has_userinfo:
        return "it must not contain a user name or password"
    # Not only "&": some frameworks still split at ";".
    pairs = re.split("[&;]", uri.query or "")
    taken = {unquote_plus(pair.partition("=")[0]) for pair in pairs} & _RESPONSE_PARAMETERS
    if taken:
        return f"its query must not contain {min(taken)}, which an authorization response uses"
    return None


def _refuse_trusted(uri: Uri) -> str | None:
    if uri.host and not _HOST.fullmatch(uri.host):
        return f"its host {quoted(uri.host)} must be a name or an address; there are no wildcards"
    if uri.scheme == "https" or uri.is_loopback:
        return None
    if _is_scheme_of_app(uri):
        return None
    return _NO_SCHEME_OF_APP


_NO_SCHEME_OF_APP = (
    "it must be https, http on this machine, or a scheme of an app like com.example.app:/"
)


def _is_scheme_of_app(uri: Uri) -> bool:
    return "." in uri.scheme and not uri.has_authority


def _refuse_own(uri: Uri, rules: RedirectRules) -> str | None:
    if is_own(uri, rules.own_hosts):
        return "it must not lead to this homeserver itself"
    return None


def _refuse_native(uri: Uri, client_uri: Uri | None, rules: RedirectRules) -> str | None:
    if uri.scheme == "http":
        return None if uri.is_loopback else "plain http is only for localhost, 127.0.0.1 and [::1]"
    if client_uri is None or rules.allow_other_hosts:
        return None if _is_scheme_of_app(uri) else _NO_SCHEME_OF_APP
    if hosts.refuse_public(client_uri.host):
        return "a private-use scheme needs a client_uri with a public domain name"
    base = hosts.reverse(client_uri.host)
    # At a label boundary: com.exampleevil is not com.example (C045).
    if uri.scheme != base and not uri.scheme.startswith(base + "."):
        unless = f", unless {_OTHER_HOSTS} is true" if _is_scheme_of_app(uri) else ""
        return (
            f"its scheme must be {quoted(base)} or begin with {quoted(base + '.')}, "
            f"the host of client_uri in reverse-DNS notation{unless}"
        )
    if uri.has_authority:
        return "a private-use scheme must be followed by one slash or none"
    return None
