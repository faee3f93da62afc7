"""What the samples of the console share."""

from typing import Any

from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.web.pages.account.frame import sections_at

CARD: dict[str, Any] = {
    "csrf": "c5rf",
    "server_name": "example.org",
    "user_id": "@alice:example.org",
    "accounts_url": "accounts?page=account",
}


def framed(place: Place) -> dict[str, Any]:
    """Return the fields of a page of the console."""
    return {**CARD, "sections": sections_at(place)}
