"""Settings that work and that hardly anybody wants: what `check-config` warns of."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.config import Config, duration
from synapse_nextgen_auth.homeserver.lifetimes import effective_limits
from synapse_nextgen_auth.homeserver.settings import (
    beside_config,
    closed,
    is_sqlite,
    our_entries,
    ours_at,
    source_of_keys,
)

# A code is for the moment between two requests (RFC 6749 section 4.1.2).
_LONGEST_CODE = 10 * 60
_LONGEST_ACCESS_TOKEN = 24 * 3600


def warnings(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return the settings that work and that hardly anybody wants, each with its path."""
    ours = ours_at(hs_config)
    return [
        *(text for text, known in beside_config(hs_config) if not known),
        *_passwords_elsewhere(hs_config),
        *_keys(hs_config, config, ours),
        *_listeners(hs_config),
        *_relative_paths(hs_config, ours),
        *(f"{ours}.config.{text}" for text in _lifetimes(hs_config, config)),
        *(f"{ours}.config.{text}" for text in _of_no_use(config)),
    ]


def _passwords_elsewhere(hs_config: HomeServerConfig) -> Iterator[str]:
    if not closed(hs_config) and not hs_config.auth.password_localdb_enabled:
        yield (
            "password_config.localdb_enabled is false: people can sign in only if another module"
            " checks their passwords. The sign-in page says so if none does."
        )


def _keys(hs_config: HomeServerConfig, config: Config, ours: str) -> Iterator[str]:
    source = source_of_keys(hs_config)
    if config.secret is None and not source.startswith("macaroon_secret_key"):
        yield (
            f"{ours}.config.secret_path is not set, nor is macaroon_secret_key: the keys of this module"
            f" come from {source}, and whoever changes that signs everybody out. Set secret_path to a"
            " file with a long random secret, best before people sign in: they have to sign in again,"
            " unless the text that the keys come from today stands in previous_secrets."
        )


def _listeners(hs_config: HomeServerConfig) -> Iterator[str]:
    serving = [
        (place, listener, listener.http_options)
        for place, listener in enumerate(hs_config.server.listeners)
        if listener.http_options is not None
        and any("client" in resource.names for resource in listener.http_options.resources)
    ]
    if not serving:
        yield (
            "listeners: none has the resource client, so nobody finds this module here. That is as it"
            " should be only where workers serve all clients."
        )
    is_https = hs_config.server.public_baseurl.startswith("https:")
    for place, listener, http in serving:
        if is_https and not listener.is_tls() and not http.x_forwarded:
            yield (
                f"listeners[{place}].x_forwarded is false and public_baseurl is https: behind a proxy"
                " everybody seems to come from the proxy, and shares its limits. Set it to true."
            )


def _relative_paths(hs_config: HomeServerConfig, ours: str) -> Iterator[str]:
    for database in hs_config.database.databases:
        file = str((database.config.get("args") or {}).get("database") or "")
        if is_sqlite(database) and not file.startswith(("file:", ":")):
            yield from _relative("database.args.database", file)
    for _, entry in our_entries(hs_config):
        options = entry.get("config")
        if not isinstance(options, Mapping):
            continue
        yield from _relative(f"{ours}.config.secret_path", options.get("secret_path"))
        clients = options.get("clients")
        for place, client in enumerate(clients if isinstance(clients, list) else ()):
            if isinstance(client, Mapping):
                path = f"{ours}.config.clients[{place}].client_secret_path"
                yield from _relative(path, client.get("client_secret_path"))


def _relative(path: str, name: object) -> Iterator[str]:
    if isinstance(name, str) and name and not Path(name).is_absolute():
        yield (
            f"{path} is {name}, which is looked for wherever Synapse is started: here it would be"
            f" {Path(name).absolute()}. Write the whole path."
        )


def _lifetimes(hs_config: HomeServerConfig, config: Config) -> Iterator[str]:
    """Yield which lifetimes do not fit each other, or what they are for."""
    limits, tokens, sessions = effective_limits(config, hs_config), config.tokens, config.sessions
    if limits.access_token > _LONGEST_ACCESS_TOKEN:
        yield (
            f"tokens.access_token_lifetime is {duration(limits.access_token)}: that long a stolen token"
            " works. Clients refresh by themselves: 5m is enough."
        )
    if tokens.code_lifetime > _LONGEST_CODE:
        yield (
            f"tokens.code_lifetime is {duration(tokens.code_lifetime)}, and a code is redeemed in a"
            f" second. At most {duration(_LONGEST_CODE)} is recommended (RFC 6749 section 4.1.2)."
        )
    if tokens.refresh_grace > limits.access_token:
        yield (
            f"tokens.refresh_grace is {duration(tokens.refresh_grace)}, longer than an access token"
            f" works ({duration(limits.access_token)}): a spent refresh token should not outlive it."
        )
    pairs = (
        ("sessions.idle_lifetime", sessions.idle_lifetime, "sessions.lifetime", limits.absolute),
        (
            "sessions.idle_lifetime_without_device",
            sessions.idle_lifetime_without_device,
            "sessions.idle_lifetime or sessions.lifetime",
            min((x for x in (limits.idle, limits.absolute) if x is not None), default=None),
        ),
        (
            "sessions.browser_idle_lifetime",
            sessions.browser_idle_lifetime,
            "sessions.browser_lifetime",
            sessions.browser_lifetime,
        ),
        (
            "tokens.access_token_lifetime",
            limits.access_token,
            "sessions.lifetime",
            limits.absolute,
        ),
        (
            "events.address_lifetime",
            config.events.address_lifetime,
            "events.lifetime",
            config.events.lifetime,
        ),
        (
            "device_grants.interval",
            config.device_grants.interval,
            "device_grants.lifetime",
            config.device_grants.lifetime,
        ),
    )
    for name, shorter, other, longer in pairs:
        if shorter is not None and longer is not None and shorter > longer:
            yield (
                f"{name} is {duration(shorter)}, longer than {other}, {duration(longer)}: it never"
                " counts. Lower it, or raise the other."
            )


def _of_no_use(config: Config) -> Iterator[str]:
    registration = config.client_registration
    if registration.enabled:
        return
    for name in (
        "public_hosts",
        "allow_without_client_uri",
        "allow_other_hosts",
        "allow_loopback_web",
    ):
        if getattr(registration, name):
            yield (
                f"client_registration.{name} is set, and client_registration.enabled is false: clients"
                " of the configuration need none of it."
            )
