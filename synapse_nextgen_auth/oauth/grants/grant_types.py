"""The grant types that this server knows, each with all that is said about it (RFC 6749, RFC 8628).

Registration, the configuration, the metadata and the token endpoint walk `GRANT_TYPES`; what is not
said here is not so: nobody may have it, it leads to no refresh token, it is advertised nowhere.
"""

from collections.abc import Collection

from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.records import frozen

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant type
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT_CREDENTIALS = "client_credentials"


@frozen
class Endpoint:
    """An endpoint at which a grant type begins: its name in the metadata, and its path."""

    name: str
    path: str


@frozen(kw_only=True)
class GrantType:
    """One grant type; a combination that would let a stranger in cannot be made.

    Whatever it says, its tokens are an account's, which must be allowed to go on.

    `begins_session`: it is spent on a new session, and only by clients that have it among their
    `grant_types`. Otherwise it goes on with one, and every client may use it.
    `a_person_agrees`: on a page of ours, before each session; who asks nobody gets less.
    `the_operator_agrees`: the configuration names the account of each client, and what it may do there.
    `may_be_registered`, `may_be_configured`: whether a client may have it that anybody registers
    (RFC 7591), and one that the operator wrote down.
    `is_default`: a client has it that says nothing about grant types.
    `waits_here`: whoever uses it has something waiting here already, so its client is kept.
    `response_type`: what begins it at the authorization endpoint, which takes redirect URIs.
    `endpoint`: where else it begins. `option`: the section whose `enabled` switches it off. One that
    only the configuration gives is on where a client there has it.
    """

    name: str
    begins_session: bool = True
    a_person_agrees: bool = False
    the_operator_agrees: bool = False
    gives_refresh_token: bool = False
    may_be_registered: bool = False
    may_be_configured: bool = False
    is_advertised: bool = False
    is_default: bool = False
    waits_here: bool = False
    response_type: str | None = None
    endpoint: Endpoint | None = None
    option: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what would hand out more than somebody agreed to."""
        reason = _refuse_combination(self)
        if reason is not None:
            raise ValueError(f"{self.name}: {reason}")


def _refuse_combination(kind: GrantType) -> str | None:
    is_asked = kind.a_person_agrees or not kind.begins_session
    if kind.may_be_registered and not is_asked:
        return "a stranger could register a client and let itself in; nobody is asked"
    if kind.gives_refresh_token and not is_asked:
        return "its client can ask anew at any time: a refresh token is of no use (RFC 6749 4.4.3)"
    if kind.the_operator_agrees and kind.a_person_agrees:
        return "who of the two is asked?"
    if kind.is_default and not kind.may_be_registered:
        return "clients that say nothing may not have it"
    return None


GRANT_TYPES = (
    GrantType(
        name=AUTHORIZATION_CODE,
        a_person_agrees=True,
        gives_refresh_token=True,
        may_be_registered=True,
        may_be_configured=True,
        is_advertised=True,
        is_default=True,
        response_type="code",
    ),
    # RFC 7591 gives a client that says nothing the code alone, but Matrix promises every session a
    # refresh token.
    GrantType(
        name=REFRESH_TOKEN,
        begins_session=False,
        gives_refresh_token=True,
        may_be_registered=True,
        may_be_configured=True,
        is_advertised=True,
        is_default=True,
        waits_here=True,
    ),
    GrantType(
        name=DEVICE_CODE,
        a_person_agrees=True,
        gives_refresh_token=True,
        may_be_registered=True,
        may_be_configured=True,
        is_advertised=True,
        waits_here=True,
        endpoint=Endpoint("device_authorization_endpoint", "device-authorization"),
        option="device_grants",
    ),
    # RFC 6749 section 4.4, for the account that the operator wrote beside the client.
    GrantType(
        name=CLIENT_CREDENTIALS,
        the_operator_agrees=True,
        may_be_configured=True,
        is_advertised=True,
    ),
)

BY_NAME = {kind.name: kind for kind in GRANT_TYPES}
DEFAULT = tuple(kind.name for kind in GRANT_TYPES if kind.is_default)
CONFIGURABLE = tuple(kind.name for kind in GRANT_TYPES if kind.may_be_configured)
# Those whose request may ask for part of the scope (RFC 6749 sections 4.4.2 and 6).
NARROWING = frozenset({REFRESH_TOKEN, CLIENT_CREDENTIALS})
RESPONSE_TYPES = {kind.name: kind.response_type for kind in GRANT_TYPES if kind.response_type}


def refuse_client(kind: GrantType, *, granted: Collection[str], is_public: bool) -> str | None:
    """Return why a client with these grant types may not use this one, or `None`."""
    if not kind.begins_session:
        return None  # the session is the proof: every one has a refresh token (Client-Server API)
    if kind.name not in granted:
        if kind.the_operator_agrees:
            return f"The client may not use {kind.name}"
        return f"The client did not register {kind.name}"
    if is_public and not kind.a_person_agrees:
        return "A public client proves nothing about itself (RFC 6749 section 4.4)"
    return None


def refuse_scope(kind: GrantType, scope: Scope) -> str | None:
    """Return why a session of this grant type may not have this scope, or `None`.

    Where no person agrees there is no administrator who could allow power over the server (C311), unless
    the operator wrote that down, and nobody whom an ID token or userinfo could tell of: `auth_time` and
    `sub` are about an End-User who signed in (OpenID Connect Core section 2). Such a scope is refused
    and not left out, so that the operator notices (RFC 6749 section 5.2).
    """
    if kind.a_person_agrees or not kind.begins_session:
        return None
    for permission in scope.permissions:
        is_allowed = not permission.grave or kind.the_operator_agrees
        if not permission.acts or not is_allowed:
            return f"{permission.scope} takes a person who agrees, and {kind.name} asks nobody"
    return None
