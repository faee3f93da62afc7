"""Every second factor is lost: who may ask for their removal, when it may happen, and what stops it.

Whoever asks has proven the first factor, and that may be a thief with the password. So the owner is told
in every way there is, at once and again before the end, has days to stop it, and nothing happens by
itself: the person comes back, proves the first factor once more, and only then the others go.
"""

import enum
from collections.abc import Iterable

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind, Purpose
from synapse_nextgen_auth.records import frozen

DAY = 24 * 3600
# After the waiting time its person has so long (seconds) to come back.
KEPT = 7 * DAY
LONGEST_WAIT = 90 * DAY
# The owner hears of it again so long before the end, or when half of the time is over.
_REMIND = DAY
# What is told later than this, as the process that does it was away, moves the end by that much.
_PUNCTUAL = 3600

# What a person proves first beside the mailbox, to which the notices go.
_KNOWN_OR_HELD = frozenset({ProofKind.PASSWORD, ProofKind.PROVIDER, ProofKind.MODULE})
_BY_MAIL = frozenset({ProofKind.LINK, ProofKind.EMAIL_CODE})


class State(enum.Enum):
    """How far a request has come."""

    WAITING = "waiting"
    READY = "ready"
    CANCELLED = "cancelled"  # and for a while nobody asks again
    OVER = "over"  # it was used, or nobody came back in time


class Cancelled(str, enum.Enum):
    """What stopped a request; the value stands in the event."""

    BROWSER = "in a browser that was signed in"
    LINK = "by the link in the notice"
    FACTOR = "a second factor was proven"
    PASSWORD = "another password, or signed out everywhere"  # noqa: S105 - what happened
    COMMAND = "command"

    @property
    def is_by_the_owner(self) -> bool:
        """Whether somebody said that they want no such thing: then nobody asks again for a while."""
        return self in {Cancelled.BROWSER, Cancelled.LINK, Cancelled.COMMAND}


class WhyNot(enum.Enum):
    """Why an account is not helped like this; somebody who runs the server may help all the same."""

    SIGNED_IN = "signed_in"  # they prove again who they are: that is for a sign-in alone
    BY_MAIL = "by_mail"  # only the mailbox was proven
    ADMIN = "admin"
    NOBODY_TOLD = "nobody_told"  # there is no way in which the owner would hear of it


@frozen(kw_only=True)
class Terms:
    """What the operator wrote: how long to wait (seconds, 0 for nobody), and whom else to help."""

    wait: int = 0
    by_mail: bool = False
    admins: bool = False

    @property
    def are_on(self) -> bool:
        """Whether anybody may ask."""
        return self.wait > 0


@frozen
class Request:
    """That the factors of an account are lost, as somebody says; times in seconds since the epoch.

    `digest` is of the secret in the link that stops it, `secret` is that secret, sealed. `told_at` and
    `reminded_at` are when a notice to the owner was taken by a mail server, or said in Matrix: without
    both nothing is removed.
    `expires_at` is until when it may be used; of a cancelled one, until when nobody asks again.
    """

    user_id: str
    request_id: str
    digest: str = attrs.field(repr=False)
    secret: str = attrs.field(repr=False)
    asked_at: int
    remind_at: int
    ready_at: int
    expires_at: int
    told_at: int | None = None
    reminded_at: int | None = None
    cancelled_at: int | None = None
    used_at: int | None = None
    address: str | None = attrs.field(default=None, repr=False)

    def state(self, now: int) -> State:
        """Return how far it has come."""
        if self.used_at is not None or now >= self.expires_at:
            return State.OVER
        if self.cancelled_at is not None:
            return State.CANCELLED
        is_told = self.told_at is not None and self.reminded_at is not None
        return State.READY if is_told and now >= self.ready_at else State.WAITING

    def is_open(self, now: int) -> bool:
        """Say whether it may still be stopped, or used."""
        return self.state(now) in {State.WAITING, State.READY}

    def told(self, now: int) -> "Request":
        """Return it once the owner was told: the waiting time begins then, if that was late."""
        return attrs.evolve(self._later(now - self.asked_at), told_at=now)

    def reminded(self, now: int) -> "Request":
        """Return it once the owner was told again: however late that was, there is time left."""
        return attrs.evolve(self._later(now - self.remind_at), reminded_at=now)

    def as_expected(self, now: int) -> "Request":
        """Return it with the times that hold if the owner is told now of what they were not told yet.

        It is for pages: nobody is shown a time that is over, and waits for more.
        """
        told = self if self.told_at is not None else self.told(now)
        told = told if told.reminded_at is not None else told.reminded(now)
        return attrs.evolve(
            self, remind_at=told.remind_at, ready_at=told.ready_at, expires_at=told.expires_at
        )

    def _later(self, late: int) -> "Request":
        if late <= _PUNCTUAL:
            return self
        return attrs.evolve(
            self,
            remind_at=self.remind_at + late,
            ready_at=self.ready_at + late,
            expires_at=self.expires_at + late,
        )


@frozen
class Drawn:
    """An id, and the secret of the link in the notices: its digest, and itself, sealed."""

    request_id: str
    digest: str = attrs.field(repr=False)
    secret: str = attrs.field(repr=False)


def asked(
    user_id: str, drawn: Drawn, terms: Terms, *, now: int, address: str | None = None
) -> Request:
    """Return what somebody asks for now."""
    ready_at = now + terms.wait
    return Request(
        user_id=user_id,
        request_id=drawn.request_id,
        digest=drawn.digest,
        secret=drawn.secret,
        asked_at=now,
        remind_at=ready_at - min(_REMIND, terms.wait // 2),
        ready_at=ready_at,
        expires_at=ready_at + KEPT,
        address=address,
    )


def why_not(
    terms: Terms,
    proofs: Iterable[Proof],
    *,
    purpose: Purpose,
    is_admin: bool,
    is_told: bool,
    is_set_by_mail: bool = False,
) -> WhyNot | None:
    """Say why somebody with these proofs neither asks nor has anything removed; `None` if they may.

    It is asked at both ends of the waiting time. `is_told` says that the owner hears of it in some way,
    `is_set_by_mail` that a mail alone was enough to set the password, within that time.
    """
    if purpose not in {Purpose.SIGN_IN, Purpose.RECOVER}:
        return WhyNot.SIGNED_IN
    kinds = {proof.kind for proof in proofs}
    known = _KNOWN_OR_HELD - {ProofKind.PASSWORD} if is_set_by_mail else _KNOWN_OR_HELD
    if not kinds & (_KNOWN_OR_HELD | _BY_MAIL if terms.by_mail else known):
        return WhyNot.BY_MAIL
    if is_admin and not terms.admins:
        return WhyNot.ADMIN
    return None if is_told else WhyNot.NOBODY_TOLD
