"""Samples of the consent page."""

import attrs

from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import PERMISSIONS, ROOM
from synapse_nextgen_auth.web.pages.consent.page import ConsentPage
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, RoomLine, ServiceLine
from synapse_nextgen_auth.web.pages.samples import (
    ADMIN,
    API,
    BARE,
    DEVICE_SCOPE,
    ELEMENT,
    GARDEN,
    LONG,
    LONG_ID,
    NARROW,
    RIGHT_TO_LEFT,
    SERVICES,
    UGLY,
)

CONSENT = ConsentPage(
    csrf="c5rf",
    action="consent?grant=8a1f",
    server_name="example.org",
    client=ELEMENT,
    user_id="@alice:example.org",
    display_name="Alice Liddell",
    permissions=grammar.parse(f"openid {API} {DEVICE_SCOPE}").permissions,
    device_id="HJKLQWERTY",
    redirect_host="app.element.io",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    ConsentPage: {
        "plain": CONSENT,
        "admin": attrs.evolve(
            CONSENT,
            client=BARE,
            permissions=grammar.parse(f"{API} {DEVICE_SCOPE} {ADMIN}").permissions,
            redirect_host="127.0.0.1",
        ),
        "admin_only": attrs.evolve(
            CONSENT, permissions=grammar.Scope(ADMIN).permissions, device_id=None
        ),
        "everything": attrs.evolve(
            CONSENT, permissions=PERMISSIONS, replaces="Pixel 5, the old one"
        ),
        "narrow": attrs.evolve(
            CONSENT,
            permissions=grammar.parse(f"{NARROW} {ROOM}!garden:example.org").permissions,
            rooms=GARDEN,
            device_id=None,
        ),
        "services": attrs.evolve(CONSENT, services=SERVICES),
        "only_services": attrs.evolve(CONSENT, permissions=(), services=SERVICES, device_id=None),
        "another": attrs.evolve(CONSENT, is_another=True),
        "web": attrs.evolve(
            CONSENT,
            permissions=grammar.parse("openid email profile").permissions,
            display_name=None,
            device_id=None,
        ),
        "long": attrs.evolve(
            CONSENT,
            permissions=grammar.parse(f"{NARROW} {ROOM}!a:b").permissions,
            client=UGLY,
            user_id=LONG_ID,
            display_name=LONG,
            device_id=LONG,
            replaces=LONG,
            rooms=(RoomLine(LONG, LONG),),
            services=(ServiceLine(LONG, LONG, (LONG, RIGHT_TO_LEFT)),),
            redirect_host=LONG,
            server_name=LONG,
        ),
        "rtl": attrs.evolve(
            CONSENT, client=ClientCard(RIGHT_TO_LEFT, "example.com"), display_name=RIGHT_TO_LEFT
        ),
    },
}
