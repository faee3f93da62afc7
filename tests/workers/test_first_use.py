"""What a request with a token of ours costs on a worker, counted by Synapse itself."""

import re

import requests

from support.crowd import settle
from support.waiting import eventually

_DATABASE = re.compile(r" db=\([^/]*/[^/]*/(\d+)\) ")


def transactions(deployment, worker, mark):
    """Return how many transactions the one request with this user agent took on the worker."""
    log = deployment.process(worker).log_file

    def look():
        lines = log.read_text("utf-8", "replace").splitlines()
        return [line for line in lines if "Processed request" in line and f'"{mark}"' in line]

    (line,) = eventually(look)
    return int(_DATABASE.search(line)[1])


def test_the_first_use_of_a_refreshed_token_costs_no_query(deployment):
    """A worker that knows the session needs no database for the token of its next generation."""
    user = deployment.new_user()
    client = deployment.server().client()
    (member,) = settle(deployment, client.id, [user.user_id])
    url = f"{deployment.process('worker1').base_url}/_matrix/client/v3/account/whoami"

    def use(token, mark):
        headers = {"Authorization": f"Bearer {token}", "User-Agent": mark}
        answer = requests.get(url, headers=headers, timeout=30)
        assert answer.status_code == 200
        return transactions(deployment, "worker1", mark)

    stock = use(deployment.login(user)["access_token"], "unknown-token-of-synapse")
    use(member.access_token, "unknown-session")  # read together with others, for no request alone
    known = use(member.access_token, "known-session")
    renewed = deployment.at("worker2", client).refresh(member.refresh_token).json()
    first = use(renewed["access_token"], "first-use")

    assert stock > 0
    assert known == 0
    assert first == 0
