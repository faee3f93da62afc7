"""The question behind a user code: is this device yours, and may it in (RFC 8628 section 5.4).

It shows what lets a person notice that somebody else began it: where, when, and the code to compare.
"""

import logging

from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.user_agents import describe
from synapse_nextgen_auth.flows import device
from synapse_nextgen_auth.flows.as_signed_in import SignedOut, as_signed_in
from synapse_nextgen_auth.flows.authorize import Step
from synapse_nextgen_auth.homeserver import rooms
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import Newcomer
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.grants import user_codes
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.web import answers, device_grants, grants
from synapse_nextgen_auth.web.admission import admit_application, lacks_power
from synapse_nextgen_auth.web.forms import Form, names_another
from synapse_nextgen_auth.web.pages.content import RoomLine, ServiceLine
from synapse_nextgen_auth.web.pages.device.page import DeviceGrantPage
from synapse_nextgen_auth.web.pages.message.error import (
    PageError,
    refuse_if_gone,
    unknown_choice,
)
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

logger = logging.getLogger(__name__)


async def show(visit: Visit) -> Outgoing:
    """Ask the person, who signs in first if need be."""
    grant, client = await device_grants.find(visit, _asked_for(visit))
    visit, step = await grants.device_on_its_way(visit, grant)
    if visit.user_id is None:
        return answers.redirect(_url(grant, step))
    if await lacks_power(visit.site, visit.user_id, grammar.of_row(grant.scope)):
        return await device_grants.refuse(visit, grant, client)
    await _check(visit.site, visit.user_id, grant)
    return await _page(visit, grant, client)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Do what the person decided; "yes" also needs the box that says the device is theirs."""
    grant, client = await device_grants.find(visit, _asked_for(visit))
    decision = form.get("decision")
    if decision == "cancel":
        return await device_grants.refuse(visit, grant, client)
    visit, step = await grants.device_on_its_way(visit, grant)
    if decision == "switch" or visit.sign_in is None:
        return answers.redirect(_url(grant, Step.CHOOSE if decision == "switch" else step))
    if decision != "approve":
        raise unknown_choice()
    if await lacks_power(visit.site, visit.sign_in.user_id, grammar.of_row(grant.scope)):
        return await device_grants.refuse(visit, grant, client)
    await _check(visit.site, visit.sign_in.user_id, grant)
    if step is Step.REFUSE:
        raise PageError(403, Message.NO_SECOND_FACTOR, forward_url=_onward(grant).accounts_url)
    if names_another(form, visit.sign_in.user_id):
        return await _page(visit, grant, client, is_another=True)
    if form.get("confirm") != "yes":
        return await _page(visit, grant, client, missing_confirmation=True)
    return await _approve(visit, grant, client)


def _url(grant: DeviceGrant, step: Step) -> str:
    onward = _onward(grant)
    return onward.accounts_url if step is Step.CHOOSE else onward.sign_in_url


def _onward(grant: DeviceGrant) -> Onward:
    return Onward.to(Kind.DEVICE, grant.grant_id)


def _asked_for(visit: Visit) -> str:
    return visit.parameters.get("grant") or ""


async def _check(
    site: Site, user_id: str, grant: DeviceGrant, *, newcomer: Newcomer | None = None
) -> None:
    """Stop when the account may not, or when the device is another one's already (C310)."""
    await admit_application(
        site,
        user_id,
        grammar.of_row(grant.scope),
        other_account_url=_onward(grant).accounts_url,
        is_new_device=True,
        newcomer=newcomer,
    )


async def _approve(visit: Visit, grant: DeviceGrant, client: Client) -> Outgoing:
    by = visit.sign_in
    assert by is not None, "only somebody signed in agrees"  # noqa: S101
    site, user_id = visit.site, by.user_id
    newcomer = Newcomer(
        device_id=grammar.of_row(grant.scope).device_id,
        device_name=client.name_for(()),
        user_agent=grant.user_agent or "",
        address=grant.address or "",
    )
    await _check(site, user_id, grant, newcomer=newcomer)
    try:
        approved = await site.homeserver.run(
            as_signed_in(by, device.approve), grant, by=by, now=site.now(), address=visit.address
        )
    except SignedOut:
        await refuse_if_gone(site, user_id)
        return answers.redirect(_url(grant, Step.SIGN_IN))
    if not approved:
        raise PageError(409, Message.ALREADY_DONE)
    await refuse_if_gone(site, user_id)
    site.homeserver.metrics.grant("approved")
    logger.info("%s lets a device of client %s in", user_id, grant.client_id)
    return device_grants.done(visit, client, approved=True)


async def _page(
    visit: Visit,
    grant: DeviceGrant,
    client: Client,
    *,
    missing_confirmation: bool = False,
    is_another: bool = False,
) -> Outgoing:
    site, user_id = visit.site, visit.user_id or ""
    scope = grammar.of_row(grant.scope)
    display_name, _picture = await site.people.profile(user_id)
    page = DeviceGrantPage(
        csrf=visit.csrf,
        action=f"device?grant={grant.grant_id}",
        server_name=site.server_name,
        client_name=device_grants.name_of(site, client, visit.languages),
        user_id=user_id,
        display_name=display_name,
        permissions=scope.permissions,
        rooms=RoomLine.of(await rooms.names_of(site.homeserver, user_id, scope.rooms)),
        services=ServiceLine.of(
            site.resources, (grant.resource_scope or "").split(), visit.languages
        ),
        device_id=scope.device_id,
        user_code=_code(site, grant),
        any_account=grant.asked_for is None,
        asked_at=grant.created_at,
        asked_minutes=(site.now() - grant.created_at) // 60,
        asked_from=grant.address,
        asked_by=describe(grant.user_agent),
        missing_confirmation=missing_confirmation,
        is_another=is_another,
    )
    return visit.answer(page, 409 if is_another else 400 if missing_confirmation else 200)


def _code(site: Site, grant: DeviceGrant) -> str:
    """Return the code to compare with the one on the device."""
    code = user_codes.unseal(site.issuer.keys, grant.user_code_sealed)
    return user_codes.show(code) if code else ""
