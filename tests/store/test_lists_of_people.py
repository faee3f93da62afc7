"""What the admin API lists, and what it calls things, on either database."""

import pytest

from support.records import NOW
from synapse_nextgen_auth.accounts import ulids as names
from synapse_nextgen_auth.accounts.own_ways import Identity
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.flows import administration as flows
from synapse_nextgen_auth.flows.administration import Not
from synapse_nextgen_auth.store import email_lists as emails
from synapse_nextgen_auth.store import link_lists as links
from synapse_nextgen_auth.store import registration_token_lists as registration_tokens
from synapse_nextgen_auth.store import ulids
from synapse_nextgen_auth.store import user_lists as users
from synapse_nextgen_auth.store.user_lists import Wanted
from synapse_nextgen_auth.store.windows import Window

SERVER = "example.com:8448"
ALL = Window(100)


def add_user(txn, name, **columns):
    given = {"deactivated": 0, "admin": 0, "is_guest": 0, "creation_ts": NOW} | columns
    txn.execute(
        f"INSERT INTO users (name, {', '.join(given)}) VALUES (?, {', '.join('?' * len(given))})",
        (f"@{name}:{SERVER}", *given.values()),
    )


@pytest.fixture
def people(tables):
    """Fill the table of accounts."""

    def fill(txn):
        add_user(txn, "alice", admin=1)
        add_user(txn, "bob")
        add_user(txn, "carol", locked=True)
        add_user(txn, "dave", deactivated=1)
        add_user(txn, "eve", is_guest=1)
        add_user(txn, "ghost", appservice_id="bridge")
        add_user(txn, "under_score")

    tables.run(fill)
    return tables


def listed(people, window=ALL, **wanted):
    found = people.run(users.list_users, Wanted(SERVER, **wanted), window, now=NOW)
    return [user.user_id[1:].partition(":")[0] for user in found]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["alice", "bob", "carol", "dave", "eve", "under_score"]),
        ({"admin": True}, ["alice"]),
        ({"admin": False, "guest": False}, ["bob", "carol", "dave", "under_score"]),
        ({"guest": True}, ["eve"]),
        ({"status": "active"}, ["alice", "bob", "eve", "under_score"]),
        ({"status": "locked"}, ["carol"]),
        ({"status": "deactivated"}, ["dave"]),
        ({"search": "O"}, ["bob", "carol", "under_score"]),
        ({"search": "_"}, ["under_score"]),
        ({"search": "%"}, []),
        ({"search": "!"}, []),
        ({"search": "example"}, []),
        ({"search": ":"}, []),
        ({"search": "@"}, []),
        ({"has_session": True}, []),
        ({"has_legacy_session": False, "search": "alice"}, ["alice"]),
        ({"clients": ("client",)}, []),
    ],
)
def test_accounts_are_found_by_what_they_are(people, wanted, found):
    assert listed(people, **wanted) == found
    assert people.run(users.count, Wanted(SERVER, **wanted), now=NOW) == len(found)


def test_a_window_is_read_from_either_end(people):
    """One row more than it has says that there are more; both ends may be closed."""

    def at(name):
        return (f"@{name}:{SERVER}",)

    assert listed(people, Window(2)) == ["alice", "bob", "carol"]
    assert listed(people, Window(2, after=at("bob"))) == ["carol", "dave", "eve"]
    assert listed(people, Window(2, backwards=True)) == ["under_score", "eve", "dave"]
    assert listed(people, Window(2, before=at("carol"), backwards=True)) == ["bob", "alice"]
    assert listed(people, Window(9, after=at("alice"), before=at("dave"))) == ["bob", "carol"]


def test_since_when_it_is_locked_is_known_from_the_first_look(people):
    """And forgotten where it is unlocked, whoever did that."""
    carol = f"@carol:{SERVER}"

    def set_locked(txn, value):
        txn.execute("UPDATE users SET locked = ? WHERE name = ?", (value, carol))

    assert people.run(users.get, carol, now=NOW).locked_at == NOW
    assert people.run(users.get, carol, now=NOW + 5).locked_at == NOW
    people.run(set_locked, False)
    assert people.run(users.get, carol, now=NOW + 6).locked_at is None
    people.run(set_locked, True)
    assert people.run(users.get, carol, now=NOW + 7).locked_at == NOW + 7


def test_what_something_is_called_stays(tables):
    """Whoever asks again hears the same, though another time is told; and finds it by that."""
    first = tables.run(ulids.name, Kind.USER, {"a": 1_000, "b": 2_000})
    again = tables.run(ulids.name, Kind.USER, {"a": 9_000, "b": 2_000, "c": 3_000})

    assert {key: again[key] for key in first} == first
    assert names.made_at(first["a"]) == 1_000
    assert tables.run(ulids.find, Kind.USER, first["a"]) == "a"
    assert tables.run(ulids.find, Kind.EMAIL, first["a"]) is None


def test_the_name_of_a_secret_says_nothing_of_it(tables):
    """Nobody finds out which token it is by trying."""
    named = tables.run(ulids.name, Kind.REGISTRATION_TOKEN, {"abc": 1_000})["abc"]

    assert named != names.make(Kind.REGISTRATION_TOKEN, "abc", 1_000)
    assert tables.run(ulids.name, Kind.REGISTRATION_TOKEN, {"abc": 5})["abc"] == named


def test_accounts_that_nobody_knows_have_no_name(people):
    named = people.run(ulids.name_users, [f"@alice:{SERVER}", "@nobody:here"])

    assert [*named] == [f"@alice:{SERVER}"]
    assert names.made_at(named[f"@alice:{SERVER}"]) == NOW * 1000


def test_addresses_and_links_are_listed_by_what_they_are(people):
    """Each of one account; what its id stands for is no address."""
    alice, bob = f"@alice:{SERVER}", f"@bob:{SERVER}"
    add = people.run
    assert add(flows.add_email, alice, "a@example.com", now=NOW) is None
    assert add(flows.add_email, alice, "a@example.com", now=NOW) is Not.THERE
    assert add(flows.add_email, bob, "a@example.com", now=NOW) is Not.TAKEN
    assert add(flows.add_email, f"@dave:{SERVER}", "d@example.com", now=NOW) is Not.CLOSED
    assert add(flows.add_email, bob, "b@example.com", now=NOW) is None
    nobody = {"user_id": None, "address": None}
    found = people.run(emails.list_emails, ALL, **nobody)

    assert [(each.address, each.user_id) for each in found] == [
        ("a@example.com", alice),
        ("b@example.com", bob),
    ]
    assert people.run(emails.count, **nobody) == 2
    assert people.run(emails.list_emails, ALL, user_id=bob, address=None) == found[1:]
    assert people.run(emails.find, found[0].key) == found[0]
    assert "a@example.com" not in found[0].key
    removed = people.run(flows.remove_email, alice, "a@example.com", also_to="", now=NOW)
    assert removed is None
    assert people.run(emails.find, found[0].key) is None


def test_links_are_listed_by_provider_and_subject(people):
    alice, bob = f"@alice:{SERVER}", f"@bob:{SERVER}"
    one, other = Identity("oidc-a", "1"), Identity("oidc-b", "1")
    assert people.run(flows.connect, alice, other, now=NOW) is None
    assert people.run(flows.connect, alice, one, now=NOW) is None
    assert people.run(flows.connect, alice, one, now=NOW) is Not.THERE
    assert people.run(flows.connect, bob, one, now=NOW) is Not.TAKEN
    nobody = {"user_id": None, "provider": None, "subject": None}
    found = people.run(links.list_links, ALL, **nobody)

    assert [each.provider for each in found] == ["oidc-a", "oidc-b"]
    after = Window(5, after=("oidc-a", "1"))
    assert people.run(links.list_links, after, **nobody) == found[1:]
    assert people.run(links.count, user_id=alice, provider="oidc-a", subject="1") == 1
    assert people.run(links.find, found[0].key) == found[0]
    assert people.run(flows.disconnect, alice, one, now=NOW) is None
    assert people.run(flows.disconnect, alice, one, now=NOW) is Not.ABSENT
    assert people.run(links.find, found[0].key) is None


def make_token(txn, token, **columns):
    given = {"uses_allowed": None, "pending": 0, "completed": 0, "expiry_time": None} | columns
    txn.execute(
        f"INSERT INTO registration_tokens (token, {', '.join(given)})"
        f" VALUES (?, {', '.join('?' * len(given))})",
        (token, *given.values()),
    )


@pytest.mark.parametrize("name", ["used", "revoked", "expired", "valid"])
def test_what_is_asked_of_registration_tokens_agrees_with_what_is_told(tables, name):
    """The statement and the record judge each token alike, and nobody is left out."""
    cases = {
        "fresh": {},
        "limited": {"uses_allowed": 2, "completed": 1},
        "used-up": {"uses_allowed": 2, "completed": 1, "pending": 1},
        "endless": {"uses_allowed": 0, "completed": 7},
        "over": {"expiry_time": (NOW - 1) * 1000},
        "later": {"expiry_time": (NOW + 9) * 1000},
        "no-time": {"expiry_time": 0},
        "taken-back": {"expiry_time": (NOW + 9) * 1000},
        "revoked": {"uses_allowed": 5},
    }
    for token, columns in cases.items():
        tables.run(make_token, token, **columns)
    for token in ("revoked", "taken-back"):
        assert tables.run(flows.revoke, token, now=NOW).revoked_at == NOW
    assert tables.run(flows.revoke, "revoked", now=NOW) is Not.THERE
    assert tables.run(flows.restore, "taken-back").expires_at == (NOW + 9) * 1000
    assert tables.run(flows.restore, "taken-back") is Not.THERE
    judge = {
        "used": lambda each: each.completed > 0,
        "revoked": lambda each: each.revoked_at is not None,
        "expired": lambda each: each.expires_at is not None and each.expires_at < NOW * 1000,
        "valid": lambda each: each.is_valid(NOW),
    }[name]
    every = tables.run(registration_tokens.list_tokens, registration_tokens.Wanted(), ALL, now=NOW)

    assert len(every) == len(cases)
    for value in (True, False):
        wanted = registration_tokens.Wanted(**{name: value})
        found = tables.run(registration_tokens.list_tokens, wanted, ALL, now=NOW)
        assert found == [each for each in every if judge(each) is value]
        assert tables.run(registration_tokens.count, wanted, now=NOW) == len(found)


def test_a_revoked_token_is_changed_for_when_it_comes_back(tables):
    """Until then nobody uses it; who sets a time by Synapse's own API takes it back by that."""
    tables.run(make_token, "t")
    tables.run(flows.revoke, "t", now=NOW)
    ends = (NOW + 60) * 1000
    edited = tables.run(flows.edit, "t", end=(ends,), limit=(3,))

    assert (edited.expires_at, edited.uses_allowed, edited.revoked_at) == (ends, 3, NOW)
    assert not edited.is_valid(NOW)
    assert tables.run(flows.restore, "t").expires_at == ends
    tables.run(flows.revoke, "t", now=NOW)
    tables.run(registration_tokens.set_end, "t", ends)
    assert tables.run(registration_tokens.get, "t").revoked_at is None
    assert tables.run(flows.edit, "nothing", end=(None,)) is Not.ABSENT
