"""Which stage of an attempt is next: the only place that knows an order."""

import enum
from collections.abc import Iterable

from synapse_nextgen_auth.accounts import admission
from synapse_nextgen_auth.accounts.admission import Intent, Reason
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.demands import Demand, Level, Missing, Strong
from synapse_nextgen_auth.accounts.factors.held import NOTHING as NO_FACTOR
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.people import Account
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.records import frozen


class Stage(str, enum.Enum):
    """What a person has to do next; the value is what answers are kept under."""

    IDENTIFY = "identify"  # prove who they are, by a password or at a provider
    FACTOR = "factor"  # prove one of the account's factors beside that
    ENROL = "enrol"  # set one up: the account needs one
    NEW_PASSWORD = "new_password"  # noqa: S105 - set it, with the link that waits as its answer
    # Of somebody whom a provider knows and who has no account yet:
    USERNAME = "username"
    # Of somebody who signs up; `sign_ups.py` says which, in this order:
    ACCOUNT = "account"  # name, password, and a registration token where there is one
    CAPTCHA = "captcha"
    EMAIL = "email"
    MSISDN = "msisdn"
    TERMS = "terms"
    REGISTER = "register"  # nothing more to ask: the account is made


# What the answers to stages of other modules are kept under begins with this; no stage of ours does.
_ADDED = "module:"


@frozen
class Added:
    """A stage that another module asks for, by its name (`extensions.py`)."""

    name: str

    @property
    def value(self) -> str:
        """What its answer is kept under."""
        return f"{_ADDED}{self.name}"


@frozen(kw_only=True)
class Policy:
    """Which proofs count on this server.

    `types` are the login types that modules check in place of a password. `trusted` are providers
    whose word is a fresh proof though they do not say when they asked, `strong` what providers say of
    a sign-in that is two factors. `factors` are the kinds of second factors that people may have here.
    """

    passwords: bool = False
    email_codes: bool = False
    types: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    trusted: frozenset[str] = frozenset()
    strong: frozenset[Strong] = frozenset()
    factors: frozenset[ProofKind] = frozenset()


@frozen
class Asked:
    """What the server wants to know of this person, beside who they are, in that order.

    `added` is what other modules ask for of whoever has an account and proved that it is theirs.
    """

    stages: tuple[Stage, ...] = ()
    added: tuple[Added, ...] = ()


NOTHING = Asked()

# RFC 8176 section 2; a provider says it itself.
_AMR = {
    ProofKind.PASSWORD: ("pwd",),
    ProofKind.EMAIL_CODE: ("otp",),
    ProofKind.TOTP: ("otp",),
    ProofKind.RECOVERY_CODE: ("otp",),
    ProofKind.FACTOR_MAIL: ("otp",),
}
_STAGES = {Missing.PROVE: Stage.FACTOR, Missing.ENROL: Stage.ENROL}


@frozen
class Second:
    """What is demanded of an account beside the first proof, and what it has to prove that with."""

    demand: Demand = demands.NONE
    held: Held = NO_FACTOR


NO_SECOND = Second()


class Stop(enum.Enum):
    """Why an attempt cannot go on, whoever its person is."""

    ENDED = "ended"


@frozen
class Refused:
    """Why the attempt leads nowhere: it is over, or this account may not sign in."""

    why: Reason | Stop


@frozen
class Done:
    """Nothing is missing: who it is, and how they proved it.

    `is_fresh` says that they did it for this attempt, and not some time before, `level` how many
    factors it was.
    """

    user_id: str
    proofs: tuple[Proof, ...]
    is_fresh: bool = False
    level: Level = Level.ONE

    def sign_in(self, *, digest: str, sign_in_id: str, now: int) -> SignIn:
        """Return the sign-in that it leads to, with a secret of this digest."""
        first = self.proofs[0]
        return SignIn(
            digest=digest,
            user_id=self.user_id,
            signed_in_at=now,
            last_active_at=now,
            sign_in_id=sign_in_id,
            auth_time=self._auth_time(first),
            amr=" ".join(self._amr()) or None,
            acr=first.acr,
            provider=first.provider if first.kind is ProofKind.PROVIDER else None,
            provider_session=first.provider_session,
            level=int(self.level),
        )

    def _amr(self) -> Iterable[str]:
        """Return how it was proven: by each proof, and `mfa` where that is more than one factor."""
        said = [amr for proof in self.proofs for amr in _amr(proof)]
        return dict.fromkeys((*said, "mfa") if self.level >= Level.TWO else said)

    def _auth_time(self, first: Proof) -> int | None:
        """Return when a provider let its person prove it, where that is known."""
        is_known = first.kind is not ProofKind.PROVIDER or first.auth_time is not None
        return first.auth_time if is_known or not self.is_fresh else first.at


def next_stage(
    attempt: Attempt,
    account: Account | None,
    policy: Policy,
    asked: Asked = NOTHING,
    second: Second = NO_SECOND,
) -> Stage | Added | Done | Refused:
    """Say what is missing before somebody is signed in; `account` is that of the attempt.

    Only what was proven decides: whatever URL somebody calls, the same is missing.
    """
    if attempt.ended_at is not None:
        return Refused(Stop.ENDED)
    if attempt.purpose is Purpose.SIGN_UP and attempt.user_id is None:
        return asked.stages[0] if asked.stages else Stage.REGISTER
    proofs = tuple(proof for proof in attempt.proven if _counts(proof, attempt, policy))
    if not any(demands.is_first(proof) for proof in proofs):
        return Stage.IDENTIFY
    if attempt.user_id is not None:
        known = account if account and account.user_id == attempt.user_id else None
        why = admission.refuse(known, Intent.SIGN_IN)
        if why is not None:
            return Refused(why)
        if (missing := _missing(attempt, policy, second, proofs)) is not None:
            return _STAGES[missing]
        if attempt.purpose is Purpose.RECOVER and Stage.NEW_PASSWORD.value in attempt.answered:
            return Stage.NEW_PASSWORD
    unanswered = _unanswered(attempt, asked)
    if unanswered is not None or attempt.user_id is None:
        return unanswered or Stage.REGISTER
    return Done(
        attempt.user_id,
        proofs,
        is_fresh=any(_is_fresh(proof, attempt, policy) for proof in proofs),
        level=demands.level(proofs, policy.strong),
    )


def _missing(
    attempt: Attempt, policy: Policy, second: Second, proofs: tuple[Proof, ...]
) -> Missing | None:
    return demands.missing(
        second.demand,
        second.held,
        proofs,
        purpose=attempt.purpose,
        strong=policy.strong,
        waits=demands.LATER in attempt.answered,
    )


def _unanswered(attempt: Attempt, asked: Asked) -> Stage | Added | None:
    """Return what is asked next of whoever proved who they are; others ask once there is an account."""
    added = () if attempt.user_id is None else asked.added
    asked_for: tuple[Stage | Added, ...] = (*asked.stages, *added)
    return next((each for each in asked_for if each.value not in attempt.answered), None)


def _counts(proof: Proof, attempt: Attempt, policy: Policy) -> bool:
    """Say whether a proof says who the person of this attempt is."""
    if proof.user_id != attempt.user_id or not attempt.purpose.signs_in:
        return False
    if proof.kind in demands.SECOND | demands.BESIDE:
        return proof.kind in policy.factors
    if attempt.purpose is Purpose.SIGN_UP:
        # The account was made for this attempt, with the password that its person chose.
        return proof.kind is ProofKind.PASSWORD
    if proof.kind is ProofKind.PASSWORD:
        return policy.passwords
    if proof.kind is ProofKind.LINK:
        # Where no password signs anybody in, setting one does not either.
        return policy.passwords and attempt.purpose is Purpose.RECOVER
    if proof.kind is ProofKind.EMAIL_CODE:
        return policy.email_codes
    if proof.kind is ProofKind.MODULE:
        return proof.provider in policy.types
    if proof.provider not in policy.providers:
        return False
    # A provider that only knows its person from before proves nothing once more.
    return attempt.purpose is not Purpose.PROVE_AGAIN or _is_fresh(proof, attempt, policy)


def _is_fresh(proof: Proof, attempt: Attempt, policy: Policy) -> bool:
    """Say whether somebody proved it for this attempt.

    What is typed here is. A provider must say so, or be asked to let them prove it anew and trusted
    to do that; whoever proves again who they are goes to no provider that was not asked.
    """
    if proof.kind is not ProofKind.PROVIDER:
        return True
    if proof.auth_time is None:
        return attempt.purpose is Purpose.PROVE_AGAIN and proof.provider in policy.trusted
    return proof.auth_time >= attempt.created_at - SKEW


def _amr(proof: Proof) -> tuple[str, ...]:
    """Return how it was proven, in the words of RFC 8176."""
    return _AMR.get(proof.kind, proof.amr)
