"""A module of somebody else, beside ours in the same Synapse: what operators add to theirs.

`Neighbours` (in `support.neighbours`) copies this file into the directory of a homeserver, which is
where Synapse finds it. What it decides stands in `orders.json`, what it was asked in `calls.jsonl`.
"""

import json
from pathlib import Path

from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes

_HERE = Path(__file__).parent


class Colleague:
    """A password provider, an account-validity module and a spam checker in one."""

    def __init__(self, config, api):
        self._api = api
        api.register_password_auth_provider_callbacks(
            auth_checkers={("m.login.password", ("password",)): self.check_auth},
            check_3pid_auth=self.check_3pid_auth,
            on_logged_out=self.on_logged_out,
        )
        api.register_account_validity_callbacks(
            is_user_expired=self.is_user_expired, on_user_login=self.on_user_login
        )
        api.register_spam_checker_callbacks(check_login_for_spam=self.check_login_for_spam)
        _note_hashing(api._hs.get_auth_handler())

    async def check_auth(self, username, login_type, login_dict):
        user_id = self._api.get_qualified_user_id(username)
        _note("check_auth", user_id, login_type)
        if login_dict["password"] != _orders().get("passwords", {}).get(user_id):
            return None
        if await self._api.check_user_exists(user_id) is None:
            await self._api.register_user(user_id[1:].partition(":")[0])

        async def when_signed_in(response):
            """Note what Synapse calls back with, and on which process."""
            process = self._api.worker_name
            said = [response.get(name) for name in ("device_id", "access_token", "home_server")]
            _note("login_callback", response["user_id"], process, *said)

        return user_id, when_signed_in

    async def check_3pid_auth(self, medium, address, password):
        _note("check_3pid_auth", None, medium, address)
        user_id = _orders().get("addresses", {}).get(address)
        if user_id is None or password != _orders()["passwords"][user_id]:
            return None
        return user_id, None

    async def on_logged_out(self, user_id, device_id, access_token):
        store = self._api._hs.get_datastores().main
        pushers = list(await store.get_pushers_by_user_id(user_id))
        _note("on_logged_out", user_id, device_id, access_token)
        _note("pushers_at_logout", user_id, len(pushers))

    async def is_user_expired(self, user_id):
        return user_id in _orders().get("expired", []) or None

    async def on_user_login(self, user_id, auth_provider_type, auth_provider_id):
        _note("on_user_login", user_id, auth_provider_type, auth_provider_id)

    async def check_login_for_spam(
        self, user_id, device_id, initial_display_name, request_info, auth_provider_id=None
    ):
        said = [device_id, initial_display_name, *map(list, request_info), auth_provider_id]
        _note("check_login_for_spam", user_id, *said)
        while user_id in _orders().get("held", []):
            await self._api.sleep(0.05)
        if user_id in _orders().get("blocked", []):
            return Codes.FORBIDDEN
        return NOT_SPAM


def _note_hashing(auth_handler):
    validate_hash = auth_handler.validate_hash

    async def noted(password, stored_hash):
        if stored_hash:  # otherwise there is nothing to hash for
            _note("validate_hash", None)
        return await validate_hash(password, stored_hash)

    auth_handler.validate_hash = noted


def _orders():
    file = _HERE / "orders.json"
    return json.loads(file.read_text()) if file.exists() else {}


def _note(callback, user_id, *said):
    with (_HERE / "calls.jsonl").open("a") as file:
        file.write(json.dumps([callback, user_id, *said]) + "\n")
