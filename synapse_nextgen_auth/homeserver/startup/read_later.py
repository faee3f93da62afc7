"""Options of Synapse that parts of ours read when they are made, by the first who needs them.

An option is an attribute of an object, so no class of Synapse says that it is there. A test finds
those that belong here.
"""

from typing import TYPE_CHECKING

from synapse_nextgen_auth.homeserver.startup import internals

if TYPE_CHECKING:
    from synapse.config.homeserver import HomeServerConfig

OPTIONS = (
    "auth",
    "captcha",
    "consent",
    "email.can_verify_email",
    "media.can_load_media_repo",
    "ratelimiting.rc_login_account",
    "ratelimiting.rc_login_address",
    "ratelimiting.rc_registration_token_validity",
    "registration.account_threepid_delegate_msisdn",
    "registration.enable_3pid_changes",
    "registration.enable_set_avatar_url",
    "registration.enable_set_displayname",
    "registration.inhibit_user_in_use_error",
    "server.allowed_avatar_mimetypes",
    "server.max_avatar_size",
    "server.request_token_inhibit_3pid_errors",
    "servernotices.server_notices_mxid",
    "sso.sso_client_whitelist",
)
# Only where this process has Synapse's media repository.
OF_MEDIA = ("media.max_image_pixels", "media.max_upload_size")


def problems(hs_config: "HomeServerConfig") -> list[str]:
    """Return which of them this Synapse does not have."""
    names = (*OPTIONS, *(OF_MEDIA if hs_config.media.can_load_media_repo else ()))
    return [
        internals.not_there(f"config.{name} is missing")
        for name in names
        if not _is_there(hs_config, name)
    ]


def _is_there(found: object, name: str) -> bool:
    try:
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        return False
    return True
