"""What Synapse changes by itself: what is written down of it, and who is told."""

from functools import partial

import pytest

from support.records import ADDRESS, ALICE, BOB, NOW
from synapse_nextgen_auth.accounts.factors.mail import FactorMail
from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.notices import Notice, told
from synapse_nextgen_auth.accounts.outbox import LEASE
from synapse_nextgen_auth.accounts.works import NoteChange
from synapse_nextgen_auth.flows import changed_by_synapse as flow
from synapse_nextgen_auth.flows.changed_by_synapse import Change
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import factor_mail, links
from synapse_nextgen_auth.store.own_ways import EMAIL, PHONE

MAIL = "alice@example.com"
OWNER = Owner(user_id=ALICE, now=NOW, address=ADDRESS)
SET = partial(flow.password_set, had_one=True)
GONE = "sealed"


@pytest.fixture(autouse=True)
def accounts(tables):
    with tables.begin() as txn:
        txn.execute("DELETE FROM users")
        for name in (ALICE, BOB):
            txn.execute(
                "INSERT INTO users (name, deactivated, password_hash, creation_ts)"
                " VALUES (?, 0, 'a hash', ?)",
                (name, NOW - 3600),
            )


def happens(tables, what, *args, by=ALICE, is_approved=False, notices=tuple(Notice), **kwargs):
    with tables.begin() as txn:
        txn.told = told(notices)
        what(txn, Change(owner=OWNER, by=by, is_approved=is_approved), *args, **kwargs)


def written(tables):
    return tables.query("SELECT user_id, kind, detail, address FROM nextgen_events")


def waiting(tables):
    """Return of what somebody is to be told, and whether an address is that the account has not."""
    found = tables.query("SELECT subject, payload FROM nextgen_outbox WHERE kind = 'tell'")
    return sorted((subject.partition(" ")[0], GONE in payload) for subject, payload in found)


@pytest.mark.parametrize(
    ("by", "had_one", "said"),
    [
        (ALICE, True, ("changed", ADDRESS)),
        (ALICE, False, ("set", ADDRESS)),
        (None, True, ("recovery", ADDRESS)),
        (BOB, True, ("admin", None)),
    ],
)
def test_a_password_is_told_with_who_set_it(tables, by, had_one, said):
    """Where an administrator is, is no business of the account's."""
    happens(tables, flow.password_set, by=by, had_one=had_one)

    assert written(tables) == [(ALICE, "password_changed", *said)]
    assert waiting(tables) == [("password", False)]


@pytest.mark.parametrize(
    ("by", "since", "is_by_mail"),
    [
        (None, NOW - 60, True),
        (None, NOW, True),
        (None, NOW + 1, False),
        (ALICE, NOW, False),
        (BOB, NOW, False),
    ],
)
def test_c253_whether_a_mail_set_the_password_is_known(tables, by, since, is_by_mail):
    happens(tables, SET, by=by)
    happens(tables, SET, by=ALICE)

    assert tables.run(flow.is_set_by_mail, ALICE, since=since) is is_by_mail
    assert not tables.run(flow.is_set_by_mail, BOB, since=since)


def test_of_an_account_that_is_closed_there_is_nothing_to_say(tables):
    """An administrator sets a password, and opens it again with that."""
    with tables.begin() as txn:
        txn.execute("UPDATE users SET deactivated = 1")
    happens(tables, SET, by=BOB)
    happens(tables, flow.address_added, EMAIL)

    assert written(tables) == []


@pytest.mark.parametrize(
    ("medium", "added", "removed"),
    [
        (EMAIL, "address_added", "address_removed"),
        (PHONE, "phone_added", "phone_removed"),
    ],
)
def test_what_comes_and_goes_is_told(tables, medium, added, removed):
    happens(tables, flow.address_added, medium)
    happens(tables, flow.address_removed, medium, also_to=GONE if medium == EMAIL else "")

    kinds = [kind for _, kind, _, _ in written(tables)]
    assert sorted(kinds) == [added, removed]
    assert ("addresses", medium == EMAIL) in waiting(tables)


@pytest.mark.parametrize("by", [None, BOB])
def test_nobody_is_told_of_the_addresses_that_an_account_is_made_with(tables, by):
    """By signing up, or by an administrator."""
    with tables.begin() as txn:
        txn.execute("UPDATE users SET creation_ts = ?", (NOW - 59,))
    happens(tables, flow.address_added, EMAIL, by=by)

    assert written(tables) == []


def test_whoever_signed_up_just_now_is_told_of_what_is_added_then(tables):
    with tables.begin() as txn:
        txn.execute("UPDATE users SET creation_ts = ?", (NOW - 1,))
    happens(tables, flow.address_added, EMAIL)

    assert tables.events() == ["address_added"]


@pytest.mark.parametrize(
    ("notices", "waits"),
    [
        (tuple(Notice), []),
        ((Notice.PASSWORD,), [("password", False)]),
    ],
)
def test_what_was_approved_is_told_once(tables, notices, waits):
    """With the notice of the approval; where that is off, with its own."""
    happens(tables, SET, is_approved=True, notices=notices)

    assert tables.events() == ["password_changed"]
    assert waiting(tables) == waits


def test_who_loses_an_address_to_another_account_is_told_and_nothing_goes_by_it(tables):
    """Neither codes nor a link; where the other is stays unsaid."""
    tables.run(factor_mail.put, FactorMail(ALICE, MAIL, NOW))
    link = Link("a link", LinkKind.RECOVERY, ALICE, NOW, NOW + 600, address=MAIL)
    tables.run(links.add, link)
    with tables.begin() as txn:
        txn.told = told(tuple(Notice))
        flow.address_lost(txn, ALICE, EMAIL, MAIL, also_to=GONE, now=NOW)

    assert sorted(written(tables)) == [
        (ALICE, "address_removed", None, None),
        (ALICE, "factor_removed", "factor_mail", None),
    ]
    assert waiting(tables) == [("addresses", False), ("addresses", True), ("factors", False)]
    assert tables.run(factor_mail.get, ALICE) is None
    assert not tables.run(links.get, "a link").is_good(NOW)


def a_note(what=flow.PASSWORD, **fields):
    """Return what is written down before Synapse changes something of Alice."""
    usual = {
        "user_id": ALICE,
        "what": what,
        "at": NOW,
        "by": ALICE,
        "network": ADDRESS,
        "is_approved": 0,
        "had": "",
        "medium": EMAIL,
        "about": GONE,
    }
    of_password = {"medium": "", "about": digest("a hash"), "had": "1"}
    return NoteChange(**usual | (of_password if what == flow.PASSWORD else {}) | fields)


def give_mail(tables, user_id):
    with tables.begin() as txn:
        txn.execute("DELETE FROM user_threepids")
        txn.execute(
            "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
            " VALUES (?, ?, ?, 1, 1)",
            (user_id, EMAIL, MAIL),
        )


def noted(tables):
    return tables.query("SELECT due_at FROM nextgen_outbox WHERE kind = 'note_change'")


@pytest.mark.parametrize("by", [flow.note, flow.finish])
@pytest.mark.parametrize(
    ("work", "has_mail", "events"),
    [
        (a_note(), BOB, [(ALICE, "password_changed", "changed", ADDRESS)]),
        (a_note(had=""), BOB, [(ALICE, "password_changed", "set", ADDRESS)]),
        (a_note(by=""), BOB, [(ALICE, "password_changed", "recovery", ADDRESS)]),
        (a_note(flow.ADDED_ONE), ALICE, [(ALICE, "address_added", None, ADDRESS)]),
        (
            a_note(flow.ADDED_ONE, had=BOB),
            ALICE,
            [(ALICE, "address_added", None, ADDRESS), (BOB, "address_removed", None, None)],
        ),
        (a_note(flow.REMOVED_ONE), BOB, [(ALICE, "address_removed", None, ADDRESS)]),
    ],
)
def test_what_was_written_down_before_is_told_once(tables, by, work, has_mail, events):
    """By whoever had Synapse change it, or by the main process where that one died."""
    tables.run(flow.expect, work)
    assert noted(tables) == [(NOW + LEASE,)]
    give_mail(tables, has_mail)

    for each in (by, flow.note, flow.finish):
        tables.run(each, work, MAIL if work.medium else "")

    assert sorted(written(tables)) == events
    assert noted(tables) == []


@pytest.mark.parametrize(
    ("work", "has_mail"),
    [
        (a_note(about=digest("never set")), BOB),
        (a_note(flow.ADDED_ONE), BOB),
        (a_note(flow.REMOVED_ONE), ALICE),
    ],
)
def test_of_what_synapse_never_changed_nobody_is_told(tables, work, has_mail):
    """It refused, or its process died before."""
    tables.run(flow.expect, work)
    give_mail(tables, has_mail)
    said = MAIL if work.medium else ""

    assert tables.run(flow.finish, work, said) is False
    assert (written(tables), noted(tables)) == ([], [(NOW + LEASE,)])
    tables.run(flow.failed, work, said)
    assert (written(tables), noted(tables)) == ([], [])


@pytest.mark.parametrize(
    ("work", "has_mail", "then"),
    [
        (a_note(about=digest("another hash")), BOB, BOB),
        (a_note(flow.ADDED_ONE), BOB, ALICE),
        (a_note(flow.REMOVED_ONE), ALICE, BOB),
    ],
)
def test_what_takes_longer_than_the_main_process_waits_is_told(tables, work, has_mail, then):
    """Or a worker's clock is behind, so that it looks at once."""
    said = MAIL if work.medium else ""
    tables.run(flow.expect, work)
    give_mail(tables, has_mail)
    tables.run(flow.finish, work, said)
    give_mail(tables, then)
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = 'another hash'")
    tables.run(flow.note, work, said)

    assert [kind for _, kind, _, _ in written(tables)] == [
        {flow.PASSWORD: "password_changed"}.get(work.what, f"address_{work.what}")
    ]
    assert noted(tables) == []


def test_what_synapse_said_it_had_not_done_and_did_is_told(tables):
    """A connection that breaks at the end of a transaction leaves that open."""
    work = a_note(flow.REMOVED_ONE)
    tables.run(flow.expect, work)
    give_mail(tables, BOB)
    tables.run(flow.failed, work, MAIL)

    assert written(tables) == [(ALICE, "address_removed", None, ADDRESS)]
    assert noted(tables) == []
