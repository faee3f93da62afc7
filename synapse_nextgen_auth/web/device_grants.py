"""A device grant on its way through the browser: found, told no, and the page at its end (RFC 8628)."""

from synapse_nextgen_auth.flows import device
from synapse_nextgen_auth.flows.device import Refused
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.web import grants
from synapse_nextgen_auth.web.pages.device.page import DeviceDonePage
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit


async def decline(visit: Visit, grant_id: str) -> Outgoing:
    """Turn the device away from any page on the way: nobody has to sign in to say no."""
    return await refuse(visit, *await find(visit, grant_id))


async def find(visit: Visit, grant_id: str) -> tuple[DeviceGrant, Client]:
    """Return the open grant whose code this browser entered, and its client; stop otherwise."""
    site = visit.site
    grant = await grants.find_device(visit, grant_id)
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
        raise await grants.stranger(site, grant.client_id)
    return grant, client


async def refuse(visit: Visit, grant: DeviceGrant, client: Client) -> Outgoing:
    """Tell the device no, in the name of the account that it would be let in by, if there is one."""
    site = visit.site
    theirs, _ = await grants.about_device(visit, grant)
    if not await site.homeserver.run(device.refuse, grant, by=theirs.user_id, now=site.now()):
        raise PageError(409, Message.ALREADY_DONE)
    site.homeserver.metrics.grant("refused")
    return done(visit, client, approved=False)


def done(visit: Visit, client: Client, *, approved: bool) -> Outgoing:
    """Say what became of it."""
    name = name_of(visit.site, client, ())
    return visit.answer(
        DeviceDonePage(server_name=visit.site.server_name, approved=approved, client_name=name)
    )


def name_of(site: Site, client: Client, languages: tuple[str, ...]) -> str | None:
    """Return what the client calls itself; the id of a configured one is the operator's word.

    Never its host: nothing proves here that it is from there (C149).
    """
    name = client.text_for("client_name", languages)
    return name or (client.client_id if site.clients.is_configured(client) else None)
