"""The section `factors`."""

from synapse_nextgen_auth.accounts.factors.demands import Rule
from synapse_nextgen_auth.config.kinds.words import Choice
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Factors:
    """Second factors: what people prove beside their password."""

    policy: Rule = option(
        Choice(Rule),
        default=Rule.OFF,
        about="Whether people have second factors: `off` (nobody is asked for one, nobody can set one"
        " up), `optional` (people may set them up, and are asked for them from then on) or `required`"
        " (nobody goes on without).",
        example="optional",
        label="second factors",
    )
