"""What a presented generation means: the table in docs/topics/tokens.md."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import NOW, a_session
from synapse_nextgen_auth.oauth import errors
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.refresh_token import Verdict, as_heard, judge
from synapse_nextgen_auth.oauth.sessions import SessionLifetimes

ROTATE, REPEAT, RESTORED, REUSE = Verdict


@pytest.mark.parametrize(
    ("presented", "used", "at", "grace", "verdict"),
    [
        pytest.param(5, False, 0, 30, ROTATE, id="current"),
        pytest.param(5, True, 10**9, 0, ROTATE, id="current-whatever-else"),
        pytest.param(4, False, 0, 30, REPEAT, id="lost"),
        pytest.param(4, False, 10**9, 0, REPEAT, id="lost-long-ago"),
        pytest.param(4, True, 0, 30, REPEAT, id="used-in-time"),
        pytest.param(4, True, 30, 30, REPEAT, id="used-just-in-time"),
        pytest.param(4, True, 31, 30, REUSE, id="used-too-late"),
        pytest.param(4, True, 0, 0, REPEAT, id="no-grace-same-second"),
        pytest.param(4, True, 1, 0, REUSE, id="no-grace"),
        pytest.param(4, True, -3600, 30, REPEAT, id="c379-clock-stepped-back"),
        pytest.param(3, False, 0, 30, REUSE, id="c095-grandparent"),
        pytest.param(0, False, 0, 30, REUSE, id="never-issued"),
        pytest.param(6, False, 0, 30, RESTORED, id="ahead"),
        pytest.param(2**32 - 1, True, 10**9, 0, RESTORED, id="far-ahead"),
    ],
)
def test_the_table(presented, used, at, grace, verdict):
    """Presented against a session at generation 5 that was rotated just now."""
    session = a_session(generation=5, confirmed_generation=5 if used else 4)

    assert (
        judge(session, presented, now=NOW + at, lifetimes=SessionLifetimes(grace=grace)) is verdict
    )


generations = st.integers(1, 2**32 - 2)


@given(generations, generations, st.integers(-(10**6), 10**9), generations)
def test_only_the_last_two_generations_and_the_future_are_ever_accepted(
    stored, presented, at, confirmed
):
    """Whatever the clock and the confirmation say."""
    session = a_session(generation=stored, confirmed_generation=confirmed)

    verdict = judge(session, presented, now=NOW + at, lifetimes=SessionLifetimes())

    assert (verdict is RESTORED) == (presented > stored)
    assert (verdict is ROTATE) == (presented == stored)
    assert verdict is REUSE or presented >= stored - 1
    assert verdict is not REPEAT or presented == stored - 1


@pytest.mark.parametrize(
    ("refusal", "heard"),
    [
        (errors.invalid_grant("over"), (400, "invalid_grant")),
        (errors.invalid_request("wrong"), (400, "invalid_request")),
        (errors.invalid_scope("too much"), (400, "invalid_scope")),
        (errors.invalid_client("unknown"), (401, "invalid_client")),
        (OAuthError("unauthorized_client"), (400, "unauthorized_client")),
        (errors.unavailable("ours"), (503, "temporarily_unavailable")),
        (OAuthError("temporarily_unavailable", "", 429), (503, "temporarily_unavailable")),
        (OAuthError("slow_down", "", 400), (503, "temporarily_unavailable")),
        (OAuthError("access_denied", "", 403), (503, "temporarily_unavailable")),
        (OAuthError("invalid_request", "", 429), (503, "temporarily_unavailable")),
    ],
)
def test_c102_a_client_that_refreshes_hears_no_other_4xx(refusal, heard):
    """Clients take a 4xx for the end of the session and forget their keys."""
    said = as_heard(refusal)

    assert (said.status, said.code) == heard
