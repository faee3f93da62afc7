"""The demo is ready when it says so, keeps what it should, and leaves nothing behind."""

import os
import re
import signal
import socket
import stat
import time
from pathlib import Path

import pytest
import requests
import yaml

from support.databases import PostgresDatabase, SqliteDatabase
from support.demo import Demo, can_sign_in, is_running

JSON = ("--json", "--port", "0")


@pytest.fixture
def options(tmp_path) -> Path:
    """Return a file somebody hands to `--config`."""
    path = tmp_path / "extra.yaml"
    ours = {"module": "synapse_nextgen_auth.NextGenAuth", "config": {"tokens": OURS}}
    path.write_text(yaml.safe_dump({"modules": [ours], "max_upload_size": "7M"}))
    return path


OURS = {"access_token_lifetime": "77s"}


def test_a_kept_directory_serves_the_same_accounts_again(tmp_path, options):
    """Two runs, stopped by SIGTERM and by Ctrl-C, with somebody's own YAML merged in."""
    arguments = (*JSON, "--directory", str(tmp_path / "kept"), "--config", str(options))
    with Demo(*arguments) as first:
        facts = first.facts

        assert can_sign_in(facts)
        assert can_sign_in(facts, as_admin=True)
        assert facts["user_id"] == "@demo:localhost"
        assert facts["server_name"] == "localhost"
        assert is_running(facts["pid"])
        assert _upload_limit(facts) == 7 * 1024 * 1024
        settings = yaml.safe_load(Path(facts["config_path"]).read_text())
        assert settings["modules"] == [
            {"module": "synapse_nextgen_auth.NextGenAuth", "config": {"tokens": OURS}}
        ]
        assert settings["registration_shared_secret"] == facts["registration_shared_secret"]
        assert first.stop(signal.SIGTERM) == 0
        assert not is_running(facts["pid"])

    with Demo(*arguments) as second:
        again = second.facts

        assert again["password"] == facts["password"]
        assert can_sign_in(again)
        assert second.stop(signal.SIGINT) == 0
        assert not is_running(again["pid"])
        assert second.errors() == ""

    for name in ("demo.json", "homeserver.yaml"):
        mode = (tmp_path / "kept" / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600, f"{name} holds secrets"


def test_what_is_printed_works_whatever_was_done_since(tmp_path):
    """Passwords that were changed are set back at the next start."""
    arguments = (*JSON, "--directory", str(tmp_path / "kept"))
    with Demo(*arguments) as first:
        _spoil(first.facts)
        assert not can_sign_in(first.facts)
        assert not can_sign_in(first.facts, as_admin=True)

    with Demo(*arguments) as second:
        assert second.errors() == ""
        assert second.facts["password"] == first.facts["password"]
        assert can_sign_in(second.facts)
        assert can_sign_in(second.facts, as_admin=True)
        assert _devices(second.facts) == 2  # those of these two lines


def test_an_account_whose_password_is_right_is_left_alone(tmp_path):
    """Also one that signs in with a second factor, in the browser alone."""
    extra = tmp_path / "extra.yaml"
    factors = {"factors": {"policy": "optional"}}
    ours = {"module": "synapse_nextgen_auth.NextGenAuth", "config": factors}
    extra.write_text(yaml.safe_dump({"modules": [ours]}))
    arguments = (*JSON, "--directory", str(tmp_path / "kept"), "--config", str(extra))
    with Demo(*arguments) as first:
        database = SqliteDatabase(Path(first.facts["config_path"]).parent)
    database.query(
        "INSERT INTO nextgen_totp_apps (app_id, user_id, secret, name, made_at, confirmed_at)"
        " VALUES ('an-app', '@demo:localhost', 'sealed', 'phone', 1, 1)"
    )
    hashes = "SELECT name, password_hash FROM users ORDER BY name"
    before = database.query(hashes)

    with Demo(*arguments) as second:
        assert not can_sign_in(second.facts)
        assert can_sign_in(second.facts, as_admin=True)

    assert database.query(hashes) == before


def test_a_person_is_told_what_to_try_and_the_directory_goes_at_the_end():
    with Demo("--port", "0", until="Press Ctrl-C") as demo:
        directory = Path(re.search(r"kept in (\S+)", demo.output)[1])
        base = re.search(r"Address\s+(http://localhost:\d+)", demo.output)[1]

        assert requests.get(f"{base}/_matrix/client/versions", timeout=30).ok
        assert re.search(r"Account\s+@demo:localhost\s+password\s+\w+-\w+-\w+-\w+", demo.output)
        assert f"{base}/_synapse/client/auth/" in demo.output
        assert directory.is_dir()
        assert demo.stop(signal.SIGINT) == 0
        assert not directory.exists()


def test_synapse_does_not_outlive_a_killed_demo():
    with Demo(*JSON) as demo:
        pid = demo.facts["pid"]
        directory = Path(demo.facts["config_path"]).parent
        demo.process.kill()
        demo.wait()
        deadline = time.monotonic() + 20
        while is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.1)

        assert not is_running(pid)
    for file in sorted(directory.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    directory.rmdir()


def test_the_demo_ends_when_synapse_does():
    with Demo(*JSON) as demo:
        os.kill(demo.facts["pid"], signal.SIGKILL)

        assert demo.wait() == 1
        assert "Synapse ended with code -9" in demo.errors()


def test_postgresql_serves_a_second_demo_that_knows_nothing_of_the_first(postgres_server):
    """Each prints passwords that work, although the accounts of the second exist already."""
    url = PostgresDatabase.on(postgres_server).url
    with Demo(*JSON, "--database", url) as first:
        assert can_sign_in(first.facts)

    with Demo(*JSON, "--database", url) as second:
        assert second.facts["password"] != first.facts["password"]
        assert can_sign_in(second.facts)
        assert can_sign_in(second.facts, as_admin=True)


def test_a_taken_port_is_called_that():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Demo("--port", str(port)) as demo:
            assert demo.wait() == 1
            assert demo.output == ""
            assert f"port {port} is taken" in demo.errors()


def test_a_synapse_that_does_not_start_is_quoted(tmp_path):
    extra = tmp_path / "extra.yaml"
    extra.write_text("modules: [{module: no_such_package.Module}]")
    with Demo(*JSON, "--config", str(extra)) as demo:
        assert demo.wait() == 1
        assert "Synapse ended while starting" in demo.errors()
        assert "No module named 'no_such_package'" in demo.errors()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--database", "mysql://root@localhost/x"), "--database takes a URL such as postgresql:"),
        (("--database", "postgresql://u:geheim@[h/y"), "--database is not a valid PostgreSQL URL"),
        (("--database", "postgresql://u:geheim@127.0.0.1:1/y"), "PostgreSQL cannot be reached: "),
        (("--config", "/nowhere/at-all.yaml"), "/nowhere/at-all.yaml: No such file or directory"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, complaint):
    with Demo(*JSON, *arguments) as demo:
        assert demo.wait() == 1
        assert demo.errors().startswith(f"synapse-nextgen-auth demo: {complaint}")
        assert demo.errors().count("\n") == 1
        assert "geheim" not in demo.errors()


def _upload_limit(facts) -> int:
    token = _token(facts, "demo", facts["password"])
    return _call(facts, "GET", "/_matrix/client/v1/media/config", token)["m.upload.size"]


def _devices(facts) -> int:
    token = _token(facts, "demo", facts["password"])
    return len(_call(facts, "GET", "/_matrix/client/v3/devices", token)["devices"])


def _spoil(facts) -> None:
    token = _token(facts, "admin", facts["admin_password"])
    for user_id in (facts["user_id"], facts["admin_user_id"]):
        path = f"/_synapse/admin/v1/reset_password/{user_id}"
        _call(facts, "POST", path, token, new_password="another one", logout_devices=False)


def _token(facts, name, password) -> str:
    who = {"type": "m.id.user", "user": name}
    login = {"type": "m.login.password", "identifier": who, "password": password}
    return _call(facts, "POST", "/_matrix/client/v3/login", **login)["access_token"]


def _call(facts, method, path, token="", **body):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{facts['base_url']}{path}"
    answer = requests.request(method, url, headers=headers, json=body, timeout=30)
    assert answer.ok, answer.text
    return answer.json()
