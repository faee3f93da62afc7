"""Processes that meet tables older or newer than their own release."""

import time
from pathlib import Path

import pytest

import support
from support.databases import PostgresDatabase
from support.deployment import PROCESSES, HoppingBrowser
from support.scale import times
from support.synapse import Homeserver
from support.tables import short_steps, table_names
from support.television import Television, let_in
from support.waiting import eventually
from synapse_nextgen_auth.cli.synapse_process import SynapseStoppedError, is_healthy
from synapse_nextgen_auth.store import migrations

WORKERS = tuple(f"worker{n}" for n in range(1, times(2, 4) + 1))
VERSIONS = [(migration.version,) for migration in migrations.known()]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory, postgres_server, redis_server):
    """Yield a homeserver with workers, none of them running, on a database of stock Synapse."""
    directory = tmp_path_factory.mktemp("schema")
    database = PostgresDatabase.on(postgres_server)
    homeserver = Homeserver(directory, database, module=None, redis=redis_server)
    homeserver.start()
    homeserver.stop()
    homeserver.module = {}
    homeserver.write_config()
    for name in WORKERS:
        homeserver.workers[name] = homeserver.new_worker(name)
    yield homeserver
    homeserver.stop()


def versions(homeserver):
    return homeserver.query("SELECT version FROM nextgen_schema ORDER BY version")


def says(process, words):
    def look():
        return process.log_file.exists() and words in process.log_file.read_text()

    return eventually(look)


def test_c370_workers_wait_for_the_main_process(fresh):
    """The first start of all at once: one makes the tables, the others wait for it."""
    early, *others = fresh.workers.values()

    early.begin()
    waited = says(early, "Waiting for the main process")
    answered = is_healthy(early.port)
    for process in (fresh.main, *others):
        process.begin()
    for process in (fresh.main, early, *others):
        process.wait()

    assert waited
    assert not answered
    assert versions(fresh) == VERSIONS
    fresh.stop()


def test_c374_a_newer_schema_is_refused_and_nothing_changes(fresh):
    """After a downgrade every process says what to do, and goes when it was done."""
    fresh.query("INSERT INTO nextgen_schema VALUES (999, 'from the future', 0)")
    try:
        for process in (fresh.main, fresh.workers["worker1"]):
            with pytest.raises(SynapseStoppedError) as refused:
                process.start()

            assert "Install the newer release again" in str(refused.value)
            assert "version 999" in str(refused.value)
        assert versions(fresh) == [*VERSIONS, (999,)]
    finally:
        fresh.query("DELETE FROM nextgen_schema WHERE version = 999")


def test_c370_a_worker_gives_up_with_a_clear_message(fresh):
    """A worker whose main process never brings the tables up to date says so and ends."""
    # The last one that somebody waits for: indexes on large tables come while the homeserver runs.
    awaited = short_steps()[-1].version
    fresh.query("UPDATE nextgen_schema SET version = 0 WHERE version = ?", awaited)
    (fresh.directory / "support").symlink_to(Path(support.__file__).parent)
    fresh.config = {"modules": [{"module": "support.impatience.Module"}]}
    fresh.write_config()
    worker = fresh.workers["worker1"]
    start = time.monotonic()
    try:
        with pytest.raises(SynapseStoppedError) as refused:
            worker.start()
    finally:
        fresh.query("UPDATE nextgen_schema SET version = ? WHERE version = 0", awaited)

    assert time.monotonic() - start > 3
    assert "Start it with the same release of the module" in str(refused.value)


def test_c362_processes_go_on_while_a_newer_release_changed_the_tables(deployment):
    """The main process of a rolling upgrade is restarted first: the workers still run the old one."""
    user, client = deployment.new_user(), deployment.server().client()
    earlier = client.sign_in(user.localpart, user.password)
    tables = [name for name in table_names() if name != "nextgen_rendezvous"]
    for table in tables:
        deployment.query(f"ALTER TABLE {table} ADD COLUMN from_the_future TEXT")
    deployment.query("INSERT INTO nextgen_schema VALUES (999, 'from the future', 0)")
    try:
        answers = []
        for name in PROCESSES:
            at = deployment.at(name, client)
            television = Television.begin(at.server)
            let_in(HoppingBrowser(deployment, name), television, user)
            answers += [television.poll(), at.refresh(earlier["refresh_token"])]
            browser = HoppingBrowser(deployment, name)
            tokens = at.sign_in(user.localpart, user.password, browser=browser)
            answers += [at.server.whoami(tokens["access_token"])]
            answers += [at.server.revoke(token=tokens["refresh_token"])]
    finally:
        deployment.query("DELETE FROM nextgen_schema WHERE version = 999")
        for table in tables:
            deployment.query(f"ALTER TABLE {table} DROP COLUMN from_the_future")

    assert [answer.status_code for answer in answers] == [200] * 12
