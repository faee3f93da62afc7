"""Samples of the sign-in page."""

import attrs

from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG_ID, RIGHT_TO_LEFT, UGLY
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError, SignInPage

SIGN_IN = SignInPage(
    csrf="c5rf",
    action="sign-in?grant=8a1f",
    identifier="",
    server_name="example.org",
    client=ELEMENT,
)

AGAIN = attrs.evolve(
    SIGN_IN,
    identifier="@alice:example.org",
    again="@alice:example.org",
    other_account_url="sign-in?grant=8a1f&account=another",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    SignInPage: {
        "plain": SIGN_IN,
        "alone": attrs.evolve(SIGN_IN, client=None, email_allowed=True),
        "long": attrs.evolve(
            SIGN_IN, client=UGLY, identifier=LONG_ID, server_name=LONG_ID.partition(":")[2]
        ),
        "rtl": attrs.evolve(SIGN_IN, client=ClientCard(RIGHT_TO_LEFT, "example.com")),
        "asked_for": attrs.evolve(SIGN_IN, identifier="alice", asked_for="@alice:example.org"),
        "again": AGAIN,
        "again_wrong": attrs.evolve(AGAIN, error=SignInError.WRONG_PASSWORD),
        "again_missing": attrs.evolve(AGAIN, error=SignInError.MISSING_FIELDS),
        "again_long": attrs.evolve(AGAIN, again=LONG_ID, identifier=LONG_ID, client=UGLY),
        "again_asked_for": attrs.evolve(
            AGAIN, asked_for="@alice:example.org", other_account_url=None
        ),
        **{
            kind.value: attrs.evolve(
                SIGN_IN,
                error=kind,
                identifier="alice",
                retry_after=290,
                asked_for="@bob:example.org" if kind is SignInError.OTHER_ACCOUNT else None,
            )
            for kind in SignInError
        },
    },
}
