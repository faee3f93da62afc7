"""What changes at the same moment is heard everywhere, whichever transaction commits first."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.oauth import ISSUER_PATH
from support.sabotage import BEFORE_COMMIT, Plan, Point
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


def status(server, token):
    return server.api("GET", f"{ISSUER_PATH}userinfo", token).status_code
