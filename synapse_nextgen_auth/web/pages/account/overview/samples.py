"""Samples of the overview."""

import attrs

from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.web.pages.account.overview.page import OverviewPage
from synapse_nextgen_auth.web.pages.account.samples import framed
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

OVERVIEW = OverviewPage(**framed(Place.OVERVIEW), sign_out_url="sign-out", display_name="Alice")

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    OverviewPage: {
        "plain": OVERVIEW,
        "others": attrs.evolve(OVERVIEW, others=("@bob:example.org",)),
        "long": attrs.evolve(OVERVIEW, user_id=LONG_ID, display_name=LONG, server_name=LONG),
    },
}
