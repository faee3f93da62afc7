"""What an earlier release left is taken over: nobody signs in again, whatever was under way goes on.

Each release that landed has a folder here, with its rows, what its clients held, and its code. Old
code runs on the newest Synapse of today; where that has moved on, a release leaves the list.
"""

from pathlib import Path

import pytest

from support.oauth import Browser, Client, Server
from support.releases import code_of, releases
from support.synapse import Homeserver, User
from support.television import DEVICE_CODE, Television, let_in
from support.waiting import eventually
from synapse_nextgen_auth.cli.synapse_process import SynapseStoppedError
from synapse_nextgen_auth.store import migrations

RELEASES = releases()
NEWEST_STEP = max(step.version for step in migrations.known())


def by_version(release):
    return release.version


def refreshed(server, held):
    """Refresh as the client does that holds this; return the tokens, which work."""
    form = {name: held[name] for name in ("client_id", "client_secret") if name in held}
    answer = server.token(grant_type="refresh_token", refresh_token=held["refresh_token"], **form)
    assert answer.status_code == 200, answer.text
    assert server.whoami(answer.json()["access_token"]).status_code == 200
    return {**held, **answer.json()}


def stays(server, held):
    """Say whether an access token works, or a client is told to refresh and keeps its keys."""
    answer = server.whoami(held["access_token"])
    return answer.ok or (answer.status_code == 401 and answer.json()["soft_logout"])


def all_steps_done(homeserver):
    """Wait until the running homeserver has made what it makes beside its work; say whether it has."""
    newest = "SELECT MAX(version) FROM nextgen_schema"
    return eventually(lambda: homeserver.query(newest) == [(NEWEST_STEP,)])


@pytest.fixture(scope="module", params=RELEASES, ids=by_version)
def release(request):
    return request.param


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def left(request, release, make_database, tmp_path_factory):
    """Yield a homeserver on what a release left, stopped."""
    directory = tmp_path_factory.mktemp(f"left-{request.param}")
    homeserver = Homeserver(directory, make_database(request.param, directory), module=None)
    with homeserver:
        pass
    release.leave(homeserver.database)
    homeserver.module = {}
    yield homeserver
    homeserver.stop()


def test_everybody_stays_and_what_was_under_way_goes_on(left, release):
    """Access tokens, refreshes, a lost answer, a pending code, two device grants, a new sign-in."""
    held = release.held
    user = User(held["user"]["id"], held["user"]["localpart"], held["user"]["password"])
    left.start()
    server = Server(left.base_url)
    client = Client(server, held["registered"])

    assert stays(server, held["fresh"])
    fresh = refreshed(server, held["fresh"])
    refreshed(server, held["lost"])
    refreshed(server, held["confidential"])
    code = server.token(grant_type="authorization_code", **held["code"])
    assert code.status_code == 200, code.text
    device = server.token(grant_type=DEVICE_CODE, **held["allowed_device"])
    assert device.status_code == 200, device.text
    waiting = held["waiting_device"]
    shown = {"user_code": waiting["user_code"], "verification_uri": server.url("link")}
    tv = Television(Client(server, {"client_id": waiting["client_id"]}), "", shown)
    let_in(Browser(server), tv, user)
    allowed = server.token(
        grant_type=DEVICE_CODE, client_id=waiting["client_id"], device_code=waiting["device_code"]
    )
    assert allowed.status_code == 200, allowed.text
    again = client.sign_in(user.localpart, user.password)
    browser = Browser.of(server, user)
    began = [
        browser.get(
            server.url(
                f"account-device?id={server.whoami(each['access_token']).json()['device_id']}"
            )
        ).text
        for each in (fresh, code.json(), device.json())
    ]

    assert server.whoami(again["access_token"]).json()["user_id"] == user.user_id
    assert all_steps_done(left)
    # Nobody noted of the first which of the two it was; the others began now.
    assert "<dd>in the browser or by a code</dd>" in began[0]
    assert "<dd>in the browser</dd>" in began[1]
    assert "<dd>by a code that was typed or scanned on another device</dd>" in began[2]


def test_the_release_before_starts_again_or_says_why_not(left, release, tmp_path):
    """Going back works where the tables are the same, and is refused with a sentence otherwise."""
    if not left.main.is_running:
        left.start()
    assert all_steps_done(left)
    left.stop()
    knows = max(release.steps)

    with code_of(release.unpack(tmp_path)):
        if knows < NEWEST_STEP:
            with pytest.raises(SynapseStoppedError) as refused:
                left.start()
            said = str(refused.value)
        else:
            with left:
                server = Server(left.base_url)
                said = left.query("SELECT COUNT(*) FROM nextgen_sessions WHERE ended_at IS NULL")
                assert server.metadata()["issuer"].startswith(left.base_url)

    if knows < NEWEST_STEP:
        assert f"are at version {NEWEST_STEP}, this release knows {knows}." in said
    else:
        assert said[0][0] > 0


@pytest.fixture(scope="module")
def mixed(release, make_database, redis_server, tmp_path_factory):
    """Yield a homeserver whose main process was upgraded, and whose worker runs the old code."""
    directory = tmp_path_factory.mktemp("mixed")
    database = make_database("postgres", directory)
    homeserver = Homeserver(directory, database, redis=redis_server)
    try:
        with code_of(release.unpack(tmp_path_factory.mktemp("code"))):
            homeserver.start()
            homeserver.add_worker()
        homeserver.main.stop()
        homeserver.main.start()
        yield homeserver
    finally:
        homeserver.stop()


def test_workers_of_the_release_before_go_on_meanwhile(mixed, release):
    """Signed in and refreshed through both; what one revokes is over at the other."""
    new, old = Server(mixed.base_url), Server(mixed.workers["worker1"].base_url)
    user = mixed.new_user()

    for here, there in ((new, old), (old, new)):
        client = here.client()
        held = {"client_id": client.id, **client.sign_in(user.localpart, user.password)}
        assert there.whoami(held["access_token"]).status_code == 200
        held = refreshed(there, held)
        held = refreshed(here, held)
        assert there.whoami(held["access_token"]).status_code == 200

        there.revoke(token=held["refresh_token"], client_id=client.id)

        assert there.whoami(held["access_token"]).status_code == 401
        assert eventually(
            lambda held=held, here=here: here.whoami(held["access_token"]).status_code == 401
        )
    running = {process.name: _package(process) for process in (mixed.main, *mixed.workers.values())}
    assert len(set(running.values())) == 2, running


def _package(process):
    """Return where a running process has its PYTHONPATH from."""
    environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    return next((entry for entry in environment if entry.startswith(b"PYTHONPATH=")), b"")
