"""Refreshing: the previous token is patient with a client, and merciless with a thief."""

from functools import partial

import attrs
import psycopg2.errors
import pytest

from support.records import ADDRESS, ALICE, NOW, a_session
from support.tables import Listening
from synapse_nextgen_auth.flows import end_session, refresh
from synapse_nextgen_auth.flows.refresh import Presented, Renewed, Use
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.refresh_token import Verdict
from synapse_nextgen_auth.oauth.sessions import End, SessionLifetimes
from synapse_nextgen_auth.store import sessions

API = "urn:matrix:client:api:*"
DEVICE = "urn:matrix:client:device:DEVICEOFALICE"
LIMITS = SessionLifetimes()
ID = a_session().session_id


def begin(tables, **fields):
    """Keep a session and return it as a process would remember it."""
    session = a_session(**fields)
    tables.run(sessions.add, session)
    return session


def present(
    session, generation, *, at=0, lifetimes=LIMITS, client_id="app", address=ADDRESS, scope=None
):
    """Return the flow that presents the refresh token of a generation, `at` seconds from now on."""
    presented = Presented(client_id, generation, address, scope)
    return partial(
        refresh.refresh, known=session, presented=presented, now=NOW + at, lifetimes=lifetimes
    )


def confirm(generation, *, at=0):
    """Return the flow that notes the use of a generation."""
    return partial(refresh.confirm, uses=(Use(ID, generation, NOW + at),))


def refused(outcome):
    """Return why a refresh was refused, in our own words."""
    assert isinstance(outcome.value, OAuthError), outcome
    assert (outcome.value.code, outcome.value.status) == ("invalid_grant", 400)
    return outcome.value.detail


def stored(tables):
    """Return the row."""
    return tables.run(sessions.get, ID)


def test_c092_a_refresh_goes_one_generation_further(tables, transact):
    """From generation to generation, and nothing else about the session changes."""
    session = begin(tables)

    outcomes = [transact(present(session, g, at=60 * g)) for g in (1, 2, 3)]

    assert [outcome.value.generation for outcome in outcomes] == [2, 3, 4]
    assert [outcome.ended for outcome in outcomes] == [(), (), ()]
    assert stored(tables) == attrs.evolve(session, generation=4, rotated_at=NOW + 180)
    assert tables.events() == []


ROW = {"generation": 7, "rotated_at": NOW}
ROTATE, REPEAT, RESTORED = Verdict.ROTATE, Verdict.REPEAT, Verdict.RESTORED
UNUSED, USED = {"confirmed_generation": 6}, {"confirmed_generation": 7}


@pytest.mark.parametrize(
    ("row", "presented", "at", "answer"),
    [
        pytest.param(UNUSED, 7, 0, (8, ROTATE), id="current"),
        pytest.param(UNUSED, 7, 10**8, (8, ROTATE), id="current-after-years"),
        pytest.param(UNUSED, 6, 0, (7, REPEAT), id="c093-lost"),
        pytest.param(UNUSED, 6, 10**8, (7, REPEAT), id="c093-lost-for-years"),
        pytest.param(USED, 6, 30, (7, REPEAT), id="used-within-the-grace"),
        pytest.param(USED, 6, 31, None, id="c094-used-after-the-grace"),
        pytest.param(UNUSED, 5, 0, None, id="c095-grandparent"),
        pytest.param(USED, 5, 0, None, id="c095-grandparent-used"),
        pytest.param(UNUSED, 1, 0, None, id="c095-ancestor"),
        pytest.param(UNUSED, 0, 0, None, id="before-the-first"),
        pytest.param(UNUSED, 8, 0, (9, RESTORED), id="c377-restored-by-one"),
        pytest.param(USED, 500, 10**8, (501, RESTORED), id="c377-restored-by-many"),
    ],
)
def test_every_row_of_the_design(tables, transact, row, presented, at, answer):
    """Design, section 4: rotate, repeat, restored, reuse; the row follows the answer."""
    session = begin(tables, **ROW, **row)

    outcome = transact(present(session, presented, at=at))

    after = stored(tables)
    if answer is None:
        assert refused(outcome).startswith("reuse")
        assert outcome.ended == (ID,)
        assert (after.ended_at, after.end_reason) == (NOW + at, End.REUSE)
        assert tables.events() == ["refresh_token_reused", "session_ended"]
    else:
        assert (outcome.value, outcome.ended) == (Renewed(*answer), ())
        assert (after.generation, after.ended_at) == (answer[0], None)
        assert tables.events() == []


SCOPE = f"openid {API} {DEVICE}"


@pytest.mark.parametrize("presented", [1, 2, 9])
def test_a_narrowed_refresh_moves_the_session_as_any_other(tables, transact, presented):
    """Rotated, repeated or restored: the answer says which part, the session keeps its scope."""
    session = begin(tables, scope=SCOPE, generation=2, confirmed_generation=1)

    outcome = transact(present(session, presented, scope="openid"))

    assert outcome.value.part.text == "openid"
    assert stored(tables).scope == SCOPE
    assert outcome.value.generation == max(2, presented + (presented > 1))


@pytest.mark.parametrize("asked", [f"{SCOPE} email", f"{API} {DEVICE}X", API, "nonsense"])
def test_a_refresh_that_asks_for_more_rotates_nothing(tables, transact, asked):
    """RFC 6749 section 6: `invalid_scope`, and the same token refreshes a moment later."""
    session = begin(tables, scope=SCOPE)

    with pytest.raises(OAuthError) as raised:
        transact(present(session, 1, scope=asked))

    assert raised.value.code == "invalid_scope"
    assert stored(tables) == session
    assert tables.events() == []
    assert transact(present(session, 1)).value == Renewed(2, ROTATE)


def test_of_somebody_elses_token_or_a_dead_one_only_that_is_said(tables, transact):
    """`invalid_grant` comes before what is wrong with the scope."""
    session = begin(tables, scope=SCOPE)
    stranger = transact(present(session, 1, client_id="other", scope="nonsense"))
    transact(partial(end_session.end_by_id, session_id=ID, why=End.REVOKED, now=NOW))
    dead = transact(present(stored(tables), 1, scope="nonsense"))

    assert "another client" in refused(stranger)
    assert "over" in refused(dead)


def test_c093_a_lost_answer_is_repeated_and_forks_nothing(tables, transact):
    """Twice the same pair; the third refresh goes on from there, whoever asks."""
    session = begin(tables)

    first, second = (transact(present(session, 1, at=at)) for at in (0, 3600))
    third = transact(present(session, 2, at=3700))

    assert [each.value.generation for each in (first, second, third)] == [2, 2, 3]
    assert stored(tables).rotated_at == NOW + 3700


def test_c093_a_repeat_does_not_begin_a_new_grace(tables, transact):
    """The 30 seconds count from the rotation, so that nobody extends them by asking again."""
    session = begin(tables)
    transact(present(session, 1))
    transact(confirm(2, at=10))

    assert transact(present(session, 1, at=20)).value.generation == 2
    assert refused(transact(present(session, 1, at=40)))


def test_c094_reuse_ends_the_session_for_good(tables, transact):
    """After the grace a used pair has no twin: even the current token is worth nothing then."""
    session = begin(tables)
    transact(present(session, 1))
    transact(confirm(2, at=1))

    thief = transact(present(session, 1, at=31))
    victim = transact(present(session, 2, at=32))

    assert refused(thief) == "reuse of a superseded refresh token: generation 1 of 2"
    assert refused(victim) == "the session is over: reuse"
    assert (thief.ended, victim.ended) == ((ID,), ())
    assert tables.query("SELECT kind, user_id, client_id, session_id FROM nextgen_events") == [
        ("refresh_token_reused", ALICE, "app", ID),
        ("session_ended", ALICE, "app", ID),
    ]


def test_c094_without_a_grace_a_used_pair_has_no_twin_at_all(tables, transact):
    """`refresh_grace: 0s` is strict from the next second on; an unused pair is still repeated."""
    strict = SessionLifetimes(grace=0)
    session = begin(tables)
    transact(present(session, 1, lifetimes=strict))

    assert transact(present(session, 1, at=500, lifetimes=strict)).value.generation == 2
    transact(confirm(2, at=501))
    assert refused(transact(present(session, 1, at=502, lifetimes=strict)))


def test_c097_many_at_once_get_the_same_generation(tables):
    """20 processes with one token: one rotation, 20 equal answers, nobody is taken for a thief."""
    session = begin(tables)

    outcomes = tables.race([present(session, 1)] * 20)

    assert [outcome.value.generation for outcome in outcomes] == [2] * 20
    assert stored(tables) == attrs.evolve(session, generation=2)


def test_c098_who_lost_the_race_answers_as_the_winner_did(postgres_tables):
    """The loser's write fails as a whole; run again, it reads the new row and repeats."""
    tables = postgres_tables
    session = begin(tables)

    with tables.begin() as late:
        assert sessions.get(late, ID).generation == 1
        assert tables.run(present(session, 1)).value.generation == 2
        with pytest.raises(psycopg2.errors.SerializationFailure):
            present(session, 1)(late)

    assert tables.transact(present(session, 1)).value.generation == 2
    assert stored(tables).generation == 2


@pytest.mark.parametrize("generation", [0, 1, 2, 3, 99])
def test_c099_another_client_can_neither_use_nor_end_it(tables, transact, generation):
    """Otherwise whoever sees a token could log its owner out."""
    session = begin(tables, generation=2)

    outcome = transact(present(session, generation, client_id="other"))

    assert refused(outcome) == "the refresh token belongs to another client"
    assert outcome.ended == ()
    assert stored(tables) == session
    assert tables.events() == []


@pytest.mark.parametrize(
    ("lifetimes", "at", "end"),
    [
        (SessionLifetimes(), 10**9, None),
        (SessionLifetimes(idle=100), 99, None),
        (SessionLifetimes(idle=100), 100, End.IDLE),
        (SessionLifetimes(absolute=500), 499, None),
        (SessionLifetimes(absolute=500), 500, End.LIFETIME),
        (SessionLifetimes(idle=100, absolute=500), 600, End.LIFETIME),
    ],
)
@pytest.mark.parametrize("presented", [1, 2])
def test_c105_limits_end_a_session_to_the_second(tables, transact, lifetimes, at, end, presented):
    """For the current token and for the one before; the first refusal writes down why."""
    session = begin(tables, generation=2)

    outcome = transact(present(session, presented, at=at, lifetimes=lifetimes))

    after = stored(tables)
    assert isinstance(outcome.value, Renewed) == (end is None)
    assert outcome.ended == ((ID,) if end else ())
    assert after.end_reason == end
    assert tables.events() == (["session_ended"] if end else [])


def test_c105_refreshing_and_using_keep_a_session_from_going_idle(tables, transact):
    """Each pushes the end away; the lifetime counts from the beginning whatever happens."""
    lifetimes = SessionLifetimes(idle=100, absolute=300)
    session = begin(tables)

    assert transact(present(session, 1, at=90, lifetimes=lifetimes)).value.generation == 2
    transact(confirm(2, at=180))
    assert transact(present(session, 2, at=270, lifetimes=lifetimes)).value.generation == 3
    assert refused(transact(present(session, 3, at=300, lifetimes=lifetimes)))


def test_c105_a_session_may_have_an_end_of_its_own(tables, transact):
    """Whatever the operator's limits say."""
    session = begin(tables, expires_at=NOW + 10)

    assert transact(present(session, 1, at=9)).value.generation == 2
    assert refused(transact(present(session, 2, at=10))) == "the session lived its time"


def test_a_refresh_from_another_address_is_written_down_once(tables, transact):
    """The owner may want to know; other processes must hear of it to stay quiet."""
    session = begin(tables)

    outcome = transact(present(session, 1, address="198.51.100.7"))
    moved = stored(tables)
    settled = transact(present(moved, 2, address="198.51.100.7"))

    assert (outcome.value.generation, outcome.ended, outcome.changed) == (2, (), (ID,))
    assert moved.address == "198.51.100.7"
    assert (settled.value.generation, settled.changed) == (3, ())
    assert tables.query("SELECT kind, session_id, address FROM nextgen_events") == [
        ("refreshed_elsewhere", ID, "198.51.100.7")
    ]


@pytest.mark.parametrize("why", list(End))
def test_an_ended_session_stays_ended(tables, transact, why):
    """No token of any generation brings it back, and the first reason stays."""
    session = begin(tables, generation=2, ended_at=NOW - 5, end_reason=why.value)
    living = attrs.evolve(session, ended_at=None, end_reason=None)

    for generation in (0, 1, 2, 3):
        outcome = transact(present(living, generation))
        assert refused(outcome) == f"the session is over: {why.value}"
        assert outcome.ended == ()

    assert stored(tables) == session
    assert tables.events() == []


def test_a_session_that_was_swept_is_gone(tables, transact):
    """A process may remember it longer than the database does."""
    assert refused(transact(present(a_session(), 1))) == "the session is gone"


def test_c377_a_restored_database_goes_on_from_the_token_of_the_client(tables, transact):
    """The client lost nothing, and its own lost answers are still repeated afterwards."""
    session = begin(tables, generation=3, confirmed_generation=3)

    assert transact(present(session, 10)).value.generation == 11
    assert transact(present(session, 10, at=9000)).value.generation == 11
    transact(confirm(11, at=9001))
    assert transact(present(session, 11, at=9002)).value.generation == 12
    assert stored(tables).ended_at is None


def test_c377_a_use_brings_a_restored_database_up_to_date(tables, transact):
    """Whoever uses generation 7 has its refresh token, too; the one before it is worth nothing."""
    session = begin(tables, generation=3, confirmed_generation=3)

    transact(confirm(7, at=9000))

    assert (stored(tables).generation, stored(tables).confirmed_generation) == (7, 7)
    assert transact(present(session, 7, at=9001)).value.generation == 8
    assert refused(transact(present(session, 3, at=9002)))


@pytest.mark.parametrize("generations", [(5, 4), (4, 5), (3, 5, 4)])
def test_of_several_uses_in_a_batch_the_newest_counts(tables, transact, generations):
    """Or a pair that was used would pass for a lost one, and a copy of it for its owner (C095)."""
    begin(tables, generation=5, confirmed_generation=2)
    uses = tuple(Use(ID, generation, NOW + generation) for generation in generations)

    transact(partial(refresh.confirm, uses=uses))

    assert (stored(tables).confirmed_generation, stored(tables).last_active_at) == (5, NOW + 5)


def test_a_use_confirms_its_generation_and_is_a_sign_of_life(tables, transact):
    """An older generation in flight confirms nothing, but its client is alive."""
    begin(tables, generation=5, confirmed_generation=4)

    transact(confirm(5, at=7))
    assert (stored(tables).confirmed_generation, stored(tables).last_active_at) == (5, NOW + 7)
    transact(confirm(3, at=9))
    assert (stored(tables).confirmed_generation, stored(tables).last_active_at) == (5, NOW + 9)


def test_uses_of_many_sessions_are_one_statement(tables):
    """Each confirms its own generation, however many clients refreshed in the same second."""
    names = [f"{n:02}" * 16 for n in range(3)]
    for name in names:
        tables.run(sessions.add, a_session(session_id=name, device_id=None, generation=9))

    with tables.begin() as txn:
        listening = Listening(txn)
        refresh.confirm(listening, tuple(Use(name, n, NOW + n) for n, name in enumerate(names, 1)))

    assert len(listening.statements) == 1
    kept = "SELECT session_id, confirmed_generation, last_active_at FROM nextgen_sessions"
    assert sorted(tables.query(kept)) == [(name, n, NOW + n) for n, name in enumerate(names, 1)]


def test_a_use_of_an_ended_session_changes_nothing(tables, transact):
    """The batch is written up to a second late."""
    session = begin(tables, ended_at=NOW, end_reason="revoked")

    transact(confirm(1, at=1))

    assert stored(tables) == session


def test_batches_of_two_workers_never_wait_for_each_other_in_a_circle(tables):
    """Each batch is written in the same order, whatever order the uses came in."""
    names = [f"{n:02}" * 16 for n in range(40)]
    for name in names:
        tables.run(sessions.add, a_session(session_id=name, device_id=None))
    uses = [Use(name, 1, NOW + 1) for name in names]

    tables.race(
        [
            partial(refresh.confirm, uses=tuple(order))
            for order in (uses, uses[::-1], uses, uses[::-1])
        ]
    )

    assert tables.query("SELECT DISTINCT confirmed_generation FROM nextgen_sessions") == [(1,)]


@pytest.mark.parametrize("first", ["refresh", "revoke"])
def test_c131_a_revocation_wins_over_a_refresh(postgres_tables, first):
    """Whoever writes first, nothing lives afterwards."""
    tables = postgres_tables
    session = begin(tables)
    renew = present(session, 1)
    revoke = partial(end_session.revoke, session_id=ID, client_id="app", now=NOW, address=None)
    early, late = (renew, revoke) if first == "refresh" else (revoke, renew)

    with tables.begin() as txn:
        assert sessions.get(txn, ID).ended_at is None
        tables.run(early)
        with pytest.raises(psycopg2.errors.SerializationFailure):
            late(txn)
    tables.run(late)

    assert stored(tables).end_reason == End.REVOKED
    for generation in (1, 2):
        assert refused(tables.run(present(session, generation)))


def test_c131_revocation_and_refreshes_at_once_leave_nothing_alive(tables):
    """All at the same moment."""
    session = begin(tables)
    revoke = partial(end_session.revoke, session_id=ID, client_id="app", now=NOW, address=None)

    tables.race([*[present(session, 1)] * 5, revoke, *[present(session, 1)] * 5])

    assert stored(tables).end_reason == End.REVOKED


@pytest.mark.parametrize(
    ("presented", "statements"),
    [
        pytest.param(2, 1, id="current"),
        pytest.param(1, 2, id="lost"),
        pytest.param(9, 3, id="restored"),
    ],
)
def test_c394_the_usual_refresh_is_one_statement(tables, presented, statements):
    """One conditional write; only what is unusual looks closer."""
    session = begin(tables, generation=2)

    with tables.begin() as txn:
        listening = Listening(txn)
        outcome = present(session, presented)(listening)

    assert isinstance(outcome.value, Renewed)
    assert len(listening.statements) == statements
    assert listening.statements[0].startswith("UPDATE nextgen_sessions")
