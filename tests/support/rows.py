"""What stands in the database: for tests that promise that nothing was written."""

import re
from collections import Counter
from contextlib import contextmanager
from functools import cache

import attrs

from support.tables import short_steps
from synapse_nextgen_auth.oauth.sessions import Session

TABLES_OF_SYNAPSE = ("access_tokens", "refresh_tokens", "devices")

# The server makes the first by itself, some time after its start; the second only counts requests.
_BY_ITSELF = ("nextgen_signing_keys", "nextgen_throttle")

# Failed sign-ins are written up to a second later, those of a test before perhaps just now.
_EVENTS_BY_THEMSELVES = "WHERE kind NOT IN ('key_rotated', 'sign_in_failed')"

# That a token was used is noted in batches, some time after the request.
_NOTED_LATER = {"confirmed_generation", "last_active_at"}

_CREATED = re.compile(r"CREATE TABLE IF NOT EXISTS (nextgen_\w+)")


@cache
def tables():
    """Return our tables, and those of Synapse that hold tokens and devices."""
    created = {name for step in short_steps() for name in _CREATED.findall(step.sql)}
    ours = created - set(_BY_ITSELF)
    assert len(ours) > 5, ours
    return (*sorted(ours), *TABLES_OF_SYNAPSE)


def count(homeserver):
    """Return how many rows each of these tables has."""
    conditions = {"nextgen_events": _EVENTS_BY_THEMSELVES}
    selects = (
        f"SELECT '{table}', COUNT(*) FROM {table} {conditions.get(table, '')}" for table in tables()
    )
    return dict(homeserver.query(" UNION ALL ".join(selects)))


def rows_of_ours(homeserver):
    """Return every row of every table of ours, but for what the server writes by itself.

    As text, so that rows of any shape can be put in order. What counts requests is among them: a look
    at a page costs nothing that is counted.
    """
    noted_at_once = [
        field.name for field in attrs.fields(Session) if field.name not in _NOTED_LATER
    ]
    selects = {table: f"SELECT * FROM {table}" for table in (*tables(), "nextgen_throttle")}
    selects |= {
        "nextgen_events": f"SELECT * FROM nextgen_events {_EVENTS_BY_THEMSELVES}",
        "nextgen_sessions": f"SELECT {', '.join(noted_at_once)} FROM nextgen_sessions",
    }
    ours = {name: select for name, select in selects.items() if name not in TABLES_OF_SYNAPSE}
    found = homeserver.database.read(*ours.values())
    return {table: sorted(map(repr, rows)) for table, rows in zip(ours, found, strict=True)}


def new_rows(homeserver, before):
    """Return which tables have more or fewer rows than `before`, and by how many."""
    now = Counter(count(homeserver))
    now.subtract(before)
    return {table: change for table, change in now.items() if change}


@contextmanager
def unchanged(homeserver):
    """Promise `no-state`: whatever happens within writes and deletes no row."""
    before = count(homeserver)
    yield
    written = new_rows(homeserver, before)
    assert written == {}, written
