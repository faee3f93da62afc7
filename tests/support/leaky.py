"""A Synapse module that leaves a log context behind in the reactor, as a careless connection does."""

from synapse.logging.context import LoggingContext, set_current_context
from synapse.module_api import ModuleApi
from twisted.internet.task import LoopingCall

_TIMES = 2000


class Module:
    """Leaves it again and again: whoever comes next may clear it away before a loop sees it."""

    def __init__(self, _config: object, api: ModuleApi) -> None:
        self._context = LoggingContext(name="left behind", server_name=api.server_name)
        self._left = 0
        self._leaving = LoopingCall(self._leave)
        self._leaving.clock = api._hs.get_reactor()
        self._leaving.start(0.001, now=False)

    def _leave(self) -> None:
        self._left += 1
        if self._left == _TIMES:
            self._leaving.stop()
        else:
            set_current_context(self._context)
