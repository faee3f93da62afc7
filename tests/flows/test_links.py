"""Links with which people set their passwords: one at a time, once, and worthless after any change."""

import attrs
import pytest

from support.records import ADDRESS, ALICE, BOB, NOW, a_session, a_sign_in
from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.outbox import HEAD_START
from synapse_nextgen_auth.accounts.works import SendMail, SignOutDevices
from synapse_nextgen_auth.flows import end_session, links
from synapse_nextgen_auth.flows.links import NewPassword
from synapse_nextgen_auth.store import devices, passwords, sessions, sign_ins
from synapse_nextgen_auth.store import links as rows

MAIL = SendMail("a-mail", "sealed", 0)


pytestmark = pytest.mark.usefixtures("two_accounts")


def set_password(run, password_hash="new", *, now=NOW + 1, sign_out=False, **given):
    new = NewPassword(hash=password_hash, sign_out=sign_out, address=ADDRESS, **given)
    return run(links.set_password, a_link(), new, now=now).value


def give_devices(tables):
    """Give each account devices, one that nobody sees, and tokens, one of no device."""
    with tables.begin() as txn:
        txn.execute("DELETE FROM devices")
        txn.execute("DELETE FROM access_tokens")
        for user_id, device_id, hidden in (
            *((ALICE, "TABLET", False), (ALICE, "PHONE", False), (ALICE, "hidden", True)),
            (BOB, "LAPTOP", False),
        ):
            txn.execute(
                "INSERT INTO devices (user_id, device_id, hidden) VALUES (?, ?, ?)",
                (user_id, device_id, hidden),
            )
    for number, user_id, device_id in ((7, ALICE, "PHONE"), (8, ALICE, None), (11, BOB, "LAPTOP")):
        token(tables, number, user_id, device_id)


def token(tables, number, user_id, device_id):
    with tables.begin() as txn:
        txn.execute(
            "INSERT INTO access_tokens (id, token, user_id, device_id) VALUES (?, ?, ?, ?)",
            (number, f"token {number}", user_id, device_id),
        )


def rows_of(tables, sql):
    return [row[0] for row in tables.query(sql)]


def a_link(name="one", **fields):
    usual = {"kind": LinkKind.COMMAND, "user_id": ALICE}
    return Link(**{"digest": name, **usual, "created_at": NOW, "expires_at": NOW + 3600} | fields)


def make(tables, link, **given):
    return tables.run(links.make, link, now=link.created_at, **given)


def is_good(tables, name, at=1):
    return tables.run(rows.get, name).is_good(NOW + at)


def test_c251_a_link_is_good_until_its_time_is_over(tables):
    make(tables, a_link())

    assert is_good(tables, "one", 3599)
    assert not is_good(tables, "one", 3600)
    assert set_password(tables.run, now=NOW + 3600) is None


def test_c251_a_link_is_spent_once(tables):
    """Whoever is second is told so, however close, and the first password stays."""
    make(tables, a_link())

    assert set_password(tables.run, "first", now=NOW + 1) == links.Done()
    assert set_password(tables.run, "second", now=NOW + 1) is None
    assert tables.run(passwords.of_account, ALICE) == "first"


def test_c251_what_was_written_and_nobody_heard_of_is_known_again(tables):
    """The connection broke during the commit, and the transaction is run once more."""
    give_devices(tables)
    make(tables, a_link())

    first, again = (set_password(tables.transact, sign_out=True, mails=[MAIL]) for _ in range(2))

    assert again == first
    assert first.entry_id in rows_of(tables, "SELECT entry_id FROM nextgen_outbox")
    assert len(rows_of(tables, "SELECT kind FROM nextgen_outbox")) == 2


def test_c251_a_newer_link_voids_the_older_ones_of_that_account_alone(tables):
    make(tables, a_link("one"))
    make(tables, a_link("other", user_id=BOB))

    make(tables, a_link("two", created_at=NOW + 1))

    assert [is_good(tables, name, 2) for name in ("one", "two", "other")] == [False, True, True]


def test_c250_who_knows_the_address_voids_no_link_of_an_administrator(tables):
    """Anybody can ask on the page; what is asked for there ends with the next one, whoever makes it."""
    make(tables, a_link("given"))
    for number, kind in enumerate((LinkKind.RECOVERY, LinkKind.RECOVERY)):
        make(tables, a_link(f"asked {number}", kind=kind))

    good = [is_good(tables, name) for name in ("given", "asked 0", "asked 1")]
    make(tables, a_link("given again"))
    later = [is_good(tables, name) for name in ("given", "asked 1", "given again")]

    assert good == [True, False, True]
    assert later == [False, False, True]


def test_a_link_that_is_made_twice_is_one_and_mailed_once(tables):
    """The main process died after it was made, and does it again."""
    link = a_link(kind=LinkKind.RECOVERY)

    assert make(tables, link, mails=[MAIL])
    assert not make(tables, link, mails=[attrs.evolve(MAIL, mail="another")])
    assert tables.query("SELECT subject FROM nextgen_outbox") == [("a-mail",)]
    assert tables.query("SELECT kind, detail FROM nextgen_events") == [
        ("password_link_made", "recovery")
    ]


def test_why_an_operator_made_it_is_written_down(tables):
    make(tables, a_link(), why="lost the phone")

    assert tables.query("SELECT user_id, detail FROM nextgen_events") == [
        (ALICE, "command: lost the phone")
    ]


def test_c255_a_new_password_signs_every_browser_out_and_tells_the_owner(tables):
    """Others are none of its business."""
    for name, user_id in (("first", ALICE), ("second", ALICE), ("third", BOB)):
        tables.run(sign_ins.add, a_sign_in(name, user_id=user_id))
    make(tables, a_link())

    set_password(tables.run, mails=[MAIL])

    assert tables.query("SELECT user_id FROM nextgen_browsers WHERE ended_at IS NULL") == [(BOB,)]
    assert tables.query("SELECT subject FROM nextgen_outbox") == [("a-mail",)]
    assert ("password_set", ADDRESS) in tables.query("SELECT kind, address FROM nextgen_events")


def test_c255_what_is_to_be_signed_out_is_written_down_with_the_password(tables):
    """The devices of that moment, and the tokens: whoever comes with the new password stays."""
    give_devices(tables)
    make(tables, a_link())
    session = a_session(session_id="one")
    tables.run(sessions.add, session)

    done = set_password(tables.run, sign_out=True)

    assert done.sign_out == SignOutDevices.of(ALICE, ["PHONE", "TABLET"], last_token=8)
    assert tables.query("SELECT due_at FROM nextgen_outbox") == [(NOW + 1 + HEAD_START,)]
    assert tables.run(sessions.get, "one").ended_at == NOW + 1
    assert tables.run(end_session.left_behind, done.sign_out) == ["PHONE", "TABLET"]
    token(tables, 9, ALICE, "PHONE")
    assert tables.run(end_session.left_behind, done.sign_out) == ["TABLET"]
    assert set(tables.run(devices.list_stock_tokens, ALICE, last=8)) == {"token 7", "token 8"}


def test_a_closed_account_gets_no_password(tables):
    """It was closed while the password was hashed, or it never was there."""
    make(tables, a_link())
    with tables.begin() as txn:
        txn.execute(
            "UPDATE users SET deactivated = 1, password_hash = NULL WHERE name = ?", (ALICE,)
        )

    assert set_password(tables.run, mails=[MAIL]) is None
    assert tables.run(passwords.of_account, ALICE) is None
    assert tables.query("SELECT subject FROM nextgen_outbox") == []


def test_c255_whatever_withdraws_makes_links_worthless(tables):
    """A change of the password elsewhere, a lock, a sign-out everywhere."""
    for at, flow in enumerate((end_session.withdraw, end_session.sign_out_everywhere)):
        make(tables, a_link(f"link {at}", created_at=NOW + at))

        tables.run(flow, ALICE, now=NOW + at)

        assert not is_good(tables, f"link {at}", at + 1)
