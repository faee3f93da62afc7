"""Samples of the pages about one dangerous operation."""

import attrs

from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.web.pages.approve.page import ApprovedPage, ApprovePage
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, UGLY

APPROVE = ApprovePage(
    csrf="c5rf",
    action="approve?ticket=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    operation=Operation.CROSS_SIGNING_RESET,
    accounts_url="accounts?ticket=8a1f",
    client=ELEMENT,
    device_name="Pixel 9",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    ApprovePage: {
        "plain": APPROVE,
        "bare": attrs.evolve(APPROVE, client=None, device_name=None),
        "long": attrs.evolve(
            APPROVE, client=UGLY, device_name=LONG, user_id=LONG_ID, server_name=LONG
        ),
    },
    ApprovedPage: {
        "plain": ApprovedPage(Operation.CROSS_SIGNING_RESET, "example.org", 10),
        "last_minute": ApprovedPage(Operation.CROSS_SIGNING_RESET, "example.org", 1),
    },
}
