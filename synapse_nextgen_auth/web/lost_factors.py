"""What the pages know of second factors that are lost: on which terms, and what waits for an account."""

from synapse_nextgen_auth.accounts.factors.lost import Request, Terms
from synapse_nextgen_auth.store import lost_factors
from synapse_nextgen_auth.web import factors
from synapse_nextgen_auth.web.site import Site


def terms(site: Site) -> Terms:
    """Return on which terms somebody is helped here who lost every factor."""
    options = site.config.factors
    return Terms(
        wait=options.lost_wait if factors.are_on(site) else 0,
        by_mail=options.lost_by_mail,
        admins=options.lost_admins,
    )


async def waiting(site: Site, user_id: str) -> Request | None:
    """Return what waits for an account, and may be stopped, with the times to show."""
    request = await site.homeserver.read(lost_factors.get, user_id)
    now = site.now()
    return request.as_expected(now) if request is not None and request.is_open(now) else None
