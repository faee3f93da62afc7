"""What waits for the main process, and who does it there."""

from synapse_nextgen_auth.accounts.outbox import (
    AddEmailPusher,
    Ask,
    EndQuestion,
    FinishClosing,
    JoinRoom,
    Recover,
    RemovePushers,
    SendMail,
    SendNotice,
    SendSignInCode,
    ShowQuestion,
    SignOutDevices,
    Tell,
)
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Devices
from synapse_nextgen_auth.homeserver.devices.pushers import Pushers
from synapse_nextgen_auth.homeserver.notices import Notices, Sources
from synapse_nextgen_auth.homeserver.notices_room import Room
from synapse_nextgen_auth.homeserver.outbox import Outbox
from synapse_nextgen_auth.homeserver.people.closings import Closings
from synapse_nextgen_auth.homeserver.questions import Questions
from synapse_nextgen_auth.web.site import (
    Site,
)


def begin_outbox(
    homeserver: Homeserver, devices: Devices, closings: Closings, site: Site | None = None
) -> None:
    """Let the main process do what waits for it; without a `site` mails go on waiting."""
    outbox = Outbox(homeserver)
    pushers = Pushers(homeserver)
    outbox.does(RemovePushers, pushers.remove)
    outbox.does(AddEmailPusher, pushers.add_for_email)
    outbox.does(SignOutDevices, devices.finish_sign_out)
    outbox.does(FinishClosing, closings.finish)
    if site is not None:
        outbox.does(SendMail, site.mailer.send)
        outbox.does(Recover, site.recoveries.answer)
        outbox.does(SendSignInCode, site.sign_in_codes.send)
        outbox.does(JoinRoom, site.invitations.join)
        _begin_notices(outbox, site)
    outbox.start()


def _begin_notices(outbox: Outbox, site: Site) -> None:
    """Let accounts be told what happens to them from now on, and asked what waits for their answer."""
    keys, endpoints = site.issuer.keys, site.issuer.endpoints
    sources = Sources(
        site.people, site.clients, site.mailboxes, site.places, endpoints.url("account")
    )
    room = Room(site.homeserver, site.people, keys, site.mailer.write)
    notices = Notices(site.homeserver, site.config, keys, sources, room)
    questions = Questions(site.homeserver, site.config, sources, room, endpoints)
    outbox.does(Tell, notices.tell)
    outbox.does(SendNotice, room.send)
    outbox.does(Ask, questions.show)
    outbox.does(ShowQuestion, questions.say)
    outbox.does(EndQuestion, questions.end)
    notices.begin(questions.told)
