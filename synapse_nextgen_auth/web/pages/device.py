"""The question behind a user code: is this device yours, and may it in (RFC 8628 section 5.4).

It shows what lets a person notice that somebody else began it: where, when, and the code to compare.
"""

import logging
from datetime import datetime, timezone

from synapse_nextgen_auth.accounts.user_agents import describe
from synapse_nextgen_auth.flows import device as flow
from synapse_nextgen_auth.flows.device import Refused
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.homeserver.people import Newcomer
from synapse_nextgen_auth.oauth import scopes, user_codes
from synapse_nextgen_auth.oauth.clients import Client
from synapse_nextgen_auth.oauth.device_grants import DeviceGrant
from synapse_nextgen_auth.store import device_grants
from synapse_nextgen_auth.web import answers, forms
from synapse_nextgen_auth.web.admission import admit_application
from synapse_nextgen_auth.web.browser import Visitor
from synapse_nextgen_auth.web.languages import wanted
from synapse_nextgen_auth.web.pages import visitors
from synapse_nextgen_auth.web.pages.messages import (
    Stop,
    refuse_if_gone,
    unknown_choice,
)
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.views import (
    DeviceDonePage,
    DeviceGrantPage,
    ForwardLabel,
    Message,
)

logger = logging.getLogger(__name__)


async def show(site: Site, incoming: Incoming) -> Outgoing:
    """Ask the person, who signs in first if need be."""
    visitor = await visitors.greet(site, incoming)
    grant, client = await _grant(site, incoming, visitor)
    if visitor.user_id is None:
        return answers.redirect(f"sign-in?device={grant.grant_id}")
    await _check(site, visitor.user_id, grant)
    return await _page(site, incoming, visitor, grant, client)


async def submit(site: Site, incoming: Incoming) -> Outgoing:
    """Do what the person decided; "yes" also needs the box that says the device is theirs."""
    visitor = await visitors.greet(site, incoming)
    form = visitors.read_form(site, incoming, visitor)
    grant, client = await _grant(site, incoming, visitor)
    decision = form.get("decision")
    if decision == "cancel":
        return await _refuse(site, grant, client)
    if decision == "switch" or visitor.browser is None:
        return answers.redirect(f"sign-in?device={grant.grant_id}")
    if decision != "approve":
        raise unknown_choice()
    await _check(site, visitor.browser.user_id, grant)
    if form.get("confirm") != "yes":
        return await _page(site, incoming, visitor, grant, client, missing_confirmation=True)
    return await _approve(site, incoming, visitor, grant, client)


async def _grant(site: Site, incoming: Incoming, visitor: Visitor) -> tuple[DeviceGrant, Client]:
    browser = None if visitor.is_new else visitor.digest
    grant = await site.homeserver.read(
        flow.find,
        forms.parse(incoming.query).get("grant") or "",
        browser=browser,
        now=site.now(),
    )
    if isinstance(grant, Refused):
        decided = grant is Refused.DECIDED
        message = Message.ALREADY_DONE if decided else Message.REQUEST_EXPIRED
        raise Stop(
            409 if decided else 400,
            message,
            forward_url="link",
            forward_label=ForwardLabel.TRY_AGAIN,
        )
    client = await site.clients.find(grant.client_id)
    if client is None:
        raise Stop(400, Message.UNKNOWN_CLIENT)
    return grant, client


async def _check(
    site: Site, user_id: str, grant: DeviceGrant, *, newcomer: Newcomer | None = None
) -> None:
    """Stop when the account may not, or when the device is another one's already (C310)."""
    await admit_application(
        site,
        user_id,
        scopes.parse(grant.scope),
        sign_in_url=f"sign-in?device={grant.grant_id}",
        is_new_device=True,
        newcomer=newcomer,
    )


async def _approve(
    site: Site, incoming: Incoming, visitor: Visitor, grant: DeviceGrant, client: Client
) -> Outgoing:
    assert visitor.browser is not None, "only somebody signed in agrees"  # noqa: S101
    user_id = visitor.browser.user_id
    newcomer = Newcomer(
        device_id=scopes.parse(grant.scope).device_id,
        device_name=client.name_for(()),
        user_agent=grant.user_agent or "",
        address=grant.address or "",
    )
    await _check(site, user_id, grant, newcomer=newcomer)
    approved = await site.homeserver.run(
        flow.approve,
        grant,
        user_id=user_id,
        auth_time=visitor.browser.signed_in_at,
        now=site.now(),
        address=incoming.address,
    )
    if not approved:
        raise Stop(409, Message.ALREADY_DONE)
    await refuse_if_gone(site, user_id)
    site.homeserver.metrics.grant("approved")
    logger.info("%s lets a device of client %s in", user_id, grant.client_id)
    return _done(site, client, approved=True)


async def _refuse(site: Site, grant: DeviceGrant, client: Client) -> Outgoing:
    if not await site.homeserver.run(device_grants.refuse, grant.grant_id, now=site.now()):
        raise Stop(409, Message.ALREADY_DONE)
    site.homeserver.metrics.grant("refused")
    return _done(site, client, approved=False)


def _done(site: Site, client: Client, *, approved: bool) -> Outgoing:
    page = DeviceDonePage(
        server_name=site.server_name, approved=approved, client_name=_name(site, client, ())
    )
    return answers.page(200, site.templates.render(page))


async def _page(
    site: Site,
    incoming: Incoming,
    visitor: Visitor,
    grant: DeviceGrant,
    client: Client,
    *,
    missing_confirmation: bool = False,
) -> Outgoing:
    user_id = visitor.user_id or ""
    scope = scopes.parse(grant.scope)
    display_name, _picture = await site.people.profile(user_id)
    asked_at = datetime.fromtimestamp(grant.created_at, timezone.utc)
    html = site.templates.render(
        DeviceGrantPage(
            csrf=visitors.csrf(site, visitor),
            action=f"device?grant={grant.grant_id}",
            server_name=site.server_name,
            client_name=_name(site, client, wanted(incoming)),
            user_id=user_id,
            display_name=display_name,
            permissions=scope.permissions,
            device_id=scope.device_id,
            user_code=_code(site, grant),
            asked_at=asked_at.strftime("%Y-%m-%d %H:%M UTC"),
            asked_minutes=(site.now() - grant.created_at) // 60,
            asked_from=grant.address,
            asked_by=describe(grant.user_agent),
            missing_confirmation=missing_confirmation,
        )
    )
    return answers.page(400 if missing_confirmation else 200, html)


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
