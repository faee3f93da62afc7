"""Samples of the pages about one dangerous operation."""

import attrs

from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.web.pages.approve.page import (
    ApprovedPage,
    ApprovePage,
    AskedDevice,
    NotApprovedPage,
)
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, UGLY

NOW = 1_764_230_400

APPROVE = ApprovePage(
    csrf="c5rf",
    action="approve?ticket=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    operation=Operation.CROSS_SIGNING_RESET,
    accounts_url="accounts?ticket=8a1f",
    asked_at=NOW,
    expires_at=NOW + 600,
    address="192.0.2.7",
    place="Berlin, Germany",
    client=ELEMENT,
    device_name="Pixel 9",
)
TABLET = AskedDevice("Old tablet", "ABCDEFGHIJ", ELEMENT, NOW - 86400)
NAMELESS = AskedDevice("KLMNOPQRST", "KLMNOPQRST")
DEVICES = attrs.evolve(
    APPROVE, operation=Operation.DELETE_DEVICES, devices=(TABLET, NAMELESS), gone=("UVWXYZ",)
)
_LONG_DEVICE = AskedDevice(LONG, LONG, UGLY, NOW, asks=True)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    ApprovePage: {
        "plain": APPROVE,
        "bare": attrs.evolve(APPROVE, client=None, device_name=None, address=None, place=None),
        "long": attrs.evolve(
            APPROVE, client=UGLY, device_name=LONG, user_id=LONG_ID, server_name=LONG
        ),
        "devices": DEVICES,
        "one_device": attrs.evolve(DEVICES, devices=(TABLET,), gone=()),
        "no_device_left": attrs.evolve(DEVICES, devices=()),
        "long_devices": attrs.evolve(DEVICES, devices=(_LONG_DEVICE,) * 3, gone=(LONG, "U")),
        "password": attrs.evolve(APPROVE, operation=Operation.CHANGE_PASSWORD, logout_devices=True),
        "password_alone": attrs.evolve(APPROVE, operation=Operation.CHANGE_PASSWORD),
        "email": attrs.evolve(
            APPROVE, operation=Operation.ADD_ADDRESS, medium="email", added="alice@example.com"
        ),
        "phone": attrs.evolve(
            APPROVE, operation=Operation.ADD_ADDRESS, medium="msisdn", added="491701234567"
        ),
        "long_email": attrs.evolve(
            APPROVE, operation=Operation.ADD_ADDRESS, medium="email", added=LONG
        ),
        "deactivate": attrs.evolve(APPROVE, operation=Operation.DEACTIVATE),
        "erase": attrs.evolve(APPROVE, operation=Operation.DEACTIVATE, erase=True),
        "login_token": attrs.evolve(APPROVE, operation=Operation.LOGIN_TOKEN),
    },
    ApprovedPage: {
        **{kind.name.lower(): ApprovedPage(kind, "example.org", 10) for kind in Operation},
        "last_minute": ApprovedPage(Operation.CROSS_SIGNING_RESET, "example.org", 1),
    },
    NotApprovedPage: {"plain": NotApprovedPage("example.org", "account")},
}
