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
    (homeserver.directory / "usher.json").write_text(json.dumps(orders))
    (homeserver.directory / "usher.log").write_text("")


def asked(homeserver):
    """Return what the module was asked since, in that order."""
    lines = (homeserver.directory / "usher.log").read_text().splitlines()
    return [json.loads(line) for line in lines]


class Usher:
    """Says what it is told to."""

    def __init__(self, config, api):
        api.register_spam_checker_callbacks(check_registration_for_spam=self.check)
        api.register_password_auth_provider_callbacks(
            get_username_for_registration=self.username,
            get_displayname_for_registration=self.display_name,
            is_3pid_allowed=self.address,
        )

    def _say(self, question, *given):
        with (_HERE / "usher.log").open("a") as log:
            log.write(json.dumps([question, *given]) + "\n")
        path = _HERE / "usher.json"
        return json.loads(path.read_text()).get(question) if path.exists() else None

    async def check(self, email, username, request_info, auth_provider_id=None):
        from synapse.spam_checker_api import RegistrationBehaviour  # noqa: PLC0415

        said = self._say("spam", email, username, request_info, auth_provider_id)
        return RegistrationBehaviour[said or "ALLOW"]

    async def username(self, uia_results, params):
        return self._say("username", uia_results, params)

    async def display_name(self, uia_results, params):
        return self._say("display_name", uia_results, params)

    async def address(self, medium, address, registration):
        said = self._say("address", medium, address, registration)
        return True if said is None else said
