"""The schema: applied once, in order, on either database, and never from an edited text."""

import re
from functools import partial

import attrs
import pytest

from support.records import NOW
from support.tables import contents, short_steps, table_names
from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.store.migrations import SchemaRefused
from synapse_nextgen_auth.store.steps import Migration

SECOND = Migration(
    2,
    """-- A later step; it has a comment with a semicolon; and one at the end of a line.
    ALTER TABLE nextgen_browsers ADD COLUMN name TEXT;  -- what the person calls it; "" for nothing

    CREATE INDEX nextgen_browsers_by_name
        ON nextgen_browsers (name);
    """,
)


def apply(tables, steps=None, *, now=NOW):
    """Apply these steps, or the shipped ones."""
    tables.run(migrations.apply, steps or migrations.known(), now=now)


def versions(tables):
    """Return what the database says it has."""
    return tables.query("SELECT version, applied_at FROM nextgen_schema ORDER BY version")


def next_one(text="CREATE TABLE nextgen_next (id TEXT)"):
    """Return a step after the shipped ones."""
    return Migration(migrations.known()[-1].version + 1, text)


def test_the_steps_are_numbered_from_one_without_gaps():
    """Each has something to do."""
    steps = migrations.known()

    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    assert all(step.statements for step in short_steps())


def test_statements_come_without_comments():
    """Semicolons inside a comment do not split."""
    assert SECOND.statements == [
        "ALTER TABLE nextgen_browsers ADD COLUMN name TEXT",
        "CREATE INDEX nextgen_browsers_by_name\n        ON nextgen_browsers (name)",
    ]


def test_every_name_has_the_common_prefix():
    """Nothing of ours can be mistaken for Synapse's."""
    for step in short_steps():
        for statement in step.statements:
            # A column can be added in no other way on SQLite, and its step is done once.
            named = re.sub(r"^ALTER TABLE (?=\w+ ADD COLUMN)", "ALTER TABLE IF EXISTS ", statement)
            words = named.replace("UNIQUE ", "").split()
            assert words[0] in {"CREATE", "ALTER"}
            assert words[words.index("EXISTS") + 1].startswith("nextgen_"), statement


# A step that was released is in databases, by its checksum; a new one is one more line.
CHECKSUMS = (
    "2b5a605c547f729b26d67f96fd572c25ff2c8078f549d9b75deed2ae380febb3",
    "ff60b3203fe37748575f7675ba801baad33daac90e6023fcab8b3036f1fd67eb",
    "3d7488d62ddc6b936fe3c6799fab6a40f8e45fb74350044ced9562ac1a388bde",
    "8fe0bce164fc474a8255f0cac202d9f69296bc0516359cbff2f124ee647030c5",
    "d33d469324765a79dcc2c0a9bcfc00477f5e40ce2b429b21efe9b3b315b46b70",
    "0f66e0fe2085547efebfb42e7dc838e834ac7cd17f8351e40353c4230c733b1a",
)


def test_c371_a_released_step_never_changes():
    """Whoever upgrades would be refused; what is to be otherwise is a new step."""
    known = [step.checksum for step in migrations.known()]

    assert tuple(known[: len(CHECKSUMS)]) == CHECKSUMS


def test_columns_are_text_or_bigint():
    """So the rows travel from SQLite to PostgreSQL through synapse_port_db untouched."""
    creations = [
        statement
        for step in short_steps()
        for statement in step.statements
        if statement.startswith("CREATE TABLE")
    ]

    assert len(creations) == len(table_names()) >= 9
    for creation in creations:
        columns = creation.partition("(")[2].splitlines()
        kinds = {line.split()[1] for line in columns if line[:5].strip() == "" and line.split()}
        assert kinds - {"KEY"} <= {"TEXT", "BIGINT"}, creation


def test_c371_applying_twice_does_nothing(empty):
    """A second start, or a second process that starts: the tables and their rows stay."""
    apply(empty)
    empty.run(
        lambda txn: txn.execute(
            "INSERT INTO nextgen_browsers (digest, user_id, signed_in_at, last_active_at)"
            " VALUES ('d', '@a:hs', 1, 1)",
        )
    )
    before = empty.run(contents)

    apply(empty, now=NOW + 99)

    assert empty.run(contents) == before
    assert versions(empty) == [(step.version, NOW) for step in migrations.known()]


def test_c370_processes_that_start_at_once_apply_it_once(tables):
    """The lock of the caller aside: the tables are there, and nobody has anything left to do."""
    tables.race([partial(migrations.apply, steps=migrations.known(), now=NOW)] * 4)

    assert len(versions(tables)) == len(migrations.known())


def test_a_later_step_is_applied_alone(empty):
    """What is there already is not touched again."""
    apply(empty)
    steps = [*migrations.known(), attrs.evolve(SECOND, version=next_one().version)]

    apply(empty, steps, now=NOW + 5)

    assert versions(empty)[-1] == (steps[-1].version, NOW + 5)
    assert [at for _, at in versions(empty)[:-1]] == [NOW] * (len(steps) - 1)
    assert empty.query("SELECT name FROM nextgen_browsers") == []


def test_c371_a_step_that_fails_leaves_nothing_half_done(empty):
    """Killed or refused in the middle: the next start begins where this one did."""
    apply(empty)
    broken = next_one("CREATE TABLE nextgen_next (id TEXT); CREATE TABLE nextgen_next (id TEXT)")

    with pytest.raises(Exception, match="already exists"):
        apply(empty, [*migrations.known(), broken])

    assert len(versions(empty)) == len(migrations.known())
    apply(empty, [*migrations.known(), next_one()])
    assert empty.query("SELECT * FROM nextgen_next") == []


def test_c371_an_edited_step_is_refused(empty):
    """Nobody knows then what the tables look like."""
    apply(empty)
    first, *rest = migrations.known()
    edited = attrs.evolve(first, sql=first.sql + "\n")

    with pytest.raises(SchemaRefused, match=r"Step 1 .* another text"):
        apply(empty, [edited, *rest])


def test_c374_a_newer_database_is_refused(empty):
    """A downgrade changes nothing, and the message says what to do."""
    apply(empty, [*migrations.known(), next_one()])
    before = versions(empty)
    newest = next_one().version

    with pytest.raises(SchemaRefused) as refused:
        apply(empty)

    assert f"are at version {newest}, this release knows {newest - 1}" in str(refused.value)
    assert "Install the newer release again" in str(refused.value)
    assert versions(empty) == before


def test_a_worker_knows_what_it_waits_for(empty):
    """The same rule tells it whether the main process is done."""
    steps = [*migrations.known(), next_one()]
    apply(empty)

    have = empty.run(migrations.applied)

    assert migrations.missing(have, migrations.known()) == []
    assert migrations.missing(have, steps) == [steps[-1]]
    # What is done while the homeserver runs, nobody waits for.
    short = [step for step in steps if isinstance(step, Migration)]
    assert migrations.missing({}, steps) == short


@pytest.mark.parametrize("table", table_names())
def test_c351_every_table_has_a_primary_key(tables, table):
    """No row can be there twice, whatever the code thinks."""
    (step,) = (
        statement
        for migration in short_steps()
        for statement in migration.statements
        if statement.startswith(f"CREATE TABLE IF NOT EXISTS {table} ")
    )

    assert "PRIMARY KEY" in step
    assert tables.count(table) == 0


def test_c394_rows_of_sessions_have_room_for_their_next_version(postgres_tables):
    """Hardly any refresh touches an index (HOT), however full the table was written."""
    with postgres_tables.begin() as txn:
        txn.execute("SELECT reloptions FROM pg_class WHERE oid = 'nextgen_sessions'::regclass")

        assert txn.fetchone()[0] == ["fillfactor=80"]


def test_what_only_postgresql_knows_is_left_out_elsewhere(empty):
    """The step counts as done on either, so that the numbers go on."""
    step = attrs.evolve(next_one("CREATE TABLE nextgen_next (id TEXT)"), postgres_only=True)

    empty.run(migrations.apply, [*migrations.known(), step], now=NOW)

    assert versions(empty)[-1] == (step.version, NOW)
    empty.run(lambda txn: txn.execute("CREATE TABLE nextgen_next (id TEXT)"))
