"""Everybody comes back at once to a process that remembers nobody."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support.lookers import PATH
from support.neighbours import Neighbours
from support.oauth import Server, device_id
from support.tokens import KEYS
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.secret import random_id

pytestmark = pytest.mark.every_release

COLUMNS = (
    *("name", "is_guest", "admin", "consent_version", "consent_ts", "consent_server_notice_sent"),
    *("appservice_id", "creation_ts", "user_type", "deactivated", "shadow_banned", "approved"),
    *("locked", "suspended"),
)


@pytest.fixture
def homeserver(busy_homeserver):
    return busy_homeserver


def some_accounts():
    """Yield rows in which each column has each of its values, beside different others."""
    options = {
        "is_guest": (0, 1),
        "admin": (0, 1),
        "consent_version": (None, "1.0"),
        "consent_ts": (None, 1_700_000_000_123),
        "consent_server_notice_sent": (None, "1.0"),
        "appservice_id": (None, "bridge"),
        "creation_ts": (0, 1_700_000_000),
        "user_type": (None, "support", "bot"),
        "deactivated": (0, 1),
        "shadow_banned": (None, False, True),
        "approved": (None, False, True),
        "locked": (False, True),
        "suspended": (False, True),
    }
    assert COLUMNS[1:] == tuple(options)
    ordinary = {column: values[0] for column, values in options.items()}
    for column, values in options.items():
        for value in values:
            yield ordinary | {column: value}
    for turn in range(3):
        yield {column: values[turn % len(values)] for column, values in options.items()}


def test_what_is_read_together_is_what_synapse_says_itself(homeserver):
    """Of accounts of every kind and of devices, and it is in Synapse's caches as Synapse put it."""
    users, devices = ["@nobody:localhost", "not a user id"], [("@nobody:localhost", "NOTHING")]
    marks = ", ".join("?" * len(COLUMNS))
    for row in some_accounts():
        name = f"@{random_id()}:localhost"
        values = [name, *row.values()]
        homeserver.query(f"INSERT INTO users ({', '.join(COLUMNS)}) VALUES ({marks})", *values)
        users.append(name)
    for name, hidden in itertools.product(("phone", "", None), (False, True)):
        devices.append((users[-1], device_id()))
        homeserver.query(
            "INSERT INTO devices (user_id, device_id, display_name, hidden) VALUES (?, ?, ?, ?)",
            *(*devices[-1], name, hidden),
        )

    url = homeserver.base_url + PATH
    answer = requests.post(url, json={"users": users, "devices": devices}, timeout=60)

    theirs, ours = answer.json()
    assert len(theirs) == len(users) + len(devices)
    assert len(set(map(str, theirs))) > len(users)  # they are of many kinds
    assert ours == theirs


def delete_device(server, neighbours, user, tokens):
    device = server.whoami(tokens["access_token"]).json()["device_id"]
    path = f"/_synapse/admin/v2/users/{{user_id}}/devices/{device}"
    assert neighbours.ask("DELETE", user, {}, path).ok


FATES = {
    "living": lambda *_: None,
    "ended": lambda server, _neighbours, _user, tokens: server.revoke(
        token=tokens["refresh_token"]
    ),
    "device deleted": delete_device,
    "locked": lambda _server, neighbours, user, _tokens: neighbours.administer(
        "PUT", user, {"locked": True}
    ),
    "deactivated": lambda _server, neighbours, user, _tokens: neighbours.administer(
        "PUT", user, {"deactivated": True}
    ),
}


def unknown():
    """Return authentic tokens of a session that is in no table, as after an old backup."""
    session, soon = random_id(), int(time.time()) + 300
    pair = (Token(Kind.ACCESS, session, 1, soon), Token(Kind.REFRESH, session, 1, 0))
    access, refresh = (session_tokens.mint(KEYS, token).reveal() for token in pair)
    return {"access_token": access, "refresh_token": refresh}


def test_many_at_once_hear_what_each_hears_alone(homeserver):
    """Of sessions that live, ended, lost their device, are unknown, of locked and closed accounts."""
    server, neighbours = Server(homeserver.base_url), Neighbours(homeserver)
    client = server.client()
    held = []
    for fate in (*FATES, "living"):
        user = homeserver.new_user()
        tokens = client.sign_in(user.localpart, user.password)
        FATES[fate](server, neighbours, user, tokens)
        held.append(tokens)
    held += [unknown(), unknown()]

    def whoami(tokens):
        answer = server.whoami(tokens["access_token"])
        body = answer.json()
        said = (body.get("errcode"), body.get("soft_logout"), body.get("user_id"))
        return answer.status_code, *said

    def refresh(tokens):
        answer = client.refresh(tokens["refresh_token"])
        return answer.status_code, answer.json().get("error")

    def forget():
        assert requests.delete(homeserver.base_url + PATH, timeout=30).ok

    def alone(ask, tokens):
        forget()
        return ask(tokens)

    def together(ask):
        forget()
        with ThreadPoolExecutor(2 * len(held)) as threads:
            return list(threads.map(ask, held * 2))

    with_access, expected = together(whoami), [alone(whoami, tokens) for tokens in held]
    with_refresh, renewed = together(refresh), [alone(refresh, tokens) for tokens in held]

    assert with_access == expected * 2
    assert [answer[0] for answer in expected] == [200, 401, 401, 401, 401, 200, 401, 401]
    assert expected[3][1] == "M_USER_LOCKED"
    assert with_refresh == renewed * 2
    assert [answer[0] for answer in renewed] == [200, 400, 400, 200, 400, 200, 400, 400]
