"""Ending the sessions of a filter: some at a time, never everything by accident."""

from support.records import ALICE, BOB, NOW, a_session
from synapse_nextgen_auth.flows import end_by_filter
from synapse_nextgen_auth.flows.end_by_filter import Matching
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import Began, End, SessionLifetimes
from synapse_nextgen_auth.store import sessions

DAY = 24 * 3600
BOBS = SessionFilter(user_id=BOB)


def some(tables):
    """Three of Alice's and three of Bob's; the first of each is over."""
    for number in range(6):
        tables.run(
            sessions.add,
            a_session(
                session_id=f"{number}" * 32,
                device_id=None,
                user_id=(ALICE, BOB)[number % 2],
                created_at=NOW + number,
                last_active_at=NOW + number * DAY,
                ended_at=NOW if number < 2 else None,
            ),
        )


def limits():
    return {"lifetimes": SessionLifetimes(), "now": NOW + 9 * DAY}


def look(tables, meant, *, is_all_meant=False):
    return tables.run(end_by_filter.look, meant, is_all_meant=is_all_meant, **limits())


def end(tables, meant, *, limit=10, is_all_meant=False, keep=None):
    return tables.transact(
        end_by_filter.end_some,
        meant,
        limit=limit,
        is_all_meant=is_all_meant,
        keep=keep,
        **limits(),
    )


def living(tables):
    return [
        int(row[0][0])
        for row in tables.query(
            "SELECT session_id FROM nextgen_sessions WHERE ended_at IS NULL ORDER BY session_id"
        )
    ]


def test_a_look_says_what_would_end_and_ends_nothing(tables):
    some(tables)

    assert look(tables, BOBS) == Matching(2, 4, is_too_much=False)
    assert living(tables) == [2, 3, 4, 5]
    assert tables.count("nextgen_events") == 0


def test_they_end_some_at_a_time_the_oldest_first(tables):
    some(tables)
    first = end(tables, BOBS, limit=1)

    assert ([each.session_id[0] for each in first.value.sessions], first.value.left) == (["3"], 1)
    assert first.ended == ("3" * 32,)
    assert living(tables) == [2, 4, 5]
    assert end(tables, BOBS, limit=1).value.left == 0
    assert end(tables, BOBS).value.sessions == []
    assert living(tables) == [2, 4]
    ended = tables.run(sessions.get, "3" * 32)
    assert (ended.end_reason, ended.ended_at) == (End.REVOKED.value, NOW + 9 * DAY)


def test_everything_ends_only_where_that_is_said(tables):
    some(tables)
    everything = SessionFilter()
    refused = end(tables, everything)

    assert refused.value == Matching(4, 4, is_too_much=True)
    assert refused.ended == ()
    assert living(tables) == [2, 3, 4, 5]
    assert end(tables, SessionFilter(active_before=NOW + 99 * DAY)).value.is_too_much
    assert living(tables) == [2, 3, 4, 5]
    assert end(tables, SessionFilter(is_living=False)).value.is_too_much
    assert len(end(tables, everything, is_all_meant=True).value.sessions) == 4
    assert living(tables) == []


def test_who_asks_stays_signed_in(tables):
    """What is left says nothing of their session, so that whoever repeats it comes to an end."""
    some(tables)
    done = end(tables, SessionFilter(), is_all_meant=True, keep="2" * 32)

    assert len(done.value.sessions) == 3
    assert done.value.left == 0
    assert living(tables) == [2]
    assert end(tables, SessionFilter(), limit=1, is_all_meant=True, keep="2" * 32).value.left == 0


def test_who_asks_is_not_what_a_filter_leaves_out(tables):
    """A look counts what the run ends, and one session outside does not make everything little."""
    some(tables)
    own = "2" * 32
    meant = SessionFilter(created_after=NOW + 2)  # all but that one
    looked = tables.run(
        end_by_filter.look, SessionFilter(), is_all_meant=True, keep=own, **limits()
    )

    assert look(tables, meant) == Matching(3, 4, is_too_much=False)
    assert end(tables, meant, keep=own).value == Matching(3, 3, is_too_much=True)
    assert looked.count == 3
    assert len(end(tables, SessionFilter(), is_all_meant=True, keep=own).value.sessions) == 3


def test_all_of_a_kind_end_only_where_that_is_said(tables):
    """Two personal tokens among six sessions are all that there are of them."""
    some(tables)
    for number in (6, 7):
        tables.run(
            sessions.add,
            a_session(
                session_id=f"{number}" * 32,
                device_id=f"D{number}",
                user_id=ALICE,
                created_at=NOW + number,
                last_active_at=NOW + number * DAY,
                began_by=Began.PERSONAL,
            ),
        )
    tokens = SessionFilter(is_personal=True, has_device=True)

    assert end(tables, tokens).value == Matching(2, 2, is_too_much=True)
    assert end(tables, SessionFilter(is_personal=False, has_device=False)).value.is_too_much
    assert not look(tables, SessionFilter(has_device=True)).is_too_much
    assert len(end(tables, tokens, is_all_meant=True).value.sessions) == 2
