"""Samples of the page on which an address is removed."""

import attrs

from synapse_nextgen_auth.web.pages.account.addresses.page import RemoveAddressPage
from synapse_nextgen_auth.web.pages.account.samples import CARD
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

REMOVE = RemoveAddressPage(
    **CARD,
    action="account-address-remove?id=8a1f",
    back_url="account-profile",
    address="alice@example.com",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    RemoveAddressPage: {
        "plain": REMOVE,
        "recovery": attrs.evolve(REMOVE, is_last_for_recovery=True),
        "last": attrs.evolve(REMOVE, may_go=False),
        "factor": attrs.evolve(REMOVE, is_factor=True),
        "last_factor": attrs.evolve(REMOVE, may_go=False, is_factor=True, is_last_factor=True),
        "long": attrs.evolve(REMOVE, address=f"{LONG[:64]}@example.com", user_id=LONG_ID),
    },
}
