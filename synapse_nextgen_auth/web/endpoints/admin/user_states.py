"""`users/{id}/…`: what an administrator lets become of an account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from synapse_nextgen_auth.homeserver.administration import accounts
from synapse_nextgen_auth.homeserver.administration.accounts import Forbidden
from synapse_nextgen_auth.web.endpoints.admin import callers, changes
from synapse_nextgen_auth.web.endpoints.admin.calls import Call
from synapse_nextgen_auth.web.endpoints.admin.operations import Answer, Field, Operation, Refused
from synapse_nextgen_auth.web.endpoints.admin.users import NOT_FOUND, ONE, answer, find
from synapse_nextgen_auth.web.endpoints.admin.values import Flag


@asynccontextmanager
async def _power(call: Call) -> AsyncIterator[None]:
    """Take power from somebody, unless somebody took it from whoever asks while they waited."""
    async with accounts.turn(call.site.homeserver):
        await callers.insist_on_power(call.site, call.admin)
        yield


async def _set_admin(call: Call) -> Answer:
    user_id = await find(call, call.path["id"])
    if call.body["admin"]:
        await changes.announce(call, user_id)
        await accounts.set_admin(call.site.homeserver, user_id, is_admin=True)
        return await answer(call, user_id)
    if call.is_own(user_id):
        raise Refused(400, "You may not take the power over the server from yourself.")
    async with _power(call):
        await changes.announce(call, user_id)
        await accounts.set_admin(call.site.homeserver, user_id, is_admin=False)
    return await answer(call, user_id)


async def _lock(call: Call) -> Answer:
    user_id = await find(call, call.path["id"])
    if call.is_own(user_id):
        raise Refused(400, "You may not lock yourself out.")
    async with _power(call):
        await changes.announce(call, user_id)
        await accounts.lock(call.site.homeserver, user_id, is_locked=True)
    return await answer(call, user_id)


async def _unlock(call: Call) -> Answer:
    user_id = await find(call, call.path["id"])
    await changes.announce(call, user_id)
    await accounts.lock(call.site.homeserver, user_id, is_locked=False)
    return await answer(call, user_id)


async def _deactivate(call: Call) -> Answer:
    site, user_id = call.site, await find(call, call.path["id"])
    if call.is_own(user_id):
        raise Refused(
            400, "You may not close your own account here: its page does that for yourself."
        )
    is_half_done = not call.body["skip_erase"] and not await accounts.is_erased(
        site.homeserver, user_id
    )
    if is_half_done or not await site.homeserver.is_closed(user_id):
        try:
            async with _power(call):
                await changes.announce(call, user_id)
                await accounts.close(
                    site.homeserver,
                    site.threepids,
                    user_id,
                    erase=not call.body["skip_erase"],
                    by=call.caller,
                )
        except Forbidden:
            raise Refused(
                403, "A module of this server does not let this account be closed."
            ) from None
    return await answer(call, user_id)


async def _reactivate(call: Call) -> Answer:
    homeserver, user_id = call.site.homeserver, await find(call, call.path["id"])
    if await homeserver.is_closed(user_id):
        await changes.announce(call, user_id)
        await accounts.reopen(homeserver, user_id)
    return await answer(call, user_id)


OPERATIONS = (
    Operation(
        method="POST",
        path="users/{id}/set-admin",
        name="userSetAdmin",
        tag="user",
        summary="Let an account administer the server, or not any more",
        about="It holds at once, for the sessions that there are, too.",
        do=_set_admin,
        answers=ONE,
        body_title="UserSetAdminRequest",
        body=(Field("admin", Flag(), "Whether it may.", True),),
        refuses=NOT_FOUND,
        is_for_main=True,
    ),
    Operation(
        method="POST",
        path="users/{id}/deactivate",
        name="deactivateUser",
        tag="user",
        summary="Close an account",
        about="Its sessions end, its devices and addresses are deleted, and it leaves its rooms. Unless"
        " `skip_erase` is true, what it wrote is hidden from whoever joins a room later.",
        do=_deactivate,
        answers=ONE,
        body_title="DeactivateUserRequest",
        body=(
            Field(
                "skip_erase", Flag(), "Whether what it wrote stays visible to all.", default=False
            ),
        ),
        is_body_needed=False,
        refuses=NOT_FOUND,
        is_for_main=True,
    ),
    Operation(
        method="POST",
        path="users/{id}/reactivate",
        name="reactivateUser",
        tag="user",
        summary="Open an account again that was closed",
        about="What was deleted when it was closed does not come back, and a lock stays.",
        do=_reactivate,
        answers=ONE,
        refuses=NOT_FOUND,
        is_for_main=True,
    ),
    Operation(
        method="POST",
        path="users/{id}/lock",
        name="lockUser",
        tag="user",
        summary="Lock an account",
        about="Nobody signs in to it, and its sessions do nothing until it is unlocked.",
        do=_lock,
        answers=ONE,
        refuses=NOT_FOUND,
        is_for_main=True,
    ),
    Operation(
        method="POST",
        path="users/{id}/unlock",
        name="unlockUser",
        tag="user",
        summary="Unlock an account",
        do=_unlock,
        answers=ONE,
        refuses=NOT_FOUND,
        is_for_main=True,
    ),
)
