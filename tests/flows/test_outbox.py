"""Which flows leave something to the main process, and what becomes of what it cannot do."""

from contextlib import suppress

import attrs
import pytest

from support.records import ADDRESS, ALICE, NOW, a_session
from synapse_nextgen_auth.accounts.works import NoteChange, RemovePushers, write
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.flows import outbox as flow
from synapse_nextgen_auth.oauth.sessions import DEVICE_STAYS, End
from synapse_nextgen_auth.store import outbox, sessions

ID = a_session().session_id


def waiting(tables):
    found = tables.run(outbox.list_due, RemovePushers.kind, now=NOW, limit=100)
    return [entry.work for entry in found]


def end(tables, why):
    return tables.transact(end_session.end_by_id, ID, why=why, now=NOW)


@pytest.mark.parametrize("why", End)
def test_pushers_are_left_to_the_main_process_where_the_device_stays(tables, why):
    """In the same transaction, so that nothing between the end and the pushers can get lost."""
    tables.run(sessions.add, a_session())

    end(tables, why)

    assert waiting(tables) == ([RemovePushers(ID, NOW * 1000)] if why in DEVICE_STAYS else [])


def test_a_session_ends_once(tables):
    tables.run(sessions.add, a_session())

    end(tables, End.REUSE)
    end(tables, End.REUSE)

    assert len(waiting(tables)) == 1


def test_a_session_without_a_device_has_no_pushers(tables):
    tables.run(sessions.add, a_session(device_id=None))

    end(tables, End.IDLE)

    assert waiting(tables) == []


def test_an_end_that_is_undone_leaves_nothing(tables):
    tables.run(sessions.add, a_session())
    with suppress(ZeroDivisionError), tables.begin() as txn:
        end_session.end_by_id(txn, ID, why=End.REUSE, now=NOW)
        raise ZeroDivisionError

    assert waiting(tables) == []


NOTE = NoteChange(ALICE, "password", NOW, ALICE, ADDRESS, 0, "1", "", "a digest")


def payloads(tables):
    return [payload for (payload,) in tables.query("SELECT payload FROM nextgen_outbox")]


def given_up(tables):
    with tables.begin() as txn:
        txn.execute(
            "SELECT user_id, session_id, detail FROM nextgen_events WHERE kind = 'given_up'"
        )
        return [tuple(row) for row in txn.fetchall()]


def test_the_account_finds_what_was_given_up_among_its_events(tables):
    tables.run(sessions.add, a_session())
    end(tables, End.REUSE)
    (entry,) = tables.run(outbox.list_due, RemovePushers.kind, now=NOW, limit=1)

    assert tables.run(flow.give_up, entry, now=NOW) is True
    assert tables.run(flow.give_up, entry, now=NOW) is False

    assert given_up(tables) == [(ALICE, ID, RemovePushers.kind)]


def test_what_is_given_up_names_no_network_address_any_more(tables):
    """It stays for a month, so that somebody can look what it was."""
    tables.run(outbox.put, NOTE, now=NOW)
    (entry,) = tables.run(outbox.list_due, NOTE.kind, now=NOW, limit=1)
    tables.run(flow.give_up, entry, now=NOW)

    assert payloads(tables) == [write(attrs.evolve(NOTE, network=""))]


@pytest.mark.parametrize("payload", ["garbage", '{"session": "swept", "ended": 1}'])
def test_what_nobody_can_read_or_is_of_nobody_is_given_up_in_silence(tables, payload):
    tables.run(outbox.put, RemovePushers("swept", 1), now=NOW)
    with tables.begin() as txn:
        txn.execute("UPDATE nextgen_outbox SET payload = ?", (payload,))
    (entry,) = tables.run(outbox.list_due, RemovePushers.kind, now=NOW, limit=1)

    assert tables.run(flow.give_up, entry, now=NOW) is True

    assert given_up(tables) == []
