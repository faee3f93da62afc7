"""The section `consent`."""

from synapse_nextgen_auth.config.kinds.numbers import Duration
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Consent:
    """When the consent page may be left out."""

    remember_for: int = option(
        Duration(may_be_zero=True),
        default=30 * 86400,
        about="How long a consent is remembered for the same account, client and scope."
        " Only clients that prove who they are (with a secret or a key) profit from it, and a new"
        " device always asks. `0s` asks every time.",
        example="0s",
        label="consent remembered",
    )
