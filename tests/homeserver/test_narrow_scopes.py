"""Tokens with narrow scopes: a dashboard that reads, a widget in one room, a bridge.

What each of them opens is in docs/reference/scopes.md.
"""

import json
import re
import uuid
from urllib.parse import quote

import attrs
import pytest

from support.oauth import API, DEVICE, Browser, Server, device_id, web_client
from support.synapse import sqlite_homeserver

pytestmark = pytest.mark.every_release

OURS = "urn:nextgen-auth:"
READ, SEND, KEYS = f"{OURS}read", f"{OURS}send", f"{OURS}keys"
JOIN, MANAGE = f"{OURS}rooms.join", f"{OURS}rooms.manage"
DATA, PUSH, PROFILE = f"{OURS}account_data", f"{OURS}push", f"{OURS}profile"
UPLOAD, ROOM = f"{OURS}media.upload", f"{OURS}room:"
V3 = "/_matrix/client/v3"
SLIDING = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync"


@attrs.define
class Person:
    """Somebody with two rooms, and all that Synapse would tell of them."""

    server: Server
    user: object
    whole: str
    inside: str = ""
    outside: str = ""

    def token(self, *scopes):
        tokens = self.server.client().sign_in(
            self.user.localpart, self.user.password, scope=" ".join(scopes)
        )
        assert tokens["scope"] == " ".join(scopes)
        return tokens["access_token"]

    def ask(self, method, path, token=None, **options):
        if not path.startswith("/_"):
            path = f"{V3}/{path}"
        return self.server.api(method, path, token or self.whole, **options)

    def room(self, name):
        body = {"name": name, "preset": "private_chat"}
        return self.ask("POST", "createRoom", json=body).json()["room_id"]

    def say(self, room, words, token=None):
        path = f"rooms/{quote(room)}/send/m.room.message/{uuid.uuid4().hex}"
        return self.ask("PUT", path, token, json={"msgtype": "m.text", "body": words})

    def sync(self, token, **parameters):
        answer = self.ask("GET", "sync", token, params={"timeout": 0, **parameters})
        assert answer.status_code == 200, answer.text
        return answer.json()


def person_on(homeserver, base_url=None):
    server, user = Server(homeserver.base_url), homeserver.new_user()
    tokens = server.client().sign_in(user.localpart, user.password)
    person = Person(server, user, tokens["access_token"])
    person.inside, person.outside = person.room("The garden"), person.room("The cellar")
    if base_url is not None:
        person.server = Server(base_url)
    return person


@pytest.fixture
def person(homeserver):
    return person_on(homeserver)


def errors(answers):
    return {name: (answer.status_code, answer.json().get("errcode")) for name, answer in answers}


def test_c113_a_narrow_token_is_one_of_ours(homeserver, person):
    """Not a stock one: no admin by the account's flag, no raw token among the addresses."""
    admin = homeserver.new_user(admin=True)
    server = person.server
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=f"{READ} {SEND}")
    token = tokens["access_token"]

    answers = [
        (path, server.api("GET", path, token))
        for path in (
            "/_synapse/admin/v2/users",
            f"{V3}/admin/whois/{person.user.user_id}",
            f"{V3}/devices",
            f"{V3}/account/3pid",
        )
    ]
    password = {
        "new_password": "another-horse",
        "auth": {"type": "m.login.password", "password": admin.password, "user": admin.user_id},
    }
    answers.append(("password", server.api("POST", f"{V3}/account/password", token, json=password)))
    answers.append(("logout", server.api("POST", f"{V3}/logout/all", token, json={})))

    assert set(errors(answers).values()) == {(403, "M_FORBIDDEN")}
    assert all("insufficient_scope" in a.headers["WWW-Authenticate"] for _, a in answers)
    assert homeserver.login(admin)["user_id"] == admin.user_id
    seen = homeserver.query("SELECT access_token FROM user_ips WHERE user_id = ?", admin.user_id)
    assert token not in {text for (text,) in seen}


def test_a_dashboard_reads_and_changes_nothing(person):
    """`read` alone: messages, members, search; nothing is sent, joined, set or uploaded."""
    token = person.token(READ)
    person.say(person.inside, "roses")
    room = quote(person.inside)

    synced = person.sync(token)
    seen = person.ask("GET", f"rooms/{room}/messages", token, params={"dir": "b"})
    search = {"search_categories": {"room_events": {"search_term": "roses"}}}
    opened = {
        "whoami": person.ask("GET", "account/whoami", token),
        "versions": person.ask("GET", "/_matrix/client/versions", token),
        "state": person.ask("GET", f"rooms/{room}/state", token),
        "members": person.ask("GET", f"rooms/{room}/members", token),
        "joined": person.ask("GET", "joined_rooms", token),
        "search": person.ask("POST", "search", token, json=search),
        "profile": person.ask("GET", f"profile/{person.user.user_id}", token),
    }
    closed = {
        "send": person.say(person.inside, "no", token),
        "state": person.ask("PUT", f"rooms/{room}/state/m.room.name", token, json={"name": "x"}),
        "read": person.ask("POST", f"rooms/{room}/read_markers", token, json={}),
        "leave": person.ask("POST", f"rooms/{room}/leave", token, json={}),
        "create": person.ask("POST", "createRoom", token, json={}),
        "upload": person.ask("POST", "/_matrix/media/v3/upload", token, data=b"x"),
        "name": person.ask(
            "PUT", f"profile/{person.user.user_id}/displayname", token, json={"displayname": "x"}
        ),
        "data": person.ask("GET", f"user/{person.user.user_id}/account_data/m.direct", token),
        "online": person.ask(
            "PUT", f"presence/{person.user.user_id}/status", token, json={"presence": "online"}
        ),
    }

    assert set(synced["rooms"]["join"]) == {person.inside, person.outside}
    assert "roses" in seen.text
    assert {name: a.status_code for name, a in opened.items()} == dict.fromkeys(opened, 200)
    assert errors(closed.items()) == dict.fromkeys(closed, (403, "M_FORBIDDEN"))
    assert opened["whoami"].json().get("device_id") is None


def test_reading_shows_nobody_online_and_takes_no_settings(person):
    """Without `send` presence is offline; account data is for who has its scope."""
    own = f"user/{person.user.user_id}"
    person.ask("PUT", f"{own}/account_data/a.b", json={"secret": 1})
    person.ask("PUT", f"{own}/rooms/{quote(person.inside)}/account_data/a.b", json={"secret": 2})

    reads, data = person.token(READ), person.token(READ, DATA)
    little, much = person.sync(reads, set_presence="online"), person.sync(data)
    # What it says of being there is not so much as read; who may send is taken at their word.
    odd = {"timeout": 0, "set_presence": "neither here nor there"}
    said = [
        person.ask("GET", "sync", each, params=odd) for each in (reads, person.token(READ, SEND))
    ]

    assert "secret" not in json.dumps(little)
    assert {each["type"] for each in much["account_data"]["events"]} >= {"a.b"}
    of_room = much["rooms"]["join"][person.inside]["account_data"]["events"]
    assert {each["type"] for each in of_room} == {"a.b"}
    assert [answer.status_code for answer in said] == [200, 400]


def test_a_widget_knows_of_its_room_alone(person):
    """`read send room:…`: `/sync` tells of no other room, whatever the client's filter asks for."""
    token = person.token(READ, SEND, ROOM + person.inside)
    person.say(person.outside, "in the cellar")
    own = f"user/{person.user.user_id}"
    person.ask("PUT", f"{own}/account_data/a.b", json={"rooms": [person.outside]})
    wide = {"room": {"rooms": [person.outside, person.inside], "include_leave": True}}
    only = {"room": {"rooms": [person.outside]}}

    synced = [
        person.sync(token),
        person.sync(token, full_state="true"),
        person.sync(token, filter=json.dumps(wide)),
        person.sync(token, filter=json.dumps({"room": {"not_rooms": [person.inside]}})),
        person.sync(token, filter=json.dumps(only)),
    ]
    sent = person.say(person.inside, "from the widget", token)
    later = person.sync(token, since=synced[0]["next_batch"])

    assert sent.status_code == 200, sent.text
    for each in synced:
        assert person.outside not in json.dumps(each)
        assert set(each.get("rooms", {}).get("join", {})) <= {person.inside}
        assert not each.get("account_data", {}).get("events")
        assert not each.get("presence", {}).get("events")
    assert set(synced[0]["rooms"]["join"]) == {person.inside}
    assert "from the widget" in json.dumps(later["rooms"]["join"][person.inside])


def test_what_happens_elsewhere_does_not_wake_it(person):
    """A sync that waits goes on waiting: that it came back would say that something happened."""
    token = person.token(READ, ROOM + person.inside)
    since = person.sync(token)["next_batch"]
    for words in ("one", "two"):
        person.say(person.outside, words)
    person.ask("PUT", f"user/{person.user.user_id}/account_data/c.d", json={"x": 1})

    waited = person.ask("GET", "sync", token, params={"timeout": 1500, "since": since})

    assert waited.status_code == 200
    assert waited.elapsed.total_seconds() >= 1.4
    assert "rooms" not in waited.json()


def test_tokens_of_one_device_with_other_scopes_share_no_answer(person):
    """The same account, device, filter and time: each gets what is its own."""
    device = f"{DEVICE}{device_id()}"
    tokens = person.server.client()
    granted = f"{READ} {DATA} {ROOM}{person.inside} {ROOM}{person.outside} {device}"
    whole = tokens.sign_in(person.user.localpart, person.user.password, scope=granted)
    one = tokens.refresh(
        whole["refresh_token"], scope=f"{READ} {ROOM}{person.inside} {device}"
    ).json()
    other = tokens.refresh(
        one["refresh_token"], scope=f"{READ} {ROOM}{person.outside} {device}"
    ).json()

    found = [
        set(person.sync(each["access_token"])["rooms"]["join"])
        for each in (whole, one, other, whole)
    ]

    both = {person.inside, person.outside}
    assert found == [both, {person.inside}, {person.outside}, both]


def test_a_refresh_cannot_leave_a_room_out(person):
    """Without its rooms a scope would be wider: all rooms instead of one."""
    client = person.server.client()
    granted = f"openid {READ} {SEND} {ROOM}{person.inside}"
    tokens = client.sign_in(person.user.localpart, person.user.password, scope=granted)

    wide = client.refresh(tokens["refresh_token"], scope=READ)
    less = client.refresh(tokens["refresh_token"], scope=f"{READ} {ROOM}{person.inside}").json()
    none = client.refresh(less["refresh_token"], scope="openid").json()

    assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")
    assert person.say(person.inside, "x", less["access_token"]).status_code == 403
    assert set(person.sync(less["access_token"])["rooms"]["join"]) == {person.inside}
    assert person.ask("GET", "account/whoami", none["access_token"]).status_code == 403


def test_no_endpoint_tells_a_widget_of_another_room(person):
    """Its rooms by path, events of other rooms under its room, and everything that names no room."""
    token = person.token(READ, SEND, JOIN, MANAGE, DATA, UPLOAD, PROFILE, ROOM + person.inside)
    event = person.say(person.outside, "in the cellar").json()["event_id"]
    own = person.say(person.inside, "in the garden").json()["event_id"]
    inside, outside = quote(person.inside), quote(person.outside)
    me = person.user.user_id
    reads = ("messages?dir=b", "members", "joined_members", "state", f"event/{event}")
    closed = {path: person.ask("GET", f"rooms/{outside}/{path}", token) for path in reads}
    closed |= {
        path: person.ask("GET", path, token)
        for path in (
            f"/_matrix/client/v1/rooms/{outside}/threads",
            f"rooms/{inside}/context/{quote(event)}",
            f"rooms/{inside}/event/{quote(event)}",
            f"/_matrix/client/v1/rooms/{inside}/relations/{quote(event)}",
            f"/_matrix/client/v1/rooms/{inside}/hierarchy",
            "joined_rooms",
            "notifications",
            "publicRooms",
            "pushrules/",
            "pushers",
            "initialSync",
            "events",
            f"user/{me}/account_data/m.direct",
            f"user/{me}/rooms/{outside}/account_data/m.fully_read",
            f"user/{me}/filter/0",
            f"presence/{me}/status",
            "/_matrix/client/v1/media/download/x.example/abc",
            "/_matrix/client/v1/media/thumbnail/x.example/abc?width=1&height=1",
        )
    }
    search = {"search_categories": {"room_events": {"search_term": "cellar"}}}
    closed |= {
        "search": person.ask("POST", "search", token, json=search),
        "people": person.ask("POST", "user_directory/search", token, json={"search_term": "a"}),
        "send": person.say(person.outside, "x", token),
        "join": person.ask("POST", f"join/{outside}", token, json={}),
        "name": person.ask("PUT", f"profile/{me}/displayname", token, json={"displayname": "x"}),
        "receipt": person.ask(
            "POST", f"rooms/{inside}/receipt/m.read/{quote(event)}", token, json={}
        ),
        "redact": person.ask("PUT", f"rooms/{inside}/redact/{quote(event)}/1", token, json={}),
        "device": person.ask("PUT", "sendToDevice/a.b/1", token, json={"messages": {}}),
    }
    opened = {
        "context": person.ask("GET", f"rooms/{inside}/context/{quote(own)}", token),
        "event": person.ask("GET", f"rooms/{inside}/event/{quote(own)}", token),
        "tags": person.ask("GET", f"user/{me}/rooms/{inside}/tags", token),
        "state": person.ask(
            "PUT", f"rooms/{inside}/state/m.room.topic", token, json={"topic": "t"}
        ),
        "upload": person.ask("POST", "/_matrix/media/v3/upload", token, data=b"x"),
        "receipt": person.ask(
            "POST", f"rooms/{inside}/receipt/m.read/{quote(own)}", token, json={}
        ),
    }

    # Whether there is such an event elsewhere is not told.
    hidden = {
        "receipt",
        "redact",
        f"rooms/{inside}/context/{quote(event)}",
        f"rooms/{inside}/event/{quote(event)}",
        f"/_matrix/client/v1/rooms/{inside}/relations/{quote(event)}",
    }
    expected = {
        name: (404, "M_NOT_FOUND") if name in hidden else (403, "M_FORBIDDEN") for name in closed
    }
    assert errors(closed.items()) == expected
    assert {name: a.status_code for name, a in opened.items()} == dict.fromkeys(opened, 200)


def test_sliding_sync_tells_a_widget_of_its_room_alone(person):
    """No lists, whose counts are about all rooms; no other room by name; no extension but its own."""
    token = person.token(READ, ROOM + person.inside)
    person.say(person.outside, "in the cellar")
    wanted = {"required_state": [["*", "*"]], "timeline_limit": 10}
    body = {
        "lists": {"all": {"ranges": [[0, 9]], **wanted}},
        "room_subscriptions": {person.inside: wanted, person.outside: wanted},
        "extensions": {
            name: {"enabled": True}
            for name in ("to_device", "e2ee", "account_data", "receipts", "typing")
        },
    }

    widget = person.ask("POST", SLIDING, token, json=body)
    reader = person.ask("POST", SLIDING, person.token(READ), json=body)
    whole = person.ask("POST", SLIDING, json=body)

    assert widget.status_code == 200, widget.text
    assert set(widget.json()["rooms"]) == {person.inside}
    assert not widget.json().get("lists")
    assert person.outside not in widget.text
    assert set(reader.json()["rooms"]) == {person.inside, person.outside}
    for narrow in (widget, reader):
        assert not set(narrow.json()["extensions"]) & {"to_device", "e2ee", "account_data"}
    assert "e2ee" in whole.json()["extensions"]


def test_what_was_redacted_was_ones_own(homeserver, person):
    """`send` takes back what the account said; what others said takes `rooms.manage`."""
    token, manager = person.token(SEND), person.token(SEND, MANAGE)
    other = person_on(homeserver)
    room = quote(person.inside)
    person.ask("POST", f"rooms/{room}/invite", json={"user_id": other.user.user_id})
    other.ask("POST", f"join/{room}", json={})
    own = person.say(person.inside, "mine").json()["event_id"]
    theirs = other.say(person.inside, "theirs").json()["event_id"]

    def redact(event, by, **body):
        path = f"rooms/{room}/redact/{quote(event)}/{uuid.uuid4().hex}"
        return person.ask("PUT", path, by, json=body).status_code

    assert redact(theirs, token) == 403
    assert redact("$unknown", token) == 403
    assert redact(own, token, **{"org.matrix.msc3912.with_relations": ["*"]}) == 403
    assert redact(own, token) == 200
    assert redact(theirs, manager) == 200


def test_a_token_that_sends_has_a_device_that_nobody_sees(homeserver, person):
    """Synapse numbers what is sent by device: one stands there, hidden, and goes with the session."""
    client = person.server.client()
    scope = f"{SEND} {ROOM}{person.inside}"
    tokens = client.sign_in(person.user.localpart, person.user.password, scope=scope)
    path = f"rooms/{quote(person.inside)}/send/m.room.message/7"
    hidden = (
        "SELECT device_id FROM devices WHERE user_id = ? AND hidden AND device_id LIKE 'nextgen%'"
    )

    same = [
        person.ask("PUT", path, tokens["access_token"], json={"body": "x", "msgtype": "m.text"})
        for _ in range(2)
    ]
    there = homeserver.query(hidden, person.user.user_id)
    listed = person.ask("GET", "devices").json()["devices"]
    person.server.revoke(token=tokens["refresh_token"])

    assert [answer.status_code for answer in same] == [200, 200], same[0].text
    assert same[0].json() == same[1].json()
    assert len(there) == 1
    assert len(listed) == 1
    assert homeserver.query(hidden, person.user.user_id) == []
    assert person.say(person.inside, "x", tokens["access_token"]).status_code == 401
    assert person.ask("GET", f"rooms/{quote(person.inside)}/event/{same[0].json()['event_id']}").ok


def test_nothing_is_sent_later_by_a_narrow_token(person):
    """A delayed event would be sent when the token is gone (MSC4140)."""
    token = person.token(SEND)
    path = f"rooms/{quote(person.inside)}/send/m.room.message/9?org.matrix.msc4140.delay=1000"

    answer = person.ask("PUT", path, token, json={"body": "x", "msgtype": "m.text"})

    assert (answer.status_code, answer.json()["errcode"]) == (403, "M_FORBIDDEN")


def test_messages_to_a_device_wait_for_who_may_have_them(person):
    """A token without `keys` on a real device takes none of them away; one with it gets them."""
    device = device_id()
    client = person.server.client()
    scope = f"{READ} {KEYS} {DEVICE}{device}"
    tokens = client.sign_in(person.user.localpart, person.user.password, scope=scope)
    small = client.refresh(tokens["refresh_token"], scope=f"{READ} {DEVICE}{device}").json()
    message = {"messages": {person.user.user_id: {device: {"x": "to the device"}}}}
    person.ask("PUT", f"sendToDevice/a.b/{uuid.uuid4().hex}", json=message)

    first = person.sync(small["access_token"])
    person.sync(small["access_token"], since=first["next_batch"])
    whole = client.refresh(small["refresh_token"]).json()
    last = person.sync(whole["access_token"])

    assert "to the device" not in json.dumps(first)
    assert "device_one_time_keys_count" not in first or first["device_one_time_keys_count"] == {}
    assert "to the device" in json.dumps(last["to_device"])


def test_a_bridge_has_several_scopes_and_no_more(person):
    """`read send rooms.join rooms.manage profile media.upload`: all that it does, and nothing else."""
    token = person.token(READ, SEND, JOIN, MANAGE, PROFILE, UPLOAD)
    me, room = person.user.user_id, quote(person.inside)
    opened = {
        "sync": person.ask("GET", "sync", token),
        "send": person.say(person.inside, "bridged", token),
        "state": person.ask("PUT", f"rooms/{room}/state/m.room.topic", token, json={"topic": "t"}),
        "leave": person.ask("POST", f"rooms/{quote(person.outside)}/leave", token, json={}),
        "name": person.ask("PUT", f"profile/{me}/displayname", token, json={"displayname": "B"}),
        "upload": person.ask("POST", "/_matrix/media/v3/upload", token, data=b"x"),
        "typing": person.ask(
            "PUT", f"rooms/{room}/typing/{me}", token, json={"typing": True, "timeout": 1000}
        ),
    }
    closed = {
        "create": person.ask("POST", "createRoom", token, json={}),
        "keys": person.ask("POST", "keys/query", token, json={"device_keys": {}}),
        "data": person.ask("GET", f"user/{me}/account_data/m.direct", token),
        "push": person.ask("GET", "pushrules/", token),
        "openid": person.ask("POST", f"user/{me}/openid/request_token", token, json={}),
        "devices": person.ask("GET", "devices", token),
        "3pid": person.ask("GET", "account/3pid", token),
    }

    assert {name: a.status_code for name, a in opened.items()} == dict.fromkeys(opened, 200)
    assert errors(closed.items()) == dict.fromkeys(closed, (403, "M_FORBIDDEN"))


def test_keys_and_pushers_are_those_of_its_device(homeserver, person):
    """`keys` and `push` work on a device of the session, and the pusher goes with it."""
    device = device_id()
    client = person.server.client()
    tokens = client.sign_in(
        person.user.localpart, person.user.password, scope=f"{KEYS} {PUSH} {DEVICE}{device}"
    )
    token = tokens["access_token"]
    pusher = {
        "kind": "http",
        "app_id": "app",
        "pushkey": "key",
        "app_display_name": "App",
        "device_display_name": "Device",
        "lang": "en",
        "data": {
            "url": "https://push.example.com/_matrix/push/v1/notify",
            "format": "event_id_only",
        },
    }
    keys = {"one_time_keys": {"signed_curve25519:AA": {"key": "x", "signatures": {}}}}
    answers = {
        "upload": person.ask("POST", "keys/upload", token, json=keys),
        "query": person.ask("POST", "keys/query", token, json={"device_keys": {}}),
        "send": person.ask("PUT", "sendToDevice/a.b/1", token, json={"messages": {}}),
        "rules": person.ask("GET", "pushrules/", token),
        "rule": person.ask(
            "PUT", "pushrules/global/content/x", token, json={"pattern": "x", "actions": []}
        ),
        "set": person.ask("POST", "pushers/set", token, json=pusher),
    }
    closed = {
        "sync": person.ask("GET", "sync", token),
        "cross-signing": person.ask("POST", "keys/device_signing/upload", token, json={}),
        "dehydrated": person.ask(
            "DELETE", "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device", token
        ),
    }
    other = person.ask("POST", "keys/upload/ANOTHER", token, json=keys)
    there = "SELECT device_id FROM pushers WHERE user_name = ?"
    before = homeserver.query(there, person.user.user_id)
    person.server.revoke(token=tokens["refresh_token"])

    # Old releases take keys of any device there.
    assert (other.status_code, other.json()["errcode"]) in {
        (403, "M_FORBIDDEN"),
        (404, "M_UNRECOGNIZED"),
    }
    assert {name: a.status_code for name, a in answers.items()} == dict.fromkeys(answers, 200)
    assert closed.pop("dehydrated").status_code in (403, 404)
    assert errors(closed.items()) == dict.fromkeys(closed, (403, "M_FORBIDDEN"))
    assert before == [(device,)]
    assert homeserver.query(there, person.user.user_id) == []


def test_capabilities_are_those_of_the_token(person):
    """A client shows no form for what its token may not do."""
    reads = person.ask("GET", "capabilities", person.token(READ)).json()["capabilities"]

    assert reads["m.change_password"] == {"enabled": False}
    assert reads["m.set_displayname"] == {"enabled": False}
    assert not reads.get("m.get_login_token", {}).get("enabled")


def test_a_worker_enforces_the_same(homeserver_with_worker):
    """Sync, send and the refusals, at a generic worker."""
    worker = homeserver_with_worker.workers["worker1"].base_url
    person = person_on(homeserver_with_worker)
    token = person.token(READ, SEND, ROOM + person.inside)
    person.server = Server(worker)

    synced = person.sync(token)
    sent = person.say(person.inside, "from afar", token)

    assert set(synced["rooms"]["join"]) == {person.inside}
    assert sent.status_code == 200, sent.text
    assert person.say(person.outside, "x", token).status_code == 403
    assert person.ask("GET", "joined_rooms", token).status_code == 403


def test_c305_what_goes_together(person):
    """A device beside `read` is its own; a room beside the whole API, or alone, is a mistake."""
    client = person.server.client()
    device = f"{DEVICE}{device_id()}"
    wrong = [
        f"{API} {device} {ROOM}{person.inside}",
        f"{ROOM}{person.inside}",
        f"openid {ROOM}{person.inside}",
        KEYS,
        PUSH,
        f"{READ} {ROOM}",
        f"{READ} {ROOM}#alias:example.com",
        " ".join([READ, *(f"{ROOM}!{n}:example.com" for n in range(9))]),
    ]
    browser = Browser(person.server)
    refused = [
        re.search("error=([a-z_]+)", browser.authorize(client.request(scope=scope)[0]).text)[1]
        for scope in wrong
    ]

    with_device = client.sign_in(
        person.user.localpart, person.user.password, scope=f"{READ} {device}"
    )
    who = person.ask("GET", "account/whoami", with_device["access_token"]).json()
    assert f"{DEVICE}{who['device_id']}" == device
    assert refused == ["invalid_scope"] * len(wrong)


SERVER_ADMIN = "urn:matrix:client:server_administration"
UNSTABLE = "urn:matrix:client:cc.c10y.msc4484.server_administration"


@pytest.mark.parametrize("scope", [SERVER_ADMIN, UNSTABLE])
def test_c311_server_administration_opens_its_endpoints_alone(homeserver, person, scope):
    """MSC4484: it needs no other scope, and opens `/_matrix/client/*/admin/`, nothing else."""
    admin = homeserver.new_user(admin=True)
    client = person.server.client()
    tokens = client.sign_in(admin.localpart, admin.password, scope=scope)
    token, whois = tokens["access_token"], f"admin/whois/{person.user.user_id}"

    assert tokens["scope"] == scope
    assert person.ask("GET", whois, token).status_code == 200
    assert person.ask("GET", f"/_matrix/client/r0/{whois}", token).status_code == 200
    closed = {
        path: person.ask("GET", path, token)
        for path in (
            "account/whoami",
            "sync",
            "joined_rooms",
            "/_matrix/client/versions",
            "/_synapse/admin/v2/users",
            f"/_synapse/admin/v1/whois/{person.user.user_id}",
        )
    }
    assert errors(closed.items()) == dict.fromkeys(closed, (403, "M_FORBIDDEN"))
    refreshed = client.refresh(tokens["refresh_token"]).json()
    assert person.ask("GET", whois, refreshed["access_token"]).status_code == 200


def test_c311_without_the_flag_it_opens_nothing(homeserver, person):
    """A demotion counts at once, and the answers say so."""
    admin, chief = homeserver.new_user(admin=True), homeserver.new_user(admin=True)
    client = person.server.client()
    tokens = client.sign_in(admin.localpart, admin.password, scope=SERVER_ADMIN)
    legacy = homeserver.login(chief)["access_token"]
    person.ask(
        "PUT", f"/_synapse/admin/v1/users/{admin.user_id}/admin", legacy, json={"admin": False}
    )

    for user_id in (person.user.user_id, admin.user_id):
        answer = person.ask("GET", f"admin/whois/{user_id}", tokens["access_token"])
        assert (answer.status_code, answer.json()["errcode"]) == (403, "M_FORBIDDEN")
    assert client.refresh(tokens["refresh_token"]).json()["scope"] == ""


def test_c311_beside_the_whole_api_it_opens_no_more(homeserver, person):
    """Not Synapse's own admin API, and no power over rooms that only administrators have."""
    admin = homeserver.new_user(admin=True)
    client = person.server.client()
    scope = f"{API} {DEVICE}{device_id()} {SERVER_ADMIN}"
    both = client.sign_in(admin.localpart, admin.password, scope=scope)["access_token"]
    api = client.sign_in(admin.localpart, admin.password)["access_token"]
    whois = f"admin/whois/{person.user.user_id}"

    assert person.ask("GET", whois, both).status_code == 200
    assert person.ask("GET", whois, api).status_code == 403
    assert person.ask("GET", "account/whoami", both).status_code == 200
    for path in ("/_synapse/admin/v2/users", f"/_synapse/admin/v1/{whois[6:]}"):
        assert person.ask("GET", path, both).status_code == 403


def test_c311_it_is_refused_to_others(person):
    """Who is no administrator of the server: `access_denied` (MSC4484)."""
    client = person.server.client()
    browser = Browser(person.server)
    parameters, _ = client.request(scope=SERVER_ADMIN)
    browser.authorize(parameters)

    page = browser.sign_in(person.user.localpart, person.user.password)

    assert "error=access_denied" in (page.headers.get("Location") or page.text)


def test_the_consent_page_names_a_room_to_its_members_alone(homeserver, person):
    """Whoever makes up a link learns nothing from it; who is in the room reads what it is called."""
    stranger = person_on(homeserver)
    client = person.server.client()
    pages = {}
    for each in (person, stranger):
        browser = Browser(person.server)
        browser.authorize(client.request(scope=f"{READ} {SEND} {ROOM}{person.inside}")[0])
        pages[each.user.user_id] = browser.sign_in(each.user.localpart, each.user.password).text

    mine, theirs = pages[person.user.user_id], pages[stranger.user.user_id]

    for page in (mine, theirs):
        assert person.inside in page
        assert "Read your rooms" in page
        assert "Only in some rooms" in page
        assert "Use your whole account" not in page
    assert "The garden" in mine
    assert "The garden" not in theirs


def test_the_account_page_says_what_each_session_opens(person):
    """In words, with the rooms that it is for."""
    person.token(READ, PROFILE, ROOM + person.inside)
    browser = Browser.of(person.server, person.user)
    sessions = browser.get(person.server.url("account-devices")).text
    links = re.findall(r'href="(account-device\?id=~session[^"]*)"', sessions)

    page = browser.get(person.server.url(links[0])).text

    assert "Read your rooms" in page
    assert "Only in some rooms" in page
    assert "The garden" in page
    assert "Change your profile" not in page


def test_introspection_tells_the_scope(person):
    """What is granted is what is enforced, and what its own client is told (C313)."""
    metadata = web_client(token_endpoint_auth_method="client_secret_post")
    client = person.server.client(metadata)
    proof = {"client_id": client.id, "client_secret": client.registered["client_secret"]}
    scope = f"{READ} {ROOM}{person.inside}"
    parameters, verifier = client.request(scope=scope)
    code = Browser(person.server).let_in(parameters, person.user.localpart, person.user.password)
    tokens = client.redeem(code["code"], verifier, **proof).json()

    told = person.server.post("introspect", {"token": tokens["access_token"], **proof}).json()

    assert (told["active"], told["scope"], told.get("device_id")) == (True, scope, None)


def test_no_login_token_from_a_narrow_token(tmp_path):
    """C334: it would have all of the account, and perhaps no end; all parts together are not that."""
    options = {"login_via_existing_session": {"enabled": True, "require_ui_auth": False}}
    with sqlite_homeserver(tmp_path, config=options) as homeserver:
        person = person_on(homeserver)
        token = person.token(READ, SEND, JOIN, MANAGE, DATA, PROFILE, UPLOAD)

        answer = person.ask("POST", "/_matrix/client/v1/login/get_token", token, json={})

    assert (answer.status_code, answer.json()["errcode"]) == (403, "M_FORBIDDEN")


def test_a_scope_of_ours_that_is_misspelled_is_refused(person):
    """Left out, it would narrow nothing: whoever wrote it would get more than they want."""
    client = person.server.client()
    browser = Browser.of(person.server, person.user)

    for wrong in (
        f"{ROOM[:-1]}s:{person.inside}",
        "urn:nextgen-auth:reed",
        "URN:nextgen-auth:room:",
    ):
        page = browser.authorize(client.request(scope=f"{READ} {wrong}")[0])
        assert "error=invalid_scope" in page.text + str(page.headers), wrong


def test_what_is_sent_alone_changes_no_state(homeserver, person):
    """A redaction of a name is a change of the name, whoever gave it."""
    token = person.token(READ, SEND)
    path = f"{V3}/rooms/{person.inside}/state/m.room.topic"
    given = person.ask("PUT", path, json={"topic": "what we talk about"}).json()["event_id"]
    redact = f"{V3}/rooms/{person.inside}/redact/{given}/t{given[1:9]}"

    assert person.ask("PUT", redact, token, json={}).status_code == 403
    assert person.ask("GET", path).json()["topic"] == "what we talk about"


def test_a_pusher_shows_nothing_that_its_token_may_not_read(person):
    """Without `read` it is told that there is something, not what."""
    device = f"{DEVICE}{device_id()}"
    token = person.token(PUSH, device)
    pusher = {
        "kind": "http",
        "app_id": "example",
        "pushkey": "one",
        "app_display_name": "x",
        "device_display_name": "y",
        "lang": "en",
        "data": {"url": "https://push.example.com/_matrix/push/v1/notify"},
    }
    path = "pushers/set"
    short = {**pusher, "data": {**pusher["data"], "format": "event_id_only"}}
    reads = person.token(PUSH, READ, f"{DEVICE}{device_id()}")

    assert person.ask("POST", path, token, json=pusher).status_code == 403
    assert person.ask("POST", path, token, json=short).status_code == 200
    assert person.ask("POST", path, token, json={**pusher, "kind": None}).status_code == 200
    assert person.ask("POST", path, reads, json=pusher).status_code == 200


def test_two_widgets_of_one_browser_stay(person):
    """Each has a session of its own; the same one anew takes the place of the one before."""
    client = person.server.client()
    browser = Browser.of(person.server, person.user)

    def sign_in(room):
        return client.sign_in(
            person.user.localpart,
            person.user.password,
            browser=browser,
            scope=f"{READ} {ROOM}{room}",
        )["access_token"]

    one, other = sign_in(person.inside), sign_in(person.outside)
    assert [person.server.whoami(each).status_code for each in (one, other)] == [200, 200]
    again = sign_in(person.inside)
    assert [person.server.whoami(each).status_code for each in (one, other, again)] == [
        401,
        200,
        200,
    ]


def test_sliding_sync_tells_nothing_of_account_data(person):
    """Neither by the rooms that a filter leaves, nor by what is said of a room."""
    path = f"{V3}/user/{person.user.user_id}/account_data/m.direct"
    person.ask("PUT", path, json={"@other:localhost": [person.inside]}).raise_for_status()

    def rooms(token, **filters):
        body = {
            "lists": {
                "all": {
                    "ranges": [[0, 50]],
                    "required_state": [],
                    "timeline_limit": 0,
                    "filters": filters,
                }
            }
        }
        return person.ask("POST", SLIDING, token, json=body).json()["rooms"]

    blind, sees = person.token(READ), person.token(READ, DATA)
    assert rooms(blind, is_dm=True).keys() == rooms(blind, is_dm=False).keys()
    assert not any(room.get("is_dm") for room in rooms(blind).values())
    assert set(rooms(sees, is_dm=True)) == {person.inside}


def test_what_was_signed_out_does_not_come_back_unasked(person):
    """A client with a secret and a remembered consent, once its session without a device is over."""
    client = person.server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    browser = Browser.of(person.server, person.user)
    secret = client.registered["client_secret"]
    scope = f"{READ} {ROOM}{person.inside}"

    def sign_in(**changes):
        parameters, verifier = client.request(scope=scope, **changes)
        page = browser.authorize(parameters)
        if page.status_code == 200:
            page = browser.submit(decision="approve")
        answer = browser.answer(page)
        if "code" not in answer:
            return answer
        return client.redeem(answer["code"], verifier, client_secret=secret).json()

    token = sign_in()["access_token"]
    assert "access_token" in sign_in(prompt="none")
    person.server.revoke(token=token, client_id=client.id, client_secret=secret)
    again = sign_in(prompt="none")
    assert "access_token" in again or again["error"] == "consent_required"
