"""The one table of what each endpoint of Matrix takes, by method and path (docs/reference/scopes.md).

What is not in it takes the whole API, and so does whatever a later Synapse adds. A test walks every
servlet of the Synapse that runs and fails when one is not decided here.
"""

import enum
from collections.abc import Iterator
from urllib.parse import unquote

import attrs

from synapse_nextgen_auth.oauth.scopes.permissions import (
    ACCOUNT_DATA,
    KEYS,
    MEDIA_UPLOAD,
    PUSH,
    READ,
    ROOMS_JOIN,
    ROOMS_MANAGE,
    SEND,
    SET_PROFILE,
)
from synapse_nextgen_auth.oauth.scopes.whole_api import WHOLE
from synapse_nextgen_auth.records import frozen

# Written as Synapse's router does: an argument is one segment of the path, and may be empty. `{room}` is
# the room that a token must reach; an alias there names none.
_ROOM, _EVENT, _TYPE = "{room}", "{event}", "{type}"
_SENDING = ("rooms/{room}/send/", "rooms/{room}/state/")
_REDACTING = "rooms/{room}/redact/"
_CLIENT, _MEDIA = "/_matrix/client/", "/_matrix/media/"
_VERSIONS = ("api/v1/", "r0/", "v1/", "v3/", "unstable/")
_MEDIA_VERSIONS = ("r0/", "v1/", "v3/")


class Need(enum.Enum):
    """How much of a scope an endpoint takes."""

    ANY = "any"  # of Matrix
    PARTS = "parts"
    WHOLE = "whole"


@frozen
class Line:
    """One line of the table.

    `parts` are all needed. Where the path names no room, or `others` too, a token for some rooms gets
    nothing, unless the answer `is_cut` to what it may know.
    """

    method: str
    template: str
    need: Need
    parts: tuple[str, ...] = ()
    is_cut: bool = False
    others: bool = False


@frozen
class Asked:
    """What a request takes: of the line that it is on, with the room and the event that it names.

    `sends` is true of what can be asked to be sent later, `redacts` of a redaction by its address.
    """

    need: Need
    parts: tuple[str, ...] = ()
    is_cut: bool = False
    room: str | None = None
    event: str | None = None
    redacts: bool = False
    sends: bool = False


def _lines(methods: str, template: str, *parts: str, **more: bool) -> Iterator[Line]:
    for method in methods.split():
        yield Line(method, template, Need.PARTS, parts, **more)


TABLE: tuple[Line, ...] = (
    # Who am I, and what can I do.
    Line("GET", "account/whoami", Need.ANY),
    Line("GET", "capabilities", Need.ANY),
    Line("GET", "versions", Need.ANY),
    # What the account can see.
    *_lines("GET", "sync", READ, is_cut=True),
    *_lines("POST", "org.matrix.simplified_msc3575/sync", READ, is_cut=True),
    *_lines("POST", "user/{user}/filter", READ, is_cut=True),
    *_lines("GET", "user/{user}/filter/{id}", READ),  # which names the rooms of others
    *_lines("GET", "joined_rooms", READ),
    *_lines("GET", "notifications", READ),
    *_lines("POST", "search", READ),
    *_lines("POST", "user_directory/search", READ),
    *_lines("GET POST", "publicRooms", READ),
    *_lines("GET", "presence/{user}/status", READ),
    *_lines("GET", "profile/{user}", READ),
    *_lines("GET", "profile/{user}/{field}", READ),
    *_lines("GET", "uk.tcpip.msc4133/profile/{user}/{field}", READ),
    *_lines("GET", "mutual_rooms", READ),
    *_lines("GET", "uk.half-shot.msc2666/user/mutual_rooms", READ),
    *_lines("GET", "rooms/{room}/event/{event}", READ),
    *_lines("GET", "rooms/{room}/context/{event}", READ),
    *_lines("GET", "rooms/{room}/messages", READ),
    *_lines("GET", "rooms/{room}/members", READ),
    *_lines("GET", "rooms/{room}/joined_members", READ),
    *_lines("GET", "rooms/{room}/state", READ),
    *_lines("GET", "rooms/{room}/state/{type}", READ),
    *_lines("GET", "rooms/{room}/state/{type}/{key}", READ),
    *_lines("GET", "rooms/{room}/aliases", READ),
    *_lines("GET", "org.matrix.msc2432/rooms/{room}/aliases", READ),
    *_lines("GET", "rooms/{room}/relations/{event}", READ),
    *_lines("GET", "rooms/{room}/relations/{event}/{relation}", READ),
    *_lines("GET", "rooms/{room}/relations/{event}/{relation}/{type}", READ),
    *_lines("GET", "rooms/{room}/threads", READ),
    *_lines("GET", "rooms/{room}/timestamp_to_event", READ),
    *_lines("GET", "rooms/{room}/hierarchy", READ, others=True),
    *_lines("GET", "room_summary/{room}", READ),
    *_lines("GET", "im.nheko.summary/rooms/{room}/summary", READ),
    *_lines("GET", "im.nheko.summary/summary/{room}", READ),
    # Media belongs to no room in Synapse.
    *_lines("GET", "media/config", READ, is_cut=True),
    *_lines("GET", "media/preview_url", READ),
    *_lines("GET", "media/download/{server}/{media}", READ),
    *_lines("GET", "media/download/{server}/{media}/{name}", READ),
    *_lines("GET", "media/thumbnail/{server}/{media}", READ),
    # What it says.
    *_lines("POST", "rooms/{room}/send/{type}", SEND),
    *_lines("PUT", "rooms/{room}/send/{type}/{txn}", SEND),
    *_lines("POST", "rooms/{room}/redact/{event}", SEND),
    *_lines("PUT", "rooms/{room}/redact/{event}/{txn}", SEND),
    *_lines("PUT", "rooms/{room}/typing/{user}", SEND),
    *_lines("POST", "rooms/{room}/receipt/{receipt}/{event}", SEND),
    *_lines("POST", "rooms/{room}/read_markers", SEND),
    # Which rooms it is in.
    *_lines("POST", "join/{room}", ROOMS_JOIN),
    *_lines("PUT", "join/{room}/{txn}", ROOMS_JOIN),
    *_lines("POST", "knock/{room}", ROOMS_JOIN),
    *_lines("POST", "rooms/{room}/join", ROOMS_JOIN),
    *_lines("POST", "rooms/{room}/leave", ROOMS_JOIN),
    *_lines("POST", "rooms/{room}/forget", ROOMS_JOIN),
    *_lines("PUT", "rooms/{room}/join/{txn}", ROOMS_JOIN),
    *_lines("PUT", "rooms/{room}/leave/{txn}", ROOMS_JOIN),
    *_lines("PUT", "rooms/{room}/forget/{txn}", ROOMS_JOIN),
    # What rooms are like, and who is in them.
    *_lines("PUT", "rooms/{room}/state/{type}", ROOMS_MANAGE),
    *_lines("PUT", "rooms/{room}/state/{type}/{key}", ROOMS_MANAGE),
    *(
        line
        for action in ("invite", "kick", "ban", "unban")
        for line in (
            *_lines("POST", f"rooms/{{room}}/{action}", ROOMS_MANAGE),
            *_lines("PUT", f"rooms/{{room}}/{action}/{{txn}}", ROOMS_MANAGE),
        )
    ),
    # What the account is like.
    *_lines("PUT DELETE", "profile/{user}/{field}", SET_PROFILE),
    *_lines("PUT DELETE", "uk.tcpip.msc4133/profile/{user}/{field}", SET_PROFILE),
    *_lines("GET PUT", "user/{user}/account_data/{type}", ACCOUNT_DATA),
    *_lines("DELETE", "org.matrix.msc3391/user/{user}/account_data/{type}", ACCOUNT_DATA),
    *_lines("GET PUT", "user/{user}/rooms/{room}/account_data/{type}", ACCOUNT_DATA),
    *_lines(
        "DELETE", "org.matrix.msc3391/user/{user}/rooms/{room}/account_data/{type}", ACCOUNT_DATA
    ),
    *_lines("GET", "user/{user}/rooms/{room}/tags", ACCOUNT_DATA),
    *_lines("PUT DELETE", "user/{user}/rooms/{room}/tags/{tag}", ACCOUNT_DATA),
    *_lines("GET", "pushers", PUSH),
    *_lines("POST", "pushers/set", PUSH),
    *_lines("GET PUT DELETE", "pushrules/{path}", PUSH),
    # Its keys.
    *_lines("POST", "keys/upload", KEYS),
    *_lines("POST", "keys/query", KEYS),
    *_lines("POST", "keys/claim", KEYS),
    *_lines("GET", "keys/changes", KEYS),
    *_lines("POST", "keys/signatures/upload", KEYS),
    *_lines("PUT", "sendToDevice/{type}/{txn}", KEYS),
    *_lines("GET POST", "room_keys/version", KEYS),
    *_lines("GET PUT DELETE", "room_keys/version/{version}", KEYS),
    *_lines("GET PUT DELETE", "room_keys/keys", KEYS),
    *_lines("GET PUT DELETE", "room_keys/keys/{room_of_keys}", KEYS),
    *_lines("GET PUT DELETE", "room_keys/keys/{room_of_keys}/{session}", KEYS),
    # By name, so that nobody has to wonder whether it was forgotten.
    *(
        Line(method, template, Need.WHOLE)
        for methods, template in WHOLE
        for method in methods.split()
    ),
)
# Another resource of Synapse, with paths of its own.
MEDIA_TABLE: tuple[Line, ...] = (
    *_lines("POST", "upload", MEDIA_UPLOAD, is_cut=True),
    *_lines("POST", "create", MEDIA_UPLOAD, is_cut=True),
    *_lines("PUT", "upload/{server}/{media}", MEDIA_UPLOAD, is_cut=True),
    *_lines("GET", "config", READ, is_cut=True),
    *_lines("GET", "preview_url", READ),
)


@frozen
class _End:
    """A line, and where in its path the room, the event and the type are.

    `always` is what a request takes that names none of them.
    """

    line: Line
    always: Asked
    room: int | None
    event: int | None
    type: int | None


class _Node:
    """Where a request is after some segments of its path."""

    __slots__ = ("argument", "ends", "named")

    def __init__(self) -> None:
        self.named: dict[str, _Node] = {}
        self.argument: _Node | None = None
        self.ends: dict[str, _End] = {}

    def add(self, line: Line) -> None:
        """Put a line where its path ends."""
        node, segments = self, line.template.split("/")
        for segment in segments:
            if segment.startswith("{"):
                node.argument = node.argument or _Node()
                node = node.argument
            else:
                node = node.named.setdefault(segment, _Node())
        assert line.method not in node.ends, line  # noqa: S101 (two lines would contradict)
        sends = line.method != "GET" and line.template.startswith(_SENDING)
        watched = (_ROOM, _EVENT, _TYPE if sends else None)
        where = (segments.index(name) if name in segments else None for name in watched)
        always = Asked(line.need, line.parts, line.is_cut)
        node.ends[line.method] = _End(line, always, *where)


def _tree(lines: tuple[Line, ...]) -> _Node:
    root = _Node()
    for line in lines:
        root.add(line)
    return root


_CLIENT_TREE, _MEDIA_TREE = _tree(TABLE), _tree(MEDIA_TABLE)


def find(method: str, path: str) -> Asked | None:
    """Return what a request takes; `None` if nothing was decided about it.

    A path is compared as Synapse's router compares it, letter by letter; what its arguments say is
    read as Synapse reads them, without their percent signs.
    """
    found = _find(method, path)
    return None if found is None else _asked(*found)


def line_of(method: str, path: str) -> Line | None:
    """Return the line of the table that a request is on."""
    found = _find(method, path)
    return None if found is None else found[1].line


def is_for_admins(path: str) -> bool:
    """Say whether a request is one of those that MSC4484 is about: `/_matrix/client/*/admin/`."""
    if not path.startswith(_CLIENT):
        return False
    rest = _without_version(path[len(_CLIENT) :])
    if rest is None:
        return False
    # A proposal's name has a dot, and what has none is an endpoint with arguments.
    name, _, after = rest.partition("/")
    is_unstable = path.startswith(f"{_CLIENT}unstable/") and "." in name
    return rest.startswith("admin/") or (is_unstable and after.startswith("admin/"))


def _find(method: str, path: str) -> tuple[list[str], _End] | None:
    tree, rest = _below(path)
    # The one endpoint whose argument has slashes.
    segments = ["pushrules", ""] if rest.startswith("pushrules/") else rest.split("/")
    node: _Node | None = tree
    for segment in segments:
        if node is None:
            return None
        node = node.named.get(segment) or node.argument
    end = node.ends.get("GET" if method == "HEAD" else method) if node is not None else None
    return None if end is None else (segments, end)


def _below(path: str) -> tuple[_Node | None, str]:
    if path.startswith(_CLIENT):
        rest = path[len(_CLIENT) :]
        if rest == "versions":
            return _CLIENT_TREE, rest
        after = _without_version(rest)
        return (None, "") if after is None else (_CLIENT_TREE, after)
    if path.startswith(_MEDIA):
        rest = path[len(_MEDIA) :]
        for version in _MEDIA_VERSIONS:
            if rest.startswith(version):
                return _MEDIA_TREE, rest[len(version) :]
    return None, ""


def _without_version(rest: str) -> str | None:
    for version in _VERSIONS:
        if rest.startswith(version):
            return rest[len(version) :]
    return None


def _asked(segments: list[str], end: _End) -> Asked:
    line = end.line
    if end.room is None and end.event is None:
        return end.always
    asked = Asked(
        line.need,
        line.parts,
        line.is_cut,
        None if end.room is None or line.others else unquote(segments[end.room]),
        None if end.event is None else unquote(segments[end.event]),
        redacts=line.template.startswith(_REDACTING),
        sends=end.type is not None,
    )
    return asked if end.type is None else _with_type(asked, unquote(segments[end.type]))


def _with_type(asked: Asked, kind: str) -> Asked:
    """Return what sending an event takes whose type has a power that others have not.

    A membership is a way to join, and a redaction may be of what others said.
    """
    more = {"m.room.member": ROOMS_JOIN, "m.room.redaction": ROOMS_MANAGE}.get(kind)
    if more is None:
        return asked
    return attrs.evolve(asked, parts=tuple(dict.fromkeys((*asked.parts, more))))
