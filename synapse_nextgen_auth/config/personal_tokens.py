"""The section `personal_tokens`."""

import enum

from synapse_nextgen_auth.config.kinds.numbers import Duration, WholeNumber
from synapse_nextgen_auth.config.kinds.words import Choice, Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen

_DAY = 24 * 3600


class Who(str, enum.Enum):
    """Who may make personal tokens; the value is what the configuration says."""

    ALL = "all"
    ADMINS = "admins"
    NOBODY = "nobody"

    def may(self, *, is_admin: bool) -> bool:
        """Say whether somebody may make one."""
        return self is Who.ALL or (self is Who.ADMINS and is_admin)


class AtLogin(str, enum.Enum):
    """What a personal token is in the place of the password at `/login`."""

    TAKEN = "taken"
    OFFERED = "offered"
    REFUSED = "refused"


@frozen
class PersonalTokens:
    """Tokens that people make for programs of theirs, on the pages of their account."""

    who: Who = option(
        Choice(Who),
        default=Who.ALL,
        about="Who may make personal tokens: everybody with an account, administrators, or nobody."
        " Those that were made before stay good until their time is over, or somebody ends them."
        " See [personal tokens](../topics/personal-tokens.md).",
        example="admins",
        label="personal tokens",
    )
    most_per_account: int = option(
        WholeNumber(),
        default=20,
        about="How many personal tokens of one account may be good at once. Those that an administrator"
        " made for it and owns do not count.",
        example="5",
        label="tokens of each",
    )
    longest_lifetime: int = option(
        Duration(),
        default=365 * _DAY,
        about="For how long a personal token may be made at most.",
        example="90d",
        label="tokens, lifetime",
    )
    may_last_forever: bool = option(
        Switch("allowed", "not allowed"),
        default=False,
        about="Whether people may make personal tokens that are good until somebody ends them.",
        example="true",
        label="tokens without an end",
    )
    at_login: AtLogin = option(
        Choice(AtLogin),
        default=AtLogin.TAKEN,
        about="Whether an application that asks for a password may be given a personal token with a"
        " device instead (`m.login.password`). `taken`: also where passwords are closed to it, by"
        " [`legacy_login.password`](#legacy_loginpassword) or a second factor. `offered`: the same,"
        " and `/login` names the way wherever Synapse would not. `refused`: it is a wrong password."
        " See [application passwords](../topics/personal-tokens.md#application-passwords).",
        example="offered",
        label="tokens at /login",
    )
