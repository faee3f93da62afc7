"""Which series the metrics have, each by what the code itself enumerates."""

from synapse_nextgen_auth.accounts.people import Standing
from synapse_nextgen_auth.homeserver.metrics import Metrics
from synapse_nextgen_auth.web.kinds import Files, ToIssuer
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


# How sign-ins end, and what is swept: the rules of both are imported by who needs them. A test compares.
SIGN_INS = (
    *("ok", "refused_by_module", "wrong_code", "code_over"),
    *(
        "wrong_factor",
        "used_factor",
        "factor_over",
        "factor_too_often",
        "passkey_factor",
        "late_factor",
    ),
    *("wrong_password", "too_many_attempts", "password_login_disabled", "missing_fields"),
    *("busy", "other_account", "too_long", "unchecked", "passkey", "passkey_late"),
    *(each.value for each in Standing),
    *("provider_declined", "provider_unavailable", "provider_other_tab", "provider_not_allowed"),
    *("provider_no_account", "provider_other_account", "provider_other_provider"),
    *("provider_not_fresh", "provider_does_not_say", "provider_deactivated"),
    *("provider_forgotten", "provider_over", "provider_other_browser", "provider_broken"),
)
SWEPT = (
    "expired grants",
    "ended sessions",
    "browsers of sessions",
    "sign-ins of providers",
    "logouts of providers",
    "expired device grants",
    "attempts",
    "codes",
    "legacy sign-ins",
    "authenticator apps that were never confirmed",
    "invitations",
    "links",
    "arrivals",
    "remembered browsers",
    "requests to remove lost factors",
    "rendezvous",
    "throttles",
    "client assertions",
    "challenges of passkeys",
    "revoked tokens",
    "approvals",
    "consents",
    "passwords of nobody",
    "entries of the outbox",
    "notices",
    "events",
    "idle browsers",
    "unused clients",
)


def begin_at_zero(metrics: Metrics) -> None:
    """Let every counter be there before it counts."""
    metrics.begin_at_zero(refusals=refusals(), sign_ins=SIGN_INS, swept=SWEPT, timed=ROUTES)
