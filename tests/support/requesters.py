"""A module of somebody else that tells who Synapse takes the sender of a request for.

Which accounts have expired stands in `expired.json` in the directory of the homeserver.
"""

import json
from pathlib import Path

from synapse.http.server import DirectServeJsonResource

PATH = "/_synapse/client/requester"
EXPIRED = "expired.json"


class Module:
    """Answers on every process, and makes accounts expire."""

    def __init__(self, config, api):
        self._expired = Path(config["directory"]) / EXPIRED
        api.register_account_validity_callbacks(is_user_expired=self.is_user_expired)
        api.register_web_resource(PATH, _Resource(api))

    async def is_user_expired(self, user_id):
        if not self._expired.exists():
            return None
        return user_id in json.loads(self._expired.read_text()) or None


class _Resource(DirectServeJsonResource):
    isLeaf = True  # noqa: N815 (Twisted's name)

    def __init__(self, api):
        super().__init__(clock=api._hs.get_clock())
        self._api = api

    async def _async_render_GET(self, request):  # noqa: N802 (Synapse's name)
        requester = await self._api.get_user_by_req(request, allow_guest=True)
        joined = self._api._hs.get_auth()._nextgen._joined._joined.values()
        return 200, {
            "is_warm": any(one.session.device_id == requester.device_id for one in joined),
            "user": requester.user.to_string(),
            "device": requester.device_id,
            "guest": requester.is_guest,
            "shadow_banned": requester.shadow_banned,
            "scope": sorted(requester.scope),
        }
