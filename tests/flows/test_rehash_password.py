"""A password that is kept in another way, by one conditional write."""

import pytest

from support.records import ALICE, BOB, NOW
from synapse_nextgen_auth.accounts.hashes import PasswordHash
from synapse_nextgen_auth.flows.rehash_password import rehash
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import passwords, sweep

pytestmark = pytest.mark.usefixtures("two_accounts")


def made(stand_in, user_id=None):
    return PasswordHash(digest(stand_in), f"argon2 for {stand_in}", NOW, user_id)


def stored(tables, user_id=ALICE):
    return tables.run(passwords.of_account, user_id)


def write(tables, stored):
    """Set a password as Synapse does, which knows of nothing beside."""
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = ? WHERE name = ?", (stored, ALICE))


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

    write(tables, new)
    tables.transact(passwords.belongs, ALICE, new)

    assert tables.run(passwords.get, "hers") is None
    assert tables.run(passwords.get, "his") == made("his", BOB)


def test_a_hash_that_was_made_before_its_account_is_its_own_once_it_is_set(tables):
    tables.run(passwords.add, made("new"))

    write(tables, "new")
    tables.transact(passwords.belongs, ALICE, "new")

    assert tables.run(passwords.get, "new") == made("new", ALICE)


def test_those_whose_password_is_ours_are_listed(tables):
    for name, stand_in in ((ALICE, "hers"), (BOB, "his")):
        tables.run(rehash, name, former=f"of {name}", stand_in=stand_in, made=made(stand_in))
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = 'elsewhere' WHERE name = ?", (BOB,))

    assert tables.run(passwords.list_kept) == [ALICE]


@pytest.mark.parametrize("by", ["typing", "housekeeping"])
def test_what_is_in_use_is_claimed_though_nobody_noted_whose_it_is(tables, by):
    """The process died before it did: the sweep would delete the hash, and the password with it."""
    for stand_in in ("hers", "abandoned"):
        tables.run(passwords.add, made(stand_in))
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = 'hers' WHERE name = ?", (ALICE,))

    if by == "typing":
        tables.transact(passwords.claim, ALICE, "hers")
    else:
        after = ""
        while after is not None:
            after = tables.transact(passwords.claim_some, after=after, limit=1)

    assert tables.run(sweep.stale, kind=sweep.PASSWORDS, now=NOW + 400 * 24 * 3600) == 1
    assert tables.run(passwords.get, "hers") == made("hers", ALICE)
    assert tables.run(passwords.get, "abandoned") is None


@pytest.mark.parametrize("stand_in", ["theirs", "unused", f"of {ALICE}"])
def test_nobody_claims_what_is_not_theirs(tables, stand_in):
    """Of another account, of no account any more, or Synapse's own."""
    tables.run(passwords.add, made("theirs", BOB))
    tables.run(passwords.add, made("unused"))

    tables.transact(passwords.claim, ALICE, stand_in)

    assert tables.run(passwords.get, "theirs").user_id == BOB
    assert tables.run(passwords.get, "unused").user_id is None


def test_whether_there_is_something_to_claim_is_known_beforehand(tables):
    tables.run(passwords.add, made("one"))
    tables.run(passwords.add, made("two", BOB))

    assert tables.run(passwords.has_unclaimed, before=NOW + 1)
    assert not tables.run(passwords.has_unclaimed, before=NOW)


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
@pytest.mark.parametrize("last", ["two", "bcrypt", None])
def test_of_two_that_are_set_at_once_what_the_account_has_is_kept(tables, order, last):
    """Whichever process notes first that it set one: the last that was set is the password."""
    for stand_in in ("one", "two"):
        tables.run(passwords.add, made(stand_in))
    write(tables, last)

    for stand_in in order:
        tables.transact(passwords.belongs, ALICE, last if stand_in == "two" else stand_in)

    assert tables.run(passwords.get, "one") is None
    if last == "two":
        assert tables.run(passwords.get, "two") == made("two", ALICE)
