"""Being in no context of Synapse's log for a while; what is left behind meanwhile is told of."""

import logging
from contextlib import nullcontext

import pytest
from synapse.logging.context import (
    SENTINEL_CONTEXT,
    LoggingContext,
    PreserveLoggingContext,
    current_context,
    set_current_context,
)

from support.log_check import ended_in_silence
from synapse_nextgen_auth.homeserver.contexts import Nowhere

pytestmark = pytest.mark.every_release


def test_within_there_is_no_context_and_afterwards_the_same(caplog):
    with LoggingContext(name="request", server_name="test") as context:
        with Nowhere():
            inside = current_context()
        after = current_context()

    assert (inside, after) == (SENTINEL_CONTEXT, context)
    assert caplog.messages == []


@pytest.mark.parametrize("fails", [False, True])
def test_a_context_that_somebody_left_there_is_named_as_synapse_does(caplog, fails):
    """So that whoever watches the log of Synapse for such lines sees ours."""
    said = []
    for kind in (PreserveLoggingContext, Nowhere):
        caplog.clear()
        with LoggingContext(name="request", server_name="test") as context:
            other = LoggingContext(name="somebodys", server_name="test")
            with pytest.raises(ZeroDivisionError) if fails else nullcontext(), kind():
                set_current_context(other)
                if fails:
                    raise ZeroDivisionError
            assert current_context() is context
        said.append([(one.levelno, one.getMessage()) for one in caplog.records])

    assert said[0] == said[1] == [(logging.WARNING, said[0][0][1])]
    assert list(ended_in_silence([said[1][0][1].encode()])) == [said[1][0][1]]
