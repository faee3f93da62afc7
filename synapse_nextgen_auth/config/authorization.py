"""The section `authorization`."""

from synapse_nextgen_auth.config.kinds.numbers import Number, WholeNumber
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Authorization:
    """How many people may come to sign in at once."""

    per_second: float = option(
        Number("each second of one network"),
        default=2.0,
        about="How many authorization requests one network (an IPv4 address, or an IPv6 /64) may"
        " begin in"
        " the long run. Many people may be behind one address: 2 a second are 7,200 an hour."
        " Whoever is signed in does not count there, but may begin as many of their own.",
        example="10",
        label="authorizations, rate",
    )
    burst: int = option(
        WholeNumber("at once of one network"),
        default=1000,
        about="How many authorization requests one network, or one account, may begin at once.",
        example="5000",
        label="authorizations, burst",
    )
