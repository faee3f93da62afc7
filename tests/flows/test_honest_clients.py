"""Whatever goes wrong on the way, an honest client stays signed in and a late thief ends the session.

Hypothesis plays network, clock, backups and a thief in any order it can think of.
"""

from functools import partial
from itertools import count, cycle

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from support.records import ADDRESS, NOW, a_session
from synapse_nextgen_auth.flows import refresh
from synapse_nextgen_auth.flows.refresh import Presented, Use
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.sessions import End, SessionLifetimes
from synapse_nextgen_auth.store import sessions

LIMITS = SessionLifetimes(grace=30)
# How a refresh is written: in a transaction, or as one statement for many, whose answer may be lost.
TRANSACTION, TOGETHER, UNHEARD = "transaction", "together", "together, unheard"
_NUMBERS = count(1)


class OneSession(RuleBasedStateMachine):
    """An honest client saves an answer before it uses it, and always presents the newest it has."""

    def __init__(self, tables, ways=(TRANSACTION,)):
        super().__init__()
        self.tables = tables
        self.ways = cycle(ways)

    @initialize()
    def sign_in(self):
        """Begin a session: the client has the pair of the first generation."""
        self.now = NOW
        self.session = a_session(session_id=f"{next(_NUMBERS):032x}", device_id=None)
        self.tables.run(sessions.add, self.session)
        self.saved = 1
        self.rotated_at = NOW
        self.confirmed = 0
        self.unwritten = set()
        self.copied = set()
        self.backup = None
        self.is_restored = False

    def present(self, generation):
        """Present a refresh token; return the generation of the answer, or the refusal."""
        asked = {
            "known": self.session,
            "presented": Presented("app", generation, ADDRESS),
            "now": self.now,
            "lifetimes": LIMITS,
        }
        way = next(self.ways)
        if way != TRANSACTION:
            plain = refresh.plain(**asked)
            if self.tables.together([plain.rotation]) and way == TOGETHER:
                return plain.renewed.generation
        outcome = self.tables.run(partial(refresh.refresh, **asked))
        value = outcome.value
        return value.generation if isinstance(value, refresh.Renewed) else value

    def stored(self):
        """Return the row."""
        return self.tables.run(sessions.get, self.session.session_id)

    def renew(self):
        """Present what the client has; that never fails and never forks."""
        before = self.stored().generation
        answer = self.present(self.saved)
        assert answer == self.saved + 1
        if self.stored().generation != before:
            self.rotated_at = self.now
        self.is_restored = False
        return answer

    @rule()
    def refresh(self):
        """Refresh, and receive the answer."""
        self.saved = self.renew()

    @rule(times=st.integers(1, 3))
    def lose_answers(self, times):
        """Lose answers on the way, or crash before they are saved."""
        for _ in range(times):
            self.renew()

    @rule(processes=st.integers(2, 4))
    def refresh_in_several_processes(self, processes):
        """Ask at once, from processes that share what is saved."""
        answers = {self.renew() for _ in range(processes)}
        assert len(answers) == 1
        self.saved = answers.pop()

    @precondition(lambda self: self.saved > 1 and not self.is_restored)
    @rule()
    def refresh_in_a_slow_process(self):
        """Ask within the grace, in a process that read what was saved before the last refresh."""
        is_current = self.stored().generation == self.saved
        if is_current and self.now <= self.rotated_at + LIMITS.grace:
            assert self.present(self.saved - 1) == self.saved

    @rule(is_watched=st.booleans(), seconds=st.sampled_from([20, 300]))
    def live(self, is_watched, seconds):
        """Do the usual: refresh, save, use, wait; perhaps a thief copies what was there before."""
        if is_watched:
            self.copy()
        self.refresh()
        self.use()
        self.wait(seconds)

    @rule()
    def use(self):
        """Use the access token; that is written down within about a second."""
        self.unwritten.add(self.saved)

    @rule(seconds=st.sampled_from([1, 2, 29, 30, 31, 32, 300, 86_400, 10**7]))
    def wait(self, seconds):
        """Let time pass; the batch of uses is written meanwhile."""
        self.write_uses()
        self.now += seconds

    @rule()
    def write_uses(self):
        """Write them down now."""
        uses = tuple(Use(self.session.session_id, g, self.now) for g in sorted(self.unwritten))
        self.tables.run(refresh.confirm, uses)
        self.confirmed = max(self.unwritten | {self.confirmed})
        self.unwritten.clear()

    @rule()
    def back_up(self):
        """Keep the row as it is."""
        self.backup = self.stored()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self):
        """Let the database forget what happened since."""

        def replace(txn):
            txn.execute(
                "DELETE FROM nextgen_sessions WHERE session_id = ?", (self.session.session_id,)
            )
            sessions.add(txn, self.backup)

        self.tables.run(replace)
        self.is_restored = True

    @rule()
    def copy(self):
        """Let a thief copy what the client has saved."""
        self.copied.add(self.saved)

    def late_copies(self):
        """Return copies that a thief cannot use without being noticed."""
        used_for_long = self.confirmed >= self.saved and self.now > self.rotated_at + LIMITS.grace
        return sorted(
            g for g in self.copied if g < self.saved - 1 or (g == self.saved - 1 and used_for_long)
        )

    @precondition(lambda self: not self.is_restored and self.late_copies())
    @rule(data=st.data())
    def replay(self, data):
        """Let the thief come after the grace: the session ends, for the thief and for everybody."""
        answer = self.present(data.draw(st.sampled_from(self.late_copies())))

        assert isinstance(answer, OAuthError)
        assert self.stored().end_reason == End.REUSE
        for generation in (self.saved, self.saved + 1, self.saved + 2):
            assert isinstance(self.present(generation), OAuthError)
        self.sign_in()

    @invariant()
    def stays_signed_in(self):
        """Find the session alive, at the client's generation or one ahead.

        Only the thief's replay ends it; only a restored database is behind.
        """
        stored = self.stored()

        assert stored.ended_at is None
        assert self.is_restored or stored.generation - self.saved in {0, 1}


def run(tables, *, ways, examples):
    run_state_machine_as_test(
        partial(OneSession, tables, ways),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_c093_c095_c103_any_course_of_events(tables):
    """Lost answers, crashes, clumsy clients, backups and long silence on either database."""
    run(tables, ways=[TRANSACTION], examples=100 if tables.kind == "sqlite" else 25)


@pytest.mark.parametrize(
    "ways",
    [
        [TOGETHER],
        [UNHEARD],
        [TOGETHER, TRANSACTION, UNHEARD, TRANSACTION, TRANSACTION, TOGETHER, UNHEARD],
    ],
    ids=["together", "unheard", "mixed"],
)
def test_c093_c095_c103_any_course_of_events_together(postgres_tables, ways):
    """The same where refreshes go as one statement, where its answers get lost, and in turns."""
    run(postgres_tables, ways=ways, examples=20)
