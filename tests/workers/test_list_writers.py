"""Several processes write lists of devices: each is asked for as far as it is needed, and no further.

A process that writes none asks any of them; one that does writes itself, and has the first of them
wake up who tells other homeservers.
"""

import time

import pytest
import yaml

from support.deployment import WORKERS, Deployment
from support.oauth import Browser
from support.ports import free_port
from support.waiting import eventually

FIRST, SECOND = WORKERS
PATIENCE = 5  # seconds; proxies and clients wait longer


class TwoWriters(Deployment):
    """Both workers write lists of devices, so that the others reach them over HTTP."""

    def new_worker(self, name, **settings):
        worker = super().new_worker(name, **settings)
        written = yaml.safe_load(worker.configs[-1].read_text())
        port = free_port(self._addresses)
        listener = {"type": "http", "port": port, "bind_addresses": ["127.0.0.1"]}
        written["worker_listeners"].append({**listener, "resources": [{"names": ["replication"]}]})
        worker.configs[-1].write_text(yaml.safe_dump(written))
        self.config.setdefault("instance_map", {})[name] = {"host": "127.0.0.1", "port": port}
        return worker


@pytest.fixture(scope="module")
def writers(tmp_path_factory):
    """Yield a homeserver with two writers of device lists, beside the main process."""
    config = {"stream_writers": {"device_lists": list(WORKERS)}}
    with TwoWriters.create(tmp_path_factory.mktemp("writers"), config=config) as deployment:
        yield deployment


def begin(deployment, at):
    """Go as far as the code; return how to redeem it at this process."""
    user, client = deployment.new_user(), deployment.server().client()
    parameters, verifier = client.request()
    code = Browser(client.server).let_in(parameters, user.localpart, user.password)["code"]
    return lambda: deployment.at(at, client).redeem(code, verifier)


@pytest.mark.parametrize(
    ("stopped", "at", "status"),
    [
        (SECOND, "main", 503),
        (FIRST, "main", 503),
        (SECOND, FIRST, 200),
        (FIRST, SECOND, 503),
    ],
)
def test_only_who_needs_the_writer_that_is_away_says_so(writers, stopped, at, status):
    """At once, without the code being spent; who does not need it goes on.

    Main draws one of the two, hence several tries.
    """
    redeems = [begin(writers, at) for _ in range(4)]
    writers.process(stopped).stop()
    try:
        answers = []
        for redeem in redeems:
            began = time.monotonic()
            answers.append((redeem().status_code, time.monotonic() - began < PATIENCE))
    finally:
        writers.heal()
    afterwards = [eventually(lambda r=redeem: unless_503(r)) for redeem in redeems]

    assert answers == [(status, True)] * 4
    if status == 503:
        assert all("access_token" in answer for answer in afterwards)


def unless_503(send):
    answer = send()
    return None if answer.status_code == 503 else answer.json()
