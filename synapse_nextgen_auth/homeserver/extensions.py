"""Asking what other modules added (`extensions.py`): each within its time, and whatever they raise."""

import logging
from collections.abc import Awaitable, Callable, Collection
from typing import ParamSpec, TypeVar

import attrs
from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.util.async_helpers import timeout_deferred

from synapse_nextgen_auth import extensions
from synapse_nextgen_auth.extensions import (
    PATIENCE,
    CardText,
    Extensions,
    Person,
    SecondFactor,
    Stage,
)
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background, begin
from synapse_nextgen_auth.homeserver.no_answer import NoAnswer
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.events import Event

NEEDS = (
    *members("synapse.server", "HomeServer", "get_clock"),
    Needed("synapse.logging.context", "make_deferred_yieldable"),
    Needed("synapse.logging.context", "run_in_background"),
    Needed("synapse.util.async_helpers", "timeout_deferred", ("deferred", "timeout", "clock")),
)

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class OtherModules:
    """Stages, cards and listeners of other modules."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._hs = homeserver.hs
        self._added: Extensions = extensions.of(homeserver.api)
        self._failing: set[str] = set()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in their order."""
        return self._added.stages

    async def needs(self, stage: Stage, person: Person) -> bool:
        """Say whether a stage is asked of somebody; raises `NoAnswer`."""
        return await self.ask(f"stage {stage.name}", bool, stage.needs, person)

    @property
    def have_factor_rules(self) -> bool:
        """Whether any of them says who needs a second factor."""
        return bool(self._added.factor_rules)

    async def factor_rules(self, user_id: str) -> list[SecondFactor]:
        """Return what they say of an account; raises `NoAnswer`."""
        return [
            await self.ask(f"factor rule {each.name}", SecondFactor, each.of, user_id)
            for each in self._added.factor_rules
        ]

    async def cards(self, user_id: str) -> tuple[CardText, ...]:
        """Return what the cards say; one that fails is left out, and written down once."""
        asked = [
            (card.name, run_in_background(self._ask, card.show, user_id))
            for card in self._added.cards
        ]
        found = []
        for name, answer in asked:
            try:
                text = await make_deferred_yieldable(answer)
                if text is not None and not isinstance(text, CardText):
                    raise NoAnswer(type(text).__name__)
            except Exception as error:  # noqa: BLE001 (whatever it is, the page stands without it)
                if name not in self._failing:
                    logger.warning("Card %s of another module is left out: %r", name, error)
                self._failing.add(name)
            else:
                self._failing.discard(name)
                if text is not None:
                    found.append(text)
        return tuple(found)

    async def ask(
        self,
        name: str,
        kind: type[T] | tuple[type[T], ...],
        callback: Callable[P, Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return the answer of another module; raises `NoAnswer`, once that is written down."""
        try:
            answer = await self._ask(callback, *args, **kwargs)
        except Exception as error:
            # Whatever another module does wrong: whoever asked says "try again", and lets nobody in.
            logger.warning("No answer from %s of another module: %r", name, error, exc_info=True)
            raise NoAnswer(name) from error
        if not isinstance(answer, kind):
            logger.warning("No answer from %s of another module: %s", name, type(answer).__name__)
            raise NoAnswer(name)
        return answer

    async def _ask(
        self, callback: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        async def answer() -> T:
            return await callback(*args, **kwargs)

        deferred = run_in_background(answer)
        in_time = timeout_deferred(deferred=deferred, timeout=PATIENCE, clock=self._hs.get_clock())
        return await make_deferred_yieldable(in_time)

    def hear(self, happened: Collection[Event]) -> None:
        """Tell the listeners, one after the other and in the background."""
        if self._added.listeners:
            begin(self._hs, Background.LISTENERS, self._tell, tuple(happened))

    async def _tell(self, happened: tuple[Event, ...]) -> None:
        for event in happened:
            fields = attrs.asdict(event, filter=lambda field, _: field.name != "event_id")
            told = extensions.Event(**{**fields, "kind": event.kind.value})
            for listener in self._added.listeners:
                try:
                    await self._ask(listener, told)
                except Exception:
                    # What happened has happened: one that fails keeps no other from hearing of it.
                    logger.exception("A listener of another module failed at %s", told.kind)
