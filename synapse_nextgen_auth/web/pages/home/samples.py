"""Samples of the start page, and of the one after signing out."""

from synapse_nextgen_auth.web.pages.account.frame import Loss
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.home.page import HomePage, SignedOutPage
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, UGLY

HOME_URLS = ("sign-in", "sign-out", "account", "accounts")

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    HomePage: {
        "signed_in": HomePage("c5rf", "example.org", "@alice:example.org", *HOME_URLS),
        "nobody": HomePage("c5rf", "example.org", None, *HOME_URLS),
        "nobody_may_sign_up": HomePage(
            "c5rf", "example.org", None, *HOME_URLS, sign_up_url="register"
        ),
        "lost": HomePage(
            *("c5rf", "example.org", "@alice:example.org"),
            *HOME_URLS,
            loss=Loss(1_790_000_000, "account-factor-lost"),
        ),
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
        "stays": SignedOutPage("example.org", "sign-in", stays=True),
        "back": SignedOutPage("example.org", "sign-in", "https://element.io/", ELEMENT),
        "long": SignedOutPage(LONG, "sign-in", f"https://{LONG}/", UGLY),
    },
}
