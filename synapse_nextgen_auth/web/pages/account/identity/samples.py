"""Samples of the pages on which somebody begins the reset of their cryptographic identity."""

import attrs

from synapse_nextgen_auth.accounts.signed_in import Kind
from synapse_nextgen_auth.web.pages.account.devices.page import Line
from synapse_nextgen_auth.web.pages.account.identity.page import ResetAllowedPage, ResetPage
from synapse_nextgen_auth.web.pages.account.samples import CARD
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

_PHONE = Line(
    kind=Kind.DEVICE,
    url="account-identity-reset?id=PHONE",
    device_id="PHONE",
    name="Phone of Alice",
    client=ClientCard("Element X", "element.io"),
    began=1_790_000_000,
    last_seen=1_800_000_000,
    address="203.0.113.7",
    is_verified=False,
)
_LAPTOP = attrs.evolve(
    _PHONE,
    url="account-identity-reset?id=LAPTOP",
    device_id="LAPTOP",
    name=None,
    client=ClientCard("Cinny", "app.cinny.in"),
)
WHICH = ResetPage(
    **CARD,
    action="account-identity-reset",
    back_url="account-sign-in",
    minutes=10,
    choices=(_PHONE, _LAPTOP),
    has_legacy=True,
)
WHETHER = attrs.evolve(
    WHICH,
    action="account-identity-reset?id=PHONE",
    choices=(),
    chosen=_PHONE,
    choose_url="account-identity-reset",
)
ALLOWED = ResetAllowedPage(server_name="example.org", line=_PHONE, minutes=10)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    ResetPage: {
        "plain": WHETHER,
        "alone": attrs.evolve(WHETHER, choose_url=None),
        "other_account": attrs.evolve(WHETHER, is_other_account=True),
        "which": WHICH,
        "missing": attrs.evolve(WHICH, is_missing=True),
        "none": attrs.evolve(WHICH, choices=(), has_legacy=False),
        "long": attrs.evolve(
            WHETHER,
            user_id=LONG_ID,
            server_name=LONG,
            chosen=attrs.evolve(_PHONE, name=LONG, client=ClientCard(LONG, f"{LONG}.example")),
        ),
    },
    ResetAllowedPage: {
        "plain": ALLOWED,
        "unnamed": attrs.evolve(ALLOWED, line=_LAPTOP, minutes=1),
        "long": attrs.evolve(ALLOWED, server_name=LONG, line=attrs.evolve(_PHONE, name=LONG)),
    },
}
