"""Whether people who forgot their password are helped here, and where."""

from synapse_nextgen_auth.accounts.attempts.attempt import Purpose
from synapse_nextgen_auth.web import attempts
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.site import Site


def is_there(site: Site) -> bool:
    """Say whether it can work: mails go out, and passwords sign in and can be changed."""
    return (
        site.config.recovery.enabled
        and not site.config.drain
        and site.homeserver.sends_mails
        and site.password_changes.are_possible
        and attempts.policy(site, Purpose.RECOVER).passwords
    )


def url(site: Site, onward: Onward) -> str | None:
    """Return the page on which to ask for a link, for somebody who goes on there; relative."""
    return onward.recovery_url if is_there(site) else None
