"""Steps that come while the homeserver runs: an index on a large table, rows that get a new value."""

import pytest

from support.later_release import BACKFILL, BITE, COLUMN, INDEX, STEPS
from support.records import NOW, a_session
from support.tables import KINDS
from synapse_nextgen_auth.store import migrations, sessions
from synapse_nextgen_auth.store.steps import Backfill, Index

ALL = [*migrations.known(), *STEPS]


@pytest.fixture(params=KINDS)
def before(request, make_tables):
    """Return a database of this release with ten sessions, once per kind."""
    tables = make_tables(request.param)
    tables.run(migrations.apply, migrations.known(), now=0)
    for number in range(10):
        session = a_session(session_id=f"s{number}", device_id=f"DEVICE{number}")
        tables.run(sessions.add, session)
    return tables


def versions(tables):
    rows = tables.query("SELECT version FROM nextgen_schema ORDER BY version")
    return [version for (version,) in rows]


def test_only_short_steps_are_done_before_the_first_request(before):
    """An index and a backfill may take minutes; nobody waits for them."""
    before.run(migrations.apply, ALL, now=NOW)

    assert versions(before) == [*range(1, COLUMN.version + 1)]
    assert before.query("SELECT DISTINCT season FROM nextgen_sessions") == [(None,)]
    assert before.run(migrations.later, ALL) == [INDEX, BACKFILL]


def test_a_worker_waits_for_short_steps_only(before):
    before.run(migrations.apply, ALL, now=NOW)

    assert migrations.missing(before.run(migrations.applied), ALL) == []


def test_a_fresh_database_gets_all_of_them_at_once(empty):
    """Its tables are empty, and `synapse_port_db` finds indexes where they belong."""
    empty.run(migrations.apply, ALL, now=NOW)

    assert versions(empty) == [step.version for step in ALL]
    assert empty.run(migrations.later, ALL) == []
    assert empty.run(migrations.advance, ALL, now=NOW) is False


def test_a_backfill_comes_in_bites_and_ends(before):
    """Each says how many rows it changed; one that finds none is the last."""
    before.run(migrations.apply, ALL, now=NOW)

    changed = [before.run(BACKFILL.bite) for _ in range(5)]

    assert changed == [BITE, BITE, BITE, 1, 0]
    assert before.query("SELECT DISTINCT season FROM nextgen_sessions") == [("winter",)]


def test_a_later_step_is_done_once(before):
    """Two processes may both say so."""
    before.run(migrations.apply, ALL, now=NOW)
    for _ in range(2):
        before.run(migrations.done, INDEX, now=NOW)

    assert before.run(migrations.later, ALL) == [BACKFILL]


def test_an_index_that_was_begun_is_built_anew(before):
    """What an interrupted attempt left behind has its name."""
    before.run(migrations.apply, ALL, now=NOW)
    for _ in range(2):
        before.run(INDEX.apply, is_postgres=False)

    assert before.query("SELECT 1 FROM nextgen_sessions WHERE season = 'summer'") == []


def test_an_older_release_refuses_a_later_step_it_does_not_know(before):
    """As it does with any other."""
    before.run(migrations.apply, ALL, now=NOW)

    with pytest.raises(migrations.SchemaRefused, match="Install the newer release again"):
        before.run(migrations.apply, migrations.known(), now=NOW)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX nextgen_a ON nextgen_b (c); CREATE INDEX nextgen_d ON nextgen_b (e);",
        "CREATE UNIQUE INDEX nextgen_a ON nextgen_b (c);",  # it would fail on rows that are there
        "CREATE INDEX a ON nextgen_b (c);",
        "CREATE INDEX nextgen_a ON users (c);",
        "ALTER TABLE nextgen_b ADD COLUMN c TEXT;",
        "",
    ],
)
def test_a_later_file_is_one_index_of_ours(sql):
    """Nothing else can be built beside writers, or be thrown away and begun again."""
    with pytest.raises(ValueError, match="must be one CREATE INDEX"):
        Index.of(7, sql)


def test_an_index_is_built_beside_writers():
    """The comment of the file is not part of it."""
    index = Index.of(7, "-- for the page\nCREATE INDEX nextgen_a\n    ON nextgen_b (c, d);\n")

    assert (index.name, index.table) == ("nextgen_a", "nextgen_b")
    assert index.concurrently == [
        "DROP INDEX CONCURRENTLY IF EXISTS nextgen_a",
        "CREATE INDEX CONCURRENTLY nextgen_a\n    ON nextgen_b (c, d)",
    ]


def test_a_backfill_may_be_mended_and_not_become_another(before):
    """Its name is what the database remembers."""
    before.run(migrations.apply, ALL, now=NOW)
    before.run(migrations.done, BACKFILL, now=NOW)
    mended = Backfill(BACKFILL.version, BACKFILL.name, len)
    other = Backfill(BACKFILL.version, "another", BACKFILL.bite)

    assert before.run(migrations.later, [*ALL[:-1], mended]) == [INDEX]
    with pytest.raises(migrations.SchemaRefused, match="another text"):
        before.run(migrations.later, [*ALL[:-1], other])
