"""What Synapse's configuration says of accounts, for whoever administers the server."""

from synapse.server import HomeServer

from synapse_nextgen_auth.records import frozen


@frozen
class Settings:
    """What people may do here by themselves."""

    signs_in_by_password: bool
    asks_for_email: bool
    asks_for_token: bool
    asks_for_captcha: bool
    changes_addresses: bool
    changes_name: bool


def settings(hs: HomeServer) -> Settings:
    """Return what the configuration says."""
    registration = hs.config.registration
    return Settings(
        signs_in_by_password=bool(hs.config.auth.password_enabled_for_login),
        asks_for_email="email" in registration.registrations_require_3pid,
        asks_for_token=bool(registration.registration_requires_token),
        asks_for_captcha=bool(hs.config.captcha.enable_registration_captcha),
        changes_addresses=bool(registration.enable_3pid_changes),
        changes_name=bool(registration.enable_set_displayname),
    )
