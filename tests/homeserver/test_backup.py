"""SQLite under many requests at once, copied while it is written, and put back a day later."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from support.oauth import Browser, Server
from support.synapse import sqlite_homeserver


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory):
    with sqlite_homeserver(tmp_path_factory.mktemp("backup")) as homeserver:
        yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def client(server):
    return server.client()


def at_once(act, items):
    with ThreadPoolExecutor(25) as pool:
        return list(pool.map(act, items))


def test_c366_many_at_once_are_served_one_after_the_other(homeserver, server, client):
    """50 codes, then 50 refreshes, at the same time: all work, none sees a locked database."""
    user, browser = homeserver.new_user(), Browser(server)
    requests = [client.request() for _ in range(50)]
    codes = [
        (browser.let_in(parameters, user.localpart, user.password)["code"], verifier)
        for parameters, verifier in requests
    ]
    since = len(homeserver.log_text())

    redeemed = at_once(lambda pair: client.redeem(*pair), codes)
    tokens = [answer.json() for answer in redeemed]
    refreshed = at_once(lambda pair: client.refresh(pair["refresh_token"]), tokens)
    used = at_once(lambda answer: server.whoami(answer.json()["access_token"]), refreshed)

    assert {answer.status_code for answer in redeemed + refreshed + used} == {200}
    assert len({answer.json()["refresh_token"] for answer in refreshed}) == 50
    living = "SELECT COUNT(*) FROM nextgen_sessions WHERE user_id = ? AND ended_at IS NULL"
    assert homeserver.query(living, user.user_id) == [(50,)]
    assert "database is locked" not in homeserver.log_text()[since:]


def test_c366_one_code_and_one_refresh_token_at_once(homeserver, server, client):
    """The invariants hold where nothing but SQLite's one writer guards them."""
    user = homeserver.new_user()
    parameters, verifier = client.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]

    redeemed = at_once(lambda _: client.redeem(code, verifier), range(20))
    (tokens,) = [answer.json() for answer in redeemed if answer.status_code == 200]
    refreshed = at_once(lambda _: client.refresh(tokens["refresh_token"]), range(20))
    pairs = {answer.json()["refresh_token"] for answer in refreshed}

    assert {answer.status_code for answer in redeemed} == {200, 400}
    assert {answer.status_code for answer in refreshed} == {200}
    assert len(pairs) == 1
    assert client.refresh(pairs.pop()).status_code == 200


def test_c369_c377_a_backup_made_meanwhile_logs_nobody_out(homeserver, server, client):
    """Copied during writes, put back after more refreshes: every client goes on, nobody is a thief."""
    users = [homeserver.new_user() for _ in range(3)]
    sessions = [client.sign_in(user.localpart, user.password) for user in users]
    revoked = client.sign_in(users[0].localpart, users[0].password)
    busy = at_once(lambda tokens: renewed(client, tokens, 10), sessions[:2])
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(renewed, client, sessions[2], 20)
        backup = back_up(homeserver)
        sessions = [*busy, writing.result()]
    sessions = at_once(lambda tokens: renewed(client, tokens, 5), sessions)
    server.revoke(token=revoked["access_token"])

    homeserver.stop()
    put_back(homeserver, backup)
    homeserver.start()
    after = [server.whoami(tokens["access_token"]).status_code for tokens in sessions]
    again = at_once(lambda tokens: renewed(client, tokens, 3), sessions)

    assert after == [200] * 3
    assert [server.whoami(tokens["access_token"]).status_code for tokens in again] == [200] * 3
    reasons = "SELECT end_reason FROM nextgen_sessions WHERE end_reason = 'reuse'"
    assert homeserver.query(reasons) == []
    devices = "SELECT COUNT(*) FROM devices WHERE user_id = ?"
    assert homeserver.query(devices, users[1].user_id) == [(1,)]


def renewed(client, tokens, times):
    """Refresh and use a session some times; return its newest tokens."""
    for _ in range(times):
        answer = client.refresh(tokens["refresh_token"])
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        assert client.server.whoami(tokens["access_token"]).status_code == 200
    return tokens


def back_up(homeserver):
    """Copy the database as `sqlite3 homeserver.db .backup` does; return the intact copy."""
    copy = homeserver.directory / "backup.db"
    with (
        closing(sqlite3.connect(homeserver.database.path)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target, pages=50, sleep=0.01)
        assert target.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return copy


def put_back(homeserver, backup):
    for file in homeserver.directory.glob(f"{homeserver.database.path.name}*"):
        file.unlink()
    shutil.copy(backup, homeserver.database.path)
