"""What we use of Synapse: every name that is imported, and every method that is called or replaced.

Looking for them imports Synapse; reading this list does not, so that two releases can be compared from
an environment that has neither.
"""

import importlib
import inspect

import attrs


@attrs.frozen
class Needed:
    """An internal of Synapse: where it is, and the parameters that we pass."""

    module: str
    name: str
    parameters: tuple[str, ...] = ()
    either: tuple[str, ...] = ()  # one of these too: releases differ, `versions.py` knows both

    def problem(self) -> str | None:
        """Return what is wrong with it in this Synapse, `None` if it is as expected."""
        try:
            found: object = importlib.import_module(self.module)
            for part in self.name.split("."):
                # Synapse's cached methods refuse to be looked at through their class.
                found = inspect.getattr_static(found, part)
        except (ImportError, AttributeError):
            return f"{self.module}.{self.name} is missing"
        if not self.parameters and not self.either:
            return None
        found = getattr(found, "orig", getattr(found, "__func__", found))
        known = inspect.signature(found).parameters if callable(found) else {}
        missing = [name for name in self.parameters if name not in known]
        if self.either and not any(name in known for name in self.either):
            missing.append(" or ".join(self.either))
        return f"{self.module}.{self.name} takes no {', '.join(missing)}" if missing else None


# Names that we import and use as they are.
_IMPORTED = (
    ("synapse", "rest"),
    ("synapse.api.auth", "Auth"),
    ("synapse.api.errors", "AuthError"),
    ("synapse.api.errors", "Codes"),
    ("synapse.api.errors", "HttpResponseException"),
    ("synapse.api.errors", "InteractiveAuthIncompleteError"),
    ("synapse.api.errors", "InvalidClientTokenError"),
    ("synapse.api.errors", "LimitExceededError"),
    ("synapse.api.errors", "LoginError"),
    ("synapse.api.errors", "MissingClientTokenError"),
    ("synapse.api.errors", "NotFoundError"),
    ("synapse.api.errors", "ResourceLimitError"),
    ("synapse.api.errors", "StoreError"),
    ("synapse.api.errors", "UserDeactivatedError"),
    ("synapse.config._base", "Config"),
    ("synapse.config._base", "ConfigError"),
    ("synapse.config._base", "format_config_error"),
    ("synapse.config._base", "read_config_files"),
    ("synapse.config.database", "DatabaseConnectionConfig"),
    ("synapse.config.homeserver", "HomeServerConfig"),
    ("synapse.config.workers", "MAIN_PROCESS_INSTANCE_NAME"),
    ("synapse.http", "get_request_user_agent"),
    ("synapse.http.server", "HttpServer"),
    ("synapse.http.server", "respond_with_json"),
    ("synapse.http.servlet", "RestServlet"),
    ("synapse.http.servlet", "parse_json_object_from_request"),
    ("synapse.logging.context", "PreserveLoggingContext"),
    ("synapse.logging.context", "defer_to_thread"),
    ("synapse.logging.context", "make_deferred_yieldable"),
    ("synapse.logging.context", "run_in_background"),
    ("synapse.metrics", "SERVER_NAME_LABEL"),
    ("synapse.module_api", "ModuleApi"),
    ("synapse.module_api", "cached"),
    ("synapse.rest.admin", "_base"),
    ("synapse.storage.database", "LoggingDatabaseConnection"),
    ("synapse.storage.database", "LoggingTransaction"),
    ("synapse.storage.engines", "PostgresEngine"),
    ("synapse.types", "Requester"),
    ("synapse.types", "UserID"),
    ("synapse.types", "UserInfo"),
    ("synapse.util", "SYNAPSE_VERSION"),
    ("synapse.util.async_helpers", "Linearizer"),
)

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
    Needed(_STORE, "DataStore.invalidate_cache_and_stream", ("cache_name", "keys")),
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
    Needed("synapse.server", "HomeServer.get_pusherpool"),
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
    Needed("synapse.server", "HomeServer.get_replication_client"),
    Needed("synapse.http.client", "ReplicationClient.get_raw", ("uri",)),
    Needed("synapse.config.workers", "WriterLocations", ("device_lists",)),
    Needed("synapse.util.clock", "Clock.looping_call", ("f",), either=("duration", "msec")),
    Needed("synapse.util.clock", "Clock.sleep", either=("duration", "seconds")),
    Needed("synapse.util.cancellation", "cancellable"),
    Needed("synapse.api.ratelimiting", "Ratelimiter.ratelimit", ("requester", "key")),
    Needed("synapse.config.ratelimiting", "RatelimitSettings", ("per_second", "burst_count")),
    Needed("synapse.app._base", "register_start", ("hs", "cb")),
    Needed("synapse.app.generic_worker", "load_config", ("argv_options",)),
    *(Needed(module, name) for module, name in _IMPORTED),
)

# All that is touched with `enabled: false`.
OF_REST = (
    Needed(
        "synapse.api.auth.internal",
        "InternalAuth.get_user_by_access_token",
        ("token", "allow_expired"),
    ),
    Needed("synapse.http.server", "DirectServeJsonResource._async_render", ("request",)),
    Needed("synapse.http.server", "DirectServeJsonResource._send_error_response"),
)
