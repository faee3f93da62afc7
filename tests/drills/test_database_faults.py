"""The database fails at every statement of a request: it succeeds anyway, or can be repeated."""

from itertools import cycle

import attrs
import pytest

from support.crowd import settle
from support.deployment import PROCESSES
from support.oauth import Browser, web_client
from support.own_connection import go_together
from support.sabotage import AFTER_COMMIT, ANSWER, Plan
from support.scale import FULL
from support.television import METADATA, Television
from support.waiting import eventually

HERE = "worker1"
FAULTS = ("serialization", "disconnect", "deadlock", "interface", "hang up", "disk full")
FOREVER = 1000


@attrs.frozen
class Attempt:
    """A request that can be sent again, and whether everything is as it should be afterwards."""

    send: object
    is_done: object


class Refreshes:
    """A session of its own for each attempt, each refresh a transaction."""

    path = "/token"
    together = False

    def __init__(self, deployment, client):
        self._deployment = deployment
        self._client = deployment.at(HERE, client)
        self._user = deployment.new_user()

    def attempt(self):
        (member,) = settle(self._deployment, self._client.id, [self._user.user_id])

        def is_done(answer):
            pair = answer.json()
            assert self._client.server.whoami(pair["access_token"]).status_code == 200
            assert self._client.refresh(pair["refresh_token"]).status_code == 200
            return True

        return Attempt(lambda: self._client.refresh(member.refresh_token), is_done)


class RefreshesTogether(Refreshes):
    """The same as one statement for many, on a connection of our own."""

    together = True

    def __init__(self, deployment, client):
        super().__init__(deployment, client)
        go_together(deployment, HERE, client)


class Redemptions:
    """A code of its own for each attempt; it asks for everything that an answer can hold."""

    path = "/token"

    def __init__(self, deployment, client):
        self._deployment = deployment
        self._client = deployment.at(HERE, client)
        self._user = deployment.new_user()
        self._browser = Browser.of(client.server, self._user)

    def attempt(self):
        parameters, verifier = self._client.request()
        parameters["scope"] += " openid"
        self._browser.authorize(parameters)
        code = self._browser.answer(self._browser.submit(decision="approve"))["code"]

        def is_done(answer):
            tokens = answer.json()
            assert tokens["id_token"]
            assert self._client.server.whoami(tokens["access_token"]).status_code == 200
            assert self._client.refresh(tokens["refresh_token"]).status_code == 200
            return True

        return Attempt(lambda: self._client.redeem(code, verifier), is_done)


class Collections:
    """A device without a browser for each attempt, agreed to already."""

    path = "/token"

    def __init__(self, deployment, client):
        self._deployment = deployment
        self._client = deployment.server(HERE).client(web_client(**METADATA))
        self._browser = Browser.of(client.server, deployment.new_user())

    def attempt(self):
        tv = Television.of(self._client)
        self._browser.get(tv.answer["verification_uri"])
        self._browser.submit(user_code=tv.user_code)
        assert self._browser.submit(decision="approve", confirm="yes").status_code == 200

        def is_done(answer):
            tokens = answer.json()
            assert self._client.server.whoami(tokens["access_token"]).status_code == 200
            assert self._client.refresh(tokens["refresh_token"]).status_code == 200
            return True

        return Attempt(tv.poll, is_done)


class Revocations:
    """A session of its own for each attempt, known on every process."""

    path = "/revoke"

    def __init__(self, deployment, client):
        self._deployment = deployment
        self._client = deployment.at(HERE, client)
        self._user = deployment.new_user()

    def attempt(self):
        (member,) = settle(self._deployment, self._client.id, [self._user.user_id])
        servers = [self._deployment.server(name) for name in PROCESSES]
        for server in servers:
            assert server.whoami(member.access_token).status_code == 200

        def is_done(answer):
            return eventually(
                lambda: all(s.whoami(member.access_token).status_code == 401 for s in servers)
            )

        send = lambda: self._client.server.revoke(token=member.refresh_token)  # noqa: E731
        return Attempt(send, is_done)


class Uses:
    """An account and a session of its own for each attempt, so that nothing of it is in memory."""

    path = "/whoami"

    def __init__(self, deployment, client):
        self._deployment = deployment
        self._client = deployment.at(HERE, client)

    def attempt(self):
        user = self._deployment.new_user()
        (member,) = settle(self._deployment, self._client.id, [user.user_id])

        def is_done(answer):
            return answer.json()["user_id"] == user.user_id

        return Attempt(lambda: self._client.server.whoami(member.access_token), is_done)


def points(deployment, requests):
    """Return every point that such a request passes, each once, in their order."""
    together = getattr(requests, "together", True)
    requests.attempt().send()  # whatever is only done once
    attempt = requests.attempt()
    deployment.sabotage(HERE).plan(Plan(requests.path), together=together)
    answer = attempt.send()
    seen = deployment.sabotage(HERE).seen()
    deployment.sabotage(HERE).plan(None)
    assert answer.status_code == 200
    return [point for point in dict.fromkeys(seen) if point.place != ANSWER]


def cases(found):
    """Return which faults to try where: all of them in full, else another one at each point."""
    if FULL:
        return [(point, fault, n) for point in found for fault in FAULTS for n in (1, FOREVER)]
    faults, numbers = cycle(FAULTS), cycle((1, 1, FOREVER))
    tried = [(point, next(faults), next(numbers)) for point in found]
    # What is written and never heard of is the hardest case.
    return tried + [(p, "hang up", FOREVER) for p in found if p.place == AFTER_COMMIT]


KINDS = [Refreshes, RefreshesTogether, Redemptions, Collections, Revocations, Uses]


@pytest.mark.parametrize("kind", KINDS)
def test_c346_c129_success_after_all_or_a_5xx_that_changes_nothing(deployment, client, kind):
    """Whatever fails: a 200 with everything done, or a 503 after which the same request works."""
    requests = kind(deployment, client)
    together = getattr(requests, "together", True)
    found = points(deployment, requests)
    sabotage = deployment.sabotage(HERE)
    wrong = {}
    struck = 0

    for point, fault, number in cases(found):
        if point.place == AFTER_COMMIT and fault not in {"hang up", "interface"}:
            fault = "hang up"  # noqa: PLW2901 (nothing can be executed there any more)
        attempt = requests.attempt()
        sabotage.plan(Plan(requests.path, fault, point, number), together=together)
        first = attempt.send()
        struck += sabotage.fired() > 0
        sabotage.plan(None)
        answer = first if first.status_code == 200 else attempt.send()
        unavailable = first.status_code == 503 and "Retry-After" in first.headers
        if first.status_code != 200 and not unavailable:
            wrong[point, fault, number] = f"first {first.status_code} {first.text[:200]}"
        elif answer.status_code != 200:
            wrong[point, fault, number] = f"again {answer.status_code} {answer.text[:200]}"
        elif not attempt.is_done(answer):
            wrong[point, fault, number] = "not in effect"

    print(f"{kind.__name__}: {len(found)} points, {struck} faults")
    assert wrong == {}
    assert struck > len(found) / 2
