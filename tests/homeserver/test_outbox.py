"""The main process does what waits for it; one entry that cannot be done is in nobody's way."""

import time

import pytest

from support import metrics
from support.pushers import pushkeys, set_pusher
from support.waiting import eventually

KIND = "remove_pushers"


@pytest.fixture
def write(homeserver):
    """Return a function that writes an entry past every rule, as a mistake of a release would."""

    def write(entry_id, kind=KIND, *, payload="garbage", age=0, tries=0):
        now = int(time.time())
        homeserver.query(
            "INSERT INTO nextgen_outbox (entry_id, kind, subject, position, payload,"
            " written_at, due_at, tries) VALUES (?, ?, ?, 1, ?, ?, ?, ?)",
            *(entry_id, kind, entry_id, payload, now - age, now, tries),
        )

    yield write
    homeserver.query("DELETE FROM nextgen_outbox")


@pytest.fixture
def reuse(homeserver, server):
    """Return a function that lets a session with a pusher end; it returns the account."""

    def reuse():
        user, client = homeserver.new_user(), server.client()
        tokens = client.sign_in(user.localpart, user.password)
        set_pusher(server, tokens["access_token"])
        second = client.refresh(tokens["refresh_token"]).json()
        client.refresh(second["refresh_token"])
        assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        return user

    return reuse


def entries(homeserver):
    return homeserver.query("SELECT entry_id, tries, given_up_at FROM nextgen_outbox")


def test_nothing_is_left_of_what_was_done(homeserver, reuse):
    user = reuse()

    assert eventually(lambda: pushkeys(homeserver, user) == [])
    assert eventually(lambda: entries(homeserver) == [])


def test_what_cannot_be_done_is_in_nobodys_way(homeserver, write, reuse):
    """It rests, the log says so, and what comes after it is done at once."""
    for number in range(60):  # more than one bite
        write(f"poison-{number}")

    user = reuse()

    assert eventually(lambda: pushkeys(homeserver, user) == [])
    assert eventually(lambda: all(tries >= 1 for _, tries, _ in entries(homeserver)))
    assert len(entries(homeserver)) == 60
    assert "Could not do remove_pushers poison-0 yet" in homeserver.log_text()


def test_what_failed_for_a_day_is_given_up(homeserver, write, reuse):
    before = metrics.value(homeserver, "outbox_given_up_total", kind=KIND)
    write("hopeless", age=2 * 86400, tries=20)

    reuse()

    assert eventually(lambda: [up for _, _, up in entries(homeserver) if up])
    assert "Gave up remove_pushers hopeless after 21 tries" in homeserver.log_text()
    assert eventually(
        lambda: metrics.value(homeserver, "outbox_given_up_total", kind=KIND) == before + 1
    )


def test_what_only_a_later_release_can_do_waits_for_it(homeserver, write, reuse):
    """During an upgrade a worker of the new release writes what an old main process does not know."""
    write("later", "send_a_postcard")

    user = reuse()

    assert eventually(lambda: pushkeys(homeserver, user) == [])
    assert entries(homeserver) == [("later", 0, None)]


def test_what_waits_is_there_to_be_watched(homeserver, write, reuse):
    write("old", age=100)

    reuse()

    def oldest():
        return metrics.value(homeserver, "outbox_oldest_seconds", kind=KIND)

    assert eventually(lambda: oldest() >= 100)
    assert metrics.value(homeserver, "outbox_waiting", kind=KIND) >= 1
