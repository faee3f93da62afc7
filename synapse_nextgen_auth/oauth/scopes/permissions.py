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
    only tells who somebody is. `unadvertised` says why discovery does not name it.
    """

    scope: str
    needs: tuple[str, ...] = ()
    followed_by: str | None = None
    grave: bool = False
    acts: bool = True
    unadvertised: str | None = None


PERMISSIONS = (
    Permission(scope=OPENID, acts=False),
    # OpenID Connect Core section 5.4: without `openid` they mean nothing, and are no mistake either.
    Permission(scope=EMAIL, acts=False),
    Permission(scope=PROFILE, acts=False),
    Permission(scope=API, needs=(DEVICE,)),
    Permission(
        scope=DEVICE,
        needs=(API,),
        followed_by="the id of the device",
        unadvertised="each client makes up an id of its own",
    ),
    # Admin power is asked for by name and on top of the API, never alone and never implied (C311).
    Permission(scope=ADMIN, needs=(API,), grave=True),
)
