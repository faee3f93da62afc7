"""Samples of the pages about devices and sessions."""

from typing import Any

import attrs

from synapse_nextgen_auth.accounts.management import Done, Place
from synapse_nextgen_auth.accounts.signed_in import How, Kind, Part, Several
from synapse_nextgen_auth.accounts.user_agents import Program, System
from synapse_nextgen_auth.oauth.scopes.permissions import READ, ROOM
from synapse_nextgen_auth.web.pages.account.devices.page import (
    DevicePage,
    DevicesPage,
    EndDevicePage,
    EndSeveralPage,
    Line,
)
from synapse_nextgen_auth.web.pages.account.samples import CARD, framed
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.pages.samples import (
    ADMIN,
    API,
    ELEMENT,
    GARDEN,
    LONG,
    LONG_ID,
    NARROW,
    RIGHT_TO_LEFT,
    SERVICES,
    UGLY,
)

_AT: dict[str, Any] = {"began": 1792658400, "last_seen": 1795336800, "address": "192.0.2.7"}
DEVICE = Line(
    kind=Kind.DEVICE,
    url="account-device?id=HJKLQWERTY",
    device_id="HJKLQWERTY",
    name="Element X on a phone",
    client=ELEMENT,
    program=Program("Element X", System.IPHONE),
    how=How.BROWSER,
    is_verified=True,
    town="Leipzig, Germany",
    **_AT,
)
UNVERIFIED = attrs.evolve(
    DEVICE, name="Nordlicht Web on Linux", is_verified=False, town=None, how=How.BROWSER_OR_CODE
)
SERVICE = attrs.evolve(DEVICE, name="Backup", town=None, how=How.SERVICE)
BY_CODE = attrs.evolve(DEVICE, name="Television", town=None, how=How.CODE)
LEGACY = Line(
    kind=Kind.LEGACY,
    url="account-device?id=ABCDEFGHIJ",
    device_id="ABCDEFGHIJ",
    program=Program("gurgle", None),
    how=How.OWN,
)
NAMELESS = attrs.evolve(LEGACY, program=None, last_seen=1795336800)
OLD = attrs.evolve(LEGACY, name="Pixel 5", unused=208, last_seen=1777336800, how=How.SINGLE_SIGN_ON)
OF_BRIDGE = attrs.evolve(LEGACY, name="Bridge", how=How.SERVICE_OR_OWN)
FROM_RIGHT = attrs.evolve(DEVICE, is_verified=None, name=RIGHT_TO_LEFT)
WEBSITE = Line(
    kind=Kind.WEBSITE,
    url="account-device?id=~session.8a1f",
    client=ClientCard("Wiki", "wiki.example.net", "https://wiki.example.net/"),
    how=How.BROWSER,
    **_AT,
)
PROGRAM = attrs.evolve(WEBSITE, kind=Kind.PROGRAM, how=How.SERVICE)
TOKEN = attrs.evolve(
    WEBSITE, kind=Kind.TOKEN, name="Dashboard", client=None, how=How.PERSONAL_TOKEN, address=None
)
BROWSER = Line(
    kind=Kind.BROWSER,
    url="account-device?id=~browser.8a1f",
    program=Program("Firefox", System.WINDOWS, is_browser=True),
    how=How.PAGES,
    **_AT,
)
HERE = attrs.evolve(BROWSER, is_here=True)
UNKNOWN_BROWSER = attrs.evolve(BROWSER, program=None, address=None)
LONG_LINE = attrs.evolve(DEVICE, name=LONG, device_id=LONG, client=UGLY, address=LONG, town=LONG)

DEVICES_PAGE = DevicesPage(
    **framed(Place.DEVICES),
    looked_at=(UNVERIFIED, OLD),
    others=(
        *(HERE, DEVICE, BY_CODE, SERVICE, FROM_RIGHT, LEGACY, NAMELESS, OF_BRIDGE, WEBSITE),
        *(UNKNOWN_BROWSER, LONG_LINE),
    ),
    part=Part(1, 1, 12, 12),
    devices_url="account-devices",
    unverified=1,
    unverified_url="account-devices-end?id=unverified",
    rest=11,
    rest_url="account-devices-end?id=others",
)
FEW = attrs.evolve(DEVICES_PAGE, looked_at=(), others=(HERE,), part=Part(1, 1, 1, 1), unverified=0)
NOTHING = attrs.evolve(FEW, others=(), part=Part(1, 0, 0, 0), rest=0)

DEVICE_PAGE = DevicePage(
    **framed(Place.DEVICE),
    action="account-device?id=HJKLQWERTY",
    line=DEVICE,
    permissions=(API, "openid", "profile", "email", ADMIN),
    end_url="account-device-end?id=HJKLQWERTY",
    typed_name="Element X on a phone",
)
END_DEVICE_PAGE = EndDevicePage(
    **CARD,
    action="account-device-end?id=HJKLQWERTY",
    line=DEVICE,
    devices_url="account-devices",
)
END_SEVERAL_PAGE = EndSeveralPage(
    **CARD,
    action="account-devices-end?id=others",
    several=Several.OTHERS,
    lines=(DEVICE, LEGACY, WEBSITE, BROWSER),
    shown="8a1f 8a20 8a21 8a22",
    devices_url="account-devices",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    DevicesPage: {
        "everything": DEVICES_PAGE,
        "few": FEW,
        "alone": attrs.evolve(FEW, rest=0),
        "one other": attrs.evolve(FEW, others=(HERE, DEVICE), part=Part(1, 1, 2, 2), rest=1),
        "missing": attrs.evolve(FEW, is_missing=True),
        "done": attrs.evolve(FEW, done=Done.SIGNED_OUT),
        "nothing": NOTHING,
        "many": attrs.evolve(
            DEVICES_PAGE,
            part=Part(2, 51, 100, 512),
            previous_url="account-devices?part=1",
            next_url="account-devices?part=3",
            can_search=True,
            unverified=12,
            rest=511,
        ),
        "found": attrs.evolve(FEW, search="firefox", can_search=True),
        "not found": attrs.evolve(NOTHING, search="firefox", can_search=True),
    },
    DevicePage: {
        "ours": DEVICE_PAGE,
        "unverified": attrs.evolve(DEVICE_PAGE, line=UNVERIFIED),
        "by code": attrs.evolve(DEVICE_PAGE, line=BY_CODE, typed_name="Television"),
        "legacy": attrs.evolve(DEVICE_PAGE, line=NAMELESS, permissions=(), typed_name=""),
        "single sign-on": attrs.evolve(DEVICE_PAGE, line=OLD, permissions=(), typed_name="Pixel 5"),
        "bridge": attrs.evolve(DEVICE_PAGE, line=OF_BRIDGE, permissions=(), typed_name="Bridge"),
        "nobody knows": attrs.evolve(
            DEVICE_PAGE, line=attrs.evolve(NAMELESS, how=None), permissions=(), typed_name=""
        ),
        "website": attrs.evolve(DEVICE_PAGE, line=WEBSITE, permissions=("openid",)),
        "program": attrs.evolve(DEVICE_PAGE, line=PROGRAM, permissions=(READ,)),
        "token": attrs.evolve(DEVICE_PAGE, line=TOKEN, permissions=(READ,)),
        "services": attrs.evolve(
            DEVICE_PAGE, line=WEBSITE, permissions=("openid",), services=SERVICES
        ),
        "browser": attrs.evolve(DEVICE_PAGE, line=HERE, permissions=()),
        "widget": attrs.evolve(
            DEVICE_PAGE, line=WEBSITE, permissions=(*NARROW.split(), ROOM), rooms=GARDEN
        ),
        "renamed": attrs.evolve(DEVICE_PAGE, done=Done.RENAMED),
        "too long": attrs.evolve(DEVICE_PAGE, typed_name=LONG, is_too_long=True),
        "long": attrs.evolve(DEVICE_PAGE, line=LONG_LINE, user_id=LONG_ID, server_name=LONG),
    },
    EndDevicePage: {
        "ours": END_DEVICE_PAGE,
        "legacy": attrs.evolve(END_DEVICE_PAGE, line=LEGACY),
        "website": attrs.evolve(END_DEVICE_PAGE, line=WEBSITE),
        "program": attrs.evolve(END_DEVICE_PAGE, line=PROGRAM),
        "token": attrs.evolve(END_DEVICE_PAGE, line=TOKEN),
        "browser": attrs.evolve(END_DEVICE_PAGE, line=BROWSER),
        "long": attrs.evolve(END_DEVICE_PAGE, line=LONG_LINE, user_id=LONG_ID, server_name=LONG),
    },
    EndSeveralPage: {
        "others": END_SEVERAL_PAGE,
        "unverified": attrs.evolve(
            END_SEVERAL_PAGE, several=Several.UNVERIFIED, lines=(UNVERIFIED,), shown="8a1f"
        ),
    },
}
