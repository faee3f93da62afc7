"""The consent page: which client, which account, what it may do."""

from synapse_nextgen_auth.flows import authorize as flow
from synapse_nextgen_auth.flows.authorize import Step
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth import redirects, scopes
from synapse_nextgen_auth.oauth.clients import Client
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_scope
from synapse_nextgen_auth.oauth.grants import Grant
from synapse_nextgen_auth.web import answers, forms, grants
from synapse_nextgen_auth.web.browser import Visitor
from synapse_nextgen_auth.web.languages import wanted
from synapse_nextgen_auth.web.pages import visitors
from synapse_nextgen_auth.web.pages.messages import Stop
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.views import ConsentPage, Message


async def show(site: Site, incoming: Incoming) -> Outgoing:
    """Ask the person, or go on when nothing needs asking."""
    visitor = await visitors.greet(site, incoming)
    grant, client = await _grant(site, incoming, visitor)
    if flow.next_step(grant, visitor.browser) is Step.SIGN_IN or visitor.user_id is None:
        return answers.redirect(f"sign-in?grant={grant.grant_id}")
    await grants.check_account(site, visitor.user_id, grant)
    refusal = await _refuse_device(site, visitor.user_id, grant)
    if refusal is not None:
        return await grants.refuse(site, grant, client, refusal)
    if await grants.is_agreed(site, visitor, grant, client):
        return await grants.approve(site, incoming, visitor, grant, client)
    return await _page(site, incoming, visitor, grant, client)


async def submit(site: Site, incoming: Incoming) -> Outgoing:
    """Do what the person decided; the account may have changed since the page was shown (C179)."""
    visitor = await visitors.greet(site, incoming)
    form = visitors.read_form(site, incoming, visitor)
    grant, client = await _grant(site, incoming, visitor)
    decision = form.get("decision")
    if decision == "cancel":
        declined = OAuthError("access_denied", "The person declined")
        return await grants.refuse(site, grant, client, declined)
    if decision == "switch" or flow.next_step(grant, visitor.browser) is Step.SIGN_IN:
        return answers.redirect(f"sign-in?grant={grant.grant_id}")
    if decision != "approve" or visitor.user_id is None:
        raise Stop(400, Message.BAD_REQUEST)
    await grants.check_account(site, visitor.user_id, grant)
    refusal = await _refuse_device(site, visitor.user_id, grant)
    if refusal is not None:
        return await grants.refuse(site, grant, client, refusal)
    return await grants.approve(site, incoming, visitor, grant, client, answered=True)


async def _grant(site: Site, incoming: Incoming, visitor: Visitor) -> tuple[Grant, Client]:
    return await grants.find(site, visitor, forms.parse(incoming.query).get("grant"))


async def _refuse_device(site: Site, user_id: str, grant: Grant) -> OAuthError | None:
    device_id = scopes.parse(grant.scope).device_id
    if device_id is not None and await site.devices.is_reserved(user_id, device_id):
        return invalid_scope("the device id is taken by something that is no device")
    return None


async def _page(
    site: Site, incoming: Incoming, visitor: Visitor, grant: Grant, client: Client
) -> Outgoing:
    user_id = visitor.user_id or ""
    scope = scopes.parse(grant.scope)
    display_name, _picture = await site.people.profile(user_id)
    device_id = scope.device_id
    replaces = await site.devices.name_of(user_id, device_id) if device_id else None
    html = site.templates.render(
        ConsentPage(
            csrf=visitors.csrf(site, visitor),
            action=f"consent?grant={grant.grant_id}",
            server_name=site.server_name,
            client=grants.card(
                client,
                wanted(incoming, grant.ui_locales),
                redirect_uri=grant.redirect_uri,
            ),
            user_id=user_id,
            permissions=scope.permissions,
            redirect_host=redirects.destination(grant.redirect_uri),
            display_name=display_name,
            device_id=device_id,
            replaces=replaces,
            any_account=grant.user_id is None,
        )
    )
    return answers.page(200, html, goes_to=grant.redirect_uri, goes_further=not client.is_public)
