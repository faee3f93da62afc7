"""What a password costs on this machine, and the list of leaked ones, before anybody waits.

The options have upper bounds, and still more can be asked for than a machine has, or than people wait
for.
"""

import time
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts import hashes
from synapse_nextgen_auth.accounts.hashes import Costs, Hashing
from synapse_nextgen_auth.config.passwords import Passwords
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.people import breached
else:
    breached = late.file("homeserver.people.breached")

# How many seconds a person may wait for it without a warning.
_LONGEST = 1.0


@frozen
class Tried:
    """What keeps the module from starting, and what it starts with."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def look(passwords: Passwords) -> Tried:
    """Try all of it."""
    tried = _make_one(passwords)
    refused = passwords.breached_list and breached.problem(passwords.breached_list)
    if refused:
        problem = f"passwords.breached_list is {passwords.breached_list}: {refused}"
        return attrs.evolve(tried, problems=(*tried.problems, problem))
    return tried


def _make_one(passwords: Passwords) -> Tried:
    """Make one hash if passwords are kept as argon2id, by one pass: the others take as long."""
    if passwords.hashing is not Hashing.ARGON2ID:
        return Tried()
    import argon2  # noqa: PLC0415 (a library that went away is told by what serves people)

    costs = Costs(passwords.argon2_memory, 1, passwords.argon2_parallelism)
    began = time.perf_counter()
    try:
        hashes.make(costs, "", "")
    except (argon2.exceptions.HashingError, MemoryError) as error:
        return Tried(
            problems=(
                f"passwords.argon2_memory is {costs.memory} KiB, and no password can be hashed with"
                f" that here: {error}",
            )
        )
    seconds = (time.perf_counter() - began) * passwords.argon2_iterations
    if seconds <= _LONGEST:
        return Tried()
    return Tried(
        warnings=(
            f"passwords.argon2_memory is {costs.memory} KiB and passwords.argon2_iterations"
            f" {passwords.argon2_iterations}: one password takes {seconds:.1f} seconds to check here."
            " Lower them.",
        )
    )
