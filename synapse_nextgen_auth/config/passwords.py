"""The section `passwords`."""

import enum

from synapse_nextgen_auth.accounts.hashes import Hashing
from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.numbers import WholeNumber
from synapse_nextgen_auth.config.kinds.places import Url
from synapse_nextgen_auth.config.kinds.words import Choice, Text
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.config.problems import Problems
from synapse_nextgen_auth.records import frozen

# Argon2 takes no less memory for each lane (RFC 9106 section 3.1).
_LEAST_OF_A_LANE = 8
# 4 GiB in KiB, twice what RFC 9106 section 4 has for the strongest use: any sensible value in bytes is
# beyond it.
_MOST_MEMORY = 4 * 1024 * 1024


class OnFailure(str, enum.Enum):
    """What becomes of a new password while nobody can look; the value is what the operator writes."""

    ALLOW = "allow"
    REFUSE = "refuse"


@frozen
class Passwords:
    """How the passwords of accounts are kept, and what a new one has to be."""

    hashing: Hashing = option(
        Choice(Hashing),
        default=Hashing.SYNAPSE,
        about="`argon2id` keeps new passwords, and others once they are used, in a table of this"
        " module instead of as bcrypt hashes. Whoever has one needs a new password when the module"
        " goes away. See [passwords](../topics/passwords.md).",
        example="argon2id",
        label="passwords kept by",
    )
    argon2_memory: int = option(
        WholeNumber("KiB", most=_MOST_MEMORY, of="KiB"),
        default=19 * 1024,
        about="How much memory one check of a password takes, in KiB. The defaults of the three are"
        " those of OWASP's cheat sheet.",
        example="47104",
        label="argon2id, memory",
    )
    argon2_iterations: int = option(
        WholeNumber("passes", most=1000),
        default=2,
        about="How often it goes over that memory.",
        example="1",
        label="argon2id, passes",
    )
    argon2_parallelism: int = option(
        WholeNumber("at once", most=64),
        default=1,
        about="In how many lanes.",
        example="2",
        label="argon2id, lanes",
    )
    minimum_strength: int = option(
        WholeNumber(most=4, least=0),
        default=2,
        about="How hard to guess a password must be that somebody chooses on a page of this module:"
        " 0 is anything, 4 the strongest that zxcvbn tells apart. Synapse's `password_config.policy`"
        " counts beside it. See [passwords](../topics/passwords.md#new-passwords).",
        example="3",
        label="strength of new ones",
    )
    breached_list: str | None = option(
        Optional(Text(), unset="no"),
        default=None,
        about="A file of passwords that leaked elsewhere, which nobody may choose on a page of this"
        " module: SHA-1 hashes in hexadecimal, sorted, as Have I Been Pwned has them for download, of"
        " any size; or up to 16 MiB of passwords, one a line."
        " See [passwords](../topics/passwords.md#passwords-that-leaked-elsewhere).",
        example="/var/lib/matrix-synapse/pwned-passwords-sha1-ordered-by-hash.txt",
        label="list of leaked ones",
    )
    breached_service: str | None = option(
        Optional(Url(), unset="no"),
        default=None,
        about="A service that knows them by ranges, as that of Have I Been Pwned does. It learns the"
        " first five hexadecimal digits of the SHA-1 hash of a password that somebody chooses, and"
        " nothing else of it.",
        example="https://api.pwnedpasswords.com/range/",
        label="service for them",
    )
    breached_on_failure: OnFailure = option(
        Choice(OnFailure),
        default=OnFailure.ALLOW,
        about="What becomes of a new password while the list cannot be read or the service does not"
        " answer. Either way the log has a warning.",
        example="refuse",
        label="while it cannot say",
    )


def check_memory(passwords: Passwords, problems: Problems) -> None:
    """Refuse less memory than argon2 takes: it would fail at the first password."""
    least = _LEAST_OF_A_LANE * passwords.argon2_parallelism
    if passwords.argon2_memory < least:
        problems.say(
            "passwords.argon2_memory",
            f"expected at least {least} with argon2_parallelism {passwords.argon2_parallelism},"
            f" got {passwords.argon2_memory}",
        )
