"""Personal tokens: made within limits, on a device or without, and gone with their session."""

import attrs
import pytest

from support.records import ALICE, BOB, NOW, a_session, a_sign_in, an_opening
from synapse_nextgen_auth.flows import end_session, housekeeping
from synapse_nextgen_auth.flows import personal_tokens as flows
from synapse_nextgen_auth.flows.as_signed_in import as_signed_in
from synapse_nextgen_auth.flows.personal_tokens import NotRenewed, Order, Ordered
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import API, DEVICE, READ
from synapse_nextgen_auth.oauth.sessions import Began, End, SessionLifetimes
from synapse_nextgen_auth.oauth.tokens import personal_tokens as rules
from synapse_nextgen_auth.oauth.tokens.personal_tokens import PARTS, Limits, Refusal, Wanted
from synapse_nextgen_auth.store import personal_tokens, sessions, sign_ins, sweep

DAY = 24 * 3600
UNLIMITED = SessionLifetimes()
LIMITS = Limits(most=2, longest=90 * DAY, is_endless=True, parts=frozenset(PARTS))
READER = Wanted("Dashboard", frozenset({READ}), (), None, 30 * DAY)
BOT = Wanted("Bot", frozenset({API}), (), "BOTSDEVICE", None)


def make(tables, name, wanted=READER, *, replaces=None, limits=LIMITS, at=0, **fields):
    opening = an_opening(
        name * 32,
        kind=rules.GRANT,
        expires_at=None if wanted.lifetime is None else NOW + at + wanted.lifetime,
        **fields,
    )
    order = Order(wanted, limits, replaces and replaces * 32)
    return tables.run(flows.make, order, opening, by=a_sign_in(user_id=ALICE), now=NOW + at)


def living(tables, user_id=ALICE, *, at=0):
    return [each.token.name for each in tables.run(flows.list_living, user_id, now=NOW + at)]


def test_a_token_is_a_session_with_a_name(tables):
    session = make(tables, "a").value

    assert (session.user_id, session.scope, session.device_id) == (ALICE, READ, None)
    assert session.began_by is Began.PERSONAL
    assert session.expires_at == NOW + 30 * DAY
    assert tables.run(sessions.get, "a" * 32) == session
    assert living(tables) == ["Dashboard"]
    assert living(tables, BOB) == []
    assert living(tables, at=30 * DAY) == []
    assert tables.query("SELECT kind, client_id, session_id FROM nextgen_events") == [
        ("personal_token_made", None, "a" * 32)
    ]


def test_c349_the_same_request_again_makes_no_second_one(tables):
    """The database may have written it though nobody heard so."""
    session = make(tables, "a").value

    assert make(tables, "a").value == session
    assert living(tables) == ["Dashboard"]


def test_there_are_as_many_as_may_be(tables):
    """Those that are over do not count, and one that another takes the place of does not either."""
    make(tables, "a")
    make(tables, "b")
    assert make(tables, "c").value is Refusal.TOO_MANY
    assert tables.run(sessions.get, "c" * 32) is None
    assert make(tables, "d", replaces="a").value.session_id == "d" * 32
    assert tables.run(sessions.get, "a" * 32).end_reason == End.REPLACED.value
    assert make(tables, "e", replaces="f").value is Refusal.TOO_MANY
    assert make(tables, "f", at=31 * DAY).value.session_id == "f" * 32


def test_what_the_rules_refuse_is_not_written(tables):
    refused = make(tables, "a", attrs.evolve(READER, name=""))

    assert refused.value is Refusal.NO_NAME
    assert tables.run(sessions.get, "a" * 32) is None


def test_c311_what_the_operator_withholds_is_not_written(tables):
    """Of one that opens more the time goes on; it is renewed with less alone, and over then."""
    make(tables, "a", BOT)
    less = attrs.evolve(LIMITS, parts=frozenset({READ}))
    refused = make(tables, "b", BOT, replaces="a", limits=less)
    assert refused.value is Refusal.NOT_ALLOWED
    assert refused.ended == ()
    assert tables.run(sessions.get, "b" * 32) is None
    assert living(tables) == ["Bot"]
    renewed = make(
        tables, "c", attrs.evolve(BOT, parts=frozenset({READ})), replaces="a", limits=less
    )

    assert renewed.value.scope == f"{READ} {DEVICE}BOTSDEVICE"
    assert renewed.ended == ("a" * 32,)


def test_c310_whatever_was_on_the_device_is_over(tables):
    """An application, or the token before it; the others go on."""
    tables.run(sessions.add, a_session(device_id="BOTSDEVICE", scope=f"{API} {DEVICE}BOTSDEVICE"))
    tables.run(sessions.add, a_session(session_id="9" * 32, device_id="ANOTHERONE"))
    first = make(tables, "a", BOT)
    assert first.ended == ("00" * 16,)
    second = make(tables, "b", BOT)

    assert second.ended == ("a" * 32,)
    assert living(tables) == ["Bot"]
    assert {each.session_id for each in tables.run(sessions.list_living, ALICE)} == {
        "b" * 32,
        "9" * 32,
    }
    assert second.value.device_id == "BOTSDEVICE"


def test_c301_nobody_takes_the_place_of_somebody_elses(tables):
    make(tables, "a")
    tables.run(sessions.add, a_session(session_id="b" * 32, user_id=BOB, began_by=Began.PERSONAL))

    assert make(tables, "c", replaces="b").ended == ()
    assert tables.run(sessions.get, "b" * 32).ended_at is None


def test_c314_there_is_no_room_for_one_more_device(tables):
    tables.run(sessions.add, a_session(device_id="ANOTHERONE", created_at=NOW - 10))

    assert make(tables, "a", BOT, max_devices=1).value is Refusal.NO_ROOM
    assert living(tables) == []
    assert make(tables, "b", max_devices=1).value.device_id is None


@pytest.mark.parametrize("wanted", [READER, BOT], ids=["without a device", "on a device"])
def test_its_name_is_swept_with_its_session(tables, wanted):
    """However that ends; what is written down says so."""
    session = make(tables, "a", wanted).value
    ended = tables.run(
        end_session.revoke, session.session_id, client_id=None, now=NOW + 5, address=None
    )

    assert ended.ended == ("a" * 32,)
    assert living(tables) == []
    assert [each.name for each in tables.run(personal_tokens.list_of, ALICE)] == [wanted.name]
    assert tables.run(sweep.stale, kind="ended sessions", now=NOW + 31 * DAY) == 1
    assert tables.run(personal_tokens.list_of, ALICE) == []
    assert set(tables.events()) == {
        "personal_token_made",
        "personal_token_ended",
        "revoked_by_another",
    }


def test_one_whose_time_is_over_is_swept_and_an_idle_one_is_not(tables):
    """Nobody has to use a token that is to be good for a year."""
    tables.query("INSERT INTO users (name, deactivated) VALUES (?, 0) RETURNING name", ALICE)
    make(tables, "a")
    make(tables, "b", attrs.evolve(READER, lifetime=None))

    stretch = tables.run(
        housekeeping.end_strays, after="", now=NOW + 30 * DAY, idle_limit=DAY, addresses_since=0
    )

    assert stretch.ended == ("a" * 32,)
    assert living(tables, at=31 * DAY) == ["Dashboard"]


def test_signing_out_everywhere_ends_them(tables):
    make(tables, "a")
    make(tables, "b", BOT)

    ended = tables.run(end_session.sign_out_everywhere, ALICE, now=NOW + 5).ended

    assert set(ended) == {"a" * 32, "b" * 32}
    assert living(tables) == []


def test_where_it_was_used_last(tables):
    rows = [
        (ALICE, "one", "192.0.2.1", 5_000),
        (ALICE, "one", "192.0.2.2", 9_000),
        (ALICE, "two", "192.0.2.3", 1_000),
        (BOB, "one", "192.0.2.4", 99_000),
    ]
    with tables.begin() as txn:
        for row in rows:
            txn.execute(
                "INSERT INTO user_ips (user_id, access_token, ip, user_agent, last_seen)"
                " VALUES (?, ?, ?, 'curl', ?)",
                row,
            )

    seen = tables.run(personal_tokens.last_seen, ALICE, ["one", "two", "three"])

    assert {name: (each.at, each.address) for name, each in seen.items()} == {
        "one": (9, "192.0.2.2"),
        "two": (1, "192.0.2.3"),
    }


def test_of_two_at_once_one_is_the_last(tables):
    """As who is signed in asks: the account is held, so nobody counts beside somebody else."""
    by = a_sign_in(user_id=ALICE)
    with tables.begin() as txn:
        txn.execute("INSERT INTO users (name, deactivated) VALUES (?, 0)", (ALICE,))
        sign_ins.add(txn, by)

    def asking(name):
        opening = an_opening(name * 32, kind=rules.GRANT, expires_at=NOW + READER.lifetime)

        def ask(txn):
            return as_signed_in(by, flows.make)(txn, Order(READER, LIMITS), opening, by=by, now=NOW)

        return ask

    made = [outcome.value for outcome in tables.race([asking(name) for name in "abcdef"])]

    assert made.count(Refusal.TOO_MANY) == 4
    assert living(tables) == ["Dashboard"] * 2


def test_the_owner_is_told_once_of_an_end(tables):
    """A week before it; not of one that was made for a short time, has no end, or is over."""
    more = attrs.evolve(LIMITS, most=9)
    make(tables, "a")
    make(tables, "b", attrs.evolve(READER, lifetime=None), limits=more)
    make(tables, "c", attrs.evolve(READER, lifetime=13 * DAY), limits=more)

    def told(at):
        ending = tables.run(flows.list_ending, now=NOW + at, limit=100)
        tables.run(flows.tell_of_ends, ending, now=NOW + at)
        return tables.query(
            "SELECT session_id, user_id FROM nextgen_events WHERE kind = 'personal_token_ending'"
        )

    assert told(13 * DAY - 5) == []
    assert told(23 * DAY - 1) == []
    assert told(23 * DAY) == [("a" * 32, ALICE)]
    assert told(24 * DAY) == [("a" * 32, ALICE)]
    assert told(31 * DAY) == [("a" * 32, ALICE)]


BY_ROOT = Ordered("Bridge", grammar.parse(f"{API} {DEVICE}BOTSDEVICE"), "@root:example.com")


def make_for(tables, name, order=BY_ROOT, user_id=ALICE, *, expires_at=NOW + DAY):
    opening = an_opening(name * 32, kind=rules.GRANT, expires_at=expires_at)
    return tables.transact(flows.make_for, user_id, order, opening, now=NOW)


def renew(tables, name="a", *, by="@root:example.com", expires_at=NOW + 2 * DAY, at=5):
    session = tables.run(sessions.get, name * 32)
    return tables.transact(
        flows.renew,
        name * 32,
        by=by,
        expires_at=expires_at,
        generation=session.generation if session else 1,
        lifetimes=UNLIMITED,
        now=NOW + at,
    )


def test_one_that_an_administrator_makes_is_theirs_and_the_accounts(tables):
    """The account sees it among its own, is told, and can end it."""
    tables.run(sessions.add, a_session(device_id="BOTSDEVICE", scope=f"{API} {DEVICE}BOTSDEVICE"))
    made = make_for(tables, "a")

    assert made.ended == ("00" * 16,)
    assert (made.value.owner_id, made.value.user_id) == ("@root:example.com", ALICE)
    assert tables.run(sessions.get, "a" * 32) == made.value
    assert living(tables) == ["Bridge"]
    assert make_for(tables, "a").value == made.value
    assert tables.query(
        "SELECT user_id FROM nextgen_events WHERE kind = 'personal_token_made'"
    ) == [(ALICE,)]
    ended = tables.run(end_session.end_own, "a" * 32, user_id=ALICE, now=NOW, address=None)
    assert ended.ended == ("a" * 32,)


def test_one_that_an_administrator_makes_for_themselves_has_no_other_owner(tables):
    assert make_for(tables, "a", attrs.evolve(BY_ROOT, owner_id=ALICE)).value.owner_id is None


def test_those_of_administrators_and_those_of_the_account_do_not_count_together(tables):
    """However many others made for it, the owner makes as many as they may, and no more."""
    order = attrs.evolve(BY_ROOT, scope=grammar.parse(READ))
    for name in "123":
        make_for(tables, name, order)
    assert make(tables, "a").value.session_id == "a" * 32
    own = attrs.evolve(order, owner_id=ALICE, most=2)
    assert make_for(tables, "b", own).value.session_id == "b" * 32

    assert make(tables, "c").value is Refusal.TOO_MANY
    assert make_for(tables, "d", own).value is Refusal.TOO_MANY
    assert make_for(tables, "b", own).value.session_id == "b" * 32  # the same request again
    assert make_for(tables, "4", attrs.evolve(order, most=2)).value.session_id == "4" * 32
    assert make_for(tables, "5", attrs.evolve(own, most=None)).value.session_id == "5" * 32
    assert tables.run(sessions.get, "d" * 32) is None


def test_another_value_takes_the_place_of_the_former_one(tables):
    """The session goes on; the number in its token is another."""
    make_for(tables, "a")
    renewed = renew(tables)

    assert renewed.changed == ("a" * 32,)
    assert (renewed.value.generation, renewed.value.expires_at) == (2, NOW + 2 * DAY)
    assert tables.run(sessions.get, "a" * 32) == renewed.value
    (row,) = tables.run(personal_tokens.list_of, ALICE)
    assert row.expires_at == NOW + 2 * DAY
    assert renew(tables, expires_at=None).value.expires_at is None


def test_c349_two_that_renew_at_once_get_the_same_value(tables):
    make_for(tables, "a")
    first = renew(tables).value
    late = tables.run(
        flows.renew,
        "a" * 32,
        by=BY_ROOT.owner_id,
        expires_at=None,
        generation=1,
        lifetimes=UNLIMITED,
        now=NOW + 6,
    )

    assert late.value == first


def test_nobody_renews_what_is_over_or_not_theirs(tables):
    make_for(tables, "a")
    tables.run(sessions.add, a_session())

    assert renew(tables, by=ALICE).value is NotRenewed.ANOTHERS
    assert renew(tables, "0", by=ALICE).value is NotRenewed.UNKNOWN
    assert renew(tables, "f").value is NotRenewed.UNKNOWN
    tables.run(end_session.end_by_id, "a" * 32, why=End.REVOKED, now=NOW)
    assert renew(tables).value is NotRenewed.OVER


def test_one_whose_time_is_over_is_not_renewed(tables):
    """Also before a chore has written down that it is: nothing brings a dead token back."""
    make_for(tables, "a")

    assert renew(tables, at=DAY).value is NotRenewed.OVER
    assert tables.run(sessions.get, "a" * 32).generation == 1
    assert renew(tables, at=DAY - 1).value.generation == 2
