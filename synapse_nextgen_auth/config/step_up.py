"""The section `step_up`."""

from synapse_nextgen_auth.accounts.factors.demands import Rule
from synapse_nextgen_auth.config.factors import Factors
from synapse_nextgen_auth.config.kinds.lists import ListOf
from synapse_nextgen_auth.config.kinds.step_up import ProtectedRequests
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.oauth.step_up import Protected
from synapse_nextgen_auth.records import frozen


@frozen
class StepUp:
    """Requests that take a fresh or a stronger sign-in than the session has."""

    requests: tuple[Protected, ...] = option(
        ListOf(ProtectedRequests(), "requests"),
        default=(),
        about="Requests of the Matrix API that are answered with a challenge (RFC 9470, MSC4363) unless"
        " their session proved enough: `factors: 2` for two factors, `max_age` for a proof within that"
        " time, or both. A sign-in counts for the whole of `max_age`; a step-up of a session that is"
        " there counts until its next refresh, so for `tokens.access_token_lifetime` at most."
        " `path` is `admin_api`, for `/_synapse/admin`, `/_matrix/client/*/admin` and"
        " what administrators may do beyond others elsewhere, or"
        " a path in which `*` stands for anything but a slash and `**` for anything; what is below it"
        " belongs to it, and it holds for each version of the API. `methods` are all, if none are named."
        " Where several are about a request, all of them hold. Leave this empty unless your clients know"
        " such challenges: some take them for a sign-out."
        " See [step-up](../topics/step-up.md#what-the-operator-protects).",
        example="""\
- path: admin_api
  max_age: 15m
- path: /_matrix/client/*/rooms/*/upgrade
  methods: [POST]
  max_age: 1h""",
        label="step-up asked for",
    )


def asks_nobody(step_up: StepUp, factors: Factors) -> str | None:
    """Return which requests take two factors that nobody has, by what is written here.

    Another module may say who needs them.
    """
    someone = (factors.accounts, factors.providers, factors.admins is not Rule.OFF)
    if factors.policy is not Rule.OFF or any(someone):
        return None
    asked = (each.path for each in step_up.requests if each.requirement.level > 1)
    return next(asked, None)
