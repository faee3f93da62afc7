"""A password that is kept in another way, by one conditional write."""

import pytest

from support.records import ALICE, BOB, NOW
from synapse_nextgen_auth.accounts.hashes import PasswordHash
from synapse_nextgen_auth.flows.rehash_password import rehash
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import passwords


@pytest.fixture(autouse=True)
def accounts(tables):
    with tables.begin() as txn:
        txn.execute("DELETE FROM users")
        for name in (ALICE, BOB):
            txn.execute("INSERT INTO users VALUES (?, 0, ?)", (name, f"of {name}"))


def made(stand_in, user_id=None):
    return PasswordHash(digest(stand_in), f"argon2 for {stand_in}", NOW, user_id)


def stored(tables, user_id=ALICE):
    return tables.run(passwords.of_account, user_id)


def test_the_hash_of_synapse_gives_way_to_a_stand_in(tables):
    done = tables.transact(rehash, ALICE, former=f"of {ALICE}", stand_in="one", made=made("one"))

    assert done is True
    assert stored(tables) == "one"
    assert tables.run(passwords.get, "one") == made("one", ALICE)
    assert stored(tables, BOB) == f"of {BOB}"


def test_whoever_set_another_password_meanwhile_keeps_that(tables):
    done = tables.transact(rehash, ALICE, former="of long ago", stand_in="one", made=made("one"))

    assert done is False
    assert stored(tables) == f"of {ALICE}"
    assert tables.run(passwords.get, "one") is None


def test_of_several_at_once_one_is_kept(tables):
    for name in ("one", "two"):
        tables.run(rehash, ALICE, former=f"of {ALICE}", stand_in=name, made=made(name))

    assert stored(tables) == "one"
    assert tables.run(passwords.get, "two") is None


def test_back_to_synapse_leaves_nothing_of_ours(tables):
    tables.run(rehash, ALICE, former=f"of {ALICE}", stand_in="one", made=made("one"))

    assert tables.transact(rehash, ALICE, former="one", stand_in="bcrypt", made=None) is True

    assert stored(tables) == "bcrypt"
    assert tables.run(passwords.get, "one") is None


@pytest.mark.parametrize("new", ["bcrypt", None])
def test_another_password_ends_what_was_kept(tables, new):
    """As when it is set by somebody else, or taken away with the account; of others nothing."""
    for name, stand_in in ((ALICE, "hers"), (BOB, "his")):
        tables.run(rehash, name, former=f"of {name}", stand_in=stand_in, made=made(stand_in))

    tables.transact(passwords.belongs, ALICE, new)

    assert tables.run(passwords.get, "hers") is None
    assert tables.run(passwords.get, "his") == made("his", BOB)


def test_a_hash_that_was_made_before_its_account_is_its_own_once_it_is_set(tables):
    tables.run(passwords.add, made("new"))

    tables.transact(passwords.belongs, ALICE, "new")

    assert tables.run(passwords.get, "new") == made("new", ALICE)


def test_those_whose_password_is_ours_are_listed(tables):
    for name, stand_in in ((ALICE, "hers"), (BOB, "his")):
        tables.run(rehash, name, former=f"of {name}", stand_in=stand_in, made=made(stand_in))
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = 'elsewhere' WHERE name = ?", (BOB,))

    assert tables.run(passwords.list_kept) == [ALICE]
