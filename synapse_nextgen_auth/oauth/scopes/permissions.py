"""The one table of what a scope can allow (RFC 6749 section 3.3; Client-Server API, Scope).

What is known, what goes together, what is advertised, what an administrator has to allow and what
people are asked follow from it; the words that they are asked in are in the templates.
"""

from synapse_nextgen_auth.records import frozen

OPENID = "openid"
EMAIL = "email"
PROFILE = "profile"
API = "urn:matrix:client:api:*"
DEVICE = "urn:matrix:client:device:"
ADMIN = "urn:synapse:admin:*"
# MSC4484; `grammar` knows its unstable name.
SERVER_ADMIN = "urn:matrix:client:server_administration"
# matrix-authentication-service's, for the admin API that has the shape of its own.
MAS_ADMIN = "urn:mas:admin"

# Ours: parts of what `API` opens (docs/reference/scopes.md).
READ = "urn:nextgen-auth:read"
SEND = "urn:nextgen-auth:send"
ROOMS_JOIN = "urn:nextgen-auth:rooms.join"
ROOMS_MANAGE = "urn:nextgen-auth:rooms.manage"
SET_PROFILE = "urn:nextgen-auth:profile"
ACCOUNT_DATA = "urn:nextgen-auth:account_data"
PUSH = "urn:nextgen-auth:push"
MEDIA_UPLOAD = "urn:nextgen-auth:media.upload"
KEYS = "urn:nextgen-auth:keys"
NARROW = frozenset(
    {READ, SEND, ROOMS_JOIN, ROOMS_MANAGE, SET_PROFILE, ACCOUNT_DATA, PUSH, MEDIA_UPLOAD, KEYS}
)
# What stands behind it is the id of a room; it narrows all of these, and opens nothing by itself.
ROOM = "urn:nextgen-auth:room:"


@frozen(kw_only=True)
class Permission:
    """Something that a scope can allow: one scope token, in its stable spelling.

    `needs` are the tokens that it must come together with. `followed_by` says what a client writes
    behind it, once in a scope. `grave` is power over the server: it takes an account that is an
    administrator, stands apart on a page, and is never remembered (C311). `acts` is false for what
    only tells who somebody is. `unadvertised` says why discovery does not name it. `needs_one_of` are
    tokens of which one must be there, `excludes` is one that must not. `is_repeated` is what may stand
    several times in a scope. `in_rooms` is false for what a token for some rooms gets nothing of.
    """

    scope: str
    needs: tuple[str, ...] = ()
    followed_by: str | None = None
    grave: bool = False
    acts: bool = True
    unadvertised: str | None = None
    needs_one_of: tuple[str, ...] = ()
    excludes: str | None = None
    is_repeated: bool = False
    in_rooms: bool = True


PERMISSIONS = (
    Permission(scope=OPENID, acts=False),
    # OpenID Connect Core section 5.4: without `openid` they mean nothing, and are no mistake either.
    Permission(scope=EMAIL, acts=False),
    Permission(scope=PROFILE, acts=False),
    Permission(scope=API, needs=(DEVICE,)),
    # Parts of that, for whatever does not take all of it; a device is of use to all of them.
    Permission(scope=READ),
    Permission(scope=SEND),
    Permission(scope=ROOMS_JOIN),
    Permission(scope=ROOMS_MANAGE),
    Permission(scope=SET_PROFILE, in_rooms=False),
    Permission(scope=ACCOUNT_DATA),
    # A pusher goes with its device.
    Permission(scope=PUSH, needs=(DEVICE,), in_rooms=False),
    Permission(scope=MEDIA_UPLOAD),
    Permission(scope=KEYS, needs=(DEVICE,), in_rooms=False),
    Permission(
        scope=ROOM,
        needs_one_of=tuple(sorted(NARROW)),
        excludes=API,
        followed_by="the id of a room",
        is_repeated=True,
        unadvertised="each room has an id of its own",
    ),
    Permission(
        scope=DEVICE,
        needs_one_of=(API, *sorted(NARROW)),
        followed_by="the id of the device",
        unadvertised="each client makes up an id of its own",
    ),
    # Admin power is asked for by name and on top of the API, never alone and never implied (C311).
    Permission(scope=ADMIN, needs=(API,), grave=True),
    # Of the same power, at the few endpoints that it opens (MSC4484).
    Permission(scope=SERVER_ADMIN, grave=True),
    # Of the same power, at the admin API of ours; it opens nothing of Matrix.
    Permission(scope=MAS_ADMIN, grave=True),
)
