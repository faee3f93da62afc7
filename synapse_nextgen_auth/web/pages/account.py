"""The account page: where the account is signed in, and signing a device out (MSC4191)."""

from datetime import datetime, timezone

from synapse_nextgen_auth.accounts.management import Action, Wish
from synapse_nextgen_auth.flows import end_session as flow
from synapse_nextgen_auth.homeserver.devices import Device
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.web import answers, forms, grants
from synapse_nextgen_auth.web.languages import wanted
from synapse_nextgen_auth.web.pages import visitors
from synapse_nextgen_auth.web.pages.messages import Stop, account_standing
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.views import (
    ClientCard,
    DeviceLine,
    DevicePage,
    DevicesPage,
    Message,
)


async def show(site: Site, incoming: Incoming) -> Outgoing:
    """Show all devices, or one; a link never does anything by itself (C197)."""
    visitor = await visitors.greet(site, incoming)
    wish = _wish(incoming)
    is_ending = wish.action is Action.DEVICE_DELETE
    if visitor.user_id is None or (is_ending and not visitors.is_fresh(site, visitor)):
        return visitors.with_cookie(site, visitor, answers.redirect(f"sign-in?{wish.query}"))
    await _check_account(site, visitor.user_id)
    lines = await _lines(site, incoming, visitor.user_id)
    line = next((line for line in lines if line.device_id == wish.device_id), None)
    if line is None:
        page = DevicesPage(
            server_name=site.server_name,
            user_id=visitor.user_id,
            devices=tuple(lines),
            home_url="./",
        )
        return answers.page(200, site.templates.render(page))
    ending = Wish(Action.DEVICE_DELETE, line.device_id).query
    return answers.page(
        200,
        site.templates.render(
            DevicePage(
                csrf=visitors.csrf(site, visitor),
                action=f"account?{ending}",
                server_name=site.server_name,
                user_id=visitor.user_id,
                device=line,
                devices_url="account",
                end_url=f"account?{ending}",
                asks_to_end=is_ending,
            )
        ),
    )


async def submit(site: Site, incoming: Incoming) -> Outgoing:
    """Sign a device out, legacy or ours, as `/logout` there would."""
    visitor = await visitors.greet(site, incoming)
    form = visitors.read_form(site, incoming, visitor)
    wish = _wish(incoming)
    if visitor.user_id is None or not visitors.is_fresh(site, visitor):
        return answers.redirect(f"sign-in?{wish.query}")
    if form.get("decision") != "end" or wish.device_id is None:
        raise Stop(400, Message.BAD_REQUEST)
    await _check_account(site, visitor.user_id)
    # Of this account alone: somebody else's device is as good as none (C301).
    await site.devices.remove(visitor.user_id, wish.device_id)
    return answers.redirect("account")


def _wish(incoming: Incoming) -> Wish:
    parameters = forms.parse(incoming.query)
    return Wish.read(parameters.get("action"), parameters.get("device_id"))


async def _check_account(site: Site, user_id: str) -> None:
    account = await site.people.account(user_id)
    standing = account.refuse_sign_in() if account else None
    if standing is not None:
        raise account_standing(standing)


async def _lines(site: Site, incoming: Incoming, user_id: str) -> list[DeviceLine]:
    cards = await _cards(site, incoming, user_id)
    return [_line(device, cards) for device in await site.devices.list_for(user_id)]


async def _cards(site: Site, incoming: Incoming, user_id: str) -> dict[str, ClientCard]:
    """Return the client that speaks for each device that has a session of ours."""
    cards = {}
    for session in await site.homeserver.query(flow.list_living, user_id):
        client = await site.client(session.client_id)
        if session.device_id is not None and client is not None:
            cards[session.device_id] = grants.card(client, wanted(incoming))
    return cards


def _line(device: Device, cards: dict[str, ClientCard]) -> DeviceLine:
    return DeviceLine(
        device_id=device.device_id,
        name=device.name,
        url=f"account?{Wish(Action.DEVICE_VIEW, device.device_id).query}",
        client=cards.get(device.device_id),
        last_seen=_in_words(device.last_seen),
        address=device.address,
    )


def _in_words(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
