"""The section `factors`."""

from synapse_nextgen_auth.accounts.factors.demands import Rule
from synapse_nextgen_auth.config.kinds.lists import ListOf
from synapse_nextgen_auth.config.kinds.places import Origin
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
    passkey_origins: tuple[str, ...] = option(
        ListOf(Origin(), "origins"),
        default=(),
        about="Other addresses (`https://` and a host) whose pages may use the passkeys that were made"
        " at the host of `public_baseurl`: browsers ask that host for this list (Related Origin"
        " Requests)."
        " See [passkeys](../topics/passkeys.md#when-the-address-changes).",
        example='["https://chat.example.com"]',
        label="related origins",
    )
