"""What changes at the same moment is heard everywhere, whichever transaction commits first."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import attrs
import pytest

from support.oauth import ISSUER_PATH
from support.sabotage import BEFORE_COMMIT, Plan, Point, Sabotage
from support.waiting import eventually


@pytest.mark.parametrize(("there", "here"), [("main", "worker1"), ("worker1", "main")])
def test_c904_a_token_is_dead_everywhere_whoever_else_is_signed_out_meanwhile(
    deployment, there, here
):
    """The first and the second take long to commit; the third is written after them, and at once."""
    user, client = deployment.new_user(), deployment.server(there).client()
    made = [client.sign_in(user.localpart, user.password, scope="openid") for _ in range(3)]
    tokens = [each["access_token"] for each in made]
    other, sabotage = deployment.server(here), deployment.sabotage(there)
    known = [status(other, token) for token in tokens]
    late = Point(BEFORE_COMMIT, "nextgen_revoke")
    sabotage.plan(Plan("/revoke", "slow", late, times=2))

    with ThreadPoolExecutor(len(tokens)) as pool:
        revoked = []
        for number, token in enumerate(tokens):
            assert eventually(lambda number=number: sabotage.fired() == number)
            revoked.append(pool.submit(client.server.revoke, token=token, client_id=client.id))
        answered = [answer.result().status_code for answer in revoked]

    assert known == answered == [200, 200, 200]
    assert eventually(lambda: {status(other, token) for token in tokens} == {401})


def test_c904_a_token_is_dead_where_nobody_has_heard_of_the_process_that_ended_it(deployment):
    """What a process ends first since its start, while another one ends something."""
    tokens, client = two_tokens(deployment)
    restarted = deployment.server(restart(deployment, "worker2"))
    synapses = {"main": "master", "worker1": "worker1"}
    heard = eventually(deployment.sabotage("worker2").heard)
    unheard = [name for name, synapse in synapses.items() if synapse not in heard]
    late = unheard[0] if unheard else "worker1"
    early = "main" if late == "worker1" else "worker1"
    known = [status(restarted, token) for token in tokens]

    with held(deployment, late, "/revoke", "nextgen_revoke", "held") as release:
        revoked = release.begin(
            deployment.server(late).revoke, token=tokens[0], client_id=client.id
        )
        second = deployment.server(early).revoke(token=tokens[1], client_id=client.id)
        assert eventually(lambda: status(restarted, tokens[1]) == 401)

    assert [revoked.result().status_code, second.status_code, *known] == [200] * 4
    assert eventually(lambda: status(restarted, tokens[0]) == 401)


def test_c904_a_token_is_dead_where_a_process_started_meanwhile(deployment):
    """On the one that started, and on those that ran all the time."""
    tokens, client = two_tokens(deployment)
    running = deployment.server("worker1")
    known = [status(running, token) for token in tokens]

    with held(deployment, "main", "/revoke", "nextgen_revoke", "held") as release:
        first = release.begin(client.server.revoke, token=tokens[0], client_id=client.id)
        second = client.server.revoke(token=tokens[1], client_id=client.id)
        started = deployment.server(restart(deployment, "worker2"))
        known_there = [status(started, token) for token in tokens]

    assert [first.result().status_code, second.status_code] == [200, 200]
    assert (known, known_there) == ([200, 200], [200, 401])
    for server in (running, started):
        assert eventually(lambda server=server: {status(server, t) for t in tokens} == {401})


def test_c904_a_token_is_dead_behind_a_transaction_that_is_rolled_back(deployment):
    """Of Synapse's own, which tells nobody that it is over; nothing else happens there after it."""
    (ended, _), client = two_tokens(deployment)
    token = device_token(deployment)
    here, other = deployment.server("worker1"), deployment.server("main")
    known = status(other, ended)
    path, transaction = "/keys/upload", "add_e2e_one_time_keys_insert"
    keys = {"one_time_keys": {"curve25519:AAAAHg": "MdSBaZ2kBe1Sn1cGmY9W4ThmmTyBn5pqL7oC7iMdmXA"}}

    with held(deployment, "worker1", path, transaction, "held, then rolled back") as release:
        api = f"/_matrix/client/v3{path}"
        failed = release.begin(here.api, "POST", api, token, json=keys)
        revoked = here.revoke(token=ended, client_id=client.id)

    assert [failed.result().status_code, revoked.status_code, known] == [500, 200, 200]
    assert eventually(lambda: status(other, ended) == 401)


def two_tokens(deployment):
    """Return two tokens of one account, and the client that has them, at the main process."""
    user, client = deployment.new_user(), deployment.server("main").client()
    made = [client.sign_in(user.localpart, user.password, scope="openid") for _ in range(2)]
    return [each["access_token"] for each in made], client


def device_token(deployment):
    """Return a token for the client API, made at the main process."""
    user, client = deployment.new_user(), deployment.server("main").client()
    return client.sign_in(user.localpart, user.password)["access_token"]


def restart(deployment, name):
    """Let this process start again; return its name."""
    deployment.process(name).kill()
    deployment.process(name).start()
    return name


@contextmanager
def held(deployment, name, path, transaction, fault):
    """Hold the commit of a transaction that is begun in the block, until its end."""
    sabotage = deployment.sabotage(name)
    sabotage.plan(Plan(path, fault, Point(BEFORE_COMMIT, transaction)))
    with ThreadPoolExecutor(1) as pool:
        try:
            yield Held(sabotage, pool)
        finally:
            sabotage.plan(None)


@attrs.frozen
class Held:
    """Begins what is held."""

    sabotage: Sabotage
    pool: ThreadPoolExecutor

    def begin(self, ask, *args, **kwargs):
        """Return an answer to come when the request has come to where it is held."""
        answer = self.pool.submit(ask, *args, **kwargs)
        assert eventually(lambda: self.sabotage.fired() == 1)
        return answer


def status(server, token):
    return server.api("GET", f"{ISSUER_PATH}userinfo", token).status_code
