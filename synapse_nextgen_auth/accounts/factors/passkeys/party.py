"""For which site passkeys are made here: the host of our pages, which browsers hold us to."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from synapse_nextgen_auth.accounts.factors.passkeys.passkey import RelyingParty


def of(issuer: str, *, server_name: str, related: Iterable[str] = ()) -> RelyingParty | None:
    """Return this site, by the address of our pages; `None` where browsers make no passkeys.

    That is at an address of numbers, which is no domain, and without TLS, but for `localhost` (WebAuthn
    section 5.1.3, W3C Secure Contexts). `related` are origins that may use our passkeys, too: browsers
    ask us whether they may (section 5.11).
    """
    parts = urlsplit(issuer)
    host = parts.hostname or ""
    is_local = host == "localhost" or host.endswith(".localhost")
    if (parts.scheme != "https" and not is_local) or _is_number(host) or not host:
        return None
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    default = ":443" if parts.scheme == "https" else ":80"
    origins = (origin.removesuffix(default), *related)
    return RelyingParty(rp_id=host, origins=tuple(dict.fromkeys(origins)), name=server_name)


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
