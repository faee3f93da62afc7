"""Whether Synapse checks a request in the steps that the short way of ours stands for.

The short way (`checker.py`) leaves out what cannot matter to an ordinary session. A release with a step
more, or another module that put a method of its own in the place of one of these, is nothing that we
know: there every request goes Synapse's own way.
"""

import logging
from collections.abc import Mapping

from synapse.api.auth.internal import InternalAuth
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.homeserver.startup.code_words import names

logger = logging.getLogger(__name__)

_OF_A_REQUESTER = frozenset({"user", "to_string", "authenticated_entity", "device_id", "is_guest"})
# The sender of an application service, before and since 1.153.
_OF_A_SERVICE = frozenset({"app_service", "app_service_id", "id"})

# The names that each step's code uses; the same ones mean the same questions.
KNOWN: Mapping[str, frozenset[str]] = {
    # Only the span of a tracer is made here; with a tracer there is no short way.
    "get_user_by_req": _OF_A_REQUESTER
    | _OF_A_SERVICE
    | {
        "_force_tracing_for_users",
        "_wrapped_get_user_by_req",
        "active_span",
        "force_tracing",
        "set_tag",
        "start_active_span",
    },
    "_wrapped_get_user_by_req": _OF_A_REQUESTER
    | {
        "AuthError",
        "Codes",
        "EXPIRED_ACCOUNT",
        "GUEST_ACCESS_FORBIDDEN",
        "KeyError",
        "MissingClientTokenError",
        "UserLockedError",
        "_account_validity_handler",
        "_record_request",
        "get_access_token_from_request",
        "get_appservice_user",
        "get_user_by_access_token",
        "get_user_locked_status",
        "is_user_expired",
        "requester",
        "store",
    },
    "get_access_token_from_request": frozenset(
        {
            "MissingClientTokenError",
            "args",
            "decode",
            "get",
            "getRawHeaders",
            "len",
            "requestHeaders",
            "split",
        }
    ),
    "get_appservice_user": frozenset(
        {
            "AuthError",
            "Codes",
            "IPAddress",
            "UNKNOWN_DEVICE",
            "args",
            "create_requester",
            "decode",
            "get",
            "getClientAddress",
            "get_app_service_by_token",
            "get_device",
            "host",
            "ip_range_whitelist",
            "sender",
            "store",
            "validate_appservice_can_control_user_id",
        }
    ),
    "_record_request": _OF_A_REQUESTER
    | _OF_A_SERVICE
    | {
        "_track_appservice_user_ips",
        "_track_puppeted_user_ips",
        "get_access_token_from_request",
        "get_client_ip_if_available",
        "get_request_user_agent",
        "insert_client_ip",
        "store",
    },
}


def unknown(auth: type = InternalAuth) -> list[str]:
    """Return what of Synapse's way to check a request is not known here."""
    return [f"{step} uses {name}" for step in KNOWN for name in sorted(_unknown_in(auth, step))]


def _unknown_in(auth: type, step: str) -> set[str]:
    code = getattr(getattr(auth, step, None), "__code__", None)
    return {"something else"} if code is None else set(names(code)) - KNOWN[step]


# What each request of ours goes through on the long way, and not on the short one.
SKIPPED = frozenset(KNOWN) | {"get_user_by_access_token"}


def is_replaced(name: str) -> bool:
    """Say of something that was put on the living object whether requests are to go by it.

    Another module may guard tokens there, and must not be asked of the first request alone.
    """
    if name not in SKIPPED:
        return False
    logger.warning(
        "Another module has its own %s: our tokens are checked as well as ever, but not as fast",
        name,
    )
    return True


def are_known(hs_config: HomeServerConfig, own: Mapping[str, object]) -> bool:
    """Say whether there is a short way in this process; the log says why there is none.

    `own` is what the living object has of its own, beside the methods of its class.
    """
    if any(is_replaced(name) for name in own):
        return False
    if hs_config.tracing.opentracer_enabled:
        logger.info("Requests are traced, so all of them are checked the long way")
        return False
    if more := unknown():
        logger.warning(
            "This Synapse checks requests in a way that is not known here (%s): our tokens are checked"
            " as well as ever, but not as fast",
            "; ".join(more),
        )
        return False
    return True
