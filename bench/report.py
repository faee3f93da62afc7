"""Figures: what was measured, against what, and what is wanted."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import version

import attrs


@attrs.frozen
class Wanted:
    """The limit for a figure."""

    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        """Say whether the figure is good enough."""
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    def __str__(self) -> str:
        parts = [f"at least {self.at_least:g}"] if self.at_least is not None else []
        parts += [f"at most {self.at_most:g}"] if self.at_most is not None else []
        return ", ".join(parts)


@attrs.frozen
class Figure:
    """A result: `value` is what the limit is about, `ours` and `other` are what it comes from."""

    name: str
    value: float
    unit: str  # of the value; none for a ratio
    spread: tuple[float, float] | None = None  # quartiles of the value
    ours: float | None = None
    other: float | None = None
    measured_in: str = ""  # the unit of `ours` and `other`
    against: str = "stock"
    wanted: Wanted | None = None

    def line(self) -> str:
        """Return the figure as a line to read."""
        value = f"{self.value:8.2f} {self.unit}".rstrip()
        if self.spread is not None:
            value += " [{:.2f}..{:.2f}]".format(*self.spread)
        compared = ""
        if self.ours is not None and self.other is not None:
            compared = f"{self.ours:.2f} to {self.other:.2f} {self.measured_in}, {self.against}"
        return f"  {self.name:<37} {value:<27} {compared:<32} {self._verdict()}".rstrip()

    def _verdict(self) -> str:
        if self.wanted is None:
            return ""
        return f"{self.wanted}: {'met' if self.wanted.is_met(self.value) else 'NOT MET'}"


Pairs = Sequence[tuple[float, float]]


def ratio(name: str, pairs: Pairs, **options) -> Figure:
    """Make a figure of measurements `(ours, other)` that were taken side by side."""
    return _figure(name, [ours / other for ours, other in pairs], pairs, unit="", **options)


def difference(name: str, pairs: Pairs, *, unit: str, **options) -> Figure:
    """Make a figure of how much more ours is."""
    more = [ours - other for ours, other in pairs]
    return _figure(name, more, pairs, unit=unit, measured_in=unit, **options)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _figure(name: str, values: Sequence[float], pairs: Pairs, **options) -> Figure:
    return Figure(
        name,
        statistics.median(values),
        spread=_quartiles(values),
        ours=statistics.median(ours for ours, _ in pairs),
        other=statistics.median(other for _, other in pairs),
        **options,
    )


def _quartiles(values: Sequence[float]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


class Report:
    """All figures of a run, printed as they come."""

    def __init__(self) -> None:
        self._figures: dict[str, list[Figure]] = {}

    def begin(self, benchmark: str) -> None:
        """Print a heading; what is added from now on belongs to it."""
        self._figures[benchmark] = []
        print(benchmark, flush=True)

    def add(self, figure: Figure) -> None:
        """Print a figure and keep it."""
        self._figures[list(self._figures)[-1]].append(figure)
        print(figure.line(), flush=True)

    def as_json(self, **circumstances: object) -> str:
        """Return everything, and what one must know to compare it with another run."""
        machine = {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "synapse": version("matrix-synapse"),
            **circumstances,
        }
        figures = {
            benchmark: [_as_dict(figure) for figure in figures]
            for benchmark, figures in self._figures.items()
        }
        return json.dumps({"circumstances": machine, "figures": figures}, indent=2) + "\n"


def _as_dict(figure: Figure) -> dict[str, object]:
    met = figure.wanted and figure.wanted.is_met(figure.value)
    return attrs.asdict(figure) | {"met": met}
