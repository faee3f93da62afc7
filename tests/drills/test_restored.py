"""The database comes back from a backup: clients with newer tokens go on."""

import subprocess

import pytest

from support.crowd import settle
from support.deployment import PROCESSES


@pytest.fixture
def backup(deployment, tmp_path):
    """Return two functions: one takes a backup while all runs, one goes back to it."""
    postgres, database = deployment.postgres, deployment.database.connection
    file = tmp_path / "backup"
    to = ["--host", database["host"], "--username", database["user"]]

    def take():
        command = [postgres.program("pg_dump"), *to, "--format=custom", "--file", file]
        subprocess.run([*command, database["dbname"]], check=True)

    def restore():
        deployment.stop()
        postgres.execute(f"DROP DATABASE {database['dbname']} WITH (FORCE)")
        command = [postgres.program("pg_restore"), *to, "--create", "--dbname=postgres", file]
        subprocess.run(command, check=True)
        deployment.start()

    return take, restore


def test_c377_c410_clients_go_on_after_a_restore(deployment, client, backup):
    """Rotations that the backup knows nothing of are no theft, and no device is lost."""
    take, restore = backup
    user = deployment.new_user()
    untouched, once, often, lost, stays = settle(deployment, client.id, [user.user_id] * 5)
    take()

    rotated = {"untouched": untouched.refresh_token}
    rotated["once"] = client.refresh(once.refresh_token).json()["refresh_token"]
    rotated["often"] = often.refresh_token
    for _ in range(4):
        pair = client.refresh(rotated["often"]).json()
        assert client.server.whoami(pair["access_token"]).status_code == 200
        rotated["often"] = pair["refresh_token"]
    client.refresh(lost.refresh_token)  # whose answer never arrived
    rotated["lost"] = lost.refresh_token
    access = client.refresh(stays.refresh_token).json()["access_token"]
    newcomer = client.sign_in(user.localpart, user.password)
    restore()

    still = [deployment.server(name).whoami(access).status_code for name in PROCESSES]
    renewed = {name: client.refresh(token) for name, token in rotated.items()}
    repeated = {name: client.refresh(token) for name, token in rotated.items()}
    used = {
        deployment.server(name).whoami(answer.json()["access_token"]).status_code
        for answer in (*renewed.values(), *repeated.values())
        for name in PROCESSES
    }
    onward = [client.refresh(answer.json()["refresh_token"]) for answer in renewed.values()]
    unknown = client.refresh(newcomer["refresh_token"])

    assert still == [200, 200, 200]
    assert {name: answer.status_code for name, answer in renewed.items()} == dict.fromkeys(
        rotated, 200
    )
    assert {name: answer.status_code for name, answer in repeated.items()} == dict.fromkeys(
        rotated, 200
    )
    assert used == {200}
    assert [answer.status_code for answer in onward] == [200] * 4
    assert unknown.json()["error"] == "invalid_grant"  # that one has to sign in again
    assert (
        deployment.query(
            "SELECT kind FROM nextgen_events WHERE user_id = ? AND kind IN (?, ?)",
            user.user_id,
            "refresh_token_reused",
            "session_ended",
        )
        == []
    )
