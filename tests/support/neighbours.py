"""A homeserver that has much of what operators add: another module, bridges, approval, guests."""

import json
import shutil
from pathlib import Path
from urllib.parse import quote

import attrs
import requests

from support import bridges
from support.synapse import Homeserver, User
from synapse_nextgen_auth.cli import demo_directory

BRIDGE_TOKEN = "the-token-of-a-bridge"
# A bridge may choose any token, so also one that begins like ours.
ODD_BRIDGE_TOKEN = "nga_" + "A" * 60

CONFIG = {
    "modules": [{"module": "colleagues.Colleague", "config": {}}, {"module": "lookers.Module"}],
    "enable_registration": True,
    "enable_registration_without_verification": True,
    "allow_guest_access": True,
    "track_appservice_user_ips": True,
    "background_updates": {"sleep_enabled": False},  # some APIs need the indexes that these build
    "refreshable_access_token_lifetime": "5m",
    "login_via_existing_session": {"enabled": True, "require_ui_auth": False},
    "experimental_features": {
        "msc3866": {"enabled": True, "require_approval_for_new_accounts": True},
        "msc3814_enabled": True,
        "msc2697_enabled": False,  # the same for old releases, and not both at once
    },
}


BRIDGES = [
    bridges.registration("bridge", as_token=BRIDGE_TOKEN),
    bridges.registration("odd", as_token=ODD_BRIDGE_TOKEN, **{"io.element.msc4190": True}),
    *bridges.REGISTRATIONS,
]


def homeserver(directory: Path, database, *, options=None, **attributes) -> Homeserver:
    """Return that homeserver, not started yet; `options` are more of our own."""
    for module in ("colleagues.py", "lookers.py"):
        shutil.copy(Path(__file__).with_name(module), directory)
    files = [
        str(demo_directory.write_yaml(directory / f"{bridge['id']}.yaml", bridge))
        for bridge in BRIDGES
    ]
    config = CONFIG | {"app_service_config_files": files}
    module = {"clients": bridges.CLIENTS, **(options or {})}
    return Homeserver(directory, database, module=module, config=config, **attributes)


@attrs.frozen
class Neighbours:
    """What surrounds our module on that homeserver."""

    homeserver: Homeserver

    def calls(self, callback, user_id=None):
        """Return what the other module was told in calls of this kind, about this account."""
        file = self.homeserver.directory / "calls.jsonl"
        lines = map(json.loads, file.read_text().splitlines()) if file.exists() else ()
        return [said for name, who, *said in lines if name == callback and who == user_id]

    def add(self, order, *values):
        """Put accounts on one of the other module's lists: `expired`, `blocked`."""
        orders = self._orders()
        self._write({**orders, order: [*orders.get(order, []), *values]})

    def drop(self, order, *values):
        orders = self._orders()
        self._write({**orders, order: [v for v in orders.get(order, []) if v not in values]})

    def accept(self, user_id, password, *, address=None):
        """Let the other module's directory know a password, and an e-mail address."""
        orders = self._orders()
        orders["passwords"] = {**orders.get("passwords", {}), user_id: password}
        if address:
            orders["addresses"] = {**orders.get("addresses", {}), address: user_id}
        self._write(orders)

    def registered(self, **body):
        """Register an account as a client does; return the whole answer."""
        url = f"{self.homeserver.base_url}/_matrix/client/v3/register"
        return requests.post(url, json={"auth": {"type": "m.login.dummy"}, **body}, timeout=30)

    def bridged(self, localpart, password="correct-horse"):
        """Let the bridge register an account, and an administrator give it a password."""
        url = f"{self.homeserver.base_url}/_matrix/client/v3/register"
        body = {"type": "m.login.application_service", "username": localpart}
        headers = {"Authorization": f"Bearer {BRIDGE_TOKEN}"}
        answer = requests.post(
            url, json={**body, "inhibit_login": True}, headers=headers, timeout=30
        )
        assert answer.status_code == 200, answer.text
        user = User(answer.json()["user_id"], localpart, password)
        given = {"password": password, "logout_devices": False, "approved": True}
        self.administer("PUT", user, given)
        return user

    def administer(self, *request):
        """Call an admin API about an account; it must work."""
        answer = self.ask(*request)
        assert answer.ok, answer.text
        return answer.json()

    def ask(self, method, user, body, path="/_synapse/admin/v2/users/{user_id}"):
        """Call an admin API about an account; return the whole answer."""
        admin = self.homeserver.login(self.homeserver.new_user(admin=True))["access_token"]
        return requests.request(
            method,
            self.homeserver.base_url + path.format(user_id=quote(user.user_id)),
            json=body,
            headers={"Authorization": f"Bearer {admin}"},
            timeout=30,
        )

    @property
    def _file(self):
        return self.homeserver.directory / "orders.json"

    def _orders(self):
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def _write(self, orders):
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(orders))
        new.replace(self._file)
