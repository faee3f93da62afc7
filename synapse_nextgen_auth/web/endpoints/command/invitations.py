"""`invitations`: made, listed and ended by whoever runs the server."""

import json
from typing import Any

from synapse_nextgen_auth.accounts import addresses
from synapse_nextgen_auth.accounts.invitations import (
    LONGEST_TEXT,
    MOST_ROOMS,
    Invitation,
    new_token,
)
from synapse_nextgen_auth.accounts.mail.letters import Invited, InvitedAgain, Letter, Mail
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.flows import invitations as flows
from synapse_nextgen_auth.homeserver.people.sign_ups.new_people import Trouble
from synapse_nextgen_auth.secret import digest, random_token
from synapse_nextgen_auth.store import invitations
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.endpoints.command.set_password_link import language
from synapse_nextgen_auth.web.invitations import are_asked_for, link
from synapse_nextgen_auth.web.site import Site

_MAX_USES = 1_000_000
_LONGEST = 3650 * 24 * 3600  # seconds
_WHY_NOT = {
    Trouble.NAME_INVALID: "That cannot be a username",
    Trouble.NAME_TAKEN: "This username is taken",
    Trouble.NAME_RESERVED: "This username is reserved",
}


async def _create(site: Site, asked: Asked) -> dict[str, Any]:
    if not are_asked_for(site):
        raise Refused(
            "Nobody signs up with an invitation here: set enable_registration and"
            " registration_requires_token to true"
        )
    now, secret = site.now(), random_token()
    email = await _mailbox(site, asked)
    is_sent = asked.switch("send")
    lifetime = asked.number("seconds")
    if lifetime is not None and not 0 < lifetime <= _LONGEST:
        raise Refused("--for must be a second at least and ten years at most")
    invitation = Invitation(
        token=new_token(),
        made_at=now,
        expires_at=None if lifetime is None else now + lifetime,
        text=_text(asked),
        username=await _username(site, asked),
        email=email,
        mail_digest=digest(secret.reveal()) if is_sent else None,
        rooms=json.dumps(await _rooms(site, asked)),
    )
    uses = asked.number("uses")
    if uses is not None and not 0 < uses <= _MAX_USES:
        raise Refused(f"--uses must be a number from 1 to {_MAX_USES}")
    if invitation.pins:
        if uses not in {None, 1}:
            raise Refused("An invitation for one name or address is good once: leave --uses out")
        uses = 1
    owner = await site.mailboxes.owner(email) if email is not None else None
    if email is not None and owner is not None:
        if not is_sent:
            raise Refused("There is an account with this address already")
        return await _already_here(site, asked, email, owner)
    mails: tuple[SendMail, ...] = ()
    if email is not None and is_sent:
        says = Invited(url=link(site, invitation, secret), text=invitation.text or "")
        letter = Letter(email, language(site, asked), says)
        mails = (letter.posted(site.issuer.keys, expires=invitation.expires_at or 0),)
    await site.homeserver.run(
        flows.make, invitation, uses=uses, mails=mails, by=_by(asked), now=now
    )
    return {
        "token": invitation.token,
        "url": link(site, invitation),
        "uses": uses,
        "expires_at": invitation.expires_at,
        "mailed_to": email if mails else None,
    }


async def _already_here(site: Site, asked: Asked, email: str, owner: str) -> dict[str, Any]:
    """Tell whoever has an account, by mail, to sign in; no invitation is made."""
    says: Mail = InvitedAgain(url=site.issuer.endpoints.url("sign-in"), user_id=owner)
    letter = Letter(email, language(site, asked), says)
    await site.homeserver.run(flows.remind, letter.posted(site.issuer.keys), now=site.now())
    return {"has_account": True, "mailed_to": email}


async def _list(site: Site, _asked: Asked) -> dict[str, Any]:
    found, now = await site.homeserver.read(invitations.list_all), site.now()
    return {
        "invitations": [
            {
                "token": each.invitation.token,
                "state": each.state(now),
                "uses": each.uses_allowed,
                "completed": each.completed,
                "pending": each.pending,
                "expires_at": each.expires_at,
                "username": each.invitation.username,
                "email": each.invitation.email,
                "rooms": list(each.invitation.joins),
                "invited_by": each.invitation.invited_by,
                "made_at": each.invitation.made_at,
            }
            for each in found
        ]
    }


async def _end(site: Site, asked: Asked) -> dict[str, Any]:
    token = asked.needed("token")
    if not await site.homeserver.run(flows.end, token, by=_by(asked), now=site.now()):
        raise Refused("There is no such invitation that could still be used")
    return {"token": token}


def _by(asked: Asked) -> str:
    why = asked.text("why")
    return f"command: {why}" if why else "command"


def _text(asked: Asked) -> str | None:
    text = asked.text("text")
    if text is not None and len(text) > LONGEST_TEXT:
        raise Refused(f"--text is too long: at most {LONGEST_TEXT} letters")
    return text


async def _username(site: Site, asked: Asked) -> str | None:
    typed = asked.text("username")
    if typed is None:
        return None
    name, _, server = typed.removeprefix("@").partition(":")
    if server not in {"", site.server_name}:
        raise Refused(f"That is a username of another server than {site.server_name}")
    name = name.lower()
    trouble = await site.sign_ups.people.name_trouble(name)
    if trouble is not None:
        raise Refused(_WHY_NOT.get(trouble, "That cannot be a username"))
    return name


async def _mailbox(site: Site, asked: Asked) -> str | None:
    """Return the address that is pinned."""
    typed = asked.text("email")
    if typed is None:
        if asked.switch("send"):
            raise Refused("--send wants --email")
        return None
    address = addresses.canonical(typed)
    if address is None:
        raise Refused("--email must be an e-mail address, such as anna@example.com")
    if not site.mailer.is_configured:
        raise Refused("Synapse sends no mail here (email in homeserver.yaml)")
    if not await site.mailboxes.newcomers_may_have(address):
        raise Refused("This server takes no account with this address (allowed_local_3pids)")
    return address


async def _rooms(site: Site, asked: Asked) -> tuple[str, ...]:
    rooms = asked.texts("rooms")
    if len(rooms) > MOST_ROOMS:
        raise Refused(f"An invitation leads to {MOST_ROOMS} rooms at most")
    for room in rooms:
        if not await site.invitations.resolve(room):
            raise Refused(f"There is no room {room[:80]}")
    return rooms


CREATE = Command(
    frozenset({"username", "email", "send", "text", "rooms", "uses", "seconds", "lang", "why"}),
    _create,
)
LIST = Command(frozenset(), _list)
END = Command(frozenset({"token", "why"}), _end)
