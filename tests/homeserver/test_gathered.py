"""Questions that come at once are asked as one; without a homeserver, which has no part in it."""

from contextlib import suppress

import pytest
from synapse.logging.context import (
    SENTINEL_CONTEXT,
    LoggingContext,
    current_context,
    run_in_background,
    set_current_context,
)
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred

from synapse_nextgen_auth.homeserver.database.gathered import Gathered


class Asked:
    """Answers that come when the test says so."""

    def __init__(self, most=100, **options):
        self.batches, self.contexts, self._open = [], [], []
        self.gathered = Gathered(self.answer, most=most, **options)

    async def answer(self, keys):
        self.batches.append(keys)
        self.contexts.append(current_context())
        answer = Deferred()
        self._open.append(answer)
        return await answer

    def ask(self, *keys):
        return [ensureDeferred(self.gathered.ask(key)) for key in keys]

    def come(self, **found):
        self._open.pop(0).callback(found)

    def fail(self, error):
        self._open.pop(0).errback(error)


def results(asked):
    """Return what each of them got; `...` where it waits still."""
    got = [getattr(one, "result", ...) for one in asked]
    for one in asked:
        one.addErrback(lambda _: None)
    return got


def test_what_comes_meanwhile_goes_together():
    """The first one goes at once and alone, the others as one, in their order."""
    asked = Asked()

    asks = asked.ask("a", "b", "c", "d")
    first = list(asked.batches)
    asked.come(a=1)
    asked.come(b=2, d=4)

    assert first == [("a",)]
    assert asked.batches == [("a",), ("b", "c", "d")]
    assert results(asks) == [1, 2, None, 4]


def test_no_more_than_the_most_go_at_once():
    asked = Asked(most=2)

    asked.ask("a", "b", "c", "d", "e", "f")
    for _ in range(4):
        asked.come()

    assert asked.batches == [("a",), ("b", "c"), ("d", "e"), ("f",)]


def test_an_answer_is_never_older_than_its_question():
    """Who asks while the same is under way waits for the next batch; who waits already shares one."""
    asked = Asked()

    asks = asked.ask("a", "a", "a")
    asked.come(a="old")
    early = results(asks[:1])
    asked.come(a="new")

    assert asked.batches == [("a",), ("a",)]
    assert early == ["old"]
    assert results(asks[1:]) == ["new", "new"]


def test_a_batch_that_fails_fails_its_members_alone():
    asked = Asked()
    asks = asked.ask("a", "b", "c")
    asked.come(a=1)
    asks += asked.ask("d")

    asked.fail(ValueError("lost"))
    asked.come(d=4)

    got = results(asks)
    assert (got[0], got[3]) == (1, 4)
    assert [str(failure.value) for failure in got[1:3]] == ["lost", "lost"]


def test_who_is_cancelled_takes_nothing_from_the_others():
    """While waiting for a batch, and in one; a key that nobody waits for any more is not asked."""
    asked = Asked()
    asks = asked.ask("a", "b", "b", "c")

    asks[0].cancel()
    asks[1].cancel()
    asks[3].cancel()
    asked.come(a=1)
    asked.come(b=2)

    got = results(asks)
    assert asked.batches == [("a",), ("b",)]
    assert got[2] == 2
    assert [got[place].type for place in (0, 1, 3)] == [CancelledError] * 3


def test_others_go_past_a_batch_that_takes_long():
    """Once each time; the late answer is heard by those that asked for it."""
    asked = Asked()
    asks = asked.ask("a", "b")

    asked.gathered.go_past()
    asks += asked.ask("c")
    asked.come(a=1)
    asked.come(b=2)
    asked.come(c=3)
    asked.gathered.go_past()

    assert asked.batches == [("a",), ("b",), ("c",)]
    assert results(asks) == [1, 2, 3]


def test_where_many_came_of_late_the_first_one_lets_others_of_its_turn_come_along():
    """And where nobody did, it goes at once."""
    asked, turns = Asked(), []
    asked.gathered = Gathered(asked.answer, most=100, soon=turns.append)

    def turn():
        due = turns[:]
        turns.clear()
        for call in due:
            call()

    asked.ask("a", "b", "c")
    asked.come()
    asked.come()
    asked.ask("d", "e")
    waiting = list(asked.batches)
    turn()
    asked.come()
    for key in "fgh":
        asked.ask(key)
        turn()
        asked.come()
    asked.ask("i", "j")
    asked.come()
    asked.come()

    assert waiting == [("a",), ("b", "c")]
    assert asked.batches[2:] == [("d", "e"), ("f",), ("g",), ("h",), ("i",), ("j",)]
    assert turns == []


def test_any_number_of_batches_may_fail_at_once():
    """One after the other, and not one within the other: all hear of it, and the next ones go on."""
    fails, hangs = [], Deferred()

    async def answer(keys):
        if not fails:
            await hangs
        raise ConnectionError

    gathered = Gathered(answer, most=1)
    asks = [ensureDeferred(gathered.ask(0))]
    asks += [ensureDeferred(gathered.ask(number)) for number in range(1, 5000)]
    fails.append(True)
    gathered.go_past()
    asks.append(ensureDeferred(gathered.ask("late")))

    hangs.callback(None)

    assert all(each.result.check(ConnectionError) for each in asks)
    for each in asks:
        each.addErrback(lambda _: None)


def test_where_no_batch_can_begin_all_hear_of_it():
    """A process that stops begins nothing any more; nobody waits for good."""

    def begin(_work):
        raise RuntimeError("stopping")

    async def answer(keys):
        return dict.fromkeys(keys, 1)

    gathered = Gathered(answer, most=100, begin=begin)
    asks = [ensureDeferred(gathered.ask(key)) for key in "ab"]

    assert all(each.result.check(RuntimeError) for each in asks)
    for each in asks:
        each.addErrback(lambda _: None)


def test_it_goes_on_after_it_had_nothing_to_do():
    asked = Asked()
    asked.ask("a")
    asked.come(a=1)

    (again,) = asked.ask("b")
    asked.come(b=2)

    assert results([again]) == [2]


def test_whoever_asks_again_at_once_finds_it_ready():
    """From within an answer, as a request does that goes on."""
    asked = Asked()

    async def twice():
        return [await asked.gathered.ask("a"), await asked.gathered.ask("b")]

    both = ensureDeferred(twice())
    asked.come(a=1)
    asked.come(b=2)

    assert results([both]) == [[1, 2]]


def test_who_finds_nobody_there_asks_for_itself():
    """With `alone`: in its own context, and the next ones gather behind it, though it be cancelled."""
    asked, request = Asked(alone=True), LoggingContext(name="request", server_name="test")
    with request:
        first = run_in_background(asked.gathered.ask, "a")
    others = asked.ask("a", "b", "c")
    first.cancel()
    asked._open.pop(0)
    asked.come(a=1, b=2)
    (last,) = asked.ask("d")
    asked.fail(ValueError("lost"))

    assert asked.batches == [("a",), ("a", "b", "c"), ("d",)]
    assert asked.contexts == [request, SENTINEL_CONTEXT, SENTINEL_CONTEXT]
    got = results([first, *others, last])
    assert got[1:4] == [1, 2, None]
    assert [got[0].type, got[4].type] == [CancelledError, ValueError]
    assert current_context() is SENTINEL_CONTEXT


@pytest.fixture
def contexts():
    """Return two contexts, and leave none behind."""
    yield [LoggingContext(name=name, server_name="test") for name in "ab"]
    set_current_context(SENTINEL_CONTEXT)


@pytest.mark.parametrize("fails", [False, True])
def test_each_goes_on_in_its_own_log_context(contexts, fails):
    """And a batch runs in none; else what goes on in the background dies with a request (issue 21)."""
    asked, gone_on = Asked(), []

    async def request(key):
        began_in = current_context()
        with suppress(ValueError):
            await asked.gathered.ask(key)
        gone_on.append((key, current_context() is began_in))

    left = []
    for key, context in zip("ab", contexts, strict=True):
        set_current_context(context)
        ensureDeferred(request(key))
        left.append(current_context())
        set_current_context(SENTINEL_CONTEXT)
    for _ in contexts:
        asked.fail(ValueError()) if fails else asked.come()
    after = current_context()

    assert asked.contexts == [SENTINEL_CONTEXT] * 2
    assert gone_on == [("a", True), ("b", True)]
    assert left == [SENTINEL_CONTEXT] * 2
    assert after is SENTINEL_CONTEXT
