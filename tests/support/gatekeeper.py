"""A module of somebody else that checks more than passwords, and does not always work.

`copy_to` puts this file into the directory of a homeserver, which is where Synapse finds it. What it
does stands in `gatekeeper.json`: `broken` (it raises) and `hangs` (it waits for its file to change).
"""

import json
import shutil
from pathlib import Path

from twisted.internet.defer import Deferred

_HERE = Path(__file__).parent
_ORDERS = "gatekeeper.json"

OTP = "com.example.otp"
SECRET, CODE = "open-sesame", "123456"
PATIENCE = 2  # seconds
PHONE, OF_PHONE = "491701234567", "known-by-phone"


def copy_to(homeserver):
    """Let this homeserver load the module."""
    shutil.copy(__file__, homeserver.directory)
    homeserver.config = {
        **homeserver.config,
        "modules": [{"module": "gatekeeper.Gatekeeper", "config": {}}],
    }


def order(homeserver, **orders):
    """Tell the module of this homeserver how to behave from now on."""
    (homeserver.directory / _ORDERS).write_text(json.dumps(orders))


class Gatekeeper:
    """Lets everybody in who knows the word, by an odd type of its own."""

    def __init__(self, config, api):
        # Pages do not wait as long as in life.
        from synapse_nextgen_auth.homeserver.people import module_checks  # noqa: PLC0415

        module_checks._PATIENCE = PATIENCE
        self._api = api
        self._reactor = api._hs.get_reactor()
        api.register_password_auth_provider_callbacks(
            auth_checkers={
                (OTP, ("passphrase", "otp", "floor")): self.check_otp,
                ("com.example.shared_secret", ("token",)): self.refuse,
                ("m.login.password", ("password",)): self.check_password,
            },
            check_3pid_auth=self.check_address,
        )

    async def check_otp(self, username, login_type, login_dict):
        await self._obey()
        if (login_dict["passphrase"], login_dict["otp"]) == (SECRET, CODE) and login_dict["floor"]:
            return self._api.get_qualified_user_id(username), None
        return None

    async def check_password(self, username, login_type, login_dict):
        await self._obey()

    async def check_address(self, medium, address, password):
        await self._obey()
        if (medium, address, password) == ("msisdn", PHONE, OF_PHONE):
            return self._api.get_qualified_user_id(_orders()["phone_of"]), None
        return None

    async def refuse(self, username, login_type, login_dict):
        return None

    async def _obey(self):
        if _orders().get("broken"):
            raise RuntimeError("on purpose: the directory is broken")
        while _orders().get("hangs"):
            waited = Deferred()
            self._reactor.callLater(0.1, waited.callback, None)
            await waited


def _orders():
    file = _HERE / _ORDERS
    return json.loads(file.read_text()) if file.exists() else {}
