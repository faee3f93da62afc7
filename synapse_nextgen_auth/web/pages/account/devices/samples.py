"""Samples of the account pages."""

import attrs

from synapse_nextgen_auth.accounts.management import Done, Place
from synapse_nextgen_auth.web.pages.account.devices.page import (
    DeviceLine,
    DevicePage,
    DevicesPage,
    EndDevicePage,
    EndSessionPage,
    SessionLine,
)
from synapse_nextgen_auth.web.pages.account.samples import CARD, framed
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, UGLY

DEVICE = DeviceLine(
    "HJKLQWERTY",
    "Element X on a phone",
    "account-device?id=HJKLQWERTY",
    client=ELEMENT,
    last_seen=1795336800,
    address="192.0.2.7",
)

LEGACY_DEVICE = DeviceLine("ABCDEFGHIJ", "ABCDEFGHIJ", "account-device?id=ABCDEFGHIJ")

LONG_DEVICE = DeviceLine(LONG, LONG, "account", client=UGLY, last_seen=None, address=LONG)

WEBSITE = SessionLine(
    ClientCard("Wiki", "wiki.example.net", "https://wiki.example.net/"),
    "account-session-end?id=8a1f",
    began=1792658400,
    last_used=1795336800,
    address="192.0.2.7",
)

LONG_WEBSITE = attrs.evolve(WEBSITE, client=UGLY, address=LONG)

END_SESSION_PAGE = EndSessionPage(
    **CARD, action="account-session-end?id=8a1f", session=WEBSITE, devices_url="account-devices"
)

END_DEVICE_PAGE = EndDevicePage(
    **CARD,
    action="account-device-end?id=HJKLQWERTY",
    device=DEVICE,
    devices_url="account-devices",
)

DEVICE_PAGE = DevicePage(
    **framed(Place.DEVICE), device=DEVICE, end_url="account-device-end?id=HJKLQWERTY"
)

DEVICES_PAGE = DevicesPage(
    **framed(Place.DEVICES),
    devices=(DEVICE, LEGACY_DEVICE),
    sessions=(WEBSITE, LONG_WEBSITE),
    more_sessions=True,
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    DevicesPage: {
        "everything": DEVICES_PAGE,
        "several": DevicesPage(
            **framed(Place.DEVICES), devices=(DEVICE, LEGACY_DEVICE, LONG_DEVICE)
        ),
        "missing": DevicesPage(**framed(Place.DEVICES), devices=(DEVICE,), is_missing=True),
        "none": DevicesPage(**framed(Place.DEVICES), devices=()),
        "done": attrs.evolve(DEVICES_PAGE, done=Done.SIGNED_OUT),
        "websites": DevicesPage(
            **framed(Place.DEVICES), devices=(), sessions=(WEBSITE, LONG_WEBSITE)
        ),
    },
    EndSessionPage: {
        "plain": END_SESSION_PAGE,
        "long": attrs.evolve(
            END_SESSION_PAGE, session=LONG_WEBSITE, user_id=LONG_ID, server_name=LONG
        ),
    },
    DevicePage: {
        "ours": DEVICE_PAGE,
        "legacy": attrs.evolve(DEVICE_PAGE, device=LEGACY_DEVICE),
        "long": attrs.evolve(DEVICE_PAGE, device=LONG_DEVICE, user_id=LONG_ID, server_name=LONG),
    },
    EndDevicePage: {
        "ours": END_DEVICE_PAGE,
        "legacy": attrs.evolve(END_DEVICE_PAGE, device=LEGACY_DEVICE),
        "long": attrs.evolve(
            END_DEVICE_PAGE, device=LONG_DEVICE, user_id=LONG_ID, server_name=LONG
        ),
    },
}
