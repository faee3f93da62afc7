"""A module of somebody else that is asked about new people, and writes down what it is asked.

`copy_to` puts this file into the directory of a homeserver, which is where Synapse finds it. What it
says stands in `usher.json`, `usher.log` has a line for each question.
"""

import json
import shutil
from pathlib import Path

_HERE = Path(__file__).parent


def copy_to(homeserver):
    """Let this homeserver load the module."""
    shutil.copy(__file__, homeserver.directory)
    homeserver.config = {
        **homeserver.config,
        "modules": [{"module": "usher.Usher", "config": {}}],
    }


def order(homeserver, **orders):
    """Tell the module of this homeserver what to say from now on."""
    answer(homeserver, **orders)
    (homeserver.directory / "usher.log").write_text("")


def answer(homeserver, **orders):
    """Tell the module what to say to what it was asked already, too (`WAIT` keeps it from saying it)."""
    told = homeserver.directory / "usher.json.new"
    told.write_text(json.dumps(orders))
    told.rename(homeserver.directory / "usher.json")


def asked(homeserver):
    """Return what the module was asked since, in that order."""
    lines = (homeserver.directory / "usher.log").read_text().splitlines()
    return [json.loads(line) for line in lines]


class Usher:
    """Says what it is told to."""

    def __init__(self, config, api):
        from synapse.api.errors import Codes, SynapseError  # noqa: PLC0415

        api.register_spam_checker_callbacks(check_registration_for_spam=self.check)
        api.register_password_auth_provider_callbacks(
            get_username_for_registration=self.username,
            get_displayname_for_registration=self.display_name,
            is_3pid_allowed=self.address,
        )
        api.register_account_validity_callbacks(on_user_registration=self.registered)
        self._sleep = api.sleep
        store = api._hs.get_datastores().main
        self._fails(store, "register_user", SynapseError(400, "Taken", Codes.USER_IN_USE))
        self._fails(store, "mark_ui_auth_stage_complete", RuntimeError("the database is away"))
        handler = api._hs.get_registration_handler()
        self._fails(handler, "post_registration_actions", RuntimeError("something is away"))

    def _fails(self, owner, name, error):
        """Let a part of Synapse fail when it is told to, as if something were away for a moment."""
        stock = getattr(owner, name)

        async def fail_or_not(*args, **kwargs):
            if self._ordered(name) == "FAIL":
                raise error
            return await stock(*args, **kwargs)

        setattr(owner, name, fail_or_not)

    def _say(self, question, *given):
        with (_HERE / "usher.log").open("a") as log:
            log.write(json.dumps([question, *given]) + "\n")
        return self._ordered(question)

    def _ordered(self, question):
        path = _HERE / "usher.json"
        return json.loads(path.read_text()).get(question) if path.exists() else None

    async def check(self, email, username, request_info, auth_provider_id=None):
        from synapse.spam_checker_api import RegistrationBehaviour  # noqa: PLC0415

        said = self._say("spam", email, username, request_info, auth_provider_id)
        while said == "WAIT":
            await self._sleep(0.05)
            said = self._ordered("spam")
        return RegistrationBehaviour[said or "ALLOW"]

    async def registered(self, user_id):
        if self._ordered("registered") == "FAIL":
            raise RuntimeError("a module fails over a new account")

    async def username(self, uia_results, params):
        return self._say("username", uia_results, params)

    async def display_name(self, uia_results, params):
        return self._say("display_name", uia_results, params)

    async def address(self, medium, address, registration):
        said = self._say("address", medium, address, registration)
        return True if said is None else said
