"""The answer on its way to the client: by itself, or by a page in between."""

from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.clients import redirects
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.grants.authorization import ResponseMode
from synapse_nextgen_auth.oauth.grants.authorization_answer import Answer
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.way_back.page import (
    FormPostPage,
    Refusal,
    RefusedPage,
    WayBackPage,
)
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.site import Site

# Whatever else is refused before anybody is signed in is the application's own mistake.
_REFUSALS = {
    "login_required": Refusal.NOT_SIGNED_IN,
    "temporarily_unavailable": Refusal.BUSY,
}


def deliver(site: Site, reader: Reader, answer: Answer, client: Client) -> Outgoing:
    """Send the answer to the client by the mode it asked for."""
    if answer.response_mode is not ResponseMode.FORM_POST:
        if len(answer.location) <= answers.MAX_LOCATION:
            return answers.to_client(answer)
        card = _goes_to(reader, answer, client)
        return reader.answer(WayBackPage(answer.location, site.server_name, card))
    page = FormPostPage(
        action=answer.redirect_uri,
        fields=answer.fields,
        server_name=site.server_name,
        client=_goes_to(reader, answer, client),
    )
    return reader.answer(
        page,
        goes_to=answer.redirect_uri,
        goes_further=not client.is_public,
    )


def offer(site: Site, reader: Reader, answer: Answer, client: Client) -> Outgoing:
    """Show a refusal here, with a way to the client that the person may go: a 400 (RFC 9700 4.11.2)."""
    fields = dict(answer.fields)
    is_form = answer.response_mode is ResponseMode.FORM_POST
    code = fields["error"]
    page = RefusedPage(
        kind=_REFUSALS.get(code, Refusal.MISTAKE),
        server_name=site.server_name,
        client=_goes_to(reader, answer, client),
        destination=redirects.destination(answer.redirect_uri),
        detail=f"{code}: {fields.get('error_description', '')}",
        forward_url=None if is_form else answer.location,
        redirect_uri=answer.redirect_uri if is_form else None,
        fields=answer.fields if is_form else (),
    )
    return reader.answer(
        page,
        400,
        goes_to=answer.redirect_uri if is_form else None,
        goes_further=not client.is_public,
    )


def _goes_to(reader: Reader, answer: Answer, client: Client) -> ClientCard:
    return ClientCard.of(client, reader.languages, redirect_uri=answer.redirect_uri)
