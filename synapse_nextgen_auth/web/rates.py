"""How often a browser may begin what costs us a row (C154)."""

from synapse_nextgen_auth.web.visits import Visit


async def authorization_wait(visit: Visit) -> int | None:
    """Count one more sign-in on its way; return how many seconds to wait where there are too many.

    Whoever is signed in counts alone: otherwise one client could lock out all who share its address.
    """
    limiter = visit.site.rates.authorizations
    if visit.user_id is None:
        return await limiter.count(visit.address)
    return await limiter.count_account(visit.user_id)
