"""A client asks to sign its person out (OpenID Connect RP-Initiated Logout 1.0)."""

import attrs

from synapse_nextgen_auth.oauth.clients import redirects
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_request
from synapse_nextgen_auth.oauth.grants.authorization import ResponseMode
from synapse_nextgen_auth.oauth.grants.authorization_answer import Answer
from synapse_nextgen_auth.oauth.grants.authorization_request import MAX_STATE
from synapse_nextgen_auth.oauth.grants.parameters import Parameters
from synapse_nextgen_auth.oauth.tokens.id_token import Hint
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen

_KNOWN = ("client_id", "id_token_hint", "post_logout_redirect_uri", "state")


@frozen
class Request:
    """What the client asks: for whom, as which client, and where the browser goes afterwards."""

    client_id: str | None
    id_token_hint: str | None = attrs.field(repr=False)
    redirect_uri: str | None
    state: str | None

    @property
    def query(self) -> dict[str, str]:
        """What a page of ours repeats of it; the token proved what it could."""
        said = {
            "client_id": self.client_id,
            "post_logout_redirect_uri": self.redirect_uri,
            "state": self.state,
        }
        return {name: value for name, value in said.items() if value is not None}


def read(parameters: Parameters) -> Request:
    """Read what is asked; parameters of any other name are ignored."""
    for name in _KNOWN:
        if name in parameters.repeated:
            raise invalid_request(f"{name} is repeated")
    if len(parameters.get("state") or "") > MAX_STATE:
        raise invalid_request(f"state is longer than {MAX_STATE} characters")
    client_id, hint, redirect_uri, state = (parameters.get(name) for name in _KNOWN)
    return Request(client_id, hint, redirect_uri, state)


def refuse(request: Request, client: Client | None, hint: Hint | None) -> OAuthError | None:
    """Return why nothing of it is done: nobody is sent where the client is not known to be (C194)."""
    if hint is not None and request.client_id not in {None, hint.audience}:
        return invalid_request("client_id is not the client that the id_token_hint was made for")
    if request.redirect_uri is None:
        return None
    if client is None and request.id_token_hint is not None and hint is None:
        return invalid_request(
            "id_token_hint is no ID token of this server, so post_logout_redirect_uri needs a client_id"
        )
    if client is None:
        return invalid_request(
            "post_logout_redirect_uri needs a client_id or an id_token_hint of a client of this server"
        )
    registered = client.post_logout_redirect_uris
    if not any(redirects.matches(uri, request.redirect_uri) for uri in registered):
        return invalid_request(
            f"post_logout_redirect_uri {quoted(request.redirect_uri)} is not one of the"
            " post_logout_redirect_uris that this client registered"
        )
    return None


def answer(request: Request) -> Answer | None:
    """Return where the browser goes afterwards, with the client's `state`; `None` where it stays."""
    if request.redirect_uri is None:
        return None
    fields = () if request.state is None else (("state", request.state),)
    return Answer(request.redirect_uri, fields, ResponseMode.QUERY)
