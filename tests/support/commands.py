"""Whoever can read a homeserver's configuration: asks it as the command does, or almost.

operator = Operator.of(homeserver)
operator.ask("status")["server_name"]
"""

import json
import time

import attrs
import requests

from synapse_nextgen_auth.accounts import commands
from synapse_nextgen_auth.accounts.commands import Stamp
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.secret import Keyring, random_id

PATH = PREFIX + commands.PATH


@attrs.frozen
class Operator:
    """The secret of a homeserver, and one of its processes."""

    base_url: str
    keys: Keyring = attrs.field(repr=False)

    @classmethod
    def of(cls, homeserver):
        return cls(
            homeserver.base_url, Keyring.of(homeserver.settings()["macaroon_secret_key"].encode())
        )

    def at(self, process):
        """Return the same before another process."""
        return attrs.evolve(self, base_url=process.base_url)

    def post(self, body, stamp=None):
        """Send a body with its proof; return the answer as it comes."""
        stamp = stamp or Stamp(int(time.time()), random_id())
        headers = {"Authorization": stamp.header(self.keys, path=PATH, body=body)}
        headers["Content-Type"] = commands.MEDIA_TYPE
        return requests.post(self.base_url + PATH, data=body, headers=headers, timeout=60)

    def say(self, command, **given):
        """Return all that the server says to a command: `done` or `refused`."""
        stamp = Stamp(int(time.time()), random_id())
        answer = self.post(json.dumps({"command": command, **given}).encode(), stamp)
        assert answer.status_code == 200, answer.text
        return stamp.unseal(self.keys, answer.json()["sealed"])

    def ask(self, command, **given):
        """Let the server do something; return what it says of it."""
        return self.say(command, **given)["done"]
