"""Leaving the context of Synapse's log for a while, for what every refresh does several times."""

from synapse.logging.context import SENTINEL_CONTEXT, logcontext_error, set_current_context

from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed("synapse.logging.context", "set_current_context", ("context",)),
    Needed("synapse.logging.context", "logcontext_error", ("msg",)),
)

NOBODYS = SENTINEL_CONTEXT


class Nowhere:
    """Be in no context within, and in the same one as before it afterwards.

    That is what `PreserveLoggingContext` does, which draws a random name for itself each time; whoever
    leaves another context behind within is told of in the same words. An
    `await` of a plain `Deferred` within keeps Synapse's rules, as `make_deferred_yieldable` does: the
    reactor goes on in no context, and whoever waited in its own.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = set_current_context(NOBODYS)

    def __exit__(self, *_: object) -> None:
        found = set_current_context(self._before)
        if found is not NOBODYS:
            logcontext_error(f"Expected logging context {NOBODYS} but found {found}")
