"""The background chores of one process: sweeping and key rotation, in small bites with pauses."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.sign_ins import BrowserLifetimes
from synapse_nextgen_auth.config import Events
from synapse_nextgen_auth.flows import housekeeping, service_accounts
from synapse_nextgen_auth.flows.service_accounts import Written
from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Devices
from synapse_nextgen_auth.homeserver.signing import Signing
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import members
from synapse_nextgen_auth.homeserver.upkeep.later_steps import LaterSteps
from synapse_nextgen_auth.oauth.clients.client_metadata import KEPT_UNUSED
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import passwords, strays, sweep, token_holds
from synapse_nextgen_auth.store.txn import Txn

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import lost_factors, personal_tokens
    from synapse_nextgen_auth.store import lost_factors as lost_rows
    from synapse_nextgen_auth.store import unused_clients
else:
    lost_factors, personal_tokens, lost_rows, unused_clients = late.files(
        "flows.lost_factors", "flows.personal_tokens", "store.lost_factors", "store.unused_clients"
    )

NEEDS = (*members("synapse.server", "HomeServer", "get_clock"),)

logger = logging.getLogger(__name__)

P = ParamSpec("P")

_EVERY = 10 * 60  # seconds
_STRAYS_EVERY = 60 * 60
_TOKENS_EVERY = 15
_PASSWORDS_EVERY = 24 * 60 * 60
# Of so many personal tokens that are over soon the owners are told.
_ENDS_AT_ONCE = 5_000
# How far back (seconds) the devices of revoked sessions are looked for.
_HALF_REVOKED_FOR = 7 * 24 * 60 * 60
# After each bite others get at the tables for four times as long as it took, so that the chores take
# a fifth of one connection's time at most: more on a fast database, less on one that is busy.
_SHARE = 4
_SHORTEST_PAUSE, _LONGEST_PAUSE = 20, 5000  # milliseconds


@frozen(kw_only=True)
class Keeping:
    """What is kept how long, and which clients are a service account; times in seconds."""

    events: Events = attrs.field(factory=Events)
    browsers: BrowserLifetimes
    unused_clients_after: int
    idle_without_device: int | None
    services: Mapping[str, Written] = attrs.field(factory=dict)


class Housekeeping:
    """What the process that runs Synapse's background tasks does for us."""

    def __init__(self, homeserver: Homeserver, signing: Signing, keeping: Keeping) -> None:
        self._homeserver = homeserver
        self._signing = signing
        self._keeping = keeping
        # Up to when (seconds) the addresses of events were taken out.
        self._addresses_until = -1
        self._clock = homeserver.hs.get_clock()
        self._under_way: set[Background] = set()
        self._later_steps = LaterSteps(homeserver, self._rest)
        # How far the registrations that never began a grant were looked through, public and other.
        self._places: dict[bool, unused_clients.Place] = {}

    def start(self) -> None:
        """Begin, if this is the process for background tasks."""
        hs = self._homeserver.hs
        if not hs.config.worker.run_background_tasks:
            return
        # A process that died may be why this one starts.
        for seconds, begin in (
            (_EVERY, self._start_round),
            (_EVERY, self._start_later_steps),
            (_STRAYS_EVERY, self._start_strays),
            (_EVERY, self._start_revocations),
            (_TOKENS_EVERY, self._start_tokens),
        ):
            versions.call_every(self._clock, begin, seconds=seconds)
            self._clock.call_when_running(begin)

    def _start_round(self) -> None:
        self._start(Background.HOUSEKEEPING, self.round)

    def _start_tokens(self) -> None:
        self._start(Background.TOKEN_HOLDS, self.give_tokens_back)

    def _start_strays(self) -> None:
        self._start(Background.STRAYS, self.end_strays)

    def _start_revocations(self) -> None:
        self._start(Background.REVOCATIONS, self.finish_revocations)

    def _start_later_steps(self) -> None:
        self._start(Background.LATER_STEPS, self._later_steps.run)

    def _start(self, kind: Background, chore: Callable[[], Awaitable[None]]) -> None:
        """Begin a chore unless the last time is still under way."""
        if kind not in self._under_way:
            self._under_way.add(kind)
            background.begin(self._homeserver.hs, kind, self._do, kind, chore)

    async def _do(self, kind: Background, chore: Callable[[], Awaitable[None]]) -> None:
        try:
            await chore()
        except Exception:
            logger.warning("Chore %s failed, the next time tries again", kind.value, exc_info=True)
        finally:
            self._under_way.discard(kind)

    async def end_strays(self) -> None:
        """Look through all sessions for those that nobody comes back to; count the others."""
        after: str | None = ""
        living = 0
        while after is not None:
            began, now = self._clock.time_msec(), self._homeserver.now()
            bite = await self._homeserver.run(
                housekeeping.end_strays,
                after=after,
                now=now,
                idle_limit=self._keeping.idle_without_device,
                addresses_since=now - self._keeping.events.address_lifetime,
            )
            after, living = bite.until, living + bite.living
            await self._rest(began)
        self._homeserver.metrics.sessions_living(living)

    async def give_tokens_back(self) -> None:
        """Let others have the registration tokens of sign-ups that took too long."""
        now = self._homeserver.now()
        for session in await self._homeserver.read(token_holds.list_over, now=now):
            await self._homeserver.run(token_holds.give_back, session)

    async def finish_revocations(self) -> None:
        """Remove the devices that revoked sessions left behind.

        Whoever revoked them was told to come back, because another process was away, and the process
        that had it in mind may be gone since.
        """
        devices = Devices(self._homeserver)
        since = self._homeserver.now() - _HALF_REVOKED_FOR
        found = await self._homeserver.read(strays.list_half_revoked, since=since)
        for user_id, device_id in found:
            began = self._clock.time_msec()
            try:
                await devices.finish(user_id, device_id)
            except Away:
                return  # that was written down; the next time tries again
            told = logged(device_id, 255)
            logger.info("Removed what a revoked session left: device %s of %s", told, user_id)
            await self._rest(began)

    async def round(self) -> None:
        """Do every chore once."""
        await self._signing.rotate()
        now = self._homeserver.now()
        await self._end_departed(now)
        is_claimed = await self._claim_passwords(now)
        for kind in sweep.KINDS:
            if kind == sweep.PASSWORDS and not is_claimed:
                continue
            keep = self._keeping.events.lifetime if kind == "events" else None
            await self._drain(kind, sweep.stale, kind=kind, now=now, keep=keep)
        await self._remind_of_lost_factors(now)
        await self._tell_of_ends(now)
        await self._blank_addresses(now - self._keeping.events.address_lifetime)
        for kind in sweep.KINDS_AHEAD:
            # What is only set right is not counted.
            name = kind if kind in sweep.KINDS else None
            await self._drain(name, sweep.from_the_future, kind=kind, now=now)
        await self._drain(None, sweep.browsers_from_the_future, now=now)
        browsers_since = now - self._keeping.browsers.idle
        await self._drain(sweep.IDLE_BROWSERS, sweep.idle_browsers, idle_since=browsers_since)
        unused_since = now - self._keeping.unused_clients_after
        await self._drain_clients(unused_since, now)
        for is_public, keep in KEPT_UNUSED.items():
            await self._drain_idle_clients(now - keep, unused_since, now, is_public=is_public)

    async def _end_departed(self, now: int) -> None:
        """End the sessions of service accounts that the configuration does not mean any more."""
        ended = await self._homeserver.run(
            service_accounts.end_departed, self._keeping.services, now=now
        )
        if ended:
            logger.info("Ended %s sessions of clients that left the configuration", ended)

    async def _tell_of_ends(self, now: int) -> None:
        """Let those be told whose personal tokens are over soon."""
        of = {"now": now, "limit": _ENDS_AT_ONCE}
        ending = await self._homeserver.read(personal_tokens.list_ending, **of)
        if ending:
            await self._homeserver.run(personal_tokens.tell_of_ends, ending, now=now)

    async def _remind_of_lost_factors(self, now: int) -> None:
        """Let those be told again whose second factors can soon be removed as lost."""
        of = {"now": now, "limit": sweep.BITE}
        for request in await self._homeserver.read(lost_rows.list_to_remind, **of):
            await self._homeserver.run(lost_factors.remind, request, now=now)

    async def _claim_passwords(self, now: int) -> bool:
        """Give hashes of nobody to the accounts that use them; say whether it was time for that.

        It looks at every account, so it waits until there is a day of them to delete.
        """
        before = now - sweep.PASSWORDS_KEPT - _PASSWORDS_EVERY
        if not await self._homeserver.read(passwords.has_unclaimed, before=before):
            return False
        after: str | None = ""
        while after is not None:
            began = self._clock.time_msec()
            after = await self._homeserver.run(passwords.claim_some, after=after, limit=sweep.BITE)
            await self._rest(began)
        return True

    async def _drain(
        self,
        name: str | None,
        bite: Callable[Concatenate[Txn, P], int],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Delete bite by bite, with pauses in which others get at the tables."""
        gone = sweep.BITE
        while gone == sweep.BITE:
            began = self._clock.time_msec()
            gone = await self._homeserver.run(bite, *args, **kwargs)
            if name is not None:
                self._homeserver.metrics.swept(name, gone)
            await self._rest(began)

    async def _blank_addresses(self, before: int) -> None:
        """Take addresses out of events since the last round; after a restart, once more out of all.

        Where the clock was set back, what is older than the place it was at has been looked at.
        """
        since: int | None = min(self._addresses_until, before)
        while since is not None:
            self._addresses_until = since
            began = self._clock.time_msec()
            since, _blanked = await self._homeserver.run(
                sweep.blank_addresses, since=since, before=before
            )
            await self._rest(began)
        self._addresses_until = before

    async def _drain_clients(self, unused_since: int, now: int) -> None:
        looked_at = sweep.BITE
        while looked_at == sweep.BITE:
            began = self._clock.time_msec()
            looked_at, gone = await self._homeserver.run(
                unused_clients.old_clients, unused_since=unused_since, now=now
            )
            self._homeserver.metrics.swept(unused_clients.UNUSED_CLIENTS, gone)
            await self._rest(began)

    async def _drain_idle_clients(
        self, registered_before: int, unused_since: int, now: int, *, is_public: bool
    ) -> None:
        """Look through those that nobody looked at yet: after a restart, once more through all."""
        place: unused_clients.Place | None = self._places.get(is_public) or unused_clients.Place()
        if place is not None and place.at > registered_before:  # the clock was set back
            place = unused_clients.Place(registered_before)
        while place is not None:
            self._places[is_public] = place
            began = self._clock.time_msec()
            place, gone = await self._homeserver.run(
                unused_clients.idle_clients,
                after=place,
                registered_before=registered_before,
                is_public=is_public,
                unused_since=unused_since,
                now=now,
            )
            self._homeserver.metrics.swept(unused_clients.UNUSED_CLIENTS, gone)
            await self._rest(began)

    async def _rest(self, began: int) -> None:
        took = int(self._clock.time_msec()) - began
        pause = min(max(_SHORTEST_PAUSE, _SHARE * took), _LONGEST_PAUSE)
        await versions.pause(self._clock, seconds=pause / 1000)
