"""What other modules ask for at a sign-in, in words of the attempt."""

from typing import TYPE_CHECKING

from synapse_nextgen_auth import extensions, late
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.onward import Kind, Onward
from synapse_nextgen_auth.accounts.attempts.stages import NOTHING, Added, Asked
from synapse_nextgen_auth.extensions import Person, Stage
from synapse_nextgen_auth.homeserver.no_answer import NoAnswer
from synapse_nextgen_auth.web import factors
from synapse_nextgen_auth.web.visits import Visit

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts import approvals as rules
    from synapse_nextgen_auth.store import approvals
else:
    rules, approvals = late.files("accounts.approvals", "store.approvals")

# What somebody who is signed in lets in.
_APPLICATIONS = frozenset({Kind.GRANT, Kind.DEVICE, Kind.LEGACY})


async def asked(visit: Visit, attempt: Attempt, *, later: bool = True) -> Asked:
    """Return what another module asks for next of whoever proved who they are, and has not answered.

    The first is enough: when it is answered, the others are asked about. One that cannot say whether
    it asks does (`later` a page finds out), so that nobody is signed in meanwhile; or `NoAnswer`.
    """
    if not visit.site.other_modules.stages:
        return NOTHING
    person = await person_of(visit, attempt)
    if person is None:
        return NOTHING
    for stage in visit.site.other_modules.stages:
        added = Added(stage.name)
        if added.value in attempt.answered or not await _is_for(visit, stage, person, attempt):
            continue
        try:
            is_asked = await visit.site.other_modules.needs(stage, person)
        except NoAnswer:
            if not later:
                raise
            is_asked = True
        if is_asked:
            return Asked(added=(added,))
    return NOTHING


def find(visit: Visit, added: Added) -> Stage | None:
    """Return the stage of this name."""
    return next((each for each in visit.site.other_modules.stages if each.name == added.name), None)


async def person_of(visit: Visit, attempt: Attempt) -> Person | None:
    """Return who is on the way, as other modules hear of it; nobody before there is a proof."""
    if attempt.user_id is None or not attempt.proven or not attempt.purpose.signs_in:
        return None
    is_new = await _is_made_by_a_provider(visit, attempt, attempt.user_id)
    purpose = extensions.Purpose((Purpose.SIGN_UP if is_new else attempt.purpose).value)
    return _person(visit, attempt.user_id, purpose, attempt.attempt_id)


async def is_missing(visit: Visit) -> bool:
    """Say whether whoever is signed in lets no application in before they did something.

    That may be a second factor, which they did not prove when they signed in.
    """
    if await factors.is_missing(visit):
        return True
    for stage in visit.site.other_modules.stages:
        if stage.also_when_signed_in and visit.user_id is not None:
            person = _person(visit, visit.user_id, extensions.Purpose.SIGN_IN, "")
            try:
                if await visit.site.other_modules.needs(stage, person):
                    return True
            except NoAnswer:
                return True
    return False


async def _is_made_by_a_provider(visit: Visit, attempt: Attempt, user_id: str) -> bool:
    """Say whether an attempt to sign in ended up with an account that there was not at its beginning."""
    is_by_provider = any(each.kind is ProofKind.PROVIDER for each in attempt.proven)
    if attempt.purpose is not Purpose.SIGN_IN or not is_by_provider:
        return False
    made_at = await visit.site.people.made_at(user_id)
    return made_at is not None and made_at >= attempt.created_at


async def _is_for(visit: Visit, stage: Stage, person: Person, attempt: Attempt) -> bool:
    """Say whether a stage is one of such attempts; whoever signs in anew is sent for its sake."""
    if person.purpose in stage.purposes:
        return True
    is_again = attempt.purpose is Purpose.PROVE_AGAIN
    return is_again and stage.also_when_signed_in and await _lets_in(visit, attempt.goes_on)


async def _lets_in(visit: Visit, onward: Onward) -> bool:
    """Say whether somebody is about to let an application in, or another device of theirs."""
    if onward.kind is not Kind.APPROVAL:
        return onward.kind in _APPLICATIONS
    approval = await visit.site.homeserver.read(approvals.get, onward.id or "")
    return approval is not None and approval.operation is rules.Operation.LOGIN_TOKEN


def _person(visit: Visit, user_id: str, purpose: extensions.Purpose, attempt: str) -> Person:
    return Person(
        user_id=user_id,
        purpose=purpose,
        attempt=attempt,
        address=visit.address,
        language=visit.reader.language,
    )
