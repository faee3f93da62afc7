"""Keep what a release leaves in the database, with the tokens that its clients hold.

Run at each release, in a checkout of it, with its own tests' environment:

    python tests/upgrades/make_dump.py VERSION

It starts that release, signs in clients of every kind, and writes `tests/upgrades/VERSION/`: the rows
(`dump.json`) and the code itself (`code.zip`), for the tests that upgrade from it and go back to it.
A release from before this file is dumped with its root as a second argument.
"""

import json
import sys
import tempfile
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
VERSION, ROOT = sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else HERE.parents[1]).resolve()
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.oauth import Browser, Server, web_client  # noqa: E402
from support.synapse import sqlite_homeserver  # noqa: E402
from support.television import Television, let_in  # noqa: E402

# Long enough for a test to start a server on it.
MODULE = {"tokens": {"code_lifetime": "10m", "access_token_lifetime": "1h"}}
# Of Synapse's own tables: the accounts, and the devices of the sessions.
SYNAPSES = ("users", "profiles", "devices")


def sessions(homeserver):
    """Sign in clients of every kind; return what each of them holds."""
    server, user = Server(homeserver.base_url), homeserver.register_user("kept", "correct-horse")
    client = server.client()
    secret = server.client(
        web_client(client_name="With a secret", token_endpoint_auth_method="client_secret_post")
    )

    def holding(who, tokens, **more):
        keys = ("access_token", "refresh_token")
        return {"client_id": who.id, **{key: tokens[key] for key in keys}, **more}

    def post(who):
        return {"client_secret": who.registered["client_secret"]}

    fresh = client.sign_in(user.localpart, user.password)
    lost = client.sign_in(user.localpart, user.password)
    server.whoami(lost["access_token"])
    client.refresh(lost["refresh_token"])  # the answer never arrives
    parameters, verifier = secret.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    confidential = secret.redeem(code, verifier, **post(secret)).json()
    parameters, verifier = client.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    pending = {"client_id": client.id, "redirect_uri": client.redirect_uri}
    television = Television.begin(server)
    let_in(Browser(server), television, user)
    undecided = Television.begin(server)
    return {
        "user": {"localpart": user.localpart, "password": user.password, "id": user.user_id},
        "registered": client.registered,
        "fresh": holding(client, fresh),
        "lost": holding(client, lost),
        "confidential": holding(secret, confidential, **post(secret)),
        "code": {**pending, "code": code, "code_verifier": verifier},
        "allowed_device": _device(television),
        "waiting_device": {**_device(undecided), "user_code": undecided.user_code},
    }


def _device(television):
    return {
        "client_id": television.client.id,
        "device_code": television.answer["device_code"],
    }


def rows(homeserver):
    """Return every row of ours, and those of Synapse that they need."""
    names = homeserver.query(
        "SELECT name FROM sqlite_master WHERE name LIKE 'nextgen%' AND type = 'table'"
    )
    return {
        table: {
            "columns": [row[1] for row in homeserver.query(f"PRAGMA table_info({table})")],
            "rows": homeserver.query(f"SELECT * FROM {table}"),
        }
        for table in (*SYNAPSES, *sorted(name for (name,) in names))
    }


def main():
    with tempfile.TemporaryDirectory() as directory:
        homeserver = sqlite_homeserver(Path(directory), module=MODULE)
        with homeserver:
            held = sessions(homeserver)
        found = {"made_at": int(time.time()), "held": held, "tables": rows(homeserver)}
    target = HERE / VERSION
    target.mkdir(exist_ok=True)
    text = json.dumps(found, indent=1, sort_keys=True)
    (target / "dump.json").write_text(text + "\n", "utf-8")
    with zipfile.ZipFile(target / "code.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(ROOT.glob("synapse_nextgen_auth/**/*")) + sorted(
            ROOT.glob("templates/**/*")
        ):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(ROOT))


if __name__ == "__main__":
    main()
