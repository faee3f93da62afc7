"""Each Synapse of the tests says when it stops whether something in it ended in silence."""

from pathlib import Path

import pytest

from support import log_check
from support.log_check import ended_in_silence
from support.synapse import sqlite_homeserver
from support.waiting import eventually

SUPPORT = Path(log_check.__file__).parent


def test_a_log_context_that_is_left_in_the_reactor_fails_the_test(tmp_path):
    """It ends the loops of the process, and every answer stays right."""
    (tmp_path / SUPPORT.name).symlink_to(SUPPORT)
    homeserver = sqlite_homeserver(tmp_path)
    homeserver.config = {"modules": [{"module": "support.leaky.Module"}]}
    homeserver.start()
    try:
        assert eventually(lambda: "Looping call died" in homeserver.log_text())
    finally:
        with pytest.raises(AssertionError, match="leaked their logcontext"):
            homeserver.main.kill()  # it cannot end by itself any more


def test_only_that_of_synapse_s_own_is_let_go():
    """It belongs to the request that fetched what a provider knows of a person."""
    fetched = b"... - GET-9 - Received response to GET http://localhost:1/userinfo: 200\n"
    of_it = b"... - sentinel - Expected logging context sentinel but found GET-9\n"
    of_another = b"... - sentinel - Expected logging context sentinel but found GET-10\n"

    assert list(ended_in_silence([fetched, of_it])) == []
    assert list(ended_in_silence([of_it])) == [of_it.decode().strip()]
    assert list(ended_in_silence([fetched, of_another])) == [of_another.decode().strip()]


def test_what_the_garbage_collector_meets_is_let_go():
    """But never a loop that died."""
    met = b"... - GET-25 - Expected logging context sentinel but found looping_call"
    leaked = b"AssertionError: Expected `looping_call` callback ... leaked their logcontext to us."

    assert list(ended_in_silence([met])) == []
    assert list(ended_in_silence([leaked])) == [leaked.decode()]


def test_what_synapse_s_scheduler_of_tasks_says_is_let_go():
    """But no context of ours that goes on after its end."""
    said = b"... - Re-starting finished log context %s"

    assert list(ended_in_silence([said % b"task-update_join_states-2-x"])) == []
    assert list(ended_in_silence([said % b"as-sender-2"])) == []
    assert list(ended_in_silence([said % b"nextgen_lookups-2"])) != []
