"""The fields that the pages about an account share, filled in from a visit."""

from typing import Any

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.config.personal_tokens import Who
from synapse_nextgen_auth.web import invitations
from synapse_nextgen_auth.web.pages.account.frame import Loss, sections_at
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.visits import Visit


def of(visit: Visit, user_id: str, target: Target) -> dict[str, Any]:
    """Return the fields that a `ConsolePage` has beside its own; `target` is where one is."""
    offers_invitations = invitations.may_be_made(visit.site)
    hidden = set() if offers_invitations else {Place.INVITATIONS}
    who = visit.site.config.personal_tokens.who
    if who is Who.NOBODY and target.place.section is not Place.TOKENS:
        hidden.add(Place.TOKENS)
    return {
        **asks(visit, user_id, target),
        "sections": sections_at(target.place, hidden=frozenset(hidden)),
        "done": visit.done,
        "is_outdated": visit.is_outdated,
        "loss": _loss(visit, target),
    }


def _loss(visit: Visit, target: Target) -> Loss | None:
    """Return what every page warns of but the one that stops it."""
    if visit.lost is None or target.place is Place.LOST_FACTORS:
        return None
    return Loss(visit.lost.ready_at, Place.LOST_FACTORS.value)


def asks(visit: Visit, user_id: str, target: Target) -> dict[str, Any]:
    """Return what a card about the account has beside its own: no navigation."""
    return {
        "csrf": visit.csrf,
        "server_name": visit.site.server_name,
        "user_id": user_id,
        "accounts_url": Onward.to_account(target).accounts_url,
    }
