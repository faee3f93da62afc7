"""The section `invitations`."""

from synapse_nextgen_auth.config.kinds.numbers import Duration, WholeNumber
from synapse_nextgen_auth.config.kinds.words import Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen

_DAY = 24 * 3600


@frozen
class Invitations:
    """Who may invite people, beside whoever runs the server."""

    members: bool = option(
        Switch("may invite", "may not invite"),
        default=False,
        about="Whether everybody with an account may invite others, each for one person."
        " See [invitations](../topics/invitations.md).",
        example="true",
        label="members",
    )
    members_quota: int = option(
        WholeNumber(),
        default=5,
        about="How many invitations of one member may be open at once.",
        example="2",
        label="invitations of each",
    )
    members_lifetime: int = option(
        Duration(),
        default=7 * _DAY,
        about="How long the invitation of a member is good.",
        example="3d",
        label="invitations, lifetime",
    )
