"""Sign-ins of one factor and of two, fresh and old, and what applications are told of them."""

import time

from support.oauth import Browser
from synapse_nextgen_auth.secret import digest

ONE, TWO = "urn:nextgen-auth:acr:one-factor", "urn:nextgen-auth:acr:two-factors"


def gets_a_second_factor(homeserver, user):
    """Give the account an authenticator app."""
    homeserver.query(
        "INSERT INTO nextgen_totp_apps (app_id, user_id, secret, name, made_at, confirmed_at)"
        " VALUES (?, ?, 'sealed', 'Phone', 1, 1)",
        *(user.localpart, user.user_id),
    )


def loses_the_second_factor(homeserver, user):
    """Take that away."""
    homeserver.query("DELETE FROM nextgen_totp_apps WHERE user_id = ?", user.user_id)


def with_two_factors(homeserver, server, user):
    """Return a browser in which somebody signed in before they had an authenticator app."""
    browser = Browser.of(server, user)
    gets_a_second_factor(homeserver, user)
    return browser


def proved(homeserver, browser, *, level=2, ago=0):
    """Let the sign-in of a browser be one of so many factors, and so old."""
    homeserver.query(
        "UPDATE nextgen_browsers SET level = ?, signed_in_at = ?, amr = ? WHERE digest = ?",
        *(level, int(time.time()) - ago, "pwd otp mfa" if level == 2 else "pwd"),
        digest(browser.secret),
    )
