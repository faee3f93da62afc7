"""Samples of the page about the data of an account."""

import attrs

from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.web.pages.account.data.page import DataPage
from synapse_nextgen_auth.web.pages.account.samples import framed
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG_ID

_PLAIN = DataPage(**framed(Place.DATA), action="account-data", deactivate_url="account-deactivate")

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    DataPage: {"plain": _PLAIN, "long": attrs.evolve(_PLAIN, user_id=LONG_ID)}
}
