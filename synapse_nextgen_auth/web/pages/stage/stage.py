"""The page that asks something for another module, between the proof and the sign-in."""

import json

from synapse_nextgen_auth import extensions
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.accounts.attempts.stages import Added
from synapse_nextgen_auth.extensions import Person, Question, Stage
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.homeserver.alone import UnderWay, alone
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.no_answer import NoAnswer
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Purpose
from synapse_nextgen_auth.web import added, answers, attempts, given_up, under_way
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.message.error import PageError, unknown_choice
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.pages.stage.page import REFUSED, StagePage, StageRefusedPage, of
from synapse_nextgen_auth.web.visits import Visit

# Before the names of another module's fields: none of them is one of ours.
_OF_THEIRS = "field_"


@frozen
class _Asks:
    """The stage that is next, what it asks, and what stands in its fields."""

    stage: Stage
    question: Question
    typed: Form


async def show(visit: Visit) -> Outgoing:
    """Ask, or go on where nothing is asked any more."""
    attempt, person = await _find(visit)
    stage = await _missing(visit, attempt)
    if stage is None:
        return await attempts.go_on(visit, attempt)
    question = await _question(visit, attempt, stage, person)
    typed = {each.name: each.value for each in question.fields}
    return await _page(visit, attempt, _Asks(stage, question, typed))


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Hand the answer to the module that asked, and do what it says.

    One press after the other: a module may spend a code, or count how often somebody tried.
    """
    attempt, _person = await _find(visit)
    try:
        async with alone(visit.site.homeserver, "stage", attempt.attempt_id):
            return await _submit(visit, form)
    except UnderWay:
        raise PageError(
            409,
            Message.UNDER_WAY,
            forward_url=attempts.stage_url(attempt),
            forward_label=ForwardLabel.TRY_AGAIN,
        ) from None


async def _submit(visit: Visit, form: Form) -> Outgoing:
    attempt, person = await _find(visit)
    decision = form.get("decision")
    if decision == "cancel":
        return await given_up.give_up(visit, attempt)
    if decision != "continue":
        raise unknown_choice()
    stage = await _missing(visit, attempt)
    if stage is None:
        return await attempts.go_on(visit, attempt)
    if form.get("stage") != stage.name:  # it was answered in another tab
        return answers.redirect(attempts.stage_url(attempt))
    await attempts.check_rate(visit)
    question = await _question(visit, attempt, stage, person)
    typed = {each.name: form.get(_OF_THEIRS + each.name, "") for each in question.fields}
    asks = _Asks(stage, question, typed)
    if any(each.is_required and not typed[each.name].strip() for each in question.fields):
        return await _page(visit, attempt, asks, is_incomplete=True)
    try:
        answer = await visit.site.other_modules.ask(
            f"stage {stage.name}",
            (extensions.Done, extensions.TryAgain, extensions.Refused),
            stage.answer,
            person,
            typed,
        )
    except NoAnswer:
        raise _later(attempt) from None
    if isinstance(answer, extensions.TryAgain):
        return await _page(visit, attempt, asks, words=answer.words)
    if isinstance(answer, extensions.Refused):
        return await _refuse(visit, attempt, answer.words)
    sealed = visit.site.issuer.keys.seal(
        Purpose.STAGE, json.dumps({"at": visit.site.now()}).encode()
    )
    return await attempts.answered(
        visit, attempt, attempt.answering(Added(stage.name).value, sealed)
    )


async def _find(visit: Visit) -> tuple[Attempt, Person]:
    """Return the attempt of this browser, and who proved in it that they are somebody."""
    attempt = await under_way.find(visit, visit.parameters.get("attempt") or "")
    person = await added.person_of(visit, attempt)
    if person is None:
        raise under_way.lost(Lost.UNKNOWN, None)
    return attempt, person


async def _missing(visit: Visit, attempt: Attempt) -> Stage | None:
    """Return the stage of another module that is next."""
    try:
        missing = await attempts.next_of(visit, attempt)
    except NoAnswer:
        raise _later(attempt) from None
    return added.find(visit, missing) if isinstance(missing, Added) else None


async def _question(visit: Visit, attempt: Attempt, stage: Stage, person: Person) -> Question:
    ask, name = visit.site.other_modules.ask, f"stage {stage.name}"
    try:
        return await ask(name, Question, stage.page, person)
    except NoAnswer:
        raise _later(attempt) from None


def _later(attempt: Attempt) -> PageError:
    """Say that it may work in a moment; what was proven is kept until then."""
    return PageError(
        503,
        Message.UNAVAILABLE,
        forward_url=attempts.stage_url(attempt),
        forward_label=ForwardLabel.TRY_AGAIN,
        headers=(("Retry-After", "5"),),
    )


async def _refuse(visit: Visit, attempt: Attempt, words: str) -> Outgoing:
    onward = await under_way.onward_of(visit, attempt)
    await given_up.end(visit, attempt, onward)
    attempts.note_refusal(visit, REFUSED, attempt.user_id)
    page = StageRefusedPage(
        server_name=visit.site.server_name, words=words, other_account_url=onward.accounts_url
    )
    return visit.answer(page, 403)


async def _page(
    visit: Visit,
    attempt: Attempt,
    asks: _Asks,
    *,
    words: str | None = None,
    is_incomplete: bool = False,
) -> Outgoing:
    onward = await under_way.onward_of(visit, attempt)
    page = StagePage(
        csrf=visit.csrf,
        action=attempts.stage_url(attempt),
        server_name=visit.site.server_name,
        user_id=attempt.user_id or "",
        stage=asks.stage.name,
        **of(asks.question, asks.typed),
        words=words,
        is_incomplete=is_incomplete,
    )
    return visit.answer(
        page,
        400 if words or is_incomplete else 200,
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
    )
