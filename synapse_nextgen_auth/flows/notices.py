"""Post notices: all that are about the same, or none; and one question at a time."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.notices import LONGEST_QUESTION, Notice, Question
from synapse_nextgen_auth.accounts.outbox import Ask, Tell, Work
from synapse_nextgen_auth.store import notices as rows
from synapse_nextgen_auth.store import outbox
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
    if not outbox.hasten(txn, work, now=now):
        rows.forget(txn, work.user_id, Notice(work.about))


def ask(txn: Txn, question: Question, its_id: str, *, now: int) -> None:
    """Let an account be shown what waits for its answer, where that is switched on."""
    if question.value in txn.told:
        outbox.put(txn, Ask(question.value, its_id), now=now)


def show(txn: Txn, user_id: str, question: Question, notice: Work, *, until: int, now: int) -> bool:
    """Let a question be shown; False where the account is shown another like it until that is over.

    Anybody may name an account, so it is one at a time, whoever asks.
    """
    until = min(until, now + LONGEST_QUESTION)
    if not rows.open_question(txn, user_id, question, expires_at=until, now=now):
        return False
    outbox.put(txn, notice, now=now)
    return True
