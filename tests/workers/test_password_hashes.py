"""Passwords kept as argon2id on several processes, while the option is rolled out and taken back."""

import pytest

from support.deployment import PROCESSES, at_once
from support.waiting import eventually

ARGON2ID = {"hashing": "argon2id", "argon2_memory": 64, "argon2_iterations": 1}


def log_in(deployment, name, user):
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": user.password,
    }
    answer = deployment.server(name).api("POST", "/_matrix/client/v3/login", None, json=body)
    return answer.status_code


def is_ours(deployment, user):
    sql = "SELECT COUNT(*) FROM nextgen_passwords WHERE user_id = ?"
    return deployment.query(sql, user.user_id) == [(1,)]


@pytest.fixture
def option(deployment):
    """Return a function that sets the option, which processes read when they start."""
    before = deployment.module

    def set_to(passwords):
        deployment.module = {**before, "passwords": passwords}
        deployment.write_config()

    yield set_to
    deployment.module = before
    deployment.write_config()
    for name in PROCESSES:
        deployment.process(name).stop()
    deployment.heal()


def restart(deployment, name):
    deployment.process(name).stop()
    deployment.process(name).begin()
    deployment.process(name).wait()


def test_the_option_is_rolled_out_and_taken_back_process_by_process(deployment, option):
    """Whichever process keeps a password anew, every other one finds it right, all the time."""
    first, second = deployment.new_user(), deployment.new_user()
    option(ARGON2ID)
    restart(deployment, "worker1")

    assert log_in(deployment, "worker1", first) == 200
    assert eventually(lambda: is_ours(deployment, first))
    assert [log_in(deployment, name, first) for name in PROCESSES] == [200] * 3

    for name in ("worker2", "main"):
        restart(deployment, name)
    answers = at_once(*(lambda name=name: log_in(deployment, name, second) for name in PROCESSES))
    assert answers == [200] * 3
    assert eventually(lambda: is_ours(deployment, second))
    option({})
    restart(deployment, "worker2")

    assert [log_in(deployment, name, first) for name in PROCESSES] == [200] * 3
    assert [log_in(deployment, name, second) for name in PROCESSES] == [200] * 3
