"""The section `account`."""

from synapse_nextgen_auth.accounts.sign_ins import FRESH, LONGEST_FRESH, SHORTEST_FRESH
from synapse_nextgen_auth.config.durations import duration
from synapse_nextgen_auth.config.kinds.numbers import Duration
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Account:
    """What people do with their account in the browser."""

    fresh_for: int = option(
        Duration(longest=duration(LONGEST_FRESH), shortest=duration(SHORTEST_FRESH)),
        default=FRESH,
        about="How long somebody may do dangerous things after they proved who they are: sign out other"
        " devices, allow a reset, change how they get in. After that the page asks for a proof again,"
        " and goes on where they were.",
        example="10m",
        label="proof is fresh",
    )
