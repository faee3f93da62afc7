"""The question behind a user code: is this device yours, and may it in (RFC 8628 section 5.4).

It shows what lets a person notice that somebody else began it: where, when, and the code to compare.
"""

import logging

from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.user_agents import describe
from synapse_nextgen_auth.flows import device
from synapse_nextgen_auth.flows.authorize import Step
from synapse_nextgen_auth.flows.device import Refused
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import Newcomer
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.grants import user_codes
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.store import device_grants
from synapse_nextgen_auth.web import answers, grants
from synapse_nextgen_auth.web.admission import admit_application
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.device.page import DeviceDonePage, DeviceGrantPage
from synapse_nextgen_auth.web.pages.message.error import (
    PageError,
    refuse_if_gone,
    unknown_choice,
)
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

logger = logging.getLogger(__name__)


async def show(visit: Visit) -> Outgoing:
    """Ask the person, who signs in first if need be."""
    grant, client = await _grant(visit)
    visit, step = await grants.about_device(visit, grant)
    if visit.user_id is None:
        return answers.redirect(_url(grant, step))
    await _check(visit.site, visit.user_id, grant)
    return await _page(visit, grant, client)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Do what the person decided; "yes" also needs the box that says the device is theirs."""
    grant, client = await _grant(visit)
    decision = form.get("decision")
    if decision == "cancel":
        return await _refuse(visit, grant, client)
    visit, step = await grants.about_device(visit, grant)
    if decision == "switch" or visit.sign_in is None:
        return answers.redirect(_url(grant, Step.CHOOSE if decision == "switch" else step))
    if decision != "approve":
        raise unknown_choice()
    await _check(visit.site, visit.sign_in.user_id, grant)
    if form.get("confirm") != "yes":
        return await _page(visit, grant, client, missing_confirmation=True)
    return await _approve(visit, grant, client)


def _url(grant: DeviceGrant, step: Step) -> str:
    onward = _onward(grant)
    return onward.accounts_url if step is Step.CHOOSE else onward.sign_in_url


def _onward(grant: DeviceGrant) -> Onward:
    return Onward.to(Kind.DEVICE, grant.grant_id)


async def _grant(visit: Visit) -> tuple[DeviceGrant, Client]:
    site = visit.site
    grant = await grants.find_device(visit, visit.parameters.get("grant") or "")
    if isinstance(grant, Refused):
        decided = grant is Refused.DECIDED
        message = Message.ALREADY_DONE if decided else Message.REQUEST_EXPIRED
        raise PageError(
            409 if decided else 400,
            message,
            forward_url="link",
            forward_label=ForwardLabel.TRY_AGAIN,
        )
    client = await site.clients.find(grant.client_id)
    if client is None:
        raise PageError(400, Message.UNKNOWN_CLIENT)
    return grant, client


async def _check(
    site: Site, user_id: str, grant: DeviceGrant, *, newcomer: Newcomer | None = None
) -> None:
    """Stop when the account may not, or when the device is another one's already (C310)."""
    await admit_application(
        site,
        user_id,
        grammar.parse(grant.scope),
        other_account_url=_onward(grant).accounts_url,
        is_new_device=True,
        newcomer=newcomer,
    )


async def _approve(visit: Visit, grant: DeviceGrant, client: Client) -> Outgoing:
    by = visit.sign_in
    assert by is not None, "only somebody signed in agrees"  # noqa: S101
    site, user_id = visit.site, by.user_id
    newcomer = Newcomer(
        device_id=grammar.parse(grant.scope).device_id,
        device_name=client.name_for(()),
        user_agent=grant.user_agent or "",
        address=grant.address or "",
    )
    await _check(site, user_id, grant, newcomer=newcomer)
    approved = await site.homeserver.run(
        device.approve,
        grant,
        by=by,
        now=site.now(),
        address=visit.address,
    )
    if not approved:
        raise PageError(409, Message.ALREADY_DONE)
    await refuse_if_gone(site, user_id)
    site.homeserver.metrics.grant("approved")
    logger.info("%s lets a device of client %s in", user_id, grant.client_id)
    return _done(visit, client, approved=True)


async def _refuse(visit: Visit, grant: DeviceGrant, client: Client) -> Outgoing:
    site = visit.site
    if not await site.homeserver.run(device_grants.refuse, grant.grant_id, now=site.now()):
        raise PageError(409, Message.ALREADY_DONE)
    site.homeserver.metrics.grant("refused")
    return _done(visit, client, approved=False)


def _done(visit: Visit, client: Client, *, approved: bool) -> Outgoing:
    name = _name(visit.site, client, ())
    return visit.answer(
        DeviceDonePage(server_name=visit.site.server_name, approved=approved, client_name=name)
    )


async def _page(
    visit: Visit, grant: DeviceGrant, client: Client, *, missing_confirmation: bool = False
) -> Outgoing:
    site, user_id = visit.site, visit.user_id or ""
    scope = grammar.parse(grant.scope)
    display_name, _picture = await site.people.profile(user_id)
    page = DeviceGrantPage(
        csrf=visit.csrf,
        action=f"device?grant={grant.grant_id}",
        server_name=site.server_name,
        client_name=_name(site, client, visit.languages),
        user_id=user_id,
        display_name=display_name,
        permissions=scope.permissions,
        device_id=scope.device_id,
        user_code=_code(site, grant),
        any_account=grant.asked_for is None,
        asked_at=grant.created_at,
        asked_minutes=(site.now() - grant.created_at) // 60,
        asked_from=grant.address,
        asked_by=describe(grant.user_agent),
        missing_confirmation=missing_confirmation,
    )
    return visit.answer(page, 400 if missing_confirmation else 200)


def _name(site: Site, client: Client, languages: tuple[str, ...]) -> str | None:
    """Return what the client calls itself; the id of a configured one is the operator's word.

    Never its host: nothing proves here that it is from there (C149).
    """
    name = client.text_for("client_name", languages)
    return name or (client.client_id if site.clients.is_configured(client) else None)


def _code(site: Site, grant: DeviceGrant) -> str:
    """Return the code to compare with the one on the device."""
    code = user_codes.unseal(site.issuer.keys, grant.user_code_sealed)
    return user_codes.show(code) if code else ""
