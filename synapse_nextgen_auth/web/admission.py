"""Whether a person may go on, asked by pages: the rule of `accounts/admission.py`, then a message."""

from synapse_nextgen_auth.accounts.admission import NOTHING, Asked, Intent, Unfit
from synapse_nextgen_auth.flows import room
from synapse_nextgen_auth.homeserver.people.accounts import Newcomer, NotAdmitted
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.scopes.permissions import SERVER_ADMIN
from synapse_nextgen_auth.web.pages.message.error import not_admitted
from synapse_nextgen_auth.web.site import Site


async def admit(site: Site, user_id: str, *, other_account_url: str) -> None:
    """Stop if this account may not do anything on our pages any more (C179, C190).

    `other_account_url` is where to go on with another account.
    """
    await _admit(site, user_id, Intent.SIGN_IN, other_account_url=other_account_url)


async def admit_application(
    site: Site,
    user_id: str,
    scope: Scope,
    *,
    other_account_url: str,
    is_new_device: bool = False,
    newcomer: Newcomer | None = None,
) -> None:
    """Stop if this account may not let an application in with this scope.

    Asked where the question is shown, and again at the answer, then with the newcomer (C325). A
    device that must be new is not taken over from whoever has it (C310). `other_account_url` is where
    to go on with another account.
    """
    asked = Asked(
        admin=scope.admin,
        device_is_taken=is_new_device and await _is_taken(site, user_id, scope.device_id),
        has_room=await _has_room(site, user_id, scope.device_id),
    )
    await _admit(
        site, user_id, Intent.CONSENT, asked, other_account_url=other_account_url, newcomer=newcomer
    )


async def lacks_power(site: Site, user_id: str, scope: Scope) -> bool:
    """Say whether an application asks to administer the server somebody who does not (MSC4484).

    By that scope it wants to hear so: it stands alone, and nothing else is left to be allowed.
    """
    if SERVER_ADMIN not in scope.effective:
        return False
    try:
        await site.people.admit(user_id, Intent.CONSENT, Asked(admin=True))
    except NotAdmitted as refused:
        return refused.why is Unfit.ADMIN
    return False


async def _admit(
    site: Site,
    user_id: str,
    intent: Intent,
    asked: Asked = NOTHING,
    *,
    other_account_url: str | None = None,
    newcomer: Newcomer | None = None,
) -> None:
    try:
        await site.people.admit(user_id, intent, asked, newcomer=newcomer)
    except NotAdmitted as refused:
        raise not_admitted(refused.why, other_account_url=other_account_url) from None


async def _is_taken(site: Site, user_id: str, device_id: str | None) -> bool:
    return device_id is not None and (
        await site.devices.name_of(user_id, device_id) is not None
        or await site.devices.is_reserved(user_id, device_id)
    )


async def _has_room(site: Site, user_id: str, device_id: str | None) -> bool:
    """Say whether this is not one device too many; none is signed out to make room (C314)."""
    limit = site.config.sessions.max_devices
    if limit is None or device_id is None:
        return True
    return await site.homeserver.run(
        room.would_fit, user_id, device_id, max_devices=limit, now=site.now()
    )
