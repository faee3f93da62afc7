"""Samples of the pages around a sign-in through a provider."""

import attrs

from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.homeserver.people.providers.new_accounts import NameProblem
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.providers.page import (
    NewAccountPage,
    OfferedEmail,
    ToProviderPage,
    TroublePage,
)
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, RIGHT_TO_LEFT, UGLY

TO_PROVIDER = ToProviderPage(
    provider_name="The Works",
    forward_url="https://example.org/_matrix/client/v3/login/sso/redirect/oidc-works?redirectUrl=x",
    server_name="example.org",
)
TROUBLE = TroublePage(
    kind=Trouble.DECLINED,
    server_name="example.org",
    provider_name="The Works",
    again_url="sign-in?grant=8a1f",
)
NEW_ACCOUNT = NewAccountPage(
    csrf="c5rf",
    action="new-account?attempt=8a1f",
    server_name="example.org",
    provider_name="The Works",
    localpart="carol",
    shown="5ea1",
    display_name="Carol Corp",
    emails=(OfferedEmail("carol@corp.example"), OfferedEmail("carol@example.com", is_used=False)),
    has_picture=True,
    client=ELEMENT,
)

WITH_TERMS = attrs.evolve(NEW_ACCOUNT, terms_url="/_matrix/consent?v=1.0", terms_version="1.0")
SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    ToProviderPage: {
        "plain": TO_PROVIDER,
        "long": attrs.evolve(TO_PROVIDER, provider_name=LONG),
        "rtl": attrs.evolve(TO_PROVIDER, provider_name=RIGHT_TO_LEFT),
    },
    TroublePage: {
        **{kind.value: attrs.evolve(TROUBLE, kind=kind) for kind in Trouble},
        "named": attrs.evolve(TROUBLE, kind=Trouble.OTHER_ACCOUNT, account=LONG_ID),
        "connecting": attrs.evolve(TROUBLE, connects=True),
        "long": attrs.evolve(TROUBLE, provider_name=LONG),
        "rtl": attrs.evolve(TROUBLE, provider_name=RIGHT_TO_LEFT),
    },
    NewAccountPage: {
        "plain": NEW_ACCOUNT,
        "another": attrs.evolve(NEW_ACCOUNT, is_another=True),
        "bare": attrs.evolve(
            NEW_ACCOUNT, localpart="", display_name=None, emails=(), has_picture=False, client=None
        ),
        "given": attrs.evolve(WITH_TERMS, must_choose=False),
        "terms": attrs.evolve(WITH_TERMS, terms_missing=True),
        "named_terms": attrs.evolve(WITH_TERMS, terms_name="Privacy Policy"),
        "long": attrs.evolve(
            NEW_ACCOUNT,
            client=UGLY,
            localpart=LONG,
            provider_name=LONG,
            display_name=LONG,
            emails=(OfferedEmail(f"{LONG}@{LONG}.example"),),
            server_name=LONG_ID.partition(":")[2],
        ),
        "rtl": attrs.evolve(NEW_ACCOUNT, display_name=RIGHT_TO_LEFT, provider_name=RIGHT_TO_LEFT),
        **{kind.value: attrs.evolve(NEW_ACCOUNT, error=kind) for kind in NameProblem},
    },
}
