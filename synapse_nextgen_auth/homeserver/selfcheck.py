"""What must be true before the module starts: the operator's settings, and Synapse's internals.

Nothing is guessed at run time: where a Synapse release moves something that this package relies on,
the start is refused with the name of the missing piece.
"""

import importlib
import inspect
from ipaddress import ip_address
from urllib.parse import urlsplit

import attrs
from synapse.config._base import read_config_files
from synapse.config.homeserver import HomeServerConfig
from synapse.util import SYNAPSE_VERSION

from synapse_nextgen_auth.config import MIN_SECRET_BYTES, Config, duration
from synapse_nextgen_auth.homeserver import settings
from synapse_nextgen_auth.homeserver.lifetimes import effective_limits, synapses_idle_limit
from synapse_nextgen_auth.oauth.sessions import least_idle, noted_every


@attrs.frozen
class Needed:
    """An internal of Synapse: where it is, and the parameters that we pass."""

    module: str
    name: str
    parameters: tuple[str, ...] = ()

    def problem(self) -> str | None:
        """Return what is wrong with it in this Synapse, `None` if it is as expected."""
        try:
            found: object = importlib.import_module(self.module)
            for part in self.name.split("."):
                # Synapse's cached methods refuse to be looked at through their class.
                found = inspect.getattr_static(found, part)
        except (ImportError, AttributeError):
            return f"{self.module}.{self.name} is missing"
        if not self.parameters:
            return None
        found = getattr(found, "orig", getattr(found, "__func__", found))
        known = inspect.signature(found).parameters if callable(found) else {}
        missing = [name for name in self.parameters if name not in known]
        return f"{self.module}.{self.name} takes no {', '.join(missing)}" if missing else None


_AUTH = "synapse.api.auth.internal"
_STORE = "synapse.storage.databases.main"

INTERNALS = (
    Needed(_AUTH, "InternalAuth.get_user_by_req", ("request",)),
    Needed(_AUTH, "InternalAuth.get_user_by_access_token", ("token", "allow_expired")),
    Needed(_AUTH, "InternalAuth.is_server_admin", ("requester",)),
    Needed(_AUTH, "InternalAuth._record_request", ("request", "requester")),
    Needed(_AUTH, "InternalAuth.get_access_token_from_request", ("request",)),
    Needed("synapse.types", "create_requester", ("scope", "shadow_banned", "device_id")),
    Needed("synapse.rest", "SERVLET_GROUPS"),
    Needed("synapse.rest.client._base", "client_patterns", ("releases", "unstable")),
    Needed("synapse.rest.client.login_token_request", "LoginTokenRequestServlet.on_POST"),
    Needed("synapse.rest.client.account", "ThreepidRestServlet.on_POST", ("request",)),
    Needed("synapse.rest.client.account", "ThreepidDeleteRestServlet.on_POST", ("request",)),
    Needed("synapse.rest.client.capabilities", "CapabilitiesRestServlet.on_GET", ("request",)),
    Needed("synapse.rest.client.devices", "DehydratedDeviceV2Servlet.on_PUT", ("request",)),
    Needed("synapse.rest.client.pusher", "PushersSetRestServlet.on_POST", ("request",)),
    Needed("synapse.rest.admin._base", "assert_user_is_admin", ("auth", "requester")),
    Needed("synapse.api.errors", "SynapseError", ("headers",)),
    Needed(_AUTH, "InternalAuth.has_access_token", ("request",)),
    Needed("synapse.http.server", "respond_with_json_bytes", ("send_cors",)),
    Needed("synapse.http.site", "SynapseRequest.processing"),
    Needed("synapse.http.site", "SynapseRequest.get_client_ip_if_available"),
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.validate_user_via_ui_auth",
        ("requester", "request", "request_body", "description", "can_skip_ui_auth"),
    ),
    Needed(
        "synapse.handlers.auth", "AuthHandler.validate_login", ("login_submission", "ratelimit")
    ),
    Needed("synapse.handlers.auth", "AuthHandler.validate_hash", ("password", "stored_hash")),
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.delete_access_tokens_for_devices",
        ("user_id", "device_ids"),
    ),
    Needed(
        "synapse.handlers.device",
        "DeviceHandler.upsert_device",
        ("user_id", "device_id", "display_name"),
    ),
    Needed(
        "synapse.handlers.device",
        "DeviceHandler.notify_device_update",
        ("user_id", "device_ids"),
    ),
    Needed(_STORE, "DataStore.delete_devices", ("user_id", "device_ids")),
    Needed("synapse.handlers.device", "MAX_DEVICE_DISPLAY_NAME_LEN"),
    Needed("synapse.handlers.device", "DeviceHandler.delete_devices", ("user_id", "device_ids")),
    Needed("synapse.handlers.device", "DeviceHandler.delete_all_devices_for_user", ("user_id",)),
    Needed(
        "synapse.handlers.register",
        "RegistrationHandler.register_device",
        ("user_id", "device_id"),
    ),
    Needed(_STORE, "DataStore.get_device", ("user_id", "device_id")),
    Needed(_STORE, "DataStore.get_user_by_id", ("user_id",)),
    Needed(_STORE, "DataStore.user_set_password_hash", ("user_id", "password_hash")),
    Needed(_STORE, "DataStore.set_user_locked_status", ("user_id", "locked")),
    Needed(_STORE, "DataStore.insert_client_ip", ("access_token", "ip", "user_agent", "device_id")),
    Needed(_STORE, "DataStore.register_external_cached_function", ("cache_name", "func")),
    Needed(_STORE, "DataStore._send_invalidation_to_replication", ("txn", "cache_name", "keys")),
    Needed("synapse.util.caches.deferred_cache", "DeferredCache.get_immediate", ("key", "default")),
    Needed(_STORE, "DataStore.get_dehydrated_device", ("user_id",)),
    Needed(_STORE, "DataStore.get_users_by_id_case_insensitive", ("user_id",)),
    Needed(_STORE, "DataStore.get_user_id_by_threepid", ("medium", "address")),
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
    Needed("synapse.handlers.auth", "AuthHandler.hash", ("password",)),
    Needed("synapse.handlers.device", "DeviceHandler.get_devices_by_user", ("user_id",)),
    Needed("synapse.handlers.device", "DeviceHandler.delete_all_devices_for_user", ("user_id",)),
    Needed("synapse.api.auth_blocking", "AuthBlocking.check_auth_blocking", ("user_id",)),
    Needed(
        "synapse.handlers.account_validity",
        "AccountValidityHandler.on_user_login",
        ("user_id", "auth_provider_type", "auth_provider_id"),
    ),
    Needed("synapse.rest.client.versions", "VersionsRestServlet.on_GET", ("request",)),
    Needed("synapse.http.server", "DirectServeJsonResource._async_render", ("request",)),
    Needed("synapse.http.server", "DirectServeJsonResource._send_error_response"),
    Needed("synapse.storage.database", "make_conn", ("db_config", "engine", "server_name")),
    Needed("synapse.storage.engines", "create_engine", ("database_config",)),
    Needed(
        "synapse.storage.database",
        "DatabasePool.runInteraction",
        ("desc", "func", "db_autocommit", "isolation_level"),
    ),
    Needed("synapse.storage.engines._base", "IsolationLevel.READ_COMMITTED"),
    Needed("synapse.server", "HomeServer.get_outbound_redis_connection"),
    Needed("synapse.server", "HomeServer.get_pusherpool"),
    Needed("synapse.server", "HomeServer.get_replication_client"),
    Needed("synapse.http.client", "ReplicationClient.get_raw", ("uri",)),
    Needed("synapse.config.workers", "WriterLocations", ("device_lists",)),
    Needed("synapse.push.pusherpool", "PusherPool.remove_pusher", ("app_id", "pushkey", "user_id")),
    Needed(
        "synapse.push.pusherpool", "PusherPool.remove_pushers_by_devices", ("user_id", "devices")
    ),
    Needed(_STORE, "DataStore.get_pushers_by_user_id", ("user_id",)),
    Needed(_STORE, "DataStore.get_pushers_by_app_id_and_pushkey", ("app_id", "pushkey")),
    Needed("synapse.push", "PusherConfig"),
    Needed(
        "synapse.storage.database",
        "DatabasePool.simple_update",
        ("table", "keyvalues", "updatevalues", "desc"),
    ),
    Needed("synapse.server", "HomeServer.get_reactor"),
    Needed("synapse.util.cancellation", "cancellable"),
    Needed("synapse.api.ratelimiting", "Ratelimiter.ratelimit", ("requester", "key")),
    Needed("synapse.config.ratelimiting", "RatelimitSettings", ("per_second", "burst_count")),
    Needed("synapse.app._base", "register_start", ("hs", "cb")),
    Needed("synapse.app.generic_worker", "load_config", ("argv_options",)),
)


def internal_problems() -> list[str]:
    """Return which internals of this Synapse are not what we rely on."""
    found = (needed.problem() for needed in INTERNALS)
    return [
        f"{problem} in Synapse {SYNAPSE_VERSION}, which this release does not know yet."
        " Install a release of synapse-nextgen-auth made for it."
        for problem in found
        if problem
    ]


def listed_twice(hs_config: HomeServerConfig, module: type) -> list[str]:
    """Return what is wrong when the module stands in homeserver.yaml more than once."""
    if [loaded for loaded, _ in hs_config.modules.loaded_modules].count(module) < 2:
        return []
    return ["The module is there twice under modules; once is enough."]


def config_problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return what is wrong with the settings in homeserver.yaml."""
    problems = []
    if hs_config.mas.enabled:
        problems.append(
            "matrix_authentication_service is enabled: sign-in is delegated to another service."
            " Remove that section, or remove this module."
        )
    problems += _baseurl_problems(hs_config)
    if config.secret is None and len(hs_config.key.macaroon_secret_key) < MIN_SECRET_BYTES:
        problems.append(
            f"macaroon_secret_key is shorter than {MIN_SECRET_BYTES} bytes. Leave it and set a"
            " long random `secret` for this module instead."
        )
    problems += _idle_problems(hs_config, config)
    problems += settings.unusable(hs_config)
    return problems


def _idle_problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return which idle limits would end sessions that are in use, each by its own name."""
    access_token = effective_limits(config, hs_config).access_token
    found = {
        "sessions.idle_lifetime": config.sessions.idle_lifetime,
        "refresh_token_lifetime": synapses_idle_limit(hs_config),
        "sessions.idle_lifetime_without_device": config.sessions.idle_lifetime_without_device,
    }
    return [
        f"{name} is {duration(idle)}, and a session in use may look idle for"
        f" {duration(access_token + noted_every(idle))}: its access token works for"
        f" {duration(access_token)}, and uses are written down every {duration(noted_every(idle))}."
        f" Lower tokens.access_token_lifetime, or raise {name}:"
        f" at least {duration(least_idle(access_token))} would do."
        for name, idle in found.items()
        if idle is not None and idle < access_token + noted_every(idle)
    ]


def _baseurl_problems(hs_config: HomeServerConfig) -> list[str]:
    url = hs_config.server.public_baseurl
    if hs_config.config_files and "public_baseurl" not in read_config_files(hs_config.config_files):
        return [
            "public_baseurl is not set. Set it to the address under which clients reach this"
            " homeserver, like https://matrix.example.com/"
        ]
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment:
        # Not repeated: beside a user there may be a password.
        return ["public_baseurl must have no user, query or fragment"]
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return []
    return [
        f"public_baseurl {url} must begin with https://, because people type passwords there."
        " Plain http is for localhost only."
    ]


def is_loopback(host: str) -> bool:
    """Say whether a host name stands for this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
