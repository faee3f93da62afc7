"""An attempt: somebody on the way to a sign-in, with what they proved and answered so far.

It is bound to the browser that began it, and ends once. Which step is next is for `stages.py`.
"""

import enum
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs

from synapse_nextgen_auth.accounts.attempts.onward import Kind as OnwardKind
from synapse_nextgen_auth.accounts.attempts.onward import Onward
from synapse_nextgen_auth.records import frozen

LIFETIME = 3600  # seconds


class Purpose(str, enum.Enum):
    """What an attempt is for; the value is what the database keeps."""

    SIGN_IN = "sign_in"
    # Whoever is signed in proves once more who they are. The account is fixed when it begins.
    PROVE_AGAIN = "prove_again"
    # Somebody who has no account yet answers what this server asks of a new one.
    SIGN_UP = "sign_up"
    # Whoever cannot sign in sets another password, with a link.
    RECOVER = "recover"
    # Whoever is signed in goes to a provider, to be let in through it from then on.
    CONNECT = "connect"
    # Whoever is signed in shows that an address or a number is theirs.
    ADD_ADDRESS = "add_address"

    @property
    def signs_in(self) -> bool:
        """Whether somebody is signed in at its end; the others end with what they are for."""
        return self not in {Purpose.CONNECT, Purpose.ADD_ADDRESS}


class ProofKind(str, enum.Enum):
    """How somebody proves who they are; the value is what the database keeps."""

    PASSWORD = "password"  # noqa: S105 - a kind of proof
    PROVIDER = "provider"
    LINK = "link"  # with which they set their password
    EMAIL_CODE = "email_code"  # a code that went to the address of the account
    MODULE = "module"  # what a module of Synapse checks in place of a password
    PASSKEY = "passkey"
    # Beside one of these, as a second factor:
    TOTP = "totp"  # a code of an authenticator app
    RECOVERY_CODE = "recovery_code"
    FACTOR_MAIL = "factor_mail"  # a code that went to the address of the account


@frozen
class Proof:
    """Something that a person proved, when, in seconds, and as which account.

    Without `user_id` it proves somebody whom a provider knows and who has no account here yet.
    `auth_time`, `amr` and `acr` are what the provider says of its own sign-in, `provider_session` how
    it calls that. Of a module `provider` is the login type, of a second factor the id of what proved it.
    `is_verified` of a passkey: whoever has it showed its device that they are its owner.
    """

    kind: ProofKind = attrs.field(converter=ProofKind)
    at: int
    user_id: str | None = None
    provider: str | None = None
    provider_session: str | None = attrs.field(default=None, repr=False)
    auth_time: int | None = None
    amr: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    acr: str | None = None
    is_verified: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what of it is there, as the database keeps it."""
        fields = attrs.asdict(self, filter=lambda _, value: value not in (None, (), False))
        return {**fields, "kind": self.kind.value}


@frozen
class Attempt:
    """One row of attempts; times in seconds since the epoch.

    `browser` is the digest of what binds it to its browser. `user_id` is the account: fixed from the
    start, or that of the first proof. `proofs` and `answers` are JSON: the answers by their stages,
    each of them sealed.
    """

    attempt_id: str
    browser: str
    purpose: Purpose = attrs.field(converter=Purpose)
    onward: OnwardKind = attrs.field(converter=OnwardKind)
    onward_id: str | None
    created_at: int
    expires_at: int
    user_id: str | None = None
    proofs: str = "[]"
    answers: str = attrs.field(default="{}", repr=False)
    ended_at: int | None = None

    @property
    def goes_on(self) -> Onward:
        """Where its person goes on."""
        return Onward(self.onward, self.onward_id)

    @cached_property
    def proven(self) -> tuple[Proof, ...]:
        """What was proven so far, in that order."""
        return tuple(Proof(**fields) for fields in json.loads(self.proofs))

    @cached_property
    def answered(self) -> Mapping[str, str]:
        """The sealed answers by the stages that they are to."""
        return dict(json.loads(self.answers))

    def is_open(self, now: int) -> bool:
        """Say whether it may go on."""
        return self.ended_at is None and now < self.expires_at

    def refuses(self, proof: Proof) -> bool:
        """Say whether a proof is none for it: of another account, or one that it has already.

        Whoever signs up proves nothing before the account is made, and whoever connects a provider or
        adds an address is signed in.
        """
        if self.purpose is Purpose.SIGN_UP and self.user_id is None:
            return True
        if not self.purpose.signs_in:
            return True
        if self.user_id is not None and proof.user_id != self.user_id:
            return True
        return any(each.kind is proof.kind for each in self.proven)

    def having(self, proof: Proof) -> "Attempt":
        """Return it with one proof more, and from now on for that account alone."""
        proofs = json.dumps([each.to_json() for each in (*self.proven, proof)], sort_keys=True)
        return attrs.evolve(self, proofs=proofs, user_id=self.user_id or proof.user_id)

    def registered(self, user_id: str) -> "Attempt":
        """Return it as that of the account that was made for whom it proved."""
        proofs = [attrs.evolve(each, user_id=user_id).to_json() for each in self.proven]
        return attrs.evolve(self, proofs=json.dumps(proofs, sort_keys=True), user_id=user_id)

    def without_session(self, provider: str, provider_session: str) -> "Attempt":
        """Return it without what a sign-in at a provider proved that is over there."""
        gone = (provider, provider_session)
        kept = [each for each in self.proven if (each.provider, each.provider_session) != gone]
        if len(kept) == len(self.proven):
            return self
        proofs = json.dumps([each.to_json() for each in kept], sort_keys=True)
        return attrs.evolve(self, proofs=proofs)

    def without_answer(self, stage: str, sealed: str) -> "Attempt":
        """Return it without this very answer to a stage; one that came in its place stays."""
        if self.answered.get(stage) != sealed:
            return self
        kept = {name: each for name, each in self.answered.items() if name != stage}
        return attrs.evolve(self, answers=json.dumps(kept, sort_keys=True))

    def answering(self, stage: str, sealed: str) -> "Attempt":
        """Return it with the answer to a stage, in place of one that was given before."""
        answers = json.dumps({**self.answered, stage: sealed}, sort_keys=True)
        return attrs.evolve(self, answers=answers)
