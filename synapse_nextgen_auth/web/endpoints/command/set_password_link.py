"""`set-password-link`: a link with which the owner of an account sets its password."""

from typing import Any

from synapse_nextgen_auth.accounts import links
from synapse_nextgen_auth.accounts.admission import Intent, Reason
from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.mail.letters import Letter, PasswordLink
from synapse_nextgen_auth.accounts.people import Standing, identify
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.flows import links as flows
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.secret import digest, random_token
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.site import Site

_WHY_NOT: dict[Reason, str] = {
    Standing.DEACTIVATED: "This account is deactivated",
    Standing.LOCKED: "This account is locked: unlock it first",
    Standing.GUEST: "This is a guest, who has no password",
    Standing.APPSERVICE: "This account belongs to an application service, and nobody signs in to it",
}


async def _make(site: Site, asked: Asked) -> dict[str, Any]:
    if not site.password_changes.are_possible:
        raise Refused("Passwords cannot be set on this server (password_config)")
    user_id = await named(site, asked.needed("user"))
    lifetime = asked.number("seconds") or site.config.recovery.link_lifetime
    if lifetime > links.LONGEST:
        raise Refused("A link lives for 30 days at most")
    address = await _mailbox(site, user_id) if asked.switch("mail") else None
    now, secret = site.now(), random_token()
    link = Link(
        digest=digest(secret.reveal()),
        kind=LinkKind.COMMAND,
        user_id=user_id,
        created_at=now,
        expires_at=now + lifetime,
        address=address,
    )
    url = links.url_of(site.issuer.endpoints.url("set-password"), secret)
    mails: tuple[SendMail, ...] = ()
    if address is not None:
        amount, unit = links.told(lifetime)
        mail = PasswordLink(url=url, user_id=user_id, amount=amount, unit=unit.value)
        letter = Letter(address, language(site, asked), mail)
        mails = (letter.posted(site.issuer.keys, expires=link.expires_at),)
    await site.homeserver.run(flows.make, link, mails=mails, why=asked.text("why"), now=now)
    answer = {"user_id": user_id, "expires_at": link.expires_at}
    return {**answer, "mailed_to": address} if address else {**answer, "url": url}


async def named(site: Site, text: str) -> str:
    """Return the account that an operator names; refuse one that may have no password."""
    identifier = identify(text, server_name=site.server_name)
    meant = identifier.user_id if identifier else None
    if meant is None or not meant.endswith(f":{site.server_name}"):
        raise Refused(f"{text} is no account of {site.server_name}")
    user_id = await site.people.passwords.spelled(meant)
    if user_id is None:
        raise Refused(f"There is no account {meant}")
    try:
        await site.people.admit(user_id, Intent.SET_PASSWORD)
    except NotAdmitted as refused:
        raise Refused(_WHY_NOT[refused.why]) from None
    return user_id


async def _mailbox(site: Site, user_id: str) -> str:
    if not site.mailer.is_configured:
        raise Refused("Synapse sends no mail here (email in homeserver.yaml)")
    address = await site.people.email(user_id)
    if address is None:
        raise Refused("This account has no e-mail address: leave --mail out, and hand on the link")
    return address


def language(site: Site, asked: Asked) -> str:
    """Return the language of a mail."""
    wanted = asked.text("lang")
    if wanted is not None and wanted not in site.templates.languages.tags:
        raise Refused(f"There are mails in {', '.join(site.templates.languages.tags)}")
    return wanted or site.config.languages.default


SET_PASSWORD_LINK = Command(frozenset({"user", "seconds", "mail", "lang", "why"}), _make)
