"""Invitations: a registration token and more; the last use of one is somebody's alone."""

from functools import partial

import attrs
import pytest

from support.records import ALICE, BOB, NOW
from synapse_nextgen_auth.accounts.invitations import Invitation, OnTheWay
from synapse_nextgen_auth.accounts.links import DAY
from synapse_nextgen_auth.flows import invitations
from synapse_nextgen_auth.store import invitations as rows
from synapse_nextgen_auth.store import token_holds
from synapse_nextgen_auth.store.token_holds import Hold


def an_invitation(token="t1", **fields):
    return Invitation(**{"token": token, "made_at": NOW, "expires_at": NOW + 3600} | fields)


def make(tables, invitation=None, uses=None, **given):
    tables.run(invitations.make, invitation or an_invitation(), uses=uses, by="command", now=NOW)


def hold(token="t1", at=1):
    return partial(rows.hold, token=token, now=NOW + at)


def test_an_invitation_is_a_registration_token(tables):
    make(tables, uses=3)

    assert tables.query(
        "SELECT token, uses_allowed, pending, completed, expiry_time FROM registration_tokens"
    ) == [("t1", 3, 0, 0, (NOW + 3600) * 1000)]
    assert tables.query("SELECT kind, detail FROM nextgen_events") == [
        ("invitation_made", "command")
    ]


def test_c246_the_last_use_is_somebodys_alone(tables, transact):
    """However many hold it at once."""
    make(tables, uses=2)

    assert [transact(hold()) for _ in range(4)] == [True, True, False, False]
    assert tables.query("SELECT pending FROM registration_tokens") == [(2,)]


@pytest.mark.parametrize(
    ("uses", "at", "good"), [(None, 3600, True), (None, 3601, False), (1, 1, True), (0, 1, False)]
)
def test_it_is_good_as_long_and_as_often_as_it_says(tables, uses, at, good):
    make(tables, uses=uses)

    assert tables.run(hold(at=at)) is good


def test_a_sign_up_holds_what_is_counted_for_it_from_that_moment(tables, transact):
    """A process that dies right after takes no use along; whoever comes too late has nothing."""
    make(tables, uses=1)
    begin = partial(invitations.hold, token="t1", now=NOW + 1)

    assert transact(begin, held=Hold("first", "browser", NOW + 60))
    assert not transact(begin, held=Hold("late", "browser", NOW + 60))
    assert tables.query("SELECT ui_auth_session FROM nextgen_token_holds") == [("first",)]
    transact(token_holds.give_back, "first")
    assert tables.query("SELECT pending, completed FROM registration_tokens") == [(0, 0)]


def test_one_that_is_not_there_holds_nothing(tables):
    assert tables.run(hold("nothing")) is False


def test_ended_nobody_begins_with_it_and_it_ends_once(tables):
    """Whoever is on the way may finish."""
    make(tables, uses=2)
    tables.run(hold())

    assert tables.run(invitations.end, "t1", by="command: a mistake", now=NOW + 2) is True
    assert tables.run(invitations.end, "t1", by="command", now=NOW + 3) is False
    assert tables.run(hold(at=4)) is False
    assert tables.query("SELECT pending FROM registration_tokens") == [(1,)]
    assert ("invitation_ended", "command: a mistake") in tables.query(
        "SELECT kind, detail FROM nextgen_events"
    )


def by_member(tables, token, *, quota=2, at=0, member=ALICE, life=100):
    made = an_invitation(token, invited_by=member, made_at=NOW + at, expires_at=NOW + at + life)
    return tables.run(invitations.make_by_member, made, quota=quota, now=NOW + at)


def test_a_member_has_so_many_open_at_once(tables):
    """Over, ended and used ones make room; others are none of their business."""
    assert [by_member(tables, f"t{n}") for n in range(3)] == [True, True, False]
    assert by_member(tables, "of bob", member=BOB)

    tables.run(invitations.end, "t0", by="command", now=NOW + 1)
    assert by_member(tables, "t4", at=2)
    tables.run(hold("t4", at=3))
    assert not by_member(tables, "t5", at=4)
    tables.run(lambda txn: txn.execute("UPDATE registration_tokens SET completed = 1"))
    assert by_member(tables, "t6", at=5)
    assert by_member(tables, "t7", at=6)
    assert not by_member(tables, "t8", at=7)
    assert by_member(tables, "t9", at=200)


def open_slots(tables, at):
    kept = tables.run(rows.list_of, ALICE, limit=99)
    return sum(each.has_its_place(NOW + at, lifetime=LIFE) for each in kept)


LIFE = 7 * DAY


@pytest.mark.parametrize(("life", "held"), [(LIFE, DAY), (100, 100)])
def test_withdrawing_makes_no_room_for_a_day(tables, life, held):
    """A script that makes and withdraws fills Synapse's table no faster than one that waits."""
    ends, begins = invitations.end_by_member, partial(by_member, tables, quota=1)
    assert begins("t0", life=life)
    for n in range(5):
        tables.run(ends, "t0", ALICE, now=NOW + n)
        assert not begins(f"no{n}", at=n, life=life)
    assert not begins("early", at=held - 1, life=life)

    assert begins("t1", at=held, life=life)
    assert tables.query("SELECT COUNT(*) FROM registration_tokens") == [(2,)]


def test_a_page_knows_which_have_their_place(tables):
    """As the flow does: whichever is open, or was withdrawn on the day on which it was made."""
    for n in range(3):
        by_member(tables, f"t{n}", quota=3, life=LIFE)
    assert open_slots(tables, 0) == 3
    tables.run(invitations.end_by_member, "t0", ALICE, now=NOW + 1)
    tables.run(invitations.end, "t1", by="command", now=NOW + 1)
    assert open_slots(tables, 1) == 2
    assert open_slots(tables, DAY) == 1
    tables.run(lambda txn: txn.execute("UPDATE registration_tokens SET completed = 1"))

    assert open_slots(tables, 1) == 0


def test_an_invitation_that_was_used_after_all_makes_room(tables):
    """Whoever was on the way when it was withdrawn has finished."""
    by_member(tables, "t0", quota=1, life=LIFE)
    tables.run(hold("t0"))
    tables.run(invitations.end_by_member, "t0", ALICE, now=NOW + 2)
    tables.run(lambda txn: txn.execute("UPDATE registration_tokens SET completed = 1"))

    assert by_member(tables, "t1", quota=1, at=3, life=LIFE)


def test_a_clock_that_ran_ahead_keeps_no_place(tables):
    """What it made would have its place for ever, once withdrawn (C379)."""
    by_member(tables, "t0", quota=1, at=10 * LIFE, life=LIFE)
    tables.run(invitations.end_by_member, "t0", ALICE, now=NOW)

    assert by_member(tables, "t1", quota=1, at=1, life=LIFE)


def test_one_that_an_administrator_deleted_makes_room(tables):
    """With Synapse's own API, which knows nothing of places; the page counts as making does."""
    for n in range(2):
        by_member(tables, f"t{n}", life=LIFE)
    tables.run(lambda txn: txn.execute("DELETE FROM registration_tokens WHERE token = 't0'"))

    assert open_slots(tables, 1) == 1
    assert by_member(tables, "t2", at=1, life=LIFE)
    assert not by_member(tables, "t3", at=1, life=LIFE)


def changed(tables, token, **values):
    """Change a token as Synapse's admin API does: beside us."""
    names = ", ".join(f"{name} = ?" for name in values)
    change = f"UPDATE registration_tokens SET {names} WHERE token = ?"
    tables.run(lambda txn: txn.execute(change, (*values.values(), token)))


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"expiry_time": (NOW + 5) * 1000}, "over"),
        ({"expiry_time": (NOW + 11) * 1000}, "open"),
        ({"expiry_time": None}, "open"),
        ({"uses_allowed": 0}, "over"),
        ({"uses_allowed": 1, "completed": 1}, "used"),
        ({"uses_allowed": 2, "completed": 1}, "open"),
        ({"uses_allowed": None, "completed": 9}, "open"),
    ],
)
def test_what_synapse_says_of_a_token_counts(tables, values, state):
    """An administrator changed it with Synapse's own API; ours says what was once."""
    by_member(tables, "t0", quota=1, life=LIFE)
    changed(tables, "t0", **values)
    (kept,) = tables.run(rows.list_of, ALICE, limit=9)
    is_open = state == "open"

    assert kept == tables.run(rows.find, "t0")
    assert kept.state(NOW + 10) == state
    assert kept.has_its_place(NOW + 10, lifetime=LIFE) == is_open
    assert tables.run(rows.open_of, ALICE, now=NOW + 10) == (["t0"] if is_open else [])
    assert tables.run(invitations.end_by_member, "t0", ALICE, now=NOW + 10) == is_open
    # Withdrawn it has its place for a day; whatever else is over makes room.
    assert by_member(tables, "t1", quota=1, at=10, life=LIFE) != is_open


def test_one_that_was_given_more_time_is_open_until_it_is_withdrawn(tables):
    by_member(tables, "t0", quota=1)
    changed(tables, "t0", expiry_time=(NOW + 1000) * 1000)

    assert not by_member(tables, "t1", quota=1, at=500)
    assert tables.run(invitations.end_by_member, "t0", ALICE, now=NOW + 500)
    assert not tables.run(invitations.end_by_member, "t0", ALICE, now=NOW + 501)
    assert tables.run(rows.find, "t0").state(NOW + 501) == "over"
    assert by_member(tables, "t1", quota=1, at=501)


def test_a_command_ends_what_was_given_more_time(tables):
    make(tables)
    changed(tables, "t1", expiry_time=None)

    assert tables.run(invitations.end, "t1", by="command", now=NOW + 9000)
    assert not tables.run(hold(at=9001))
    changed(tables, "t1", expiry_time=(NOW + 9999) * 1000)
    assert tables.run(hold(at=9001))


def test_a_members_invitation_is_for_one_person(tables):
    by_member(tables, "t1")

    assert tables.query("SELECT uses_allowed FROM registration_tokens") == [(1,)]


def test_two_at_once_do_not_both_have_the_last_place(tables):
    """Whoever is second comes again, and finds none."""
    by_member(tables, "t1", quota=1)
    made = attrs.evolve(an_invitation("t2", invited_by=ALICE), slot=0)

    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        tables.run(rows.add, made, times=1)


def test_whoever_came_with_it_joins_its_rooms(tables):
    make(tables, an_invitation(rooms='["#a:example.com", "!b"]', invited_by=BOB))

    tables.run(invitations.welcome, "t1", ALICE, now=NOW)
    tables.run(invitations.welcome, "of an administrator", ALICE, now=NOW)

    works = tables.query("SELECT kind, subject, payload FROM nextgen_outbox ORDER BY position")
    assert [(kind, subject) for kind, subject, _ in works] == [("join_room", ALICE)] * 2
    assert "#a:example.com" in works[0][2]
    assert BOB in works[1][2]


def test_only_what_pins_something_is_for_our_pages_alone(tables):
    make(tables, an_invitation("free", rooms='["#a:example.com"]', text="Hello"))
    make(tables, an_invitation("name", username="alice"))
    make(tables, an_invitation("mail", email="a@example.com"))

    assert [tables.run(rows.pins, each) for each in ("free", "name", "mail", "other")] == [
        False,
        True,
        True,
        False,
    ]
    states = {each.invitation.token: each.state(NOW) for each in tables.run(rows.list_all)}
    assert states == {"free": "open", "name": "open", "mail": "open"}


@pytest.mark.parametrize(
    ("token", "uses", "browser", "at", "found"),
    [
        pytest.param("t1", 1, "other", 1, OnTheWay(NOW + 600), id="held"),
        pytest.param("t1", 1, "mine", 1, None, id="own"),
        pytest.param("t1", 2, "other", 1, None, id="another-use"),
        pytest.param("t1", None, "other", 1, None, id="no-limit"),
        pytest.param("t1", 1, "other", 601, OnTheWay(None), id="not-given-back-yet"),
        pytest.param("t1", 1, "other", 3601, None, id="over"),
        pytest.param("t2", 1, "other", 1, None, id="mistyped"),
    ],
)
def test_of_a_token_that_somebody_has_it_is_said_until_when(
    tables, token, uses, browser, at, found
):
    make(tables, uses=uses)
    tables.run(invitations.hold, "t1", Hold("s", "mine", NOW + 600), now=NOW)

    assert tables.run(rows.on_the_way, token, browser=browser, now=NOW + at) == found


def test_nobody_waits_for_longer_than_a_token_is_good(tables):
    make(tables, an_invitation(expires_at=NOW + 300), uses=1)
    tables.run(invitations.hold, "t1", Hold("s", "mine", NOW + 600), now=NOW)

    assert tables.run(rows.on_the_way, "t1", browser="", now=NOW + 1) == OnTheWay(None)


def test_one_that_somebody_is_on_the_way_with_is_held_and_keeps_its_place(tables):
    """An older client has it for as long as Synapse keeps its session: until when, nobody knows."""
    make(tables, an_invitation(slot=0), uses=1)
    tables.run(invitations.hold, "t1", None, now=NOW)
    (kept,) = tables.run(rows.list_all)

    assert kept.state(NOW) == "held"
    assert kept.is_open(NOW)
    assert kept.has_its_place(NOW, lifetime=3600)
    assert kept.state(NOW + 3600) == "over"
    assert tables.run(rows.on_the_way, "t1", browser="", now=NOW + 1) == OnTheWay(None)


def test_c301_a_member_ends_their_own_alone(tables):
    """Another's token is as good as none, and nothing is written down of it."""
    theirs = an_invitation(invited_by=ALICE, slot=0)
    make(tables, theirs, uses=1)

    assert not tables.run(invitations.end_by_member, "t1", BOB, now=NOW + 1)
    assert tables.run(rows.get, "t1") == theirs
    assert tables.run(invitations.end_by_member, "t1", ALICE, now=NOW + 1)
    assert not tables.run(invitations.end_by_member, "t1", ALICE, now=NOW + 2)
    assert tables.query(
        "SELECT user_id, happened_at FROM nextgen_events WHERE kind = 'invitation_ended'"
    ) == [(ALICE, NOW + 1)]


def test_a_member_sees_their_own_the_open_ones_first(tables):
    """However many are over since."""
    make(tables, an_invitation("t1", invited_by=ALICE, slot=0), uses=1)
    for n in range(3):
        make(tables, an_invitation(f"o{n}", invited_by=ALICE, made_at=NOW + 1 + n), uses=1)
    make(tables, an_invitation("b1", invited_by=BOB, slot=0), uses=1)
    found = tables.run(rows.list_of, ALICE, limit=3)

    assert [each.invitation.token for each in found] == ["t1", "o2", "o1"]
