"""One device of an account, and signing it out."""

from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.devices import devices, seen
from synapse_nextgen_auth.web.pages.account.devices.page import DevicePage, EndDevicePage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show a device."""
    target = Target.read(Place.DEVICE.value, visit.parameters.get("id"))
    found = await seen.look(visit.site, user_id, visit.languages)
    device = found.device(target.id)
    if device is None:
        return devices.missing(visit, user_id, found, target)
    page = DevicePage(
        **console.of(visit, user_id, target),
        device=device,
        end_url=Target(Place.END_DEVICE, target.id).url,
    )
    return visit.answer(page)


async def ask_to_end(visit: Visit, user_id: str) -> Outgoing:
    """Ask whether to sign a device out; a link never does anything by itself (C197)."""
    target = Target.read(Place.END_DEVICE.value, visit.parameters.get("id"))
    found = await seen.look(visit.site, user_id, visit.languages)
    device = found.device(target.id)
    if device is None:
        return devices.missing(visit, user_id, found, target)
    page = EndDevicePage(
        **console.asks(visit, user_id, target),
        action=target.url,
        device=device,
        devices_url=Place.DEVICES.value,
    )
    return visit.answer(page)


async def end(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Sign a device out, legacy or ours, as `/logout` there would."""
    device_id = Target.read(Place.END_DEVICE.value, visit.parameters.get("id")).id
    if form.get("decision") != "end" or device_id is None:
        raise unknown_choice()
    # Of this account alone: somebody else's device is as good as none (C301).
    await visit.site.devices.remove(user_id, device_id)
    return answers.redirect(visit.saying(Place.DEVICES.value, Done.SIGNED_OUT))
