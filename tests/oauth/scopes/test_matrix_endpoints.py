"""Which scope opens which endpoint of Matrix, walked with every scope."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.scopes import access, matrix_endpoints
from synapse_nextgen_auth.oauth.scopes.matrix_endpoints import MEDIA_TABLE, TABLE, Need
from synapse_nextgen_auth.oauth.scopes.permissions import (
    ADMIN,
    API,
    DEVICE,
    KEYS,
    MEDIA_UPLOAD,
    NARROW,
    READ,
    ROOM,
    ROOMS_JOIN,
    ROOMS_MANAGE,
    SEND,
    SERVER_ADMIN,
)

V3 = "/_matrix/client/v3"
ROOM_ID, OTHER = "!abc:example.com", "!other:example.com"
EVERYTHING = frozenset(NARROW)
LINES = [("/_matrix/client/v3/", line) for line in TABLE] + [
    ("/_matrix/media/v3/", line) for line in MEDIA_TABLE
]
scopes = st.frozensets(
    st.sampled_from([*sorted(NARROW), SERVER_ADMIN, "openid", "email", f"{DEVICE}ABCDEFGHIJ"])
)
# What stands in the place of an argument: nothing that a path would not have.
words = st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=12)


def path_of(prefix, line, room=ROOM_ID, word="x"):
    """Return a path of a line; its arguments are percent-encoded as clients do."""
    segments = [
        quote(room if segment == "{room}" else word, safe="")
        if segment.startswith("{")
        else segment
        for segment in line.template.split("/")
    ]
    return "/_matrix/client/versions" if segments == ["versions"] else prefix + "/".join(segments)


@given(scopes, st.sampled_from(LINES), words)
def test_a_scope_opens_exactly_its_own_lines(effective, at, word):
    """Whatever goes together: a line is open if all that it takes is there, and only then."""
    prefix, line = at
    refused = access.of(effective).refuse(line.method, path_of(prefix, line, word=word))
    asked = matrix_endpoints.find(line.method, path_of(prefix, line, word=word))

    expected = {
        Need.ANY: bool(effective & NARROW),
        Need.WHOLE: False,
        Need.PARTS: set(asked.parts) <= effective,
    }[line.need]
    assert (refused is None) is expected
    assert set(line.parts) <= set(asked.parts)


@given(scopes, st.sampled_from(LINES), words)
def test_the_whole_api_contains_all_of_them(effective, at, word):
    prefix, line = at
    whole = access.of(effective | {API})

    assert whole.refuse(line.method, path_of(prefix, line, word=word)) is None
    assert whole.rooms is None


@given(scopes, st.sampled_from(LINES), words)
def test_a_room_only_ever_narrows(effective, at, word):
    """With a room nothing opens that was closed without it, and nothing of any other room."""
    prefix, line = at
    wide, narrow = access.of(effective), access.of(effective | {ROOM + ROOM_ID})
    path = path_of(prefix, line, room=OTHER, word=word)

    if narrow.refuse(line.method, path) is None:
        assert wide.refuse(line.method, path) is None
        assert "{room}" not in line.template
    asked = matrix_endpoints.find(line.method, path)
    if "{room}" in line.template and line.need is Need.PARTS:
        assert not narrow.reaches(OTHER)
        assert asked.room in (OTHER, None)


@given(st.sampled_from(LINES), st.frozensets(st.sampled_from([ROOM_ID, OTHER]), min_size=1), words)
def test_a_room_alone_opens_nothing(at, rooms, word):
    prefix, line = at
    alone = access.of(frozenset(ROOM + room for room in rooms) | {"openid"})

    assert alone.refuse(line.method, path_of(prefix, line, word=word)) is not None
    assert not alone.opens_something


@pytest.mark.parametrize(("prefix", "line"), LINES, ids=lambda each: getattr(each, "template", ""))
def test_a_token_for_a_room_opens_it_there_and_nowhere_else(prefix, line):
    """All that it has, in its room: each line is either about that room, cut, or closed."""
    narrow = access.of(EVERYTHING | {ROOM + ROOM_ID})
    inside = narrow.refuse(line.method, path_of(prefix, line))
    outside = narrow.refuse(line.method, path_of(prefix, line, room=OTHER))

    if line.need is Need.PARTS and "{room}" in line.template and not line.others:
        assert (inside, outside) == (None, API)
    elif line.need is Need.ANY or line.is_cut:
        assert (inside, outside) == (None, None)
    else:
        assert (inside, outside) == (API, API)


@given(
    st.text(st.characters(codec="latin-1"), max_size=40), st.sampled_from(["GET", "PUT", "POST"])
)
def test_what_is_not_in_the_table_takes_the_whole_api(rest, method):
    """Whatever a later Synapse, a module or a proxy serves."""
    for path in (f"/{rest}", f"/_synapse/{rest}", f"/_matrix/client/v9/{rest}"):
        assert access.of(EVERYTHING).refuse(method, path) == API


def test_each_place_in_a_path_is_a_word_or_an_argument():
    """An argument that is spelled like a word would be taken for it, or the other way round."""
    trees = [matrix_endpoints._CLIENT_TREE, matrix_endpoints._MEDIA_TREE]
    for node in trees:
        assert not (node.named and node.argument)
        trees.extend([*node.named.values(), *([node.argument] if node.argument else [])])


@pytest.mark.parametrize(
    "path",
    [
        f"{V3}/rooms/%21abc%3Aexample.com/messages",
        f"{V3}/rooms/!abc:example.com/messages",
        f"{V3}/rooms/!%61bc:example.com/messages",
        "/_matrix/client/api/v1/rooms/!abc:example.com/messages",
        "/_matrix/client/unstable/rooms/!abc:example.com/messages",
    ],
)
def test_a_room_is_itself_however_it_is_written(path):
    narrow = access.of(frozenset({READ, ROOM + ROOM_ID}))

    assert narrow.refuse("GET", path) is None
    assert narrow.refuse("HEAD", path) is None
    assert access.of(frozenset({READ, ROOM + OTHER})).refuse("GET", path) == API


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{V3}/rooms/%2521abc%253Aexample.com/messages"),
        ("GET", f"{V3}/rooms/!abc:example.com%2Fmessages"),
        ("GET", f"{V3}/rooms/!abc:example.com/../{OTHER}/messages"),
        ("GET", f"{V3}/rooms/!abc:example.com/messages/"),
        ("GET", f"{V3}//rooms/!abc:example.com/messages"),
        ("GET", f"{V3}/rooms/ !abc:example.com/messages"),
        ("GET", f"{V3}/rooms/!ABC:example.com/messages"),
        ("GET", f"{V3}/rooms/!abc:example.com%00/messages"),
        ("GET", f"{V3}/rooms/!abc:example.com/hierarchy"),
        ("POST", f"{V3}/join/%23alias:example.com"),
        ("POST", f"{V3}/rooms/!abc:example.com/upgrade"),
        ("PATCH", f"{V3}/rooms/!abc:example.com/messages"),
    ],
)
def test_no_trick_in_a_path_opens_another_room(method, path):
    """A path is what Synapse's router takes it for; whatever else it is takes the whole API."""
    narrow = access.of(EVERYTHING | {ROOM + ROOM_ID})

    assert narrow.refuse(method, path) == API


@pytest.mark.parametrize(
    ("scope", "method", "path", "lacks"),
    [
        (SEND, "PUT", "rooms/!a:b/send/m.room.message/1", None),
        (SEND, "PUT", "rooms/!a:b/send/m.reaction/1", None),
        (SEND, "PUT", "rooms/!a:b/send/m.room.redaction/1", ROOMS_MANAGE),
        (SEND, "PUT", "rooms/!a:b/send/m.room%2Eredaction/1", ROOMS_MANAGE),
        (SEND, "PUT", "rooms/!a:b/state/m.room.name", ROOMS_MANAGE),
        (ROOMS_MANAGE, "PUT", "rooms/!a:b/state/m.room.name/", None),
        (ROOMS_MANAGE, "PUT", "rooms/!a:b/state/m.room.member/@me:b", ROOMS_JOIN),
        (ROOMS_MANAGE, "PUT", "rooms/!a:b/state/m%2eroom.member/@me:b", ROOMS_JOIN),
        (ROOMS_MANAGE, "PUT", "rooms/!a:b/send/m.room.message/1", SEND),
        (ROOMS_MANAGE, "POST", "rooms/!a:b/join", ROOMS_JOIN),
        (ROOMS_JOIN, "POST", "rooms/!a:b/invite", ROOMS_MANAGE),
        (READ, "POST", "rooms/!a:b/receipt/m.read/$e", SEND),
        (READ, "POST", "rooms/!a:b/read_markers", SEND),
        (READ, "GET", "user/@me:b/account_data/m.direct", "urn:nextgen-auth:account_data"),
        (READ, "PUT", "presence/@me:b/status", API),
        (READ, "POST", "keys/query", KEYS),
        (MEDIA_UPLOAD, "GET", "media/download/b/x", READ),
        (KEYS, "POST", "keys/device_signing/upload", API),
        (KEYS, "GET", "devices", API),
    ],
)
def test_what_a_request_lacks_is_named(scope, method, path, lacks):
    assert access.of(frozenset({scope})).refuse(method, f"{V3}/{path}") == lacks


@pytest.mark.parametrize(
    "path",
    [
        "v3/admin/whois/@a:b",
        "r0/admin/whois/@a:b",
        "api/v1/admin/whois/@a:b",
        "v1/admin/suspend/@a:b",
        "unstable/uk.timedout.msc4323/admin/lock/@a:b",
    ],
)
def test_server_administration_is_for_those_endpoints(path):
    """MSC4484; `urn:synapse:admin:*` implies it, and no scope of ours does."""
    path = f"/_matrix/client/{path}"

    assert access.of(frozenset({SERVER_ADMIN})).refuse("GET", path) is None
    assert access.of(EVERYTHING).refuse("GET", path) == SERVER_ADMIN
    assert access.of(frozenset({API, ADMIN})).administers
    assert access.of(frozenset({API, SERVER_ADMIN})).administers
    assert not access.of(frozenset({API})).administers


@pytest.mark.parametrize(
    "path",
    [
        "/_synapse/admin/v2/users",
        "/_matrix/client/v3/sendToDevice/admin/1",
        "/_matrix/client/unstable/sendToDevice/admin/1",
        "/_matrix/client/v3/profile/admin/displayname",
        "/_matrix/client/v3/rooms/admin/messages",
        "/_matrix/client/v3/administrator",
        "/_matrix/client/v3/account/whoami",
        "/_matrix/client/versions",
        "/_matrix/admin/whois",
    ],
)
def test_and_for_nothing_else(path):
    for method in ("GET", "PUT", "POST", "DELETE"):
        assert access.of(frozenset({SERVER_ADMIN})).refuse(method, path) is not None
