"""A Synapse module that makes ours a later release, with a step of each kind; list it before ours."""

from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.store.steps import Backfill, Index, Migration

BITE = 3
_LAST = migrations.known()[-1].version
COLUMN = Migration(_LAST + 1, "ALTER TABLE nextgen_sessions ADD COLUMN season TEXT;")
INDEX = Index.of(
    _LAST + 2, "CREATE INDEX nextgen_sessions_by_season ON nextgen_sessions (season, created_at);"
)


def _bite(txn):
    txn.execute(
        "UPDATE nextgen_sessions SET season = 'winter' WHERE session_id IN"
        " (SELECT session_id FROM nextgen_sessions WHERE season IS NULL"
        " ORDER BY session_id LIMIT ?)",
        (BITE,),
    )
    return txn.rowcount


BACKFILL = Backfill(_LAST + 3, "the season of sessions", _bite)
STEPS = (COLUMN, INDEX, BACKFILL)


class Module:
    """Synapse reads the options of every module before it starts the first one."""

    def __init__(self, config, api):
        pass

    @staticmethod
    def parse_config(config):
        shipped = migrations.known()
        migrations.known = lambda: [*shipped, *STEPS]
