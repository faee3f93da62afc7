"""Ending sessions by what they have in common, some at a time, with their devices."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress

from synapse_nextgen_auth.flows import end_by_filter
from synapse_nextgen_auth.flows.end_by_filter import Ended, Matching
from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.web.site import Site

# How many end in one request, if nothing else is said: each has a device to delete.
SOME = 100
MOST = 500


async def look(
    site: Site, meant: SessionFilter, *, is_all_meant: bool, keep: str | None = None
) -> Matching:
    """Return how many would end."""
    return await site.homeserver.run(
        end_by_filter.look,
        meant,
        is_all_meant=is_all_meant,
        lifetimes=site.lifetimes.sessions,
        now=site.now(),
        keep=keep,
    )


async def end_some(
    site: Site,
    meant: SessionFilter,
    *,
    limit: int,
    is_all_meant: bool,
    keep: str | None,
    run: Callable[..., Awaitable[Ended | Matching]] | None = None,
) -> Ended | Matching:
    """End at most so many, and delete their devices; what would be too much is told instead.

    Whoever wants it written down in the same transaction does that in `run`.
    """
    await site.devices.expect_to_remove()
    do = run or site.homeserver.run
    done = await do(
        end_by_filter.end_some,
        meant,
        limit=limit,
        is_all_meant=is_all_meant,
        lifetimes=site.lifetimes.sessions,
        now=site.now(),
        keep=keep,
    )
    if isinstance(done, Ended):
        await _remove_devices(site, done.sessions)
    return done


async def _remove_devices(site: Site, sessions: list[Session]) -> None:
    devices: dict[str, list[str]] = defaultdict(list)
    for session in sessions:
        await site.devices.logged_out(session)
        if session.device_id is not None:
            devices[session.user_id].append(session.device_id)
    for user_id, device_ids in devices.items():
        # What a process that went away meanwhile cannot do goes on by itself.
        with suppress(Away):
            await site.devices.remove_all(user_id, device_ids)
