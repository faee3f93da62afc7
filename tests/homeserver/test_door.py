"""The one way into the database: what ended is forgotten, and nothing ends or is written in silence."""

from pathlib import Path

import pytest
import requests

import support
from support.doorman import PATH
from support.metrics import listening, value
from support.oauth import Server
from support.synapse import Homeserver
from support.tokens import inside
from support.waiting import eventually

ENDED = "sessions_ended_total"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def homeserver(request, tmp_path_factory, make_database):
    """Yield a homeserver with a module that runs flows of its own through the door of ours."""
    directory = tmp_path_factory.mktemp("door")
    # Synapse runs in this directory and finds the module there.
    (directory / "support").symlink_to(Path(support.__file__).parent)
    homeserver = Homeserver(
        directory,
        make_database(request.param, directory),
        config={"modules": [{"module": "support.doorman.Module"}]},
    )
    with homeserver:
        homeserver.config |= listening(homeserver)
        homeserver.restart()
        yield homeserver


@pytest.fixture
def tokens(homeserver):
    """Sign in; the session is in the memory of the process."""
    server, user = Server(homeserver.base_url), homeserver.new_user()
    tokens = server.client().sign_in(user.localpart, user.password)
    assert server.whoami(tokens["access_token"]).status_code == 200
    return tokens


@pytest.fixture
def session_id(tokens):
    return inside(tokens["access_token"]).session_id


def run(homeserver, flow, session_id):
    """Run one of the flows of the module; return what became of it."""
    order = {"flow": flow, "session_id": session_id}
    answer = requests.post(f"{homeserver.base_url}{PATH}", json=order, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def row(homeserver, session_id):
    """Return whether a session ended in the database."""
    sql = "SELECT ended_at IS NOT NULL FROM nextgen_sessions WHERE session_id = ?"
    return [bool(ended) for (ended,) in homeserver.query(sql, session_id)] == [True]


@pytest.mark.parametrize(
    ("flow", "refused"), [("silent", "Unsaid"), ("settled", "Unsaid"), ("read", "NotASelect")]
)
def test_a_session_cannot_end_in_silence(homeserver, tokens, session_id, flow, refused):
    """It is refused and undone, so that no worker lives with another truth than the database."""
    assert run(homeserver, flow, session_id) == {"raised": refused}
    assert not row(homeserver, session_id)
    assert Server(homeserver.base_url).whoami(tokens["access_token"]).status_code == 200


def test_what_a_flow_says_is_forgotten_and_its_refusal_raised(homeserver, tokens, session_id):
    """After the commit: the session is over in the database, in memory and in the numbers."""
    before = value(homeserver, ENDED)

    assert run(homeserver, "said", session_id) == {"raised": "OAuthError"}
    assert row(homeserver, session_id)
    assert Server(homeserver.base_url).whoami(tokens["access_token"]).status_code == 401
    assert value(homeserver, ENDED) == before + 1
    assert eventually(lambda: f"Session {session_id} ended" in homeserver.log_text())


def test_what_never_began_is_forgotten_and_not_counted(homeserver, tokens, session_id):
    """A sign-in that was taken back is nobody's session."""
    before = value(homeserver, ENDED)

    assert run(homeserver, "taken back", session_id) == {"returned": "done"}
    assert row(homeserver, session_id)
    assert Server(homeserver.base_url).whoami(tokens["access_token"]).status_code == 401
    assert value(homeserver, ENDED) == before
    assert f"Session {session_id} ended" not in homeserver.log_text()


def test_c347_the_next_attempt_draws_the_same_ids(homeserver, session_id):
    """And what it writes is written once."""
    attempts = run(homeserver, "twice", session_id)["returned"]
    count = "SELECT COUNT(*) FROM nextgen_events WHERE detail = ?"

    assert len(attempts) >= 2
    assert all(attempt == attempts[0] for attempt in attempts)
    assert len(set(attempts[0])) == 2
    assert homeserver.query(count, f"doorman {session_id}") == [(1,)]


def test_where_whoever_is_told_cannot_be_nothing_happens(homeserver, session_id):
    """A 503 for what was done all the same is asked for again: a code would end its session by that."""
    count = "SELECT COUNT(*) FROM nextgen_events WHERE detail = ?"

    assert run(homeserver, "unheard", session_id) == {"raised": "Broken"}
    assert homeserver.query(count, f"unheard {session_id}") == [(0,)]
