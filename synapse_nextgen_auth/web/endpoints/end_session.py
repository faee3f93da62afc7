"""The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0 section 2).

A client that shows an ID token of a sign-in of this browser gets it ended at once, by a link that the
browser follows; whatever else comes is a question on a page of ours (C185).
"""

import logging
from urllib.parse import urlencode

from synapse_nextgen_auth.accounts.sign_ins import SignIn, of_account
from synapse_nextgen_auth.flows import sign_in as flows
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth import end_session as rules
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.end_session import Request
from synapse_nextgen_auth.oauth.tokens.id_token import Hint
from synapse_nextgen_auth.web import answers, visits
from synapse_nextgen_auth.web.asked import Asked, lost_its_cookie, pack, read
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.end_session.page import EndSessionPage
from synapse_nextgen_auth.web.pages.home import home
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.way_back.page import AskAgainPage
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

logger = logging.getLogger(__name__)

_TOP_LEVEL = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}


async def end_session(site: Site, incoming: Incoming, reader: Reader) -> Outgoing:
    """Sign an account out of this browser, or ask; then go where the client registered."""
    asked = read(incoming, reader)
    reader.asked_in(asked.parameters.get("ui_locales"))
    request = rules.read(asked.parameters)
    hint = await _hint(site, request)
    client_id = request.client_id or (hint.audience if hint else None)
    client = await site.clients.find(client_id) if client_id else None
    refusal = rules.refuse(request, client, hint)
    if refusal is not None:
        detail = refusal.description
        raise PageError(400, Message.BAD_REQUEST, detail=detail, refusal=refusal)
    if lost_its_cookie(site, incoming, asked) and not asked.parameters.repeated:
        return _ask_again(site, asked, request, client)
    visit = await visits.greet(site, incoming, reader)
    meant = of_account(visit.sign_ins, hint.user_id) if hint and hint.is_proven else None
    if meant and hint and hint.is_of(meant.name) and _is_top_level(incoming):
        return await _sign_out(visit, request, client, meant)
    if not visit.sign_ins:
        return home.signed_out(visit, request, client, goes_back=_is_known(site, client, hint))
    return _ask(visit, request, client, client_id, meant)


async def _hint(site: Site, request: Request) -> Hint | None:
    """Return whom the client means; what is no ID token of ours is none, and so a question follows."""
    if request.id_token_hint is None:
        return None
    return await site.issuer.signing.hinted(
        request.id_token_hint, issuer=site.issuer.identifier, audience=None
    )


def _is_known(site: Site, client: Client | None, hint: Hint | None) -> bool:
    """Say whether a browser in which nobody is signed in is sent back all the same (RFC 9700 4.11.2).

    Whoever registers a client has an ID token too, of an account of their own: it proves nothing
    about whoever follows their link. The operator's clients are trusted with where they live.
    """
    proven = hint is not None and hint.is_proven
    return proven and client is not None and site.clients.is_configured(client)


def _is_top_level(incoming: Incoming) -> bool:
    """Say whether the person's browser goes there, and no image or frame of a page (C185).

    Old browsers do not tell; they would have to be shown an ID token of the person as well.
    """
    return all(incoming.header(name) in {None, value} for name, value in _TOP_LEVEL.items())


async def _sign_out(
    visit: Visit, request: Request, client: Client | None, meant: SignIn
) -> Outgoing:
    site, digests = visit.site, (meant.digest,)
    await site.homeserver.run(flows.sign_out, digests, now=site.now(), address=visit.address)
    logger.info("Client %s signs %s out", client.client_id if client else None, meant.user_id)
    lifetime = site.lifetimes.browsers.absolute
    cookie = site.cookies.write(visit.visitor.without(digests), max_age=lifetime)
    stays = len(visit.sign_ins) > 1
    return home.signed_out(visit, request, client, goes_back=True, stays=stays).having(cookie)


def _ask(
    visit: Visit,
    request: Request,
    client: Client | None,
    client_id: str | None,
    meant: SignIn | None,
) -> Outgoing:
    """Ask about the present account; or about the one that is meant, where that is another."""
    if meant is not None:
        visit = visit.about(meant)
    query = {**request.query, **({"client_id": client_id} if client and client_id else {})}
    page = EndSessionPage(
        csrf=visit.csrf,
        action="sign-out",
        server_name=visit.site.server_name,
        user_id=visit.user_id,
        others=sum(each.user_id != visit.user_id for each in visit.sign_ins),
        client=_card(visit, request, client) if client else None,
        fields=(
            *query.items(),
            *((("account", visit.user_id),) if visit.user_id is not None else ()),
        ),
    )
    return visit.answer(
        page,
        goes_to=request.redirect_uri,
        goes_further=_goes_further(client),
    )


def _goes_further(client: Client | None) -> bool:
    return client is not None and not client.is_public


def _card(visit: Visit, request: Request, client: Client) -> ClientCard:
    return ClientCard.of(client, visit.languages, redirect_uri=request.redirect_uri)


def _ask_again(site: Site, asked: Asked, request: Request, client: Client | None) -> Outgoing:
    """Let the browser ask again, with its cookie; by a form, where a token would be in an address.

    The answer to that form may lead back to the client at once.
    """
    location = f"end-session?{urlencode(asked.parameters.values)}"
    has_token = asked.parameters.get("id_token_hint") is not None
    if len(location) <= answers.MAX_LOCATION and not has_token:
        return answers.redirect(location)
    uri, languages = request.redirect_uri, asked.reader.languages
    shown = ClientCard.of(client, languages, redirect_uri=uri) if client else None
    page = AskAgainPage(
        "end-session", pack(asked.parameters), site.server_name, shown, signs_out=True
    )
    return asked.reader.answer(page, goes_to=uri, goes_further=_goes_further(client))
