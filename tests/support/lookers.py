"""A Synapse module that asks for accounts and devices as Synapse does and as we do; tests load it.

`Neighbours` (in `support.neighbours`) copies this file into the directory of a homeserver.
"""

import json

from synapse.api.errors import StoreError
from synapse.logging.context import make_deferred_yieldable, run_in_background
from twisted.internet import defer
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

PATH = "/_synapse/client/lookers"


class Module:
    """What Synapse loads; it answers at `PATH`."""

    def __init__(self, config, api):
        api.register_web_resource(PATH, _Looker(api._hs))

    @staticmethod
    def parse_config(config):
        return config


class _Looker(Resource):
    isLeaf = True  # noqa: N815 (Twisted's name)

    def __init__(self, hs):
        super().__init__()
        self._hs = hs
        self._store = hs.get_datastores().main

    @property
    def _ours(self):
        return self._hs.get_auth()._nextgen.homeserver

    def render_DELETE(self, request):  # noqa: N802
        """Forget what a process that has just started does not know."""
        for cached in (
            self._store.get_user_by_id,
            self._store.get_user_locked_status,
            self._store.get_device,
            self._ours.live.nextgen_session,
        ):
            cached.invalidate_all()
        return b"{}"

    def render_POST(self, request):  # noqa: N802
        """Answer with what Synapse says of each account and device, and with what we do."""
        asked = json.loads(request.content.read())

        async def answer():
            devices = [tuple(device) for device in asked["devices"]]
            theirs = [
                await self._theirs(asked["users"], devices),
                await self._together(asked["users"], devices),
            ]
            request.write(json.dumps(theirs).encode())
            request.finish()

        self._hs.run_as_background_process("lookers", answer)
        return NOT_DONE_YET

    async def _theirs(self, users, devices):
        """Ask Synapse, one after the other, past every cache."""
        said = []
        for user in users:
            self._store.get_user_by_id.invalidate((user,))
            self._store.get_user_locked_status.invalidate((user,))
            said.append([repr(await self._store.get_user_by_id(user)), await self._locked(user)])
        for device in devices:
            self._store.get_device.invalidate(device)
            said.append(repr(await self._store.get_device(*device)))
        return said

    async def _together(self, users, devices):
        """Ask for all at once, remembered nowhere; then look into Synapse's caches."""
        self.render_DELETE(None)
        lookups = self._ours.lookups
        asked = [run_in_background(lookups.user, user) for user in users]
        asked += [run_in_background(lookups.device, *device) for device in devices]
        found = await make_deferred_yieldable(defer.gatherResults(asked))
        kept = [self._kept("get_user_by_id", user) for user in users]
        kept += [self._kept("get_device", device) for device in devices]
        assert [one is other for one, other in zip(found, kept, strict=True)] == [True] * len(kept)
        said = [
            [repr(user), await self._locked(name, kept=True)]
            for name, user in zip(users, found, strict=False)
        ]
        return said + [repr(device) for device in found[len(users) :]]

    async def _locked(self, user, *, kept=False):
        """Return whether an account is locked; with `kept` from memory, unless it does not exist."""
        if kept and self._kept("get_user_by_id", user) is not None:
            return repr(self._kept("get_user_locked_status", user))
        try:
            return repr(await self._store.get_user_locked_status(user))
        except StoreError as error:
            return f"{error.code} {error.msg}"

    def _kept(self, name, key):
        return getattr(self._store, name).cache.get_immediate(key, "nothing")
