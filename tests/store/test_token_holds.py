"""Registration tokens that sign-ups hold: counted once, and given back once."""

import pytest

from support.records import NOW
from synapse_nextgen_auth.store import token_holds
from synapse_nextgen_auth.store.token_holds import Hold


@pytest.fixture
def counts(tables):
    """Return a function that says how a token is counted: pending, completed."""

    def counts_():
        return tables.query("SELECT pending, completed FROM registration_tokens")[0]

    return counts_


@pytest.fixture
def begin(tables, transact):
    """Return a function that lets a session hold the token, as Synapse's checker does."""

    def write(sql, *values):
        with tables.begin() as txn:
            txn.execute(sql, values)

    write("INSERT INTO registration_tokens (token, pending, completed) VALUES ('t', 0, 0)")

    def begin_(session="s", *, browser="b", expires_at=NOW + 60):
        write("UPDATE registration_tokens SET pending = pending + 1")
        transact(token_holds.hold, Hold(session, browser, expires_at), "t")

    return begin_


def holds(tables):
    return tables.query("SELECT ui_auth_session FROM nextgen_token_holds ORDER BY 1")


def test_a_token_is_used_once(tables, transact, begin, counts):
    """However often it is said; nothing is given back any more then."""
    begin()
    assert transact(token_holds.use, "s") == "t"
    assert transact(token_holds.use, "s") is None
    transact(token_holds.give_back, "s")
    transact(token_holds.free, "b", "t")

    assert counts() == (0, 1)
    assert tables.query("SELECT result FROM ui_auth_sessions_credentials") == [("true",)]
    assert holds(tables) == []


def test_a_token_is_given_back_once(tables, transact, begin, counts):
    """And is not used after that: it may be somebody else's by now."""
    begin()
    begin("another", browser="c")
    transact(token_holds.give_back, "s")
    transact(token_holds.give_back, "s")
    assert transact(token_holds.use, "s") is None

    assert counts() == (1, 0)
    assert holds(tables) == [("another",)]


def test_a_token_that_no_account_came_of_is_held_again(tables, transact, begin, counts):
    """Once, and only where it was counted as used before."""
    begin()
    held = Hold("s", "b", NOW + 60)
    transact(token_holds.take_back, held, "t")
    assert counts() == (1, 0)
    transact(token_holds.use, "s")
    transact(token_holds.take_back, held, "t")
    transact(token_holds.take_back, held, "t")

    assert counts() == (1, 0)
    assert holds(tables) == [("s",)]
    transact(token_holds.give_back, "s")
    assert counts() == (0, 0)


def test_what_took_too_long_is_found(tables, transact, begin):
    """And what a clock that ran ahead has written."""
    begin("over", expires_at=NOW)
    begin("under way", expires_at=NOW + 1)
    begin("ahead", expires_at=NOW + 10**6)

    assert transact(token_holds.list_over, now=NOW) == ["over", "ahead"]


def test_a_token_is_held_while_the_account_is_made(tables, transact, begin):
    """Unless it was given back just before; what is held for longer stays so."""
    begin(expires_at=NOW + 1)

    assert transact(token_holds.keep_until, "s", now=NOW, expires_at=NOW + 300)
    assert transact(token_holds.list_over, now=NOW + 299) == []
    assert transact(token_holds.keep_until, "s", now=NOW, expires_at=NOW + 10)
    assert transact(token_holds.list_over, now=NOW + 299) == []
    assert not transact(token_holds.keep_until, "s", now=NOW + 300, expires_at=NOW + 600)
    assert not transact(token_holds.keep_until, "unknown", now=NOW, expires_at=NOW + 600)


def test_whoever_begins_anew_gets_the_own_token_back(tables, transact, begin, counts):
    """In the same browser, and no other token."""
    begin("mine")
    begin("of another", browser="c")
    transact(token_holds.free, "b", "another token")
    assert counts() == (2, 0)

    transact(token_holds.free, "b", "t")

    assert counts() == (1, 0)
    assert holds(tables) == [("of another",)]
