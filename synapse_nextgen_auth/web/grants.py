"""A grant on its way through the browser: what comes next, and the answer at its end.

Every page that has something to do with a grant comes back to `go_on`.
"""

import logging

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.flows import authorize as flow
from synapse_nextgen_auth.flows.authorize import Refused, Step
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.homeserver.people import Newcomer, NotAdmitted
from synapse_nextgen_auth.oauth import authorize as rules
from synapse_nextgen_auth.oauth import redirects, scopes
from synapse_nextgen_auth.oauth.authorize import Answer, Target
from synapse_nextgen_auth.oauth.clients import Client
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants import Grant, ResponseMode
from synapse_nextgen_auth.secret import digest, random_token
from synapse_nextgen_auth.store import grants
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.admission import admit_application
from synapse_nextgen_auth.web.browser import Visitor
from synapse_nextgen_auth.web.pages.messages import (
    OF_REFUSED,
    Stop,
    refuse_if_gone,
)
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.views import (
    ClientCard,
    FormPostPage,
    Message,
    Refusal,
    RefusedPage,
    WayBackPage,
)

logger = logging.getLogger(__name__)


# Whatever else is refused before anybody is signed in is the application's own mistake.
_REFUSALS = {
    "login_required": Refusal.NOT_SIGNED_IN,
    "temporarily_unavailable": Refusal.BUSY,
}


async def find(site: Site, visitor: Visitor, grant_id: str | None) -> tuple[Grant, Client]:
    """Return the open grant that this browser began, and its client; stop otherwise."""
    browser = None if visitor.is_new else visitor.digest
    grant = await site.homeserver.read(flow.find, grant_id or "", browser=browser, now=site.now())
    if isinstance(grant, Refused):
        status, message = OF_REFUSED[grant]
        raise Stop(status, message)
    client = await site.clients.find(grant.client_id)
    if client is None:
        raise Stop(400, Message.UNKNOWN_CLIENT)
    return grant, client


async def go_on(
    site: Site, incoming: Incoming, visitor: Visitor, grant: Grant, client: Client
) -> Outgoing:
    """Send the browser to what is missing; give out the code when nothing is."""
    step = flow.next_step(grant, visitor.browser)
    if step is Step.SIGN_IN:
        return answers.redirect(f"sign-in?grant={grant.grant_id}")
    if await is_agreed(site, visitor, grant, client):
        return await approve(site, incoming, visitor, grant, client)
    return answers.redirect(f"consent?grant={grant.grant_id}")


async def is_agreed(site: Site, visitor: Visitor, grant: Grant, client: Client) -> bool:
    """Say whether the consent page may be left out.

    A public client proves nothing about itself, so its person is asked every time (C175).
    """
    remember_for = site.config.consent.remember_for
    if client.is_public or grant.asks_consent or not remember_for or visitor.user_id is None:
        return False
    if scopes.parse(grant.scope).admin:
        return False
    try:
        await site.people.admit(visitor.user_id, Intent.SIGN_IN)
    except NotAdmitted:
        return False
    now = site.now()
    return await site.homeserver.run(
        flow.is_remembered,
        user_id=visitor.user_id,
        client_id=grant.client_id,
        scope=grant.scope,
        agreed_since=now - remember_for,
        now=now,
    )


async def check_account(
    site: Site, user_id: str, grant: Grant, *, newcomer: Newcomer | None = None
) -> None:
    """Stop when this account may not let the client in, or not to what is asked for."""
    await admit_application(
        site,
        user_id,
        scopes.parse(grant.scope),
        sign_in_url=f"sign-in?grant={grant.grant_id}",
        newcomer=newcomer,
    )


async def approve(
    site: Site,
    incoming: Incoming,
    visitor: Visitor,
    grant: Grant,
    client: Client,
    *,
    answered: bool = False,
) -> Outgoing:
    """Give out the code; a second click gets a message, never a second code (C037).

    `answered` says that the person agreed on our page just now.

    Stops when a spam checker objects, also where the consent page was left out (C325).
    """
    assert visitor.browser is not None, "only somebody signed in agrees"  # noqa: S101
    newcomer = Newcomer(
        device_id=scopes.parse(grant.scope).device_id,
        device_name=client.name_for(()),
        user_agent=incoming.user_agent,
        address=incoming.address,
    )
    await check_account(site, visitor.browser.user_id, grant, newcomer=newcomer)
    code, now = random_token(), site.now()
    decision = flow.Decision(
        user_id=visitor.browser.user_id,
        auth_time=visitor.browser.signed_in_at,
        code_digest=digest(code.reveal()),
        code_expires_at=now + site.config.tokens.code_lifetime,
        address=incoming.address,
        answered=answered,
    )
    if not await site.homeserver.run(flow.approve, grant, decision, now=now):
        raise Stop(409, Message.ALREADY_DONE)
    await refuse_if_gone(site, decision.user_id)
    logger.info("%s lets client %s in, scope %s", decision.user_id, grant.client_id, grant.scope)
    site.homeserver.metrics.grant("approved")
    answer = rules.success(target(grant), code=code.reveal(), issuer=site.issuer.identifier)
    return deliver(site, answer, client)


async def refuse(site: Site, grant: Grant, client: Client, error: OAuthError) -> Outgoing:
    """Tell the client no."""
    if not await site.homeserver.run(grants.refuse, grant.grant_id, now=site.now()):
        raise Stop(409, Message.ALREADY_DONE)
    logger.info("Refused a grant of client %s: %s", grant.client_id, error)
    site.homeserver.metrics.grant("refused")
    answer = rules.failure(target(grant), error, issuer=site.issuer.identifier)
    return deliver(site, answer, client)


def deliver(site: Site, answer: Answer, client: Client) -> Outgoing:
    """Send the answer to the client by the mode it asked for."""
    if answer.response_mode is not ResponseMode.FORM_POST:
        if len(answer.location) <= answers.MAX_LOCATION:
            return answers.to_client(answer)
        way_back = WayBackPage(answer.location, site.server_name, _goes_to(answer, client))
        return answers.page(200, site.templates.render(way_back))
    page = FormPostPage(
        action=answer.redirect_uri,
        fields=answer.fields,
        server_name=site.server_name,
        client=_goes_to(answer, client),
    )
    return answers.page(
        200,
        site.templates.render(page),
        goes_to=answer.redirect_uri,
        goes_further=not client.is_public,
    )


def offer(site: Site, answer: Answer, client: Client) -> Outgoing:
    """Show a refusal here, with a way to the client that the person may go: a 400 (RFC 9700 4.11.2)."""
    fields = dict(answer.fields)
    is_form = answer.response_mode is ResponseMode.FORM_POST
    code = fields["error"]
    page = RefusedPage(
        kind=_REFUSALS.get(code, Refusal.MISTAKE),
        server_name=site.server_name,
        client=_goes_to(answer, client),
        destination=redirects.destination(answer.redirect_uri),
        detail=f"{code}: {fields.get('error_description', '')}",
        forward_url=None if is_form else answer.location,
        redirect_uri=answer.redirect_uri if is_form else None,
        fields=answer.fields if is_form else (),
    )
    return answers.page(
        400,
        site.templates.render(page),
        goes_to=answer.redirect_uri if is_form else None,
        goes_further=not client.is_public,
    )


def _goes_to(answer: Answer, client: Client) -> ClientCard:
    return card(client, (), redirect_uri=answer.redirect_uri)


def target(grant: Grant) -> Target:
    """Return where the answer of a grant goes."""
    return Target(grant.redirect_uri, grant.response_mode, grant.state)


def card(
    client: Client, languages: tuple[str, ...], *, redirect_uri: str | None = None
) -> ClientCard:
    """Show a client in the reader's languages: what it calls itself, and who stands behind it.

    Every page shows it so; one of a grant or its answer says which redirect URI that is for.
    """
    host, *others = client.places(redirect_uri)
    return ClientCard(
        name=client.name_for(languages, redirect_uri=redirect_uri),
        host=host,
        uri=client.page_for("client_uri", languages),
        tos_uri=client.page_for("tos_uri", languages),
        policy_uri=client.page_for("policy_uri", languages),
        others=tuple(others),
        is_named=client.is_configured or client.text_for("client_name", languages) is not None,
    )
