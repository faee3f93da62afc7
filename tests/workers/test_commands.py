"""A command to any process: what one of them has seen is seen by all."""

import time

from support.commands import Operator
from support.deployment import PROCESSES
from synapse_nextgen_auth.accounts.commands import Stamp
from synapse_nextgen_auth.secret import random_id


def test_c187_a_request_to_one_process_is_seen_by_all(deployment):
    """Whoever sees a command go by to the main process has nothing at a worker, or there again."""
    stamp, body = Stamp(int(time.time()), random_id()), b'{"command":"status"}'
    operator = Operator.of(deployment)

    answers = [operator.at(deployment.process(name)).post(body, stamp) for name in PROCESSES * 2]

    assert [answer.status_code for answer in answers] == [200, *[401] * 5]


def test_every_process_does_what_the_operator_asks(deployment):
    operator = Operator.of(deployment)

    told = [operator.at(deployment.process(name)).ask("status") for name in PROCESSES]

    assert [each["process"] for each in told] == ["master", "worker1", "worker2"]
