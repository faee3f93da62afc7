"""The consent page: which client, which account, what it may do."""

from synapse_nextgen_auth.flows.authorize import Step
from synapse_nextgen_auth.homeserver import rooms
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.clients import redirects
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_scope
from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.web import answers, grants
from synapse_nextgen_auth.web.admission import lacks_power
from synapse_nextgen_auth.web.forms import Form, names_another
from synapse_nextgen_auth.web.pages.consent.page import ConsentPage
from synapse_nextgen_auth.web.pages.content import ClientCard, RoomLine, ServiceLine
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

# Who cannot prove what the client asks for is asked, too: without their word it hears nothing of them.
_ASKED = (Step.CONSENT, Step.REFUSE)


async def show(visit: Visit) -> Outgoing:
    """Ask the person, or go on when nothing needs asking."""
    visit, grant, client, step = await _grant(visit)
    if step not in _ASKED or visit.user_id is None:
        return answers.redirect(grants.url_of(grant, step))
    if await lacks_power(visit.site, visit.user_id, grammar.of_row(grant.scope)):
        return await grants.refuse(visit, grant, client, _powerless())
    await grants.check_account(visit.site, visit.user_id, grant)
    if await grants.is_agreed(visit, grant, client):
        return await _agreed(visit, grant, client, step)
    return await _page(visit, grant, client)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Do what the person decided; the account may have changed since the page was shown (C179)."""
    visit, grant, client, step = await _grant(visit)
    decision = form.get("decision")
    if decision == "cancel":
        declined = OAuthError("access_denied", "The person declined")
        return await grants.refuse(visit, grant, client, declined)
    if decision == "switch":
        return answers.redirect(grants.url_of(grant, Step.CHOOSE))
    if step not in _ASKED:
        return answers.redirect(grants.url_of(grant, step))
    if decision != "approve" or visit.user_id is None:
        raise PageError(400, Message.BAD_REQUEST)
    if await lacks_power(visit.site, visit.user_id, grammar.of_row(grant.scope)):
        return await grants.refuse(visit, grant, client, _powerless())
    await grants.check_account(visit.site, visit.user_id, grant)
    if names_another(form, visit.user_id):
        return await _page(visit, grant, client, is_another=True)
    return await _agreed(visit, grant, client, step, answered=True)


def _powerless() -> OAuthError:
    return OAuthError("access_denied", "The account does not administer this server")


async def _agreed(
    visit: Visit, grant: Grant, client: Client, step: Step, *, answered: bool = False
) -> Outgoing:
    """Let the client in, or say why not: no client learns before somebody agreed that they are here."""
    refusal = await _refuse_device(visit.site, visit.user_id or "", grant)
    if refusal is None and step is Step.REFUSE:
        refusal = grants.unmet()
    if refusal is not None:
        return await grants.refuse(visit, grant, client, refusal)
    return await grants.approve(visit, grant, client, answered=answered)


async def _grant(visit: Visit) -> tuple[Visit, Grant, Client, Step]:
    grant, client = await grants.find(visit, visit.parameters.get("grant"))
    visit, step = await grants.on_its_way(visit, grant)
    return visit, grant, client, step


async def _refuse_device(site: Site, user_id: str, grant: Grant) -> OAuthError | None:
    device_id = grammar.of_row(grant.scope).device_id
    if device_id is not None and await site.devices.is_reserved(user_id, device_id):
        return invalid_scope("the device id is taken by something that is no device")
    return None


async def _page(
    visit: Visit, grant: Grant, client: Client, *, is_another: bool = False
) -> Outgoing:
    site, user_id = visit.site, visit.user_id or ""
    scope = grammar.of_row(grant.scope)
    display_name, _picture = await site.people.profile(user_id)
    device_id = scope.device_id
    replaces = await site.devices.name_of(user_id, device_id) if device_id else None
    page = ConsentPage(
        csrf=visit.csrf,
        action=f"consent?grant={grant.grant_id}",
        server_name=site.server_name,
        client=ClientCard.of(client, visit.languages, redirect_uri=grant.redirect_uri),
        user_id=user_id,
        permissions=scope.permissions,
        redirect_host=redirects.destination(grant.redirect_uri),
        display_name=display_name,
        rooms=RoomLine.of(await rooms.names_of(site.homeserver, user_id, scope.rooms)),
        services=ServiceLine.of(
            site.resources, (grant.resource_scope or "").split(), visit.languages
        ),
        device_id=device_id,
        replaces=replaces,
        any_account=grant.user_id is None,
        is_another=is_another,
    )
    return visit.answer(
        page,
        409 if is_another else 200,
        goes_to=grant.redirect_uri,
        goes_further=not client.is_public,
    )
