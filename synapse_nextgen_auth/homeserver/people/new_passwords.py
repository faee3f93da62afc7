"""Whether a password may become an account's: the one place that every form with a new one asks."""

from collections.abc import Iterable

from synapse.util.async_helpers import Linearizer

from synapse_nextgen_auth.accounts import new_passwords as rules
from synapse_nextgen_auth.accounts.new_passwords import (
    Judgement,
    PasswordPolicy,
    PasswordProblem,
)
from synapse_nextgen_auth.config import Passwords
from synapse_nextgen_auth.config.passwords import OnFailure
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.people.breached import Breached, CouldNotLook
from synapse_nextgen_auth.homeserver.people.passwords import TryLater
from synapse_nextgen_auth.homeserver.startup.needed import members
from synapse_nextgen_auth.homeserver.threads import in_thread
from synapse_nextgen_auth.secret import Secret

NEEDS = (*members("synapse.server", "HomeServer", "get_clock"),)

# Counting keeps the processor's lock, so it is done one after the other, whoever floods the server. An
# ordinary password takes a few milliseconds: a class that signs up together waits for a second.
_MAX_WAITING = 200
_SOON = 5


class NewPasswords:
    """What this server demands of a new password."""

    def __init__(self, homeserver: Homeserver, options: Passwords) -> None:
        self._homeserver = homeserver
        self._minimum_strength = options.minimum_strength
        self._breached = Breached(
            homeserver.hs, file=options.breached_list, service=options.breached_service
        )
        self._on_failure = options.breached_on_failure
        self._turns = Linearizer(
            name="nextgen_new_passwords", max_count=1, clock=homeserver.hs.get_clock()
        )
        self._waiting = 0

    @property
    def policy(self) -> PasswordPolicy:
        """Synapse's `password_config.policy`, to be told before anybody types."""
        settings = self._homeserver.hs.config.auth
        is_on = settings.password_policy_enabled
        return PasswordPolicy.read(settings.password_policy if is_on else {})

    async def judge(self, password: Secret, known: Iterable[str]) -> Judgement:
        """Say what is wrong with a password; `known` are the words about its person.

        Their name, display name, address: what somebody would guess first. Raises `TryLater` where
        too many ask at once.
        """
        typed = password.reveal()
        if not typed:
            return Judgement((PasswordProblem.MISSING,))
        if rules.is_too_long(typed):
            return Judgement((PasswordProblem.TOO_LONG,))
        policy = self.policy
        problems = list(policy.problems(typed))
        strength = None
        if self._minimum_strength:
            words = rules.words_of((*known, self._homeserver.server_name))
            strength = await self._strength(typed, words)
            if strength.score < self._minimum_strength:
                problems.append(PasswordProblem.TOO_WEAK)
        if not problems:
            problems += await self._leaked(typed)
        return Judgement(tuple(problems), strength, policy.minimum_length)

    async def _leaked(self, typed: str) -> tuple[PasswordProblem, ...]:
        """Look for a password that would be taken otherwise: of others no service learns anything."""
        try:
            return (PasswordProblem.BREACHED,) if await self._breached.has(typed) else ()
        except CouldNotLook:
            return (PasswordProblem.UNCHECKED,) if self._on_failure is OnFailure.REFUSE else ()

    async def _strength(self, typed: str, words: list[str]) -> rules.Strength:
        if self._waiting >= _MAX_WAITING:
            raise TryLater(_SOON, busy=True)
        self._waiting += 1
        try:
            async with self._turns.queue("strength"):
                return await in_thread(self._homeserver.hs, rules.strength, typed, words)
        finally:
            self._waiting -= 1
