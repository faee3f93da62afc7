"""Samples of the pages of a device grant."""

import attrs

from synapse_nextgen_auth.accounts.user_agents import Program, System
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import PERMISSIONS
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.device.page import (
    DeviceDonePage,
    DeviceGrantPage,
    LinkError,
    LinkPage,
)
from synapse_nextgen_auth.web.pages.samples import API, DEVICE_SCOPE, LONG, LONG_ID, SERVICES

LINK = LinkPage(csrf="c5rf", action="link", server_name="example.org", user_code="")

DEVICE_GRANT = DeviceGrantPage(
    csrf="c5rf",
    action="device?grant=8a1f",
    server_name="example.org",
    client_name="Element X",
    user_id="@alice:example.org",
    display_name="Alice Liddell",
    permissions=grammar.parse(f"{API} {DEVICE_SCOPE}").permissions,
    user_code="BCD-FGH-JKL",
    asked_at=1795336800,
    asked_minutes=2,
    asked_from="192.0.2.7",
    asked_by=Program("Firefox", System.LINUX, is_browser=True),
    device_id="HJKLQWERTY",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    LinkPage: {
        "plain": LINK,
        "filled": attrs.evolve(LINK, user_code="BCD-FGH-JKL"),
        **{
            kind.value: attrs.evolve(LINK, user_code="BCDF", error=kind, retry_after=700)
            for kind in LinkError
        },
        "long": attrs.evolve(LINK, server_name=LONG, user_code=LONG),
    },
    DeviceGrantPage: {
        "plain": DEVICE_GRANT,
        "unconfirmed": attrs.evolve(DEVICE_GRANT, missing_confirmation=True),
        "another": attrs.evolve(DEVICE_GRANT, is_another=True),
        "nameless": attrs.evolve(DEVICE_GRANT, client_name=None),
        "services": attrs.evolve(DEVICE_GRANT, services=SERVICES),
        "admin": attrs.evolve(
            DEVICE_GRANT, permissions=PERMISSIONS, asked_from=None, asked_by=None
        ),
        "long": attrs.evolve(
            DEVICE_GRANT,
            client_name=LONG,
            user_id=LONG_ID,
            display_name=LONG,
            asked_from=LONG,
            asked_by=Program(LONG, System.MAC),
            device_id=LONG,
            server_name=LONG,
        ),
    },
    DeviceDonePage: {
        "approved": DeviceDonePage("example.org", approved=True, client_name="Element X"),
        "refused": DeviceDonePage("example.org", approved=False, client_name=LONG),
        "nameless": DeviceDonePage("example.org", approved=True),
        "nameless, refused": DeviceDonePage("example.org", approved=False),
    },
}
