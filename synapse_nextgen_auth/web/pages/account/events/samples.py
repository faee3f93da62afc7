"""Samples of the security events."""

import attrs

from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.web.pages.account.events.page import EventLine, EventsPage
from synapse_nextgen_auth.web.pages.account.samples import framed
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, RIGHT_TO_LEFT

_CLIENT = ClientCard("Element", "app.element.io", "https://app.element.io/")
_ALL = tuple(
    EventLine(kind, 1_800_000_000 - 60 * number, _CLIENT, "ABCDEF", "192.0.2.1", "Berlin, Germany")
    for number, kind in enumerate(EventKind)
)
_PLAIN = EventsPage(**framed(Place.EVENTS), events=_ALL, kept_days=180)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    EventsPage: {
        "every kind": _PLAIN,
        "middle": attrs.evolve(
            _PLAIN,
            events=_ALL[:3],
            older_url="account-events?before=1800000000.abc",
            newest_url="account-events",
        ),
        "empty": attrs.evolve(_PLAIN, events=()),
        "hostile": attrs.evolve(
            _PLAIN,
            events=(
                EventLine(
                    EventKind.SESSION_BEGUN,
                    1_800_000_000,
                    ClientCard(RIGHT_TO_LEFT, "evil.example"),
                    RIGHT_TO_LEFT,
                    RIGHT_TO_LEFT,
                    RIGHT_TO_LEFT,
                ),
                EventLine(EventKind.SIGNED_IN, 1, ClientCard(LONG, "e.example"), LONG, LONG, LONG),
            ),
        ),
    },
}
