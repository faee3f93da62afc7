"""Many rotations in one statement do what each in a transaction of its own would do."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier

import attrs
import psycopg2.errors
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.records import ADDRESS, NOW, a_session
from synapse_nextgen_auth.flows import end_session, refresh
from synapse_nextgen_auth.flows.refresh import Presented, Use
from synapse_nextgen_auth.oauth.grants.refresh_token import Verdict
from synapse_nextgen_auth.oauth.sessions import End, SessionLifetimes
from synapse_nextgen_auth.store import sessions
from synapse_nextgen_auth.store.rotations import Rotation

LIMITS = SessionLifetimes()


@pytest.fixture
def tables(postgres_tables):
    """Return the database: on SQLite there is no such statement."""
    return postgres_tables


def session(number, **fields):
    """Return one of several sessions."""
    return a_session(session_id=f"{number:032x}", device_id=None, **fields)


def keep(tables, *kept):
    for each in kept:
        tables.run(sessions.add, each)
    return kept


def rotation(known, generation=1, *, at=0, **fields):
    return Rotation(
        known.session_id,
        client_id=fields.get("client_id", "app"),
        generation=generation,
        idle_since=fields.get("idle_since", -1),
        now=NOW + at,
    )


def stored(tables, known):
    return tables.run(sessions.get, known.session_id)


@pytest.mark.parametrize("others", [0, 3])
def test_a_rotation_changes_two_columns_and_no_others(tables, others):
    """Alone or with others, and each at its own time."""
    kept = keep(tables, *(session(number) for number in range(1 + others)))

    went = tables.together([rotation(each, at=at) for at, each in enumerate(kept)])

    assert went == {each.session_id for each in kept}
    for at, each in enumerate(kept):
        assert stored(tables, each) == attrs.evolve(each, generation=2, rotated_at=NOW + at)


ROWS = st.builds(
    dict,
    generation=st.integers(1, 3),
    client_id=st.sampled_from(["app", "other"]),
    ended_at=st.sampled_from([None, None, NOW]),
    rotated_at=st.sampled_from([NOW - 20, NOW - 10, NOW]),
    last_active_at=st.sampled_from([NOW - 20, NOW - 10, NOW]),
)
ASKED = st.builds(
    dict,
    client_id=st.sampled_from(["app", "other", "x'); DROP TABLE nextgen_sessions; --", "ü\\n%s"]),
    generation=st.integers(0, 4),
    idle_since=st.sampled_from([-1, NOW - 15, NOW - 10]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(ROWS, ASKED), min_size=1, max_size=6))
def test_it_takes_whom_a_transaction_takes(tables, drawn):
    """Client, generation, end and idle limit: the same rows go on, and look the same after it."""
    tables.clear()
    kept = keep(tables, *(session(number, **row) for number, (row, _) in enumerate(drawn)))
    asked = [rotation(each, **ask) for each, (_, ask) in zip(kept, drawn, strict=True)]

    def one_by_one():
        return {
            each.session_id
            for each in asked
            if tables.run(
                sessions.rotate,
                each.session_id,
                client_id=each.client_id,
                generation=each.generation,
                idle_since=each.idle_since,
                now=each.now,
            )
        }

    together = tables.together(asked)
    after = [stored(tables, each) for each in kept]
    tables.clear()
    keep(tables, *kept)
    alone = one_by_one()

    assert together == alone
    assert after == [stored(tables, each) for each in kept]


@pytest.mark.parametrize("count", [1, 3])
def test_a_locked_row_is_left_out_and_nobody_waits(tables, count):
    """Its refresh is a transaction, which waits for whoever has it; its neighbours are not asked to."""
    first, *others = keep(tables, *(session(number) for number in range(count)))

    with tables.begin() as somebody:
        sessions.holds(somebody, first.session_id)
        went = tables.together([rotation(each) for each in (first, *others)])
    later = tables.together([rotation(first)])

    assert went == {each.session_id for each in others}
    assert later == {first.session_id}


def test_what_cannot_be_one_write_is_none(tables):
    """Another client's, from elsewhere, over: a transaction looks closer."""
    known = session(1)
    presented = Presented("app", 1, ADDRESS)
    limited = SessionLifetimes(absolute=100)

    def plain(known=known, presented=presented, at=0, lifetimes=LIMITS):
        return refresh.plain(known, presented, now=NOW + at, lifetimes=lifetimes)

    assert plain() is not None
    assert plain(presented=attrs.evolve(presented, client_id="other")) is None
    assert plain(presented=attrs.evolve(presented, address="198.51.100.7")) is None
    assert plain(attrs.evolve(known, ended_at=NOW)) is None
    assert plain(attrs.evolve(known, expires_at=NOW)) is None
    assert plain(lifetimes=limited, at=99) is not None
    assert plain(lifetimes=limited, at=100) is None


def test_c093_whose_answer_was_lost_hears_it_from_the_transaction(tables):
    """It was written, nobody heard it: the same pair, and no second step."""
    (known,) = keep(tables, session(1))
    asked = {"presented": Presented("app", 1, ADDRESS), "now": NOW + 9, "lifetimes": LIMITS}
    tables.together([refresh.plain(known, **asked).rotation])

    outcome = tables.run(partial(refresh.refresh, known=known, **asked))

    assert (outcome.value.generation, outcome.value.verdict) == (2, Verdict.REPEAT)
    assert stored(tables, known).generation == 2


def insist(tables, flow):
    """Run a flow until no race is lost, however many are on a busy machine."""
    while True:
        with suppress(psycopg2.errors.SerializationFailure):
            return tables.run(flow)


@pytest.mark.slow
def test_c097_every_generation_is_rotated_by_one_alone(tables):
    """Statements for many in both orders, transactions, uses and ends at once, on the same rows.

    Nobody waits for good, nobody goes two steps, and what has ended stays as it was.
    """
    kept = keep(tables, *(session(number) for number in range(8)))
    doomed, living = kept[0], kept[1:]
    rounds, start = 25, Barrier(6)

    def together(order):
        start.wait(30)
        went = []
        for _ in range(rounds):
            now = [stored(tables, each) for each in kept[::order]]
            asked = [rotation(each, each.generation) for each in now]
            ids = tables.together(asked)
            went += [(each.session_id, each.generation) for each in asked if each.session_id in ids]
        return went

    def one_by_one(_):
        start.wait(30)
        went = []
        for _ in range(rounds):
            for each in kept:
                now = stored(tables, each)
                presented = Presented("app", now.generation, ADDRESS)
                flow = partial(
                    refresh.refresh, known=now, presented=presented, now=NOW, lifetimes=LIMITS
                )
                value = insist(tables, flow).value
                if isinstance(value, refresh.Renewed) and value.verdict is Verdict.ROTATE:
                    went.append((each.session_id, now.generation))
        return went

    def use_and_end(_):
        start.wait(30)
        for number in range(rounds):
            uses = tuple(Use(each.session_id, 1, NOW + number) for each in living)
            insist(tables, partial(refresh.confirm, uses=uses))
        flow = partial(
            end_session.end_by_id, session_id=doomed.session_id, why=End.REVOKED, now=NOW
        )
        insist(tables, flow)
        return []

    with ThreadPoolExecutor(6) as pool:
        doing = [pool.submit(together, order) for order in (1, -1, 1)]
        doing += [pool.submit(one_by_one, None) for _ in range(2)]
        doing += [pool.submit(use_and_end, None)]
        went = [one for each in doing for one in each.result(120)]
    ended = stored(tables, doomed)
    late = tables.together([rotation(doomed, ended.generation)])

    assert len(went) == len(set(went)), "two of them rotated the same generation"
    for each in kept:
        steps = [generation for session_id, generation in went if session_id == each.session_id]
        assert sorted(steps) == list(range(1, stored(tables, each).generation))
    assert late == set()
    assert stored(tables, doomed) == ended
