"""Main process and worker: chores run once, and what travels between them is no secret."""

import json
import re

import pytest

from support.oauth import Server
from support.tokens import inside
from support.waiting import eventually

ID = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def homeserver(homeserver_with_worker):
    return homeserver_with_worker


def test_c365_the_chores_run_on_the_process_for_background_tasks_alone(homeserver):
    """`run_background_tasks_on` names the worker; the main process leaves them to it."""
    worker, main = homeserver.workers["worker1"].log_file, homeserver.main.log_file

    for chore in ("nextgen_housekeeping-", "nextgen_strays-"):
        assert eventually(lambda chore=chore: chore in worker.read_text("utf-8"))
        assert chore not in main.read_text("utf-8")


def test_c342_c338_what_caches_are_told_is_no_secret(homeserver):
    """Processes tell each other which session to forget by its id, never by a token."""
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password)
    renewed = client.refresh(tokens["refresh_token"]).json()
    server.revoke(token=renewed["access_token"])
    session_id = inside(renewed["access_token"]).session_id

    rows = homeserver.query("SELECT cache_func, keys FROM cache_invalidation_stream_by_instance")
    told = [key for name, keys in rows if "nextgen" in name for key in as_list(keys)]

    assert session_id in told
    assert [key for key in told if not ID.fullmatch(key)] == []
    for token in (*tokens.values(), *renewed.values()):
        if str(token).startswith("ng"):
            assert token not in str(rows)


def as_list(keys):
    return json.loads(keys) if isinstance(keys, str) else keys or []
