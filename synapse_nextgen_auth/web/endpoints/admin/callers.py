"""Who calls the admin API: an access token of an administrator, looked at on each request."""

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.scopes.permissions import MAS_ADMIN
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.step_up import Requirement
from synapse_nextgen_auth.oauth.tokens import bearer
from synapse_nextgen_auth.web.endpoints.admin.operations import Refused
from synapse_nextgen_auth.web.site import Site

_POWERLESS = Refused(403, "The account of the token is no administrator.", "access_denied")
_STRONGER = "This request takes a stronger or more recent sign-in"


async def administrator(site: Site, incoming: Incoming) -> Session:
    """Return the session of whoever calls; raise where that is nobody who may."""
    text = _token(incoming)
    is_noted = incoming.method != "HEAD"
    session = await site.token_check.living(text, is_noted=is_noted)
    if session is None:
        raise _invalid()
    try:
        account = await site.people.admit(session.user_id, Intent.USE)
    except NotAdmitted:
        raise _invalid() from None
    if not session.is_personal and await site.clients.find(session.client_id) is None:
        raise _invalid()
    if MAS_ADMIN not in session.granted.effective:
        said = bearer.challenge(bearer.INSUFFICIENT_SCOPE, scope=MAS_ADMIN)
        raise Refused(
            403,
            f"The token was not granted {MAS_ADMIN}.",
            bearer.INSUFFICIENT_SCOPE,
            ((bearer.HEADER, said),),
        )
    if not account.is_admin:
        raise _POWERLESS
    await _insist(site, incoming, text)
    if is_noted:
        site.token_check.activity.administered(session.user_id, session.device_id)
    return session


async def insist_on_power(site: Site, session: Session) -> None:
    """Raise unless whoever calls administers the server still, and whoever made their token."""
    for user_id in {session.user_id, session.owner_id or session.user_id}:
        try:
            account = await site.people.admit(user_id, Intent.USE)
        except NotAdmitted:
            raise _invalid() from None
        if not account.is_admin:
            raise _POWERLESS


def _token(incoming: Incoming) -> str:
    scheme, _, text = (incoming.header("Authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and text:
        return text
    said = bearer.challenge() if not incoming.has_header("Authorization") else _INVALID
    raise Refused(401, bearer.IN_THE_HEADER, bearer.INVALID_TOKEN, ((bearer.HEADER, said),))


_INVALID = bearer.challenge(bearer.INVALID_TOKEN)


def _invalid() -> Refused:
    return Refused(
        401, "The access token is not valid.", bearer.INVALID_TOKEN, ((bearer.HEADER, _INVALID),)
    )


async def _insist(site: Site, incoming: Incoming, text: str) -> None:
    """Stop a call that takes more than its session proved, as the operator wants it."""
    step_up = site.token_check.step_up
    required = None
    if step_up is not None:
        required = step_up.asks(incoming.method, incoming.path, is_admin=True)
    if required is None or await site.token_check.has_proved(text, required):
        return
    raise Refused(
        401,
        f"{_STRONGER}.",
        bearer.INSUFFICIENT_USER_AUTHENTICATION,
        ((bearer.HEADER, _stronger(required)),),
    )


def _stronger(required: Requirement) -> str:
    return bearer.challenge(
        bearer.INSUFFICIENT_USER_AUTHENTICATION,
        error_description=_STRONGER,
        acr_values=levels.TWO_FACTORS if required.level > 1 else None,
        max_age=None if required.max_age is None else str(required.max_age),
    )
