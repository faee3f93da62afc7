"""Two servers side by side: the same requests to each of them in turns, five rounds, the median."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import attrs

from bench import report
from bench.proc import processor_seconds
from bench.report import Figure, Wanted
from bench.wire import Line

ROUNDS = 5
SECONDS = 5.0  # a batch of a slow server ends then, with what it has done


@attrs.define
class Client:
    """What one client does again and again: `act` on its lines; `needs` opens them."""

    needs: Callable[[], Sequence[Line]]
    act: Callable[[Sequence[Line]], None]


@attrs.frozen
class Side:
    """A server: its clients, each with a connection, and its process where that is known."""

    clients: Sequence[Client]
    pid: int | None = None


@attrs.frozen
class Done:
    """What a number of acts took, in seconds: by the clock, and of the server's processor time."""

    acts: int
    clock: float
    worked: float

    @property
    def per_second(self) -> float:
        return self.acts / self.clock

    @property
    def per_worked_second(self) -> float:
        return self.acts / self.worked

    def __add__(self, other: "Done") -> "Done":
        return Done(self.acts + other.acts, self.clock + other.clock, self.worked + other.worked)


def warm(line: Callable[[], Line], request: bytes) -> Client:
    """Return a client that sends one and the same request."""

    def act(lines: Sequence[Line]) -> None:
        lines[0].ask(request)

    return Client(lambda: (line(),), act)


def refreshing(
    lines: Callable[[], Sequence[Line]],
    token: str,
    renewal: Callable[[str], bytes],
    first_use: Callable[[str], bytes],
    *,
    keep: Callable[[str], None] = lambda _token: None,
) -> Client:
    """Return a client that refreshes at the first of its lines and uses the token at the last."""
    present = token

    def act(lines: Sequence[Line]) -> None:
        nonlocal present
        answer = json.loads(lines[0].ask(renewal(present)))
        # Not every server rotates.
        present = answer.get("refresh_token", present)
        keep(present)
        lines[-1].ask(first_use(answer["access_token"]))

    return Client(lines, act)


def compare(
    name: str,
    ours: Side,
    other: Side,
    *,
    acts: int,
    against: str,
    wanted: Wanted | None = None,
) -> Iterator[Figure]:
    """Alternate batches of so many acts of each client; both sides have as many clients."""
    with ThreadPoolExecutor(len(ours.clients)) as threads:
        _round(threads, ours, other, _few(acts))  # whatever is remembered from now on
        rounds = [_round(threads, ours, other, acts) for _ in range(ROUNDS)]
    by_clock = [(own.per_second, its.per_second) for own, its in rounds]
    yield report.ratio(name, by_clock, measured_in="/s", against=against, wanted=wanted)
    if ours.pid is not None and other.pid is not None:
        by_work = [(own.per_worked_second, its.per_worked_second) for own, its in rounds]
        name = "  ... of Synapse's processor time"
        yield report.ratio(name, by_work, measured_in="/s", against=against)


def most(clients: int, acts: int) -> int:
    """Return how many acts each side does at most while two are compared."""
    return 2 * clients * (ROUNDS * acts + _few(acts))


def _few(acts: int) -> int:
    return max(acts // 4, 1)


def _round(threads: ThreadPoolExecutor, ours: Side, other: Side, acts: int) -> tuple[Done, Done]:
    """Go ours, other, other, ours: a drift of the machine's speed cancels out."""
    first = _batch(threads, ours, acts)
    second = _batch(threads, other, acts)
    third = _batch(threads, other, acts)
    fourth = _batch(threads, ours, acts)
    return first + fourth, second + third


def _batch(threads: ThreadPoolExecutor, side: Side, acts: int) -> Done:
    with ExitStack() as stack:
        opened = [client.needs() for client in side.clients]
        for lines in opened:
            for line in lines:
                stack.callback(line.close)
        worked, began = _worked(side), time.perf_counter()

        def run(client: Client, lines: Sequence[Line]) -> int:
            for done in range(1, acts + 1):
                client.act(lines)
                if time.perf_counter() - began > SECONDS:
                    return done
            return acts

        done = sum(threads.map(run, side.clients, opened))
        return Done(done, time.perf_counter() - began, _worked(side) - worked)


def _worked(side: Side) -> float:
    return 0.0 if side.pid is None else processor_seconds(side.pid)
