"""Samples of the pages about applications."""

import attrs

from synapse_nextgen_auth.accounts.management import Done, Place
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.web.pages.account.apps.page import AppLine, AppPage, AppsPage, EndAppPage
from synapse_nextgen_auth.web.pages.account.samples import CARD, framed
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, RIGHT_TO_LEFT, SERVICES

_API = "openid urn:matrix:client:api:* urn:matrix:client:device:ABCDEFGHIJ"
_ELEMENT = AppLine(
    ClientCard("Element", "app.element.io", "https://app.element.io/"),
    "account-app?id=element",
    2,
    grammar.parse(_API).permissions,
    1_800_000_000,
    1_800_000_900,
)
_WEBSITE = AppLine(
    ClientCard("wiki.example.org", "wiki.example.org", is_named=False),
    "account-app?id=wiki",
    0,
    grammar.parse("openid email").permissions,
    1_700_000_000,
)
_ADMIN = AppLine(
    ClientCard("Admin tool", "admin.example.org"),
    "account-app?id=admin",
    1,
    grammar.parse(f"{_API} urn:synapse:admin:*").permissions,
    1_800_000_000,
    1_800_000_900,
)
_HOSTILE = AppLine(ClientCard(RIGHT_TO_LEFT, "evil.example"), "account-app?id=%22", 1, (), 1, 1)
_LONG = attrs.evolve(_ELEMENT, client=ClientCard(LONG, "long.example"), sessions=1)
_LIST = AppsPage(**framed(Place.APPS), apps=(_ELEMENT, _WEBSITE, _ADMIN))
_ONE = AppPage(
    **framed(Place.APP), app=_ELEMENT, end_url="account-app-end?id=e", devices_url="account-devices"
)
_END = EndAppPage(**CARD, action="account-app-end?id=e", app=_ELEMENT, apps_url="account-apps")

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    AppsPage: {
        "three": _LIST,
        "none": attrs.evolve(_LIST, apps=()),
        "ended": attrs.evolve(_LIST, apps=(_WEBSITE,), done=Done.APP_REVOKED),
        "missing": attrs.evolve(_LIST, is_missing=True),
        "hostile": attrs.evolve(_LIST, apps=(_HOSTILE, _LONG)),
    },
    AppPage: {
        "plain": _ONE,
        "admin": attrs.evolve(_ONE, app=_ADMIN),
        "services": attrs.evolve(_ONE, app=attrs.evolve(_WEBSITE, services=SERVICES)),
        "asleep": attrs.evolve(_ONE, app=_WEBSITE),
        "hostile": attrs.evolve(_ONE, app=_HOSTILE),
    },
    EndAppPage: {
        "plain": _END,
        "asleep": attrs.evolve(_END, app=_WEBSITE),
        "hostile": attrs.evolve(_END, app=_HOSTILE),
        "long": attrs.evolve(_END, app=_LONG),
    },
}
