"""Samples of the pages about lost second factors."""

import attrs

from synapse_nextgen_auth.accounts.factors.lost import WhyNot
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.lost_factors.page import (
    LostPage,
    LostState,
    StopPage,
    StopState,
)
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG_ID, UGLY

_ASKED, _READY = 1_795_000_000, 1_795_604_800
LOST = LostPage(
    csrf="c5rf",
    action="factor-lost?attempt=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    state=LostState.OFFERED,
    days=7,
    has_codes=True,
    back_url="factor?attempt=8a1f",
    restart_url="sign-in?grant=8a1f",
    client=ELEMENT,
)
WAITING = attrs.evolve(
    LOST, state=LostState.WAITING, asked_at=_ASKED, ready_at=_READY, until=_READY + 604_800
)
STOP = StopPage(
    csrf="c5rf",
    server_name="example.org",
    state=StopState.WAITING,
    user_id="@alice:example.org",
    asked_at=_ASKED,
    ready_at=_READY,
    address="192.0.2.1",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    LostPage: {
        "plain": LOST,
        "no_codes": attrs.evolve(LOST, has_codes=False, client=None),
        "waiting": WAITING,
        "ready": attrs.evolve(WAITING, state=LostState.READY),
        "resting": attrs.evolve(WAITING, state=LostState.RESTING),
        "late": attrs.evolve(LOST, is_late=True),
        "long": attrs.evolve(WAITING, user_id=LONG_ID, client=UGLY),
        **{why.value: attrs.evolve(LOST, why_not=why) for why in WhyNot},
    },
    StopPage: {
        "plain": STOP,
        "long": attrs.evolve(STOP, user_id=LONG_ID, address=None),
        "no_password": attrs.evolve(STOP, state=StopState.STOPPED, password_url=None),
        **{
            state.value: attrs.evolve(STOP, state=state)
            for state in (StopState.STOPPED, StopState.USED)
        },
        "over": StopPage(csrf="c5rf", server_name="<b>\"'&", state=StopState.OVER),
    },
}
