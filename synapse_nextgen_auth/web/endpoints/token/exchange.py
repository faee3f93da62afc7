"""What differs between grant types at the token endpoint; everything else is in `pipeline.py`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth.accounts.admission import Reason
from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_request
from synapse_nextgen_auth.oauth.grants import grant_types
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.site import Site

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows.begin_session import Opening
    from synapse_nextgen_auth.oauth.resources import Target


@frozen
class TokenRequest:
    """A token request whose client is known, and may use the grant type."""

    client: Client
    form: Mapping[str, str] = attrs.field(repr=False)
    incoming: Incoming

    def require(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.form.get(name)
        if value is None:
            raise invalid_request(f"{name} is missing")
        return value

    def target(self, site: Site, granted: Scope, words: str | None) -> "Target | None":
        """Return which service the access token is for, `None` for this one (RFC 8707 section 2.2)."""
        resource = self.form.get("resource")
        if words is None and resource is None:
            return None
        narrows = self.form.get("grant_type") in grant_types.NARROWING
        return site.resources.target(
            granted,
            words,
            resource=resource,
            usual=self.client.resource,
            scope=self.form.get("scope") if narrows else None,
        )


@frozen
class Found:
    """Whose account a new session is for, and what it may do there.

    `is_spent`: it was used already, so no device need be made, whatever comes of it. `mask` is how much
    of that the access token gets, `None` for all of it. `words` are of services of others.
    """

    user_id: str
    scope: Scope
    is_spent: bool = False
    mask: int | None = None
    words: str | None = None


@frozen
class Held:
    """The session that the client has, and the generation of the token that it shows for it.

    `target` is the service that the access token is to be for, `None` for this server.
    """

    session: Session
    generation: int
    target: "Target | None" = None


@frozen
class Spent:
    """What tokens are made of: the session as the client spells its scope, and which generation.

    `mask` is how much of the session's scope the access token gets, `None` for all of it. `nonce`
    goes into the ID token.
    """

    session: Session
    generation: int
    mask: int | None = None
    nonce: str | None = None


@frozen(kw_only=True)
class NewSession:
    """A grant type that is spent on a new session.

    `find` looks what the request stands for, and spends nothing. `refuse_account` is what the client
    hears when that account may not go on. `spend` runs the flow that spends it, once, on a session
    that begins as the `Opening` says, and is what `find` found.
    `only_new_device` leaves a device that is there to whoever has it (C310); a page on which a person
    agreed can tell them that they sign something out, and nothing else can.
    """

    name: str
    find: Callable[[Site, TokenRequest], Awaitable[Found]]
    refuse_account: Callable[[Reason], OAuthError]
    spend: Callable[[Site, TokenRequest, "Opening"], Awaitable[Spent]]
    gives_refresh_token: bool
    only_new_device: bool


@frozen(kw_only=True)
class OneSession(NewSession):
    """A grant type that is spent on the one session that its client has, or else on a new one.

    `standing` is that session, `None` if there is none; `spend` returns another one than the `Opening`
    says where another request was first.
    """

    standing: Callable[[Site, TokenRequest, Found], Awaitable[Session | None]]


@frozen(kw_only=True)
class SameSession:
    """A grant type that goes on with a session: `spend` runs the flow on what `find` finds."""

    name: str
    find: Callable[[Site, TokenRequest], Awaitable[Held]]
    spend: Callable[[Site, TokenRequest, Held], Awaitable[Spent]]
    gives_refresh_token: bool


Exchange = NewSession | SameSession
