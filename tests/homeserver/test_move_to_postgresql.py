"""Moving a homeserver from SQLite to PostgreSQL with Synapse's own tool, people signed in."""

import re
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from support.databases import PostgresDatabase
from support.oauth import Browser, Server
from support.rows import count
from support.tables import short_steps
from support.television import Television, let_in
from support.waiting import eventually
from synapse_nextgen_auth.cli.main import main


@pytest.mark.slow
def test_synapse_port_db_carries_living_sessions_along(start_homeserver, postgres_server):
    """Sessions, codes, grants, browsers and clients go on where they were; no event is lost."""
    patient = {"access_token_lifetime": "1h", "code_lifetime": "10m"}
    # The tool rests between the updates of the new database, whatever is enabled.
    hasty = {"background_updates": {"sleep_enabled": False, "sleep_duration_ms": 1}}
    homeserver = start_homeserver("sqlite", module={"tokens": patient}, config=hasty)
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client = server.client()
    browser = Browser.of(server, user)
    unused = client.sign_in(user.localpart, user.password, browser=browser)
    used = client.sign_in(user.localpart, user.password, browser=browser)
    renewed = client.refresh(used["refresh_token"]).json()
    parameters, verifier = client.request()
    browser.authorize(parameters)
    code = browser.answer(browser.submit(decision="approve"))["code"]
    approved, pending = Television.begin(server), Television.begin(server)
    let_in(Browser(server), approved, user)
    known = client.sign_in(user.localpart, user.password, scope="openid", browser=browser)
    jwks = server.api("GET", "/_synapse/client/auth/keys", "").json()
    written, keys = events(homeserver), signing_keys(homeserver)
    move(homeserver, PostgresDatabase.on(postgres_server))
    carried = events(homeserver)

    at_once = [server.whoami(tokens["access_token"]).status_code for tokens in (unused, renewed)]
    refreshed = [client.refresh(t["refresh_token"]).status_code for t in (unused, renewed)]
    redeemed = client.redeem(code, verifier)
    page = browser.get(server.url(""))
    collected, waiting = approved.poll(), pending.poll()
    let_in(Browser(server), pending, user)
    later = pending.poll()
    newcomer = client.sign_in(user.localpart, user.password, scope="openid")

    assert at_once == [200, 200]
    assert refreshed == [200, 200]
    assert redeemed.status_code == 200, redeemed.text
    assert user.user_id in page.text
    assert collected.status_code == 200
    assert waiting.json()["error"] == "authorization_pending"
    assert later.status_code == 200
    assert len(written) > 10
    assert set(written) <= set(carried)
    assert {kind for kind, *_ in carried} >= {"signed_in", "consented", "session_begun"}
    assert server.register().json()["client_id"] == client.id
    # The same keys sign on, and no others were made.
    assert server.api("GET", "/_synapse/client/auth/keys", "").json() == jwks
    assert signing_keys(homeserver) == keys
    header = jwt.get_unverified_header
    assert header(newcomer["id_token"]) == header(known["id_token"])


def events(homeserver):
    """Return all that was written down, whole, the kind first."""
    return sorted(homeserver.query("SELECT kind, * FROM nextgen_events"), key=repr)


def signing_keys(homeserver):
    return sorted(homeserver.query("SELECT * FROM nextgen_signing_keys"), key=repr)


def test_no_table_of_ours_counts_by_itself():
    """So there is no sequence that a move, or a restore, could leave behind."""
    text = re.sub("--.*", "", "\n".join(step.sql for step in short_steps())).upper()

    assert "CREATE TABLE" in text
    counting = ("SERIAL", "AUTOINCREMENT", "IDENTITY", "CREATE SEQUENCE", "NEXTVAL")
    assert [word for word in counting if word in text] == []


def move(homeserver, database):
    """Do what the documentation says, and compare what arrived."""
    # The tool insists that Synapse is done with its own chores.
    assert eventually(
        lambda: homeserver.query("SELECT COUNT(*) FROM background_updates") == [(0,)], patience=60
    )
    homeserver.stop()
    before, file = count(homeserver), homeserver.database.path
    homeserver.database = database
    config = homeserver.write_config()

    assert main(["create-tables", str(config)]) == 0
    port = Path(sys.executable).with_name("synapse_port_db")
    told = subprocess.run(
        [port, "--sqlite-database", file, "--postgres-config", config],
        check=False,
        cwd=homeserver.directory,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert told.returncode == 0, told.stderr[-3000:]
    assert count(homeserver) == before
    homeserver.start()
