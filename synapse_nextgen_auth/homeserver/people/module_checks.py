"""What modules of others check in the place of a password: what fails is noted, what hangs is left."""

import copy
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.util.async_helpers import stop_cancellation

from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (Needed("synapse.util.async_helpers", "stop_cancellation", ("deferred",)),)

logger = logging.getLogger(__name__)

# Most of the time is spent waiting for somebody else's server.
CHECKS_AT_ONCE = 8
# For so long (seconds) a page waits for its modules; one whose turn comes when that is nearly over
# has a part of it all the same, as it may be the one that knows the person.
_PATIENCE = 20
_LEAST_PART = 4


class Overdue(Exception):
    """A module is not asked, as it owes too many answers."""


class Checks:
    """The modules' checks of one sign-in: what fails is noted, and what hangs is left behind.

    Synapse takes either for a "no", and goes on to the next module and to its own passwords. A check
    that was left behind goes on and is counted: however many people try, a module is asked no more
    than so many times at once (C230).
    """

    def __init__(self, provider: Any, overdue: Counter[int], reactor: Any) -> None:
        """Watch what `provider` asks; in `overdue` each module has how many answers it owes."""
        self.troubles: list[Exception] = []
        self._overdue = overdue
        self._reactor = reactor
        self._until = self._reactor.seconds() + _PATIENCE
        self.watched = watched = copy.copy(provider)
        watched.auth_checker_callbacks = {
            name: list(map(self._noting, checks))
            for name, checks in provider.auth_checker_callbacks.items()
        }
        watched.check_3pid_auth_callbacks = list(
            map(self._noting, provider.check_3pid_auth_callbacks)
        )

    def _noting(self, check: Callable[..., Any]) -> Callable[..., Any]:
        async def noted(*args: Any) -> Any:
            try:
                return await self._ask(check, args)
            except Exception as error:
                self.troubles.append(error)
                raise

        return noted

    async def _ask(self, check: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        owed = self._overdue
        if owed[id(check)] >= CHECKS_AT_ONCE:
            raise Overdue
        left_behind = False

        def answered(result: Any) -> Any:
            if left_behind:
                owed[id(check)] -= 1
            return result

        asked = run_in_background(check, *args)
        asked.addBoth(answered)
        answer = stop_cancellation(asked)
        patience = max(self._until - self._reactor.seconds(), _PATIENCE / _LEAST_PART)
        answer.addTimeout(patience, self._reactor)
        try:
            return await make_deferred_yieldable(answer)
        finally:
            if not asked.called:
                left_behind = True
                owed[id(check)] += 1
                logger.warning("A module did not say in %d seconds who signs in", patience)
