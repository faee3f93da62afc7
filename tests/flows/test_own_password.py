"""The password of whoever is signed in: changed, set, removed; and what the former one let in."""

import pytest

from support.records import ADDRESS, ALICE, BOB, NOW, a_session, a_sign_in
from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.own_ways import LetsIn
from synapse_nextgen_auth.flows import own_password
from synapse_nextgen_auth.flows.own_password import Change, Done
from synapse_nextgen_auth.store import links, passwords, sessions, sign_ins

LETS_IN = LetsIn(passwords=True, providers=frozenset({"oidc-a"}))


@pytest.fixture(autouse=True)
def accounts(tables, two_accounts):
    """Give Alice two browsers, a session and a link."""
    with tables.begin() as txn:
        for table in ("devices", "access_tokens"):
            txn.execute(f"DELETE FROM {table}")
        txn.execute(
            "INSERT INTO devices (user_id, device_id, hidden) VALUES (?, ?, ?)",
            (ALICE, "PHONE", False),
        )
        sign_ins.add(txn, a_sign_in("here", user_id=ALICE, sign_in_id="here"))
        sign_ins.add(txn, a_sign_in("elsewhere", user_id=ALICE, sign_in_id="elsewhere"))
        sessions.add(txn, a_session(user_id=ALICE, device_id="PHONE"))
        links.add(txn, Link("a link", LinkKind.RECOVERY, ALICE, NOW, NOW + 3600))


HERE = a_sign_in("here").digest


def change(run, password_hash="new", *, sign_out=False):
    new = Change(hash=password_hash, sign_out=sign_out, keep=HERE, address=ADDRESS)
    return run(own_password.change, ALICE, new, now=NOW + 1).value


def remove(tables, lets_in=LETS_IN):
    return tables.run(own_password.remove, ALICE, lets_in, keep=HERE, now=NOW + 1, address=ADDRESS)


def signed_in(tables):
    return {
        name: each is None
        for name, each in tables.query("SELECT sign_in_id, ended_at FROM nextgen_browsers")
    }


def connect(tables, provider="oidc-a"):
    with tables.begin() as txn:
        txn.execute("INSERT INTO user_external_ids VALUES (?, ?, ?)", (provider, "1", ALICE))


def test_c233_other_browsers_are_signed_out_and_this_one_stays(tables):
    done = change(tables.run)

    assert done == Done()
    assert tables.run(passwords.of_account, ALICE) == "new"
    assert tables.run(passwords.of_account, BOB) == f"of {BOB}"
    assert signed_in(tables) == {"here": True, "elsewhere": False}
    assert not tables.run(links.get, "a link").is_good(NOW + 1)
    assert tables.query("SELECT ended_at FROM nextgen_sessions") == [(None,)]
    assert tables.query("SELECT kind, detail, address FROM nextgen_events") == [
        ("password_changed", "changed", ADDRESS)
    ]


def test_c233_devices_go_where_that_is_wanted(tables):
    """Sessions end in the same transaction; the devices wait in the outbox, in case nobody comes."""
    done = change(tables.run, sign_out=True)

    assert done.sign_out.device_ids == ("PHONE",)
    assert tables.query("SELECT entry_id FROM nextgen_outbox WHERE kind = 'sign_out_devices'") == [
        (done.entry_id,)
    ]
    assert tables.query("SELECT end_reason FROM nextgen_sessions") == [("logout",)]
    assert signed_in(tables) == {"here": True, "elsewhere": False}


def test_what_was_written_and_nobody_heard_of_is_known_again(tables):
    first, again = (change(tables.transact, sign_out=True) for _ in range(2))

    assert again == first
    assert tables.query("SELECT COUNT(*) FROM nextgen_outbox WHERE kind = 'sign_out_devices'") == [
        (1,)
    ]


def test_a_closed_account_gets_none(tables):
    with tables.begin() as txn:
        txn.execute(
            "UPDATE users SET deactivated = 1, password_hash = NULL WHERE name = ?", (ALICE,)
        )

    assert change(tables.run) is None
    assert tables.run(passwords.of_account, ALICE) is None


def test_whoever_had_none_sets_the_first(tables):
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = NULL WHERE name = ?", (ALICE,))

    change(tables.run)

    assert tables.query("SELECT detail FROM nextgen_events") == [("set",)]


def test_the_last_way_in_stays(tables):
    assert remove(tables) is False
    assert tables.run(passwords.of_account, ALICE) == f"of {ALICE}"
    assert signed_in(tables) == {"here": True, "elsewhere": True}


def test_a_password_goes_where_a_provider_lets_its_person_in(tables):
    connect(tables)

    assert remove(tables) is True
    assert remove(tables) is True  # pressed twice
    assert tables.run(passwords.of_account, ALICE) is None
    assert signed_in(tables) == {"here": True, "elsewhere": False}
    assert not tables.run(links.get, "a link").is_good(NOW + 1)
    assert tables.events() == ["password_removed"]


def test_a_provider_that_is_no_more_lets_nobody_in(tables):
    connect(tables, "oidc-gone")

    assert remove(tables) is False
