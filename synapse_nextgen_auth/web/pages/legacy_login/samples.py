"""Samples of the page that lets in a client which knows only `m.login.sso`."""

import attrs

from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.legacy_login.page import LegacyLoginPage, Place
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID, RIGHT_TO_LEFT

PLAIN = LegacyLoginPage(
    csrf="c5rf",
    action="legacy-login?login=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    destination="app.cinny.in",
    place=Place.WEBSITE,
    display_name="Alice Liddell",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    LegacyLoginPage: {
        "plain": PLAIN,
        "app": attrs.evolve(PLAIN, destination="nheko:", place=Place.APP, display_name=None),
        "here": attrs.evolve(PLAIN, destination="localhost", place=Place.THIS_COMPUTER),
        "long": attrs.evolve(
            PLAIN, user_id=LONG_ID, display_name=LONG, destination=LONG, server_name=LONG
        ),
        "rtl": attrs.evolve(PLAIN, display_name=RIGHT_TO_LEFT),
    },
}
