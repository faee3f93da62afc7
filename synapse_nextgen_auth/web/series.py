"""Which series the metrics have, each by what the code itself enumerates."""

from synapse_nextgen_auth.accounts.people import Standing
from synapse_nextgen_auth.homeserver.metrics import Metrics
from synapse_nextgen_auth.store import sweep
from synapse_nextgen_auth.web.routes import REFUSALS, ROUTES
from synapse_nextgen_auth.web.views import SignInError


def begin_at_zero(metrics: Metrics) -> None:
    """Let every counter be there before it counts."""
    metrics.begin_at_zero(
        refusals=REFUSALS,
        sign_ins=("ok", *(each.value for each in (*SignInError, *Standing))),
        swept=(*sweep.KINDS, sweep.IDLE_BROWSERS, sweep.UNUSED_CLIENTS),
        timed=ROUTES,
    )
