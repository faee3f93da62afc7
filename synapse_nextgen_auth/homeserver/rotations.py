"""Refreshes that come at once, as one statement on a connection of our own.

Only the usual case goes this way, and only where that connection is there. Everything else is a
transaction of its own, which decides: it finds out what happened, whatever became of the statement.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from synapse_nextgen_auth.flows import refresh
from synapse_nextgen_auth.flows.refresh import Presented, Renewed
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.database.gathered import Gathered
from synapse_nextgen_auth.homeserver.database.own_connection import NotAsked, OwnConnection, TooSlow
from synapse_nextgen_auth.homeserver.startup.needed import members
from synapse_nextgen_auth.oauth.sessions import Session, SessionLifetimes
from synapse_nextgen_auth.store.rotations import Rotation, together

NEEDS = (*members("synapse.server", "HomeServer", "get_reactor"),)

logger = logging.getLogger(__name__)

MOST = 100


class Rotations:
    """The refreshes of one process."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._together: _Together | None = None
        if OwnConnection.is_possible(homeserver.hs, "Refreshes"):  # not on SQLite
            self._together = _Together(homeserver)

    async def refresh(
        self, known: Session, presented: Presented, *, now: int, lifetimes: SessionLifetimes
    ) -> Renewed:
        """Return which pair to answer with, once it is committed; raise a refusal."""
        if self._together is not None:
            plain = refresh.plain(known, presented, now=now, lifetimes=lifetimes)
            if plain is not None and await self._together.rotated(plain.rotation):
                return plain.renewed
        return await self._homeserver.run(
            refresh.refresh, known, presented, now=now, lifetimes=lifetimes
        )


class _Together:
    """The rotations of one process that go by its own connection."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._metrics = homeserver.metrics
        reactor = cast("Any", homeserver.hs.get_reactor())
        self._gathered = Gathered(self._rotate, most=MOST, soon=partial(reactor.callLater, 0))
        self._connection = OwnConnection(
            homeserver.hs,
            homeserver.drain,
            "refreshes",
            homeserver.metrics.connection,
            self._gathered.go_past,
        )
        self._under_way: set[str] = set()

    async def rotated(self, rotation: Rotation) -> bool:
        """Say whether a rotation happened; False where nobody knows."""
        if not self._connection.is_open:
            return False
        if rotation.session_id in self._under_way:
            return False  # of two tokens of one session the transaction knows what to think
        self._under_way.add(rotation.session_id)
        try:
            return await self._gathered.ask(rotation) is not None
        finally:
            self._under_way.discard(rotation.session_id)

    async def _rotate(self, rotations: Sequence[Rotation]) -> Mapping[Rotation, bool]:
        """Return which of them happened, for sure."""
        began, outcome, rows = time.monotonic(), "failed", list[tuple[str]]()
        try:
            rows = await self._connection.run(*together(rotations))
            outcome = "done"
        except NotAsked:
            return {}
        except TooSlow:
            outcome = "timed_out"
        except Exception as error:  # noqa: BLE001 (nobody is refused for it: a transaction decides)
            logger.info("Refreshing %d sessions one by one after %r", len(rotations), error)
        self._metrics.batch(outcome, rotated=len(rows), seconds=time.monotonic() - began)
        went = {session_id for (session_id,) in rows}
        return {rotation: True for rotation in rotations if rotation.session_id in went}
