"""An invitation at the pages of a sign-up: whom it is for, and whether its mail brought the person."""

from typing import Any
from urllib.parse import urlencode

from synapse_nextgen_auth.accounts.attempts.sign_ups import TOKEN
from synapse_nextgen_auth.accounts.invitations import Invitation
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.secret import Secret, digest, same
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.link_cookie import secret_in
from synapse_nextgen_auth.web.sign_up import SignUp
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

# What the mail has beside the token.
MAIL = "mail"


def are_asked_for(site: Site) -> bool:
    """Say whether whoever signs up here needs an invitation."""
    rules = site.sign_ups.rules
    return rules.by_password and rules.demands.asks_token


def may_be_made(site: Site) -> bool:
    """Say whether everybody with an account may invite others to where that is needed."""
    return site.invitations.by_members and are_asked_for(site)


def link(site: Site, invitation: Invitation, secret: Secret | None = None) -> str:
    """Return where an invitation leads; with the secret, what its mail says."""
    query = {"token": invitation.token} | ({MAIL: secret.reveal()} if secret else {})
    return f"{site.issuer.endpoints.url('register')}?{urlencode(query)}"


def arrive(visit: Visit) -> Outgoing | None:
    """Take the secret of a mail out of the address (C258); `None` where none stands there."""
    secret = secret_in(visit.parameters.get(MAIL))
    if secret is None:
        return None
    token = visit.parameters.get("token") or ""
    cookie = visit.site.invitation_cookie.write(secret)
    return answers.redirect(f"register?{urlencode({'token': token})}", cookie)


def came_by_mail(visit: Visit, invitation: Invitation) -> bool:
    """Say whether its mail brought the person: then they read the mailbox that it is for."""
    secret, kept = visit.invited, invitation.mail_digest
    return secret is not None and kept is not None and same(digest(secret.reveal()), kept)


def proven(visit: Visit, invitation: Invitation) -> dict[str, Any] | None:
    """Return what Synapse is told of the address that needs no code, `None` where it needs one."""
    if invitation.email is None or not came_by_mail(visit, invitation):
        return None
    validated_at = visit.site.now() * 1000
    return {"medium": "email", "address": invitation.email, "validated_at": validated_at}


async def of(visit: Visit, sign_up: SignUp) -> Invitation | None:
    """Return the invitation that somebody signs up with."""
    token = sign_up.results.get(TOKEN)
    return await visit.site.invitations.find(token) if isinstance(token, str) else None
