"""The settings in effect, as an operator would read them out."""

from collections.abc import Iterable

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.cli.database_check import Looked
from synapse_nextgen_auth.config import (
    Authorization,
    Config,
    DeviceGrants,
    Registration,
    said,
)
from synapse_nextgen_auth.homeserver.lifetimes import effective_limits
from synapse_nextgen_auth.homeserver.settings import Written, source_of_keys
from synapse_nextgen_auth.oauth.metadata import Endpoints


def settings_in_effect(
    config: Config, hs_config: HomeServerConfig, *, database: Looked | None = None
) -> str:
    """Return one line per setting, and what was seen in the database; no secret is among them."""
    if not config.enabled:
        off = "The module is switched off (enabled: false)."
        return off if database is None else f"{off}\n  database  {_seen(database, config)}"

    written = Written.of(hs_config)

    def lives(path: str, seconds: int | None) -> str:
        """Return a lifetime in force, as the operator wrote it."""
        return said(seconds, written.option(path))

    limits = effective_limits(config, hs_config)
    registration, devices = config.client_registration, config.device_grants
    lines = {
        "issuer": Endpoints.under(hs_config.server.public_baseurl).issuer,
        "access token lifetime": lives("tokens.access_token_lifetime", limits.access_token),
        "grace after a refresh": lives("tokens.refresh_grace", limits.grace),
        "code lifetime": lives("tokens.code_lifetime", config.tokens.code_lifetime),
        "session, idle": lives("sessions.idle_lifetime", limits.idle),
        "idle without device": lives(
            "sessions.idle_lifetime_without_device", limits.idle_without_device
        ),
        "session, in all": lives("sessions.lifetime", limits.absolute),
        "browser, idle": lives(
            "sessions.browser_idle_lifetime", config.sessions.browser_idle_lifetime
        ),
        "browser, in all": lives("sessions.browser_lifetime", config.sessions.browser_lifetime),
        "devices of an account": str(config.sessions.max_devices or "no limit"),
        "consent remembered": lives("consent.remember_for", config.consent.remember_for),
        "authorizations": _rate(config.authorization),
        "client registration": _rate(registration) if registration.enabled else "closed",
        "unused registrations": "kept for "
        + lives("client_registration.unused_lifetime", registration.unused_lifetime),
        "clients on loopback": _LOOPBACK[registration.allow_loopback_web],
        "hosts as if public": _names(registration.public_hosts),
        "without client_uri": _MAY_REGISTER[registration.allow_without_client_uri],
        "other redirect hosts": _MAY_REGISTER[registration.allow_other_hosts],
        "new sign-ins": "refused (drain: true)" if config.drain else "taken",
        "device grants": _rate(devices) if devices.enabled else "off",
        "device grant lifetime": lives("device_grants.lifetime", devices.lifetime),
        "device grant interval": lives("device_grants.interval", devices.interval),
        "events kept": lives("events.lifetime", config.events.lifetime),
        "addresses kept": lives("events.address_lifetime", config.events.address_lifetime),
        "configured clients": _names(written.client.client_id for written in config.clients),
        "exempt from PKCE": _names(config.pkce_exempt),
        "keys derived from": _source_of_keys(config, hs_config),
        "previous secrets": str(len(config.previous_secrets)),
    }
    if database is not None:
        lines["database"] = _seen(database, config)
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


def _seen(database: Looked, config: Config) -> str:
    # A module that is switched off neither makes tables nor changes them.
    when = "when Synapse starts" if config.enabled else "when the module is switched on"
    if not database.is_there:
        return "not there yet, made when Synapse starts"
    if database.version is None:
        return f"reached; our tables are made {when}"
    left = f", {database.left} steps are done {when}" if database.left else ""
    return f"reached; our tables are at version {database.version}{left}"
