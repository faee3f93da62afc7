"""Who we are: our addresses, our keys, and what we say that we can do."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import attrs
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth import config as configuration
from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.accounts.factors.demands import Level
from synapse_nextgen_auth.accounts.factors.policy import FactorPolicy
from synapse_nextgen_auth.accounts.management import Action
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.signing import Signing
from synapse_nextgen_auth.oauth import metadata
from synapse_nextgen_auth.oauth.clients import jwks
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.grants.grant_types import GRANT_TYPES
from synapse_nextgen_auth.oauth.metadata import Abilities, Endpoints
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.web.site import (
    Issuer,
)

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.factors.passkeys import party
else:
    party = late.file("accounts.factors.passkeys.party")


def issuer_of(  # noqa: PLR0913 (what is announced comes from as many places)
    config: Config,
    homeserver: Homeserver,
    keys: Keyring,
    endpoints: Endpoints,
    *,
    languages: tuple[str, ...],
    sign_up: bool,
    has_rules: Callable[[], bool],
) -> Issuer:
    """Return the authorization server as its clients know it.

    `has_rules` says whether another module decides who has second factors: it may come after us.
    """
    abilities = Abilities(
        grant_types=_grant_types(config),
        auth_methods=tuple(method.value for method in AuthMethod),
        signing_algorithms=jwks.ALGORITHMS,
        registration=config.client_registration.enabled,
        account_actions=tuple(action.value for action in Action),
        languages=languages,
        sign_up=sign_up,
    )

    @cache
    def document() -> bytes:
        said = acr_values(config, endpoints.issuer, has_rules=has_rules())
        found = metadata.document(endpoints, attrs.evolve(abilities, acr_values=said))
        found = metadata.with_services(found, config.resource_servers) | _pages_of(config)
        return metadata.encode(found)

    return Issuer(
        endpoints=endpoints,
        abilities=abilities,
        document=document,
        keys=keys,
        signing=Signing(homeserver, keys),
    )


def keyring(config: Config, hs_config: HomeServerConfig) -> Keyring:
    """Return the keys: from the module's secret, else from Synapse's `macaroon_secret_key`."""
    master = (
        config.secret.reveal().encode("utf-8")
        if config.secret
        else hs_config.key.macaroon_secret_key
    )
    return Keyring.of(master, [old.reveal().encode("utf-8") for old in config.previous_secrets])


def acr_values(config: Config, issuer: str, *, has_rules: bool = False) -> tuple[str, ...]:
    """Return what can be said of a sign-in here: two factors where people, or a provider, have them."""
    if has_rules or factor_policy(config).is_on:
        has_passkeys = party.of(issuer, server_name="") is not None
        return levels.announced(Level.RESISTANT if has_passkeys else Level.TWO)
    return levels.announced(Level.TWO if config.factors.providers else Level.ONE)


def _pages_of(config: Config) -> dict[str, object]:
    """Return what applications may show of the operator's: pages alone (RFC 8414 section 2)."""
    links = dict(config.branding.links.urls) if config.branding.links else {}
    names = {"op_policy_uri": "privacy", "op_tos_uri": "terms"}
    found = {
        name: links[kind].for_((config.languages.default,))
        for name, kind in names.items()
        if kind in links
    }
    return {name: url for name, url in found.items() if url.startswith("https:")}


def _grant_types(config: Config) -> tuple[str, ...]:
    return tuple(kind.name for kind in GRANT_TYPES if configuration.is_enabled(config, kind))


def factor_policy(config: Config) -> FactorPolicy:
    """Return who needs a second factor by what the operator wrote."""
    options = config.factors
    return FactorPolicy(
        everybody=options.policy,
        admins=options.admins,
        accounts=options.accounts,
        grace=options.grace_period,
    )
