"""What is handed out about an account: every table and column was thought of, and no secret is in it."""

import re

import pytest

from support.records import ALICE, BOB, NOW, a_session, a_sign_in
from support.tables import our_columns
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import consents, download, events, sessions, sign_ins
from synapse_nextgen_auth.store.download import LEFT_OUT, PARTS

# Columns whose names say that they hold, or open, something.
_SECRET = re.compile(r"digest|hash|sealed|mac|secret|browser|cookie|session_id|sign_in_id|code")


def test_of_every_table_it_was_decided_whether_it_is_handed_out(tables):
    """A new table is in one of the two lists."""
    there = {table for table, _ in our_columns(tables)}
    handed_out = {part.table for part in PARTS.values()}

    assert there == handed_out | set(LEFT_OUT)
    assert handed_out.isdisjoint(LEFT_OUT)


@pytest.mark.parametrize("name", sorted(PARTS))
def test_of_every_column_it_was_decided_whether_it_is_handed_out(tables, name):
    """A new column is in one of the two, but for whose row it is."""
    part = PARTS[name]
    there = {column for table, column in our_columns(tables) if table == part.table}

    assert there - {part.owner} == {*part.columns, *part.left_out}


@pytest.mark.parametrize("name", PARTS)
def test_c234_no_column_that_opens_something_is_handed_out(name):
    assert not [column for column in PARTS[name].columns if _SECRET.search(column)]


@pytest.mark.parametrize("name", PARTS)
def test_every_part_can_be_read(tables, name):
    """On either database."""
    assert isinstance(tables.run(download.part, ALICE, name), list)


def test_c301_it_is_of_this_account_alone_the_newest_first_and_has_an_end(tables):
    for who in (ALICE, BOB):
        for n in range(3):
            tables.run(events.add, Event(EventKind.SIGNED_IN, NOW + n, who, detail=who))
    found = tables.run(download.part, ALICE, "events", limit=2)

    assert [(row["happened_at"], row["detail"]) for row in found] == [
        (NOW + 2, ALICE),
        (NOW + 1, ALICE),
    ]


def test_what_opens_a_session_or_a_browser_is_in_none_of_it(tables):
    """Not by any other name either."""
    tables.run(sessions.add, a_session(session_id="half-of-a-token"))
    tables.run(sign_ins.add, a_sign_in("digest-of-a-cookie"))
    tables.run(consents.remember, user_id=ALICE, client_id="app", scope="openid", now=NOW)
    found = repr([tables.run(download.part, ALICE, name) for name in PARTS])

    assert "'client_id': 'app'" in found
    assert "half-of-a-token" not in found
    assert "digest-of-a-cookie" not in found
