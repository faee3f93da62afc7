"""Signs of life of sessions, collected in memory and written in batches.

The first use of a generation confirms that its pair arrived at the client. It is written within about
a second and never on the request's path; the grace after a rotation covers the delay.
"""

import logging

from synapse_nextgen_auth.flows import refresh
from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import members
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.sessions import Session, SessionLifetimes
from synapse_nextgen_auth.store import events

NEEDS = (*members("synapse.server", "HomeServer", "get_clock"),)

logger = logging.getLogger(__name__)

FLUSH_EVERY = 1  # seconds
BATCH = 200
# What is remembered of a session is one number: its generation, and in so many bits below that when.
_TIME_BITS = 40
# Remembered per process; a forgotten session costs one more write, nothing else.
_MAX_SEEN = 200_000
_ADMIN_NOTED_EVERY = 3600


class Activity:
    """What happened since the last batch, on this process."""

    def __init__(self, homeserver: Homeserver, lifetimes: SessionLifetimes) -> None:
        self._homeserver = homeserver
        # How often (seconds) a session that keeps using one token is noted as alive.
        self._repeat_after = lifetimes.noted_every
        self._seen: dict[str, int] = {}
        self._administered: dict[tuple[str, str | None], int] = {}
        self._waiting: dict[str, refresh.Use] = {}
        clock = homeserver.hs.get_clock()
        versions.call_every(clock, self._start_flush, seconds=FLUSH_EVERY)
        homeserver.drain.at_last(self._flush)

    def seen(self, session: Session, generation: int, now: int) -> None:
        """Note that a token of this generation was used."""
        last = self._seen.get(session.session_id, 0)
        known, at = last >> _TIME_BITS, last & (1 << _TIME_BITS) - 1
        if generation <= known and 0 <= now - at < self._repeat_after:
            return
        if len(self._seen) >= _MAX_SEEN:
            self._seen.clear()
        generation = max(generation, known)
        self._seen[session.session_id] = generation << _TIME_BITS | now
        self._waiting[session.session_id] = refresh.Use(session.session_id, generation, now)

    def administered(self, user_id: str, device_id: str | None) -> None:
        """Note that a session used its power over the server; once an hour is enough."""
        now = self._homeserver.now()
        since = now - self._administered.get((user_id, device_id), 0)
        if 0 <= since < _ADMIN_NOTED_EVERY:
            return
        self._administered[user_id, device_id] = now
        detail = f"device {device_id}" if device_id else None
        event = Event(EventKind.ADMIN_USED, now, user_id, detail=detail)
        background.begin(
            self._homeserver.hs, Background.ADMIN_USED, self._homeserver.run, events.add, event
        )

    def _start_flush(self) -> None:
        if self._waiting:
            background.begin(self._homeserver.hs, Background.ACTIVITY, self._flush)

    async def _flush(self) -> None:
        waiting, self._waiting = self._waiting, {}
        uses = list(waiting.values())
        while uses:
            batch, uses = tuple(uses[:BATCH]), uses[BATCH:]
            try:
                await self._homeserver.run(refresh.confirm, batch)
            except Exception:
                # The database is away: keep what is not newer already, and try in a second.
                logger.warning("Could not note %d signs of life yet", len(batch), exc_info=True)
                for use in (*batch, *uses):
                    self._waiting.setdefault(use.session_id, use)
                return
