"""A Synapse module that runs flows of its own through the door of ours; tests load it after ours."""

import gc
import json
import sys

from synapse.http.server import DirectServeJsonResource

from synapse_nextgen_auth import late
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.oauth.errors import invalid_grant
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.store import events, sessions

PATH = "/_synapse/client/doorman"


def end(txn, session_id, now):
    """End a session and say nothing of it."""
    return sessions.end(txn, session_id, why=End.LOGOUT, now=now)


def end_and_say_so(txn, session_id, now):
    """End a session as a flow does that refuses something for it."""
    sessions.end(txn, session_id, why=End.LOGOUT, now=now)
    return Outcome(invalid_grant("on purpose"), (session_id,))


def take_back(txn, session_id, now):
    """End a session that nobody got."""
    sessions.end(txn, session_id, why=End.FAILED, now=now)
    return Outcome("done", changed=(session_id,))


def note(txn, session_id, now):
    """Write something down."""
    events.add(txn, Event(EventKind.KEY_ROTATED, now, detail=f"unheard {session_id}"))


class Twice:
    """A flow that loses a race at its first attempt."""

    __name__ = "twice"

    def __init__(self, passing):
        self.passing = passing
        self.attempts = []

    def __call__(self, txn, session_id, now):
        said = f"doorman {session_id}"
        self.attempts.append([txn.draw(said), txn.draw(said)])
        events.add(txn, Event(EventKind.KEY_ROTATED, now, detail=said))
        if len(self.attempts) == 1:
            raise self.passing
        return self.attempts


class Module:
    """What Synapse loads; it answers at `PATH`."""

    def __init__(self, config, api):
        (ours,) = (one for one in gc.get_objects() if isinstance(one, Homeserver))
        api.register_web_resource(PATH, _Door(ours))

    @staticmethod
    def parse_config(config):
        return config


class _Door(DirectServeJsonResource):
    isLeaf = True  # noqa: N815 (Twisted's name)

    def __init__(self, homeserver):
        super().__init__(clock=homeserver.hs.get_clock())
        self._homeserver = homeserver

    async def _async_render_POST(self, request):  # noqa: N802
        order = json.loads(request.content.read())
        given = order["session_id"], self._homeserver.now()
        passing = self._homeserver.store.database_engine.module.IntegrityError("on purpose")
        flows = {
            "silent": (self._homeserver.run, end),
            "settled": (self._homeserver.settle, end),
            "read": (self._homeserver.read, end),
            "said": (self._homeserver.run, end_and_say_so),
            "taken back": (self._homeserver.run, take_back),
            "twice": (self._homeserver.run, Twice(passing)),
        }
        try:
            if order["flow"] == "unheard":
                return 200, {"returned": await self._unheard(*given)}
            run, flow = flows[order["flow"]]
            return 200, {"returned": await run(flow, *given)}
        except Exception as error:  # noqa: BLE001 (a test looks at what it is)
            return 200, {"raised": type(error).__name__}

    async def _unheard(self, session_id, now):
        """Write an event down where the file of whoever is told of it is not whole."""
        missing, ours = (
            "synapse_nextgen_auth.homeserver.extensions",
            Homeserver(self._homeserver.api),
        )
        others = late.made(lambda: late.imported("homeserver.extensions").OtherModules(ours))
        kept = sys.modules.pop(missing)
        sys.modules[missing] = None
        ours.when_happened(lambda happened: others.hear(happened), first=lambda: others.hear)  # noqa: PLW0108 (made late)
        try:
            return await ours.run(note, session_id, now)
        finally:
            sys.modules[missing] = kept
