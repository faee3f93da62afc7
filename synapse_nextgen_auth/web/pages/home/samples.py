"""Samples of the start page, and of the one after signing out."""

from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.home.page import HomePage, SignedOutPage
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

HOME_URLS = ("sign-in", "sign-out", "account", "accounts")

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    HomePage: {
        "signed_in": HomePage("c5rf", "example.org", "@alice:example.org", *HOME_URLS),
        "nobody": HomePage("c5rf", "example.org", None, *HOME_URLS),
        "several": HomePage(
            "c5rf", "example.org", "@alice:example.org", *HOME_URLS, ("@bob:example.org",)
        ),
        "several_and_nobody": HomePage(
            "c5rf", "example.org", None, *HOME_URLS, ("@bob:example.org",)
        ),
        "long": HomePage("c5rf", LONG, LONG_ID, *HOME_URLS, (LONG_ID, LONG_ID)),
    },
    SignedOutPage: {
        "plain": SignedOutPage("example.org", "sign-in"),
        "long": SignedOutPage(LONG, "sign-in"),
    },
}
