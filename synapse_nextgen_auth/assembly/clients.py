"""The clients that we know, and where they may lead people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.config import Config, Registration
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.clients.known_clients import KnownClients
from synapse_nextgen_auth.homeserver.clients.registered import Clients
from synapse_nextgen_auth.oauth.clients.configured import StaticClient
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.clients.redirects import RedirectRules, rules_at
from synapse_nextgen_auth.oauth.hosts import Listed
from synapse_nextgen_auth.web.clients import hash_secret
from synapse_nextgen_auth.web.site import (
    Issuer,
)

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.clients import registration_rules
    from synapse_nextgen_auth.oauth.clients.registration_rules import RegistrationRules
else:
    registration_rules = late.file("oauth.clients.registration_rules")


def clients(config: Config, homeserver: Homeserver, issuer: Issuer) -> Clients:
    """Return the clients that are configured, and those that register."""
    return Clients(
        homeserver,
        configured={written.client.client_id: _hashed(written) for written in _written(config)},
        known=KnownClients(homeserver),
        registration_rules=late.made(lambda: _registration_rules(config, issuer)),
    )


def _written(config: Config) -> Iterator[StaticClient]:
    """Yield whoever proves itself by what the configuration says: clients, and services that ask."""
    yield from config.clients
    yield from (server.client for server in config.resource_servers if server.client)


def _registration_rules(config: Config, issuer: Issuer) -> "RegistrationRules":
    return registration_rules.RegistrationRules(
        grant_types=frozenset(issuer.abilities.grant_types),
        redirects=_redirect_rules(issuer.identifier, config.client_registration),
    )


def _redirect_rules(issuer: str, options: Registration) -> RedirectRules:
    return attrs.evolve(
        rules_at(issuer, allow_loopback_web=options.allow_loopback_web),
        listed=Listed.of(options.public_hosts),
        allow_without_client_uri=options.allow_without_client_uri,
        allow_other_hosts=options.allow_other_hosts,
    )


def _hashed(written: StaticClient) -> Client:
    """Forget the secret of a configured client as soon as it can be checked without."""
    if written.secret is None:
        return written.client
    return attrs.evolve(written.client, secret_hash=hash_secret(written.secret))
