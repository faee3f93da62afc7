"""Asking a provider to let the person prove anew who they are, or come as somebody else.

OpenID Connect: `prompt=login` and `max_age=0` (Core section 3.1.2.1). SAML: `ForceAuthn` (core section
3.4.1). CAS: `renew`, on the way there and when the ticket is validated (CAS protocol sections 2.1.1 and
2.5.1), for a server gives a ticket of an old sign-in otherwise.

Whoever wants another account would be let in as the former person without a question, where a provider
still has its own sign-in of them.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.homeserver.startup import patches

StartOf = Callable[[str], Start | None]

_SELECT_ACCOUNT = "select_account"
# Whose documentation has this value and not `login`.
_WITHOUT_LOGIN = frozenset({"https://accounts.google.com"})


def asking(url: str, **parameters: str) -> str:
    """Return the address of a provider with these parameters, in place of others of their names."""
    parts = urlsplit(url)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in parameters
    ]
    return urlunsplit(parts._replace(query=urlencode([*kept, *parameters.items()])))


def prompt_for_another(metadata: Mapping[str, Any], *, is_openid: bool) -> str:
    """Return the `prompt` by which people may be somebody else there.

    `select_account` is made for it, but no provider must know it, and many refuse what they do not know;
    `login` every provider of OpenID Connect knows (Core sections 3.1.2.1 and 15.1). OAuth 2.0 alone has
    neither, and ignores what it does not know (RFC 6749 section 3.1); GitHub knows the former.
    """
    known = metadata.get("prompt_values_supported")
    is_known = isinstance(known, list) and _SELECT_ACCOUNT in known
    if is_known or not is_openid or metadata.get("issuer") in _WITHOUT_LOGIN:
        return _SELECT_ACCOUNT
    return "login"


def ask_saml(handler: Any, start_of: StartOf) -> None:
    """Let the SAML handler force a sign-in where one of ours must be fresh, or is another person's."""

    def prepare(*args: Any, relay_state: str | bytes = "", **kwargs: Any) -> Any:
        text = relay_state.decode("utf-8") if isinstance(relay_state, bytes) else relay_state
        start = start_of(text)
        if start is not None and (start.is_fresh or start.asks_who):
            kwargs["force_authn"] = "true"
        return stock(*args, relay_state=relay_state, **kwargs)

    client = handler._saml_client  # noqa: SLF001 (the handler's own)
    stock = patches.instead(client, "prepare_for_authenticate", prepare)


def ask_cas(handler: Any, start_of: StartOf) -> None:
    """Let the CAS handler take no ticket of an old sign-in where one of ours must be fresh."""
    client = handler._http_client  # noqa: SLF001 (the handler's own)
    patches.instead(handler, "_http_client", _Renewing(client, start_of))


class _Renewing:
    """An HTTP client that validates tickets, with `renew` where it matters."""

    def __init__(self, client: Any, start_of: StartOf) -> None:
        self._client = client
        self._start_of = start_of

    async def get_raw(self, uri: str, args: dict[str, str]) -> bytes:
        """Ask the server about a ticket."""
        query = parse_qs(urlsplit(args.get("service", "")).query)
        start = self._start_of((query.get("redirectUrl") or [""])[0])
        renew = {"renew": "true"} if start is not None and start.is_fresh else {}
        body: bytes = await self._client.get_raw(uri, {**args, **renew})
        return body
