"""What stands in the database: for tests that promise that nothing was written."""

import re
from collections import Counter
from contextlib import contextmanager
from functools import cache

from support.tables import short_steps

TABLES_OF_SYNAPSE = ("access_tokens", "refresh_tokens", "devices")

# The server makes the first by itself, some time after its start; the second only counts requests.
_BY_ITSELF = ("nextgen_signing_keys", "nextgen_throttle")

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
    # Failed sign-ins are written up to a second later: those of a test before may come just now.
    conditions = {"nextgen_events": "WHERE kind NOT IN ('key_rotated', 'sign_in_failed')"}
    selects = (
        f"SELECT '{table}', COUNT(*) FROM {table} {conditions.get(table, '')}" for table in tables()
    )
    return dict(homeserver.query(" UNION ALL ".join(selects)))


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
