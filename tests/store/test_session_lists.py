"""Lists of sessions: every filter finds what it says, page after page, in one order."""

from itertools import pairwise

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.records import ALICE, BOB, NOW, a_session
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API, DEVICE, READ
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import Began, SessionLifetimes
from synapse_nextgen_auth.store import migrations, session_lists, sessions, strays
from synapse_nextgen_auth.store.windows import Window

DAY = 24 * 3600
ENDLESS = SessionLifetimes()
ALL = Window(100)
CALENDAR = "https://calendar.example.com/#"
KINDS = [
    {
        "user_id": ALICE,
        "client_id": "app",
        "device_id": "A" * 10,
        "scope": f"{API} {DEVICE}AAAAAAAAAA",
    },
    {"user_id": ALICE, "client_id": "web", "device_id": None, "scope": "openid", "sign_in_id": "s"},
    {
        "user_id": BOB,
        "client_id": "app",
        "device_id": "B" * 10,
        "scope": f"{API} {ADMIN} {DEVICE}BBBBBBBBBB",
    },
    {
        "user_id": BOB,
        "client_id": "app",
        "device_id": None,
        "scope": READ,
        "address": "192.0.2.9",
        "resource_scope": f"{CALENDAR}read {CALENDAR}write",
    },
    {
        "user_id": BOB,
        "client_id": "p",
        "device_id": None,
        "scope": READ,
        "began_by": Began.PERSONAL,
        "owner_id": ALICE,
        "expires_at": NOW + 90 * DAY,
    },
    {
        "user_id": ALICE,
        "client_id": "app",
        "device_id": None,
        "scope": "openid email",
        "ended_at": NOW,
    },
]


@pytest.fixture
def some(tables):
    """Sessions 0 to 5, each of which began a day after the one before, and was used a day later."""
    made = [
        a_session(
            session_id=f"{number}" * 32,
            created_at=NOW + number * DAY,
            rotated_at=NOW + number * DAY,
            last_active_at=NOW + (number + 1) * DAY,
            **kind,
        )
        for number, kind in enumerate(KINDS)
    ]
    for each in made:
        tables.run(sessions.add, each)
    return made


def numbers(tables, meant, window=ALL, *, lifetimes=ENDLESS, now=NOW + 9 * DAY):
    found = tables.run(session_lists.page, meant, window, lifetimes=lifetimes, now=now)
    if window is ALL:
        counted = tables.run(session_lists.count, meant, lifetimes=lifetimes, now=now)
        assert counted == len(found)
    return [int(each.session_id[0]) for each in found]


CASES = [
    ({}, [0, 1, 2, 3, 4, 5]),
    ({"user_id": ALICE}, [0, 1, 5]),
    ({"user_id": "@nobody:example.com"}, []),
    ({"clients": ("app", "web")}, [0, 1, 2, 3, 5]),
    ({"clients": ()}, []),
    ({"but_clients": ("app",)}, [1, 4]),
    ({"user_id": ALICE, "sign_in_id": "s"}, [1]),
    ({"scopes": ("openid",)}, [1, 5]),
    ({"scopes": ("openid", "email")}, [5]),
    ({"scopes": ("open",)}, []),
    ({"scopes": (ADMIN,)}, [2]),
    ({"scopes": (READ,)}, [3, 4]),
    ({"scopes": (f"{DEVICE}BBBBBBBBBB",)}, [2]),
    ({"kept": (f"{CALENDAR}read",)}, [3]),
    ({"kept": (f"{CALENDAR}read", f"{CALENDAR}write"), "scopes": (READ,)}, [3]),
    ({"kept": (f"{CALENDAR}rea",)}, []),
    ({"kept": ("read",)}, []),
    ({"is_living": True}, [0, 1, 2, 3, 4]),
    ({"is_living": False}, [5]),
    ({"is_personal": True}, [4]),
    ({"is_personal": False}, [0, 1, 2, 3, 5]),
    ({"has_device": True}, [0, 2]),
    ({"address": "192.0.2.9"}, [3]),
    ({"created_before": NOW + 2 * DAY}, [0, 1]),
    ({"created_after": NOW + 2 * DAY}, [3, 4, 5]),
    ({"active_before": NOW + 2 * DAY}, [0]),
    ({"active_after": NOW + 2 * DAY}, [2, 3, 4, 5]),
    ({"active_after": NOW + 2 * DAY - 1}, [1, 2, 3, 4, 5]),
    ({"owner_id": ALICE}, [0, 1, 4, 5]),
    ({"owner_id": ALICE, "is_personal": True}, [4]),
    ({"owner_id": BOB}, [2, 3]),
    ({"expires": True}, [4]),
    ({"expires": False}, [0, 1, 2, 3, 5]),
    ({"expires_before": NOW + 90 * DAY}, []),
    ({"expires_after": NOW + 89 * DAY}, [4]),
    ({"clients": ("app",), "is_living": True, "active_before": NOW + 3 * DAY}, [0]),
]


@pytest.mark.parametrize(("fields", "expected"), CASES, ids=str)
def test_a_filter_finds_what_it_says(tables, some, fields, expected):
    assert len(some) == 6
    assert numbers(tables, SessionFilter(**fields)) == expected


@pytest.mark.parametrize(("fields", "expected"), CASES, ids=str)
def test_the_day_of_the_last_use_need_not_be_known(tables, some, fields, expected):
    """As of sessions from before it was noted, until that is made up for."""
    tables.query("UPDATE nextgen_sessions SET active_day = NULL RETURNING 1")
    assert numbers(tables, SessionFilter(**fields)) == expected
    assert len(some) == tables.run(sessions.fill_days)
    assert tables.run(sessions.fill_days) == 0
    assert numbers(tables, SessionFilter(**fields)) == expected
    assert migrations.BACKFILLS[0].bite is sessions.fill_days


def test_each_use_moves_the_day(tables, some):
    """And a clock that was set back leaves none that lies ahead."""
    late = SessionFilter(active_after=NOW + 50 * DAY)
    tables.run(sessions.confirm, [(some[0].session_id, 2, NOW + 60 * DAY + 5)])
    assert numbers(tables, late) == [0]
    tables.run(strays.set_right, [some[0].session_id], now=NOW)
    assert numbers(tables, late) == []
    assert numbers(tables, SessionFilter(active_before=NOW + DAY)) == [0]


def test_the_limits_of_the_operator_count(tables, some):
    """Though nobody wrote down yet that what they end is over; personal tokens have none."""
    assert len(some) == 6
    absolute = SessionLifetimes(absolute=5 * DAY)
    assert numbers(
        tables, SessionFilter(is_living=True), lifetimes=absolute, now=NOW + 7 * DAY
    ) == [3, 4]
    assert numbers(
        tables, SessionFilter(is_living=False), lifetimes=absolute, now=NOW + 7 * DAY
    ) == [
        0,
        1,
        2,
        5,
    ]
    idle = SessionLifetimes(idle=4 * DAY)
    assert numbers(tables, SessionFilter(is_living=True), lifetimes=idle, now=NOW + 7 * DAY) == [
        3,
        4,
    ]


def test_pages_follow_each_other_both_ways(tables):
    """Several began in one second: none is shown twice or left out."""
    for number in range(9):
        tables.run(
            sessions.add,
            a_session(session_id=f"{number}" * 32, device_id=None, created_at=NOW + number // 4),
        )

    def at(number):
        return NOW + number // 4, f"{number}" * 32

    def look(count, **window):
        return numbers(tables, SessionFilter(user_id=ALICE), Window(count, **window))

    assert look(4) == [0, 1, 2, 3, 4]  # one more says that there is more
    assert look(4, after=at(3)) == [4, 5, 6, 7, 8]
    assert look(4, after=at(7)) == [8]
    assert look(4, backwards=True) == [8, 7, 6, 5, 4]
    assert look(4, before=at(5), backwards=True) == [4, 3, 2, 1, 0]
    assert look(4, before=at(2)) == [0, 1]
    assert look(9, after=at(2), before=at(6)) == [3, 4, 5]


FILTERS = st.builds(
    SessionFilter,
    user_id=st.none() | st.sampled_from([ALICE, BOB]),
    clients=st.none() | st.lists(st.sampled_from(["app", "web", "p"]), unique=True).map(tuple),
    is_living=st.none() | st.booleans(),
    is_personal=st.none() | st.booleans(),
    has_device=st.none() | st.booleans(),
    scopes=st.lists(st.sampled_from([API, "openid", READ, ADMIN]), max_size=2).map(tuple),
    created_before=st.none() | st.integers(NOW - DAY, NOW + 7 * DAY),
    active_after=st.none() | st.integers(NOW - DAY, NOW + 7 * DAY),
    active_before=st.none() | st.integers(NOW - DAY, NOW + 7 * DAY),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(meant=FILTERS)
def test_conditions_that_come_together_all_hold(tables, some, meant):
    """What a filter with several finds is what each of them finds alone."""
    alone = [
        set(numbers(tables, attrs.evolve(SessionFilter(), **{name: value})))
        for name, value in attrs.asdict(meant, recurse=False).items()
    ]
    found = numbers(tables, meant)

    assert set(found) == set.intersection(*alone)
    assert all(one < other for one, other in pairwise(found))
    assert len(some) == 6


@pytest.mark.parametrize(
    ("fields", "index"),
    [
        ({"scopes": (READ,)}, "nextgen_sessions_unusual"),
        ({"scopes": (ADMIN,)}, "nextgen_sessions_unusual"),
        ({"scopes": (f"{DEVICE}ABC",)}, "nextgen_sessions_by_device_id"),
        ({"kept": (f"{CALENDAR}read",)}, "nextgen_sessions_services"),
        ({"is_personal": True}, "nextgen_sessions_personal"),
        ({"clients": ("app",)}, "nextgen_sessions_of_client_by_age"),
        ({"address": "192.0.2.1"}, "nextgen_sessions_by_address"),
        ({"active_after": NOW}, "nextgen_sessions_by_active_day"),
    ],
    ids=str,
)
def test_what_few_have_is_found_by_an_index_of_its_own(postgres_tables, fields, index):
    """Its condition is the text that the statement has: another spelling would be another one."""
    with postgres_tables.begin() as txn:
        for each in ("_by_age", "_living_by_age", "_ended_by_age"):
            txn.execute(f"DROP INDEX nextgen_sessions{each}")
        txn.execute("SET LOCAL enable_seqscan = off")
        where = session_lists._where(SessionFilter(**fields), lifetimes=ENDLESS, now=NOW)
        txn.execute(f"EXPLAIN SELECT 1 FROM nextgen_sessions {where.text}", tuple(where.values))
        plan = "\n".join(row[0] for row in txn.fetchall())
        txn.execute("ROLLBACK")

    assert index in plan
