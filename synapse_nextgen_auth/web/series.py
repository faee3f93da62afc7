"""Which series the metrics have, each by what the code itself enumerates."""

from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.accounts.people import Standing
from synapse_nextgen_auth.homeserver.metrics import Metrics
from synapse_nextgen_auth.store import sweep
from synapse_nextgen_auth.web.kinds import Files, ToIssuer
from synapse_nextgen_auth.web.pages.mailbox.page import CodeRefused
from synapse_nextgen_auth.web.pages.providers.page import counted
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError
from synapse_nextgen_auth.web.pages.stage.page import REFUSED
from synapse_nextgen_auth.web.routes import ROOTS, ROUTES


def refusals() -> dict[str, frozenset[str]]:
    """Return every reason of a refusal that is counted, by path."""
    found: dict[str, frozenset[str]] = {}
    for root in ROOTS:
        for path, route in root.routes.items():
            if not isinstance(route, Files | ToIssuer):
                label = root.counted_as or path
                found[label] = found.get(label, frozenset()) | route.reasons
    return found


def begin_at_zero(metrics: Metrics) -> None:
    """Let every counter be there before it counts."""
    metrics.begin_at_zero(
        refusals=refusals(),
        sign_ins=(
            "ok",
            *(each.value for each in (*SignInError, *Standing)),
            *map(counted, Trouble),
            *(code.value for code in CodeRefused),
            REFUSED,
        ),
        swept=(*sweep.KINDS, sweep.IDLE_BROWSERS, sweep.UNUSED_CLIENTS),
        timed=ROUTES,
    )
