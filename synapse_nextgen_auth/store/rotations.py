"""Rotations of many sessions in one statement, for a connection that runs it as it is (PostgreSQL).

It does what `sessions.rotate` does, and is no part of a transaction. A row that somebody else
writes at this moment is left out, so that nobody waits for anybody and no two can wait for each other.
"""

from collections.abc import Sequence
from typing import Any

import attrs

from synapse_nextgen_auth.records import frozen


@frozen
class Rotation:
    """A session that goes from `generation` to the next one, as `sessions.rotate` takes it."""

    session_id: str
    client_id: str
    generation: int
    idle_since: int
    now: int


def together(rotations: Sequence[Rotation]) -> tuple[str, list[Any]]:
    """Return the statement that rotates these sessions, each at most once, and its parameters.

    Its rows are the ids of those that went on. What is locked was looked at again as it is now, so
    the second look at the same rows needs no condition.
    """
    if len(rotations) == 1:
        (only,) = rotations  # half the work for PostgreSQL
        return _ONE, [
            only.now,
            only.session_id,
            only.generation,
            only.client_id,
            only.idle_since,
            only.idle_since,
        ]
    # In one order everywhere.
    columns = zip(*sorted(attrs.astuple(rotation) for rotation in rotations), strict=True)
    return _MANY, [list(column) for column in columns]


_ONE = (
    "UPDATE nextgen_sessions SET generation = generation + 1, rotated_at = %s"
    " WHERE session_id = (SELECT session_id FROM nextgen_sessions"
    " WHERE session_id = %s AND generation = %s AND client_id = %s AND ended_at IS NULL"
    " AND (rotated_at > %s OR last_active_at > %s) FOR NO KEY UPDATE SKIP LOCKED)"
    " RETURNING session_id"
)
_MANY = (
    "WITH asked (id, client, seen, since, at) AS ("
    "SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])),"
    " free AS (SELECT session_id, at FROM nextgen_sessions"
    " JOIN asked ON session_id = id AND generation = seen AND client_id = client"
    " WHERE ended_at IS NULL AND (rotated_at > since OR last_active_at > since)"
    " FOR NO KEY UPDATE OF nextgen_sessions SKIP LOCKED)"
    " UPDATE nextgen_sessions SET generation = generation + 1, rotated_at = free.at FROM free"
    " WHERE nextgen_sessions.session_id = free.session_id RETURNING nextgen_sessions.session_id"
)
