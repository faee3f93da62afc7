"""Post notices: all that are about the same, or none; and one question at a time."""

from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.notice_times import LONGEST_QUESTION
from synapse_nextgen_auth.accounts.notices import Notice, Question
from synapse_nextgen_auth.accounts.works import Ask, EndQuestion, ShowQuestion, Tell, Work
from synapse_nextgen_auth.store import approvals, device_grants, outbox
from synapse_nextgen_auth.store import notices as rows
from synapse_nextgen_auth.store.txn import Txn


def post(txn: Txn, notices: Sequence[Work], *, now: int) -> None:
    """Let them be sent."""
    for notice in notices:
        outbox.put(txn, notice, now=now)


def told_nobody(txn: Txn, work: Tell, *, now: int) -> None:
    """Let what comes next of its kind be told at once: of this there was nothing, or nobody, to tell.

    What waits already, because this seemed to be a notice, is told now.
    """
    if work.also_to or not rows.begin_anew(txn, work.user_id, Notice(work.about), now=now):
        return
    outbox.hasten(txn, work.kind, work.subject, now=now)
    if outbox.count(txn, work.kind, work.subject) <= 1:  # this one
        rows.forget(txn, work.user_id, Notice(work.about))


def ask(txn: Txn, question: Question, its_id: str, *, now: int) -> None:
    """Let an account be shown what waits for its answer, where that is switched on."""
    if question.value in txn.told:
        outbox.put(txn, Ask(question.value, its_id), now=now)


def show(txn: Txn, notice: ShowQuestion, *, now: int) -> bool:
    """Let a question be shown; False where the account is shown another like it until that is over.

    Anybody may name an account, so it is one at a time, whoever asks.
    """
    question = Question(notice.question)
    until = _end(notice.until, now)
    notice = attrs.evolve(notice, until=until)
    if not rows.open_question(txn, notice.user_id, question, expires_at=until, now=now):
        return False
    outbox.put(txn, notice, now=now)
    return True


def shown(txn: Txn, ending: EndQuestion, *, now: int) -> None:
    """Let the message that was sent say what became of it, at the latest when it is over.

    Where the account answered while it was sent, it says so now. An answer at this very moment meets
    this: it finds what is written here, or is found.
    """
    is_approval = Question(ending.question) is Question.APPROVAL
    meet = approvals.meet if is_approval else device_grants.meet
    asked = meet(txn, ending.its_id)
    is_answered = asked is not None and asked.user_id == ending.user_id and not asked.is_open(now)
    wait = 0 if is_answered else max(0, _end(ending.until, now) + 1 - now)
    outbox.put(txn, ending, now=now, head_start=wait)


def answered(txn: Txn, question: Question, its_id: str, *, by: str, now: int) -> None:
    """Let the message to the account that answered say now what became of it, if there is one.

    Who named another account for a device, and answers with their own, brings it neither a message
    before the time is over nor room for the next.
    """
    if question.value in txn.told:
        outbox.hasten(txn, EndQuestion.kind, f"{question.value} {its_id} {by}", now=now)


def session_over(
    txn: Txn, user_id: str, session_id: str, *, device_id: str | None, now: int
) -> None:
    """Let the messages say now that what a session asked for on a device is over with it."""
    if Question.APPROVAL.value in txn.told:
        for its_id in approvals.list_waiting(txn, session_id, device_id=device_id):
            answered(txn, Question.APPROVAL, its_id, by=user_id, now=now)


def ended(txn: Txn, over: ShowQuestion | EndQuestion, *, now: int) -> None:
    """Let the account be shown the next."""
    question = Question(over.question)
    rows.close_question(txn, over.user_id, question, expires_at=over.until, now=now)


def _end(until: int, now: int) -> int:
    return min(until, now + LONGEST_QUESTION)
