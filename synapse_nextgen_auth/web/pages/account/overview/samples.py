"""Samples of the overview."""

import attrs

from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.accounts.verdict import Facts, judge
from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.web.pages.account.frame import Loss
from synapse_nextgen_auth.web.pages.account.overview.page import (
    Figures,
    Other,
    OverviewPage,
    ShownCard,
)
from synapse_nextgen_auth.web.pages.account.samples import framed
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

_AT = 1_790_000_000
_SAFE = Facts(devices=3, emails=1, mail_helps=True, ways=2, can_add_way=True)
_BAD = Facts(
    odd_at=_AT, devices=3, unverified=1, unused=2, mail_helps=True, can_add_way=True, powers=1
)
_ALONE = Facts(ways=1, can_add_way=True, unverified=12, powers=2, unused=1)

OVERVIEW = OverviewPage(
    **framed(Place.OVERVIEW),
    sign_out_url="sign-out",
    display_name="Alice",
    verdict=judge(_SAFE, _AT),
    figures=Figures(
        emails=2,
        phones=1,
        has_password=True,
        providers=1,
        devices=3,
        unverified=1,
        websites=1,
        programs=1,
        tokens=3,
        powerful_tokens=1,
        browsers=2,
        apps=4,
        kind=EventKind.SIGNED_IN,
        at=_AT,
    ),
    events_url="account-events",
    end_others_url="account-devices-end?id=others",
)
_PASSWORD_URL = "account-password"  # noqa: S105 (a path)
_CHOOSE = "accounts?page=account"

CARDS = (
    ShownCard("Your plan", "100 GB", "https://example.org/plan", "See it"),
    ShownCard("Backups", "Last night", "account-devices"),
    ShownCard(f"<script>{LONG[:200]}", LONG),
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    OverviewPage: {
        "plain": OVERVIEW,
        "cards": attrs.evolve(OVERVIEW, cards=CARDS),
        "look": attrs.evolve(
            OVERVIEW,
            verdict=judge(_ALONE, _AT),
            figures=Figures(has_password=True, devices=1, browsers=1, apps=1),
        ),
        "one_factor": attrs.evolve(
            OVERVIEW,
            factors_url="account-factors",
            verdict=judge(attrs.evolve(_SAFE, factors=Held()), _AT),
        ),
        "two_factors": attrs.evolve(
            OVERVIEW,
            factors_url="account-factors",
            verdict=judge(attrs.evolve(_SAFE, factors=Held(apps=1, codes=9)), _AT),
        ),
        "lost": attrs.evolve(
            OVERVIEW,
            factors_url="account-factors",
            lost_url="account-factor-lost",
            loss=Loss(_AT, "account-factor-lost"),
            verdict=judge(
                attrs.evolve(_SAFE, factors=Held(apps=1, codes=9), is_loss_waiting=True), _AT
            ),
        ),
        "no_codes": attrs.evolve(
            OVERVIEW,
            factors_url="account-factors",
            verdict=judge(attrs.evolve(_SAFE, factors=Held(apps=1)), _AT),
        ),
        "act": attrs.evolve(OVERVIEW, verdict=judge(_BAD, _AT), password_url=_PASSWORD_URL),
        "no_password": attrs.evolve(OVERVIEW, verdict=judge(Facts(odd_at=_AT), _AT)),
        "little": attrs.evolve(
            OVERVIEW,
            verdict=judge(Facts(ways=1, unverified=1, mail_helps=True), _AT),
            figures=Figures(providers=2),
            display_name=None,
        ),
        "others": attrs.evolve(OVERVIEW, others=(Other("@bob:example.org", _CHOOSE),)),
        "long": attrs.evolve(
            OVERVIEW,
            user_id=LONG_ID,
            display_name=LONG,
            server_name=LONG,
            others=(Other(LONG_ID, _CHOOSE),),
        ),
    },
}
