"""What this server is: `site-config` and `version`."""

from importlib.metadata import version

from synapse_nextgen_auth.homeserver.administration.settings import settings
from synapse_nextgen_auth.web.endpoints.admin.calls import Call
from synapse_nextgen_auth.web.endpoints.admin.operations import Answer, Field, Operation, Plain
from synapse_nextgen_auth.web.endpoints.admin.values import Flag, Number, Text
from synapse_nextgen_auth.web.pages.recovery import offer

_SITE_CONFIG = Plain(
    "SiteConfig",
    (
        Field(
            "server_name", Text(), "The name of the homeserver, as it stands in Matrix ids.", True
        ),
        Field("password_login_enabled", Flag(), "Whether people sign in with a password.", True),
        Field(
            "password_registration_enabled",
            Flag(),
            "Whether people make accounts with a password by themselves.",
            True,
        ),
        Field(
            "password_registration_email_required",
            Flag(),
            "Whether they need an e-mail address for that.",
            True,
        ),
        Field(
            "password_registration_token_required",
            Flag(),
            "Whether they need a registration token for that.",
            True,
        ),
        Field("registration_token_required", Flag(), "The same, by the name it once had.", True),
        Field("email_change_allowed", Flag(), "Whether people change their addresses.", True),
        Field("displayname_change_allowed", Flag(), "Whether people change their names.", True),
        Field("password_change_allowed", Flag(), "Whether people change their passwords.", True),
        Field(
            "account_recovery_allowed",
            Flag(),
            "Whether people set a new password by a mail, without the old one.",
            True,
        ),
        Field("account_deactivation_allowed", Flag(), "Whether people close their accounts.", True),
        Field("captcha_enabled", Flag(), "Whether new people solve a captcha.", True),
        Field(
            "minimum_password_complexity",
            Number(0, 4),
            "Always 0: passwords are not rated by zxcvbn here. Synapse's `password_config.policy` and"
            " the list of leaked passwords say which are taken.",
            True,
        ),
    ),
)
_VERSION = Plain("Version", (Field("version", Text(), "The release of this module.", True),))


async def _site_config(call: Call) -> Answer:
    site = call.site
    said = settings(site.homeserver.hs)
    return Answer(
        200,
        {
            "server_name": site.server_name,
            "password_login_enabled": said.signs_in_by_password,
            "password_registration_enabled": site.sign_ups.rules.by_password,
            "password_registration_email_required": said.asks_for_email,
            "password_registration_token_required": said.asks_for_token,
            "registration_token_required": said.asks_for_token,
            "email_change_allowed": said.changes_addresses,
            "displayname_change_allowed": said.changes_name,
            "password_change_allowed": site.password_changes.are_possible,
            "account_recovery_allowed": offer.is_there(site),
            "account_deactivation_allowed": True,
            "captcha_enabled": said.asks_for_captcha,
            "minimum_password_complexity": 0,
        },
    )


async def _version(_call: Call) -> Answer:
    return Answer(200, {"version": version("synapse-nextgen-auth")})


OPERATIONS = (
    Operation(
        method="GET",
        path="site-config",
        name="siteConfig",
        tag="server",
        summary="What people may do on this server by themselves",
        do=_site_config,
        answers={200: _SITE_CONFIG},
    ),
    Operation(
        method="GET",
        path="version",
        name="version",
        tag="server",
        summary="Which release of the module answers",
        do=_version,
        answers={200: _VERSION},
    ),
)
