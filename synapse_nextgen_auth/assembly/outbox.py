"""What waits for the main process, and who does it there.

What is done for few is imported for the first of them: so a function looks for it then.
"""
# ruff: noqa: PLW0108 - "lambda work: room.send(work)" and "room.send" are not the same here

from typing import TYPE_CHECKING

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.works import (
    AddEmailPusher,
    Ask,
    EndQuestion,
    FinishClosing,
    JoinRoom,
    NoteChange,
    Recover,
    RemovePushers,
    SendMail,
    SendNotice,
    SendSignInCode,
    ShowQuestion,
    SignOutDevices,
    Tell,
    TellLost,
)
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Devices
from synapse_nextgen_auth.homeserver.outbox import Outbox
from synapse_nextgen_auth.homeserver.people.changed_by_synapse import ChangedBySynapse
from synapse_nextgen_auth.homeserver.people.closings import Closings
from synapse_nextgen_auth.web.site import (
    Site,
)

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver import lost_factors, notices, notices_room, questions
    from synapse_nextgen_auth.homeserver.devices import pushers
else:
    pushers, lost_factors, notices, notices_room, questions = late.files(
        "homeserver.devices.pushers",
        "homeserver.lost_factors",
        "homeserver.notices",
        "homeserver.notices_room",
        "homeserver.questions",
    )


def begin_outbox(
    homeserver: Homeserver,
    devices: Devices,
    closings: Closings,
    site: Site | None = None,
    changed: ChangedBySynapse | None = None,
) -> None:
    """Let the main process do what waits for it; without a `site` mails go on waiting."""
    outbox = Outbox(homeserver)
    turned = late.made(lambda: pushers.Pushers(homeserver))
    outbox.does(RemovePushers, lambda work: turned.remove(work))
    outbox.does(AddEmailPusher, lambda work: turned.add_for_email(work))
    outbox.does(SignOutDevices, devices.finish_sign_out)
    outbox.does(FinishClosing, closings.finish)
    if changed is not None:
        outbox.does(NoteChange, changed.finish)
    if site is not None:
        outbox.does(SendMail, lambda work: site.mailer.send(work))
        outbox.does(Recover, lambda work: site.recoveries.answer(work))
        outbox.does(SendSignInCode, lambda work: site.sign_in_codes.send(work))
        outbox.does(JoinRoom, site.invitations.join)
        _begin_notices(outbox, site)
    outbox.start()


def _begin_notices(outbox: Outbox, site: Site) -> None:
    """Let accounts be told what happens to them from now on, and asked what waits for their answer."""
    keys, endpoints = site.issuer.keys, site.issuer.endpoints
    sources = late.made(
        lambda: notices.Sources(
            *(site.people, site.clients, site.mailboxes, site.places, site.reading),
            endpoints.url("account"),
        )
    )
    room = late.made(
        lambda: notices_room.Room(
            site.homeserver, site.people, keys, lambda letter: site.mailer.write(letter)
        )
    )
    told = late.made(lambda: notices.Notices(site.homeserver, site.config, keys, sources, room))
    asked = late.made(
        lambda: questions.Questions(site.homeserver, site.config, sources, room, endpoints)
    )
    lost = late.made(
        lambda: lost_factors.LostFactors(
            site.homeserver,
            keys,
            lost_factors.Sources(
                site.mailboxes, site.places, site.reading, room, lambda: site.mailer
            ),
            page_url=endpoints.url("factor-lost-cancel"),
        )
    )
    outbox.does(Tell, lambda work: told.tell(work))
    outbox.does(TellLost, lambda work: lost.tell(work))
    outbox.does(SendNotice, lambda work: room.send(work))
    outbox.does(Ask, lambda work: asked.show(work))
    outbox.does(ShowQuestion, lambda work: asked.say(work))
    outbox.does(EndQuestion, lambda work: asked.end(work))
    if _can_tell(site.homeserver):
        told.begin(asked.told)


def _can_tell(homeserver: Homeserver) -> bool:
    """Say whether there is any way to tell an account something, whatever our options say."""
    config = homeserver.hs.config
    is_in_matrix = config.servernotices.server_notices_mxid is not None
    return is_in_matrix or bool(config.email.can_verify_email)
