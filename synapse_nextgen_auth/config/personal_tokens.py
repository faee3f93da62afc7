"""The section `personal_tokens`."""

import enum
from typing import TYPE_CHECKING

from synapse_nextgen_auth import late
from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.numbers import Duration, WholeNumber
from synapse_nextgen_auth.config.kinds.words import Choice, Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.config.problems import Problems
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from synapse_nextgen_auth.config import token_scopes
else:
    token_scopes = late.file("config.token_scopes")

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
class TokenScopes:
    """Scopes that may each be given to a token; `of_admins` may be power over the server, too."""

    of_admins: bool

    @property
    def takes(self) -> str:
        """A list of them."""
        return "a list of [scopes](scopes.md)"

    def read(self, raw: object, path: str, problems: Problems) -> frozenset[str] | None:
        """Return the scopes; all that are wrong are told."""
        return token_scopes.read(raw, path, problems, of_admins=self.of_admins)

    def show(self, value: frozenset[str], written: object) -> str:  # noqa: ARG002 - like every kind
        """Return the scopes in order."""
        return ", ".join(sorted(value))

    def write(self, value: frozenset[str]) -> str:
        """Return the scopes in order."""
        return self.show(value, None)


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
    scopes: frozenset[str] | None = option(
        Optional(TokenScopes(of_admins=False), "all but power over the server"),
        default=None,
        about="What personal tokens may open that somebody makes who is no administrator: these scopes,"
        " and what they contain. Without `urn:matrix:client:api:*` among them nobody makes one for the"
        " whole account. Unset, that is everything but power over the server. What is not named stays"
        " for administrators, as far as"
        " [`personal_tokens.scopes_of_admins`](#personal_tokensscopes_of_admins) lets them."
        " See [what they may open](../topics/personal-tokens.md#what-they-may-open).",
        example="[urn:nextgen-auth:read, urn:nextgen-auth:send]",
        label="tokens may open",
    )
    scopes_of_admins: frozenset[str] | None = option(
        Optional(TokenScopes(of_admins=True), "all"),
        default=None,
        about="What personal tokens may open that an administrator makes, for themselves or with the"
        " admin API for another account: these scopes, and what they contain."
        " `personal_tokens.scopes` adds nothing to them. Unset, that is everything.",
        example='["urn:matrix:client:api:*", "urn:mas:admin"]',
        label="those of admins",
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
