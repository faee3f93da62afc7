"""The settings in effect, as an operator would read them out."""

from collections.abc import Iterable

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.cli.database_check import Looked
from synapse_nextgen_auth.config import (
    Authorization,
    Config,
    DeviceGrants,
    Registration,
    duration,
)
from synapse_nextgen_auth.homeserver.lifetimes import effective_limits
from synapse_nextgen_auth.homeserver.settings import source_of_keys
from synapse_nextgen_auth.oauth.metadata import Endpoints


def settings_in_effect(
    config: Config, hs_config: HomeServerConfig, *, database: Looked | None = None
) -> str:
    """Return one line per setting, and what was seen in the database; no secret is among them."""
    if not config.enabled:
        return "The module is switched off (enabled: false)."
    limits = effective_limits(config, hs_config)
    registration, devices = config.client_registration, config.device_grants
    lines = {
        "issuer": Endpoints.under(hs_config.server.public_baseurl).issuer,
        "access token lifetime": duration(limits.access_token),
        "grace after a refresh": duration(limits.grace),
        "code lifetime": duration(config.tokens.code_lifetime),
        "session, idle": duration(limits.idle),
        "idle without device": duration(limits.idle_without_device),
        "session, in all": duration(limits.absolute),
        "browser, idle": duration(config.sessions.browser_idle_lifetime),
        "browser, in all": duration(config.sessions.browser_lifetime),
        "devices of an account": str(config.sessions.max_devices or "no limit"),
        "consent remembered": duration(config.consent.remember_for),
        "authorizations": _rate(config.authorization),
        "client registration": _rate(registration) if registration.enabled else "closed",
        "unused registrations": f"kept for {duration(registration.unused_lifetime)}",
        "clients on loopback": _LOOPBACK[registration.allow_loopback_web],
        "hosts as if public": _names(registration.public_hosts),
        "without client_uri": _MAY_REGISTER[registration.allow_without_client_uri],
        "other redirect hosts": _MAY_REGISTER[registration.allow_other_hosts],
        "new sign-ins": "refused (drain: true)" if config.drain else "taken",
        "device grants": _rate(devices) if devices.enabled else "off",
        "device grant lifetime": duration(devices.lifetime),
        "device grant interval": duration(devices.interval),
        "events kept": duration(config.events.lifetime),
        "addresses kept": duration(config.events.address_lifetime),
        "configured clients": _names(written.client.client_id for written in config.clients),
        "exempt from PKCE": _names(config.pkce_exempt),
        "keys derived from": _source_of_keys(config, hs_config),
        "previous secrets": str(len(config.previous_secrets)),
    }
    if database is not None:
        lines["database"] = _seen(database)
    width = max(map(len, lines))
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in lines.items())


_LOOPBACK = {
    None: "while this server is on loopback itself",
    True: "may register web addresses",
    False: "may not register web addresses",
}
_MAY_REGISTER = {True: "may register", False: "are refused"}


def _rate(limits: Authorization | Registration | DeviceGrants) -> str:
    return f"{limits.burst} at once of one network, {limits.per_second:g} each second"


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _source_of_keys(config: Config, hs_config: HomeServerConfig) -> str:
    if config.secret_path is not None:
        return config.secret_path
    return (
        "secret"
        if config.secret is not None
        else f"Synapse's {source_of_keys(hs_config).removeprefix('the ')}"
    )


def _seen(database: Looked) -> str:
    if not database.is_there:
        return "not there yet, made when Synapse starts"
    if database.version is None:
        return "reached; our tables are made when Synapse starts"
    left = f", {database.left} steps are done when Synapse starts" if database.left else ""
    return f"reached; our tables are at version {database.version}{left}"
