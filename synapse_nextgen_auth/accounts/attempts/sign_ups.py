"""A sign-up: what the server asks of a new account, in the order in which its pages ask for it.

Synapse knows *flows*: alternative sets of stages, each of which is enough (CS API, "User-Interactive
Authentication API"). A person is led through one after the other of what any flow still open to them
has; what they skip closes the flows that have it.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from synapse_nextgen_auth.accounts.attempts.stages import Asked, Stage
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose

DUMMY = "m.login.dummy"
TOKEN = "m.login.registration_token"  # noqa: S105 (the name of a stage)
CAPTCHA = "m.login.recaptcha"
EMAIL = "m.login.email.identity"
MSISDN = "m.login.msisdn"
TERMS = "m.login.terms"

# What the pages ask for, in their order: who is no program comes before what costs a mail.
_ORDER = {
    CAPTCHA: Stage.CAPTCHA,
    EMAIL: Stage.EMAIL,
    MSISDN: Stage.MSISDN,
    TERMS: Stage.TERMS,
}
TYPES: Mapping[Stage, str] = {stage: kind for kind, stage in _ORDER.items()}
# What the first page settles: the token stands there, and there is nothing to do for a dummy.
_AT_ONCE = frozenset({DUMMY, TOKEN})

_SKIPPED = "skipped"


@frozen
class Demands:
    """What this server asks of a new account: Synapse's flows, and what we ask in each of them.

    `pages` are the stages that have a page: a flow with another one is open to nobody here.
    """

    flows: tuple[frozenset[str], ...]
    also: frozenset[str] = frozenset()
    pages: frozenset[Stage] = frozenset(_ORDER.values())

    @property
    def open(self) -> tuple[frozenset[str], ...]:
        """The flows that can be gone through on pages."""
        return tuple(each for each in self._whole if each <= self._doable)

    @property
    def unasked(self) -> frozenset[str]:
        """What no page asks for: Synapse's names of it, where nobody gets an account without."""
        return frozenset() if self.open else frozenset().union(*self._whole) - self._doable

    @property
    def _doable(self) -> frozenset[str]:
        return _AT_ONCE | {kind for kind, stage in _ORDER.items() if stage in self.pages}

    @property
    def _whole(self) -> tuple[frozenset[str], ...]:
        return tuple(each | self.also for each in self.flows)

    @property
    def asks_token(self) -> bool:
        """Whether the first page has a field for a registration token."""
        return any(TOKEN in each for each in self.open)

    @property
    def needs_token(self) -> bool:
        """Whether nobody gets an account without one."""
        return bool(self.open) and all(TOKEN in each for each in self.open)

    def covered(self, completed: Iterable[str]) -> bool:
        """Say whether this is enough for an account; a dummy costs nothing."""
        return any(each <= {DUMMY, *completed} for each in self.open)

    def needs_dummy(self, completed: Iterable[str]) -> bool:
        """Say whether only the dummy makes it enough: stock's clients send it then."""
        found = frozenset(completed)
        return self.covered(found) and not any(each <= found for each in self.open)


@frozen
class Progress:
    """How far somebody is: what was completed and skipped, both by Synapse's names for it."""

    demands: Demands
    completed: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()

    @property
    def _left(self) -> tuple[frozenset[str], ...]:
        """The flows that are still open; a server that asks for more by now asks again."""
        every = self.demands.open
        return tuple(each for each in every if not each & self._passed) or every

    @property
    def _passed(self) -> frozenset[str]:
        return self.skipped - self.completed

    @property
    def _wanted(self) -> frozenset[str]:
        return frozenset().union(*self._left)

    @property
    def missing(self) -> tuple[Stage, ...]:
        """The stages that are still to be gone through, in their order."""
        if not self.demands.open or self._lacks_token:
            return (Stage.ACCOUNT,)
        left = self._wanted - self.completed
        return tuple(stage for kind, stage in _ORDER.items() if kind in left)

    @property
    def _lacks_token(self) -> bool:
        return all(TOKEN in each for each in self._left) and TOKEN not in self.completed

    @property
    def asked(self) -> Asked:
        """What the server wants to know of this person; nothing once a flow is covered."""
        if self.missing or self.demands.covered(self.completed):
            return Asked(self.missing)
        return Asked((Stage.ACCOUNT,))

    def may_skip(self, stage: Stage) -> bool:
        """Say whether there is a way to an account without this stage."""
        kind = TYPES.get(stage)
        return kind is not None and any(kind not in each for each in self._left)

    def step(self, stage: Stage) -> "Step":
        """Return which of how many pages this is."""
        others = [each for kind, each in _ORDER.items() if kind in self._wanted]
        pages = (Stage.ACCOUNT, *others)
        number = pages.index(stage) + 1 if stage in pages else 1
        return Step(number, len(pages))


@frozen
class Step:
    """Which of how many pages somebody looks at; the first has the number 1."""

    number: int
    of: int


@frozen
class Person:
    """What the first page was told: who somebody wants to be, and what holds their answers together.

    `session` is Synapse's for what they complete; `password_hash` is what Synapse keeps of a password.
    """

    localpart: str
    password_hash: str = attrs.field(repr=False)
    session: str = attrs.field(repr=False)
    display_name: str | None = None


Answer = Mapping[str, Any]
SKIPPED: Answer = {_SKIPPED: True}
# Under which name an attempt keeps why no account came of it, until its person does something about it.
TROUBLE = "trouble"


def seal(keys: Keyring, answer: Answer) -> str:
    """Return an answer as an attempt keeps it."""
    return keys.seal(Purpose.SIGN_UP, json.dumps(dict(answer)).encode("utf-8"))


def unseal(keys: Keyring, sealed: str | None) -> Answer | None:
    """Return an answer; `None` where there is none, or no key of ours fits any more."""
    plain = None if sealed is None else keys.unseal(Purpose.SIGN_UP, sealed)
    if plain is None:
        return None
    found: Answer = json.loads(plain)
    return found


def unseal_all(keys: Keyring, answered: Mapping[str, str]) -> dict[Stage, Answer]:
    """Return the answers to stages, without those for which no key of ours fits any more."""
    found = {stage: unseal(keys, answered.get(stage.value)) for stage in Stage}
    return {stage: answer for stage, answer in found.items() if answer is not None}


def skipped(answers: Mapping[Stage, Answer]) -> frozenset[str]:
    """Return what was skipped, by Synapse's names."""
    return frozenset(
        TYPES[stage] for stage, each in answers.items() if stage in TYPES and each.get(_SKIPPED)
    )


def counting(
    results: Mapping[str, Any], answers: Mapping[Stage, Answer], *, terms_version: str | None
) -> dict[str, Any]:
    """Return what of it counts: terms that came in the place of those accepted are not accepted."""
    accepted = answers.get(Stage.TERMS, {}).get("version")
    is_stale = accepted is None or accepted != terms_version
    return {kind: each for kind, each in results.items() if kind != TERMS or not is_stale}
