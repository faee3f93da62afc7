"""Samples of the account pages."""

import attrs

from synapse_nextgen_auth.web.pages.account.page import (
    DeviceLine,
    DevicePage,
    DevicesPage,
    SessionLine,
    SessionPage,
)
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, UGLY

DEVICE = DeviceLine(
    "HJKLQWERTY",
    "Element X on a phone",
    "account?action=org.matrix.device_view&device_id=HJKLQWERTY",
    client=ELEMENT,
    last_seen=1795336800,
    address="192.0.2.7",
)

LEGACY_DEVICE = DeviceLine("ABCDEFGHIJ", "ABCDEFGHIJ", "account?device_id=ABCDEFGHIJ")

LONG_DEVICE = DeviceLine(LONG, LONG, "account", client=UGLY, last_seen=None, address=LONG)

WEBSITE = SessionLine(
    ClientCard("Wiki", "wiki.example.net", "https://wiki.example.net/"),
    "account?session=8a1f",
    began=1792658400,
    last_used=1795336800,
    address="192.0.2.7",
)

LONG_WEBSITE = attrs.evolve(WEBSITE, client=UGLY, address=LONG)

SESSION_PAGE = SessionPage(
    csrf="c5rf",
    action="account?session=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    session=WEBSITE,
    accounts_url="accounts?session=8a1f",
    devices_url="account",
)

DEVICE_PAGE = DevicePage(
    csrf="c5rf",
    action="account?action=org.matrix.device_delete&device_id=HJKLQWERTY",
    server_name="example.org",
    user_id="@alice:example.org",
    device=DEVICE,
    devices_url="account",
    end_url="account?action=org.matrix.device_delete&device_id=HJKLQWERTY",
    asks_to_end=False,
    accounts_url="accounts?action=org.matrix.device_view",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    DevicesPage: {
        "several": DevicesPage(
            "example.org",
            "@alice:example.org",
            (DEVICE, LEGACY_DEVICE, LONG_DEVICE),
            "./",
            "accounts",
        ),
        "missing": DevicesPage(
            "example.org", "@alice:example.org", (DEVICE,), "./", "accounts", is_missing=True
        ),
        "none": DevicesPage("example.org", "@alice:example.org", (), "./", "accounts"),
        "websites": DevicesPage(
            "example.org", "@alice:example.org", (), "./", "accounts", (WEBSITE, LONG_WEBSITE)
        ),
        "everything": DevicesPage(
            *("example.org", "@alice:example.org", (DEVICE, LEGACY_DEVICE), "./", "accounts"),
            sessions=(WEBSITE, LONG_WEBSITE),
            more_sessions=True,
        ),
    },
    SessionPage: {
        "plain": SESSION_PAGE,
        "long": attrs.evolve(SESSION_PAGE, session=LONG_WEBSITE, user_id=LONG_ID, server_name=LONG),
    },
    DevicePage: {
        "look": DEVICE_PAGE,
        "end": attrs.evolve(DEVICE_PAGE, asks_to_end=True),
        "legacy": attrs.evolve(DEVICE_PAGE, device=LEGACY_DEVICE, asks_to_end=True),
        "long": attrs.evolve(DEVICE_PAGE, device=LONG_DEVICE, user_id=LONG_ID, server_name=LONG),
    },
}
