"""Which providers Synapse knows, and which of them a hint means."""

import enum
from typing import TYPE_CHECKING, Any

from synapse.rest.client.login import _load_sso_handlers
from synapse.server import HomeServer

from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.own_ways import Identity

NEEDS = (
    Needed("synapse.handlers.sso", "SsoHandler.get_identity_providers"),
    Needed("synapse.handlers.oidc", "OidcProvider.issuer", once_loaded="synapse.handlers.oidc"),
    Needed("synapse.rest.client.login", "_load_sso_handlers", ("hs",)),
    Needed("synapse.storage.databases.main", "DataStore.get_external_ids_by_user", ("mxid",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.invalidate_cache_and_stream",
        ("cache_name", "keys"),
    ),
    *members("synapse.server", "HomeServer", "get_datastores", "get_sso_handler"),
)

# What Synapse puts before the `idp_id` of its configuration, and people who write a hint may not.
_PREFIX = "oidc-"
_OPENID = "openid"


class Kind(enum.Enum):
    """What a provider speaks."""

    OPENID = "openid"
    SAML = "saml"
    CAS = "cas"
    OTHER = "other"


@frozen
class Provider:
    """One provider, as its button shows it; `icon` is an mxc URI.

    `proves_afresh` says whether it can be asked to let the person prove anew who they are.
    """

    provider_id: str
    name: str
    icon: str | None
    brand: str | None
    kind: Kind
    proves_afresh: bool


class Providers:
    """The providers of one homeserver; who they are is known once Synapse has made its handlers."""

    def __init__(self, hs: HomeServer, *, trusted_to_be_fresh: frozenset[str]) -> None:
        self._hs = hs
        self._trusted = trusted_to_be_fresh
        self._listed: tuple[Provider, ...] | None = None

    def handlers(self) -> dict[str, Any]:
        """Return what Synapse has for each provider, by its id."""
        _load_sso_handlers(self._hs)
        return dict(self._hs.get_sso_handler().get_identity_providers())

    def all(self) -> tuple[Provider, ...]:
        """Return every provider, in the order of the configuration."""
        if self._listed is None:
            self._listed = tuple(map(self._read, self.handlers().values()))
        return self._listed

    def get(self, provider_id: str) -> Provider | None:
        """Return the provider with exactly this id."""
        return next((each for each in self.all() if each.provider_id == provider_id), None)

    def hinted(self, hint: str | None) -> Provider | None:
        """Return the provider that a client means, with or without `oidc-` before its id."""
        if hint is None:
            return None
        return self.get(hint) or self.get(_PREFIX + hint)

    async def linked_to(self, user_id: str) -> frozenset[str]:
        """Return the ids of the providers that have let in this account: one look for all of them."""
        store = self._hs.get_datastores().main
        found = await store.get_external_ids_by_user(user_id)
        return frozenset(provider_id for provider_id, _ in found)

    async def changed(self, identity: "Identity") -> None:
        """Let no process remember whose somebody at a provider is: that has just changed."""
        key = (identity.provider, identity.external_id)
        store = self._hs.get_datastores().main
        await store.invalidate_cache_and_stream("get_user_by_external_id", key)

    def issuer(self, provider_id: str) -> str | None:
        """Return what a provider calls itself that speaks OpenID Connect, `None` of any other."""
        handler: Any = self.handlers().get(provider_id)
        return str(handler.issuer) if kind_of(handler) is Kind.OPENID else None

    def issuers(self) -> frozenset[str]:
        """Return what the providers of `oidc_providers` call themselves."""
        handlers = self.handlers().values()
        return frozenset(each.issuer for each in handlers if kind_of(each) is Kind.OPENID)

    @property
    def trusted(self) -> frozenset[str]:
        """The ids of the providers whose sign-ins count as fresh ones where those are asked for."""
        return frozenset(each.provider_id for each in self.all() if self.trusts(each.provider_id))

    def trusts(self, provider_id: str) -> bool:
        """Say whether the operator takes a sign-in there for a fresh one where that is asked for."""
        return bool(self._trusted & {provider_id, provider_id.removeprefix(_PREFIX)})

    def _read(self, handler: Any) -> Provider:
        kind = kind_of(handler)
        can = kind in {Kind.SAML, Kind.CAS} or (
            # OAuth 2.0 alone has no `auth_time`: such a provider says that somebody is there, not when
            # they proved it.
            kind is Kind.OPENID and speaks_openid(handler)
        )
        return Provider(
            provider_id=handler.idp_id,
            name=handler.idp_name,
            icon=handler.idp_icon,
            brand=handler.idp_brand,
            kind=kind,
            proves_afresh=can or self.trusts(handler.idp_id),
        )


def speaks_openid(handler: Any) -> bool:
    """Say whether an OAuth 2.0 provider is asked for OpenID Connect, too."""
    return _OPENID in handler._scopes  # noqa: SLF001 (as the handler asks it)


def kind_of(handler: object) -> Kind:
    """Return what a handler of Synapse speaks; a module may bring one of its own."""
    return {
        "synapse.handlers.oidc": Kind.OPENID,
        "synapse.handlers.saml": Kind.SAML,
        "synapse.handlers.cas": Kind.CAS,
    }.get(type(handler).__module__, Kind.OTHER)
