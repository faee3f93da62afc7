"""Application services that sign in by a key, on several processes."""

from support import bridges
from support.deployment import PROCESSES
from support.waiting import eventually

V3 = "/_matrix/client/v3"
REFUSED = dict.fromkeys(PROCESSES, 401)


def given(deployment, at="main"):
    return bridges.token("keyed", deployment.server(at), of=deployment.server())


def asked(deployment, token):
    """Return what each process answers to who has this token."""
    return {name: deployment.server(name).whoami(token).status_code for name in PROCESSES}


def test_a_token_of_one_process_is_one_of_every_process(deployment):
    """And the shared token is none anywhere, for registration either."""
    shared = bridges.KEYED["as_token"]
    body = {"type": "m.login.application_service", "username": "keyed_ghost"}
    for name in PROCESSES:
        server = deployment.server(name)
        token = given(deployment, name)
        made = server.api("POST", f"{V3}/register", shared, json=body | {"inhibit_login": True})

        assert asked(deployment, token) == dict.fromkeys(PROCESSES, 200)
        assert made.status_code == 401
    assert asked(deployment, shared) == REFUSED


def test_what_is_revoked_on_one_process_is_over_on_all(deployment):
    """Where it was revoked at once, elsewhere with the news; others of the service go on."""
    for name in PROCESSES:
        token, stays = (given(deployment, name) for _ in range(2))
        assert asked(deployment, token) == dict.fromkeys(PROCESSES, 200)
        assert deployment.server(name).revoke(token=token).status_code == 200

        assert deployment.server(name).whoami(token).status_code == 401
        assert eventually(lambda token=token: asked(deployment, token) == REFUSED, patience=5)
        assert asked(deployment, stays) == dict.fromkeys(PROCESSES, 200)


def test_a_restart_forgets_no_revocation(deployment):
    """It is read before the first request; whoever was away when it was told knows it, too."""
    token, stays = (given(deployment) for _ in range(2))
    deployment.process("worker1").stop()
    assert deployment.server().revoke(token=token).status_code == 200
    deployment.process("worker1").begin()
    deployment.process("worker1").wait()

    assert deployment.server("worker1").whoami(token).status_code == 401
    assert deployment.server("worker1").whoami(stays).status_code == 200
