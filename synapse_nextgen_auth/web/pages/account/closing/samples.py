"""Samples of the pages on which somebody closes their account."""

import attrs

from synapse_nextgen_auth.web.pages.account.closing.page import DeactivatedPage, DeactivatePage
from synapse_nextgen_auth.web.pages.account.samples import CARD
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

ASK = DeactivatePage(**CARD, action="account-deactivate", back_url="account-profile")
DONE = DeactivatedPage(
    server_name="example.org", user_id="@alice:example.org", is_erased=False, is_unbound=True
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    DeactivatePage: {
        "plain": ASK,
        "no_tick": attrs.evolve(ASK, needs_tick=True, erase=True),
        "forbidden": attrs.evolve(ASK, is_forbidden=True),
        "other_account": attrs.evolve(ASK, is_other_account=True),
        "long": attrs.evolve(ASK, user_id=LONG_ID, server_name=LONG),
    },
    DeactivatedPage: {
        "plain": DONE,
        "erased": attrs.evolve(DONE, is_erased=True),
        "listed": attrs.evolve(DONE, is_unbound=False),
        "long": attrs.evolve(DONE, user_id=LONG_ID, server_name=LONG),
    },
}
