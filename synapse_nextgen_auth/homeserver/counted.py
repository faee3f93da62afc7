"""Counters, gauges and histograms as Synapse's Prometheus registry asks for them.

One of `prometheus_client` takes more than a kilobyte for each series, a histogram's ten. Ours begin with
hundreds at zero, most of which stay there; here a series is a number in a dictionary.
"""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from threading import Lock
from typing import Any, Generic, TypeVar

from prometheus_client import REGISTRY, registry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

# What registers and can be asked; earlier releases have no class for it.
_Collector: Any = getattr(registry, "Collector", object)

V = TypeVar("V")
Labels = tuple[str, ...]


class _Counted(_Collector, Generic[V]):  # type: ignore[misc]
    """What all kinds have in common; labels are given in the order of their names."""

    kind: str

    def __init__(self, name: str, documentation: str, labels: Labels) -> None:
        self.name, self.labels = name, labels
        self._documentation = documentation
        self._values: dict[Labels, V] = {}
        self._lock = Lock()  # threads count, too
        REGISTRY.register(self)

    def describe(self) -> Iterator[Metric]:
        """Say which name it has; a registry that is not told counts, to find out."""
        yield self._shown(())

    def collect(self) -> Iterator[Metric]:
        """Return what was counted so far."""
        with self._lock:
            values = tuple(self._copied(value) for value in self._values.items())
        yield self._shown(values)

    def _copied(self, value: tuple[Labels, V]) -> tuple[Labels, V]:
        """Return what does not change any more."""
        return value

    @abstractmethod
    def _shown(self, values: tuple[tuple[Labels, V], ...]) -> Metric:
        """Return it as the registry shows it."""


class Counter(_Counted[float]):
    """How often something happened."""

    kind = "counter"

    def begin(self, *labels: str) -> None:
        """Be there before anything is counted."""
        self.count(*labels, by=0)

    def count(self, *labels: str, by: float = 1) -> None:
        """Count it once more, or so many times."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + by

    def _shown(self, values: tuple[tuple[Labels, float], ...]) -> Metric:
        shown = CounterMetricFamily(self.name, self._documentation, labels=self.labels)
        for labels, value in values:
            shown.add_metric(labels, value)
        return shown


class Gauge(_Counted[float]):
    """How much there is of something now."""

    kind = "gauge"

    def set(self, *labels: str, to: float) -> None:
        """Note it."""
        with self._lock:
            self._values[labels] = to

    def _shown(self, values: tuple[tuple[Labels, float], ...]) -> Metric:
        shown = GaugeMetricFamily(self.name, self._documentation, labels=self.labels)
        for labels, value in values:
            shown.add_metric(labels, value)
        return shown


class Histogram(_Counted[list[float]]):
    """How long something took: how often up to each bound, how often longer than that, and the sum."""

    kind = "histogram"

    def __init__(
        self, name: str, documentation: str, labels: Labels, *, buckets: tuple[float, ...]
    ) -> None:
        self._bounds = buckets
        super().__init__(name, documentation, labels)

    def begin(self, *labels: str) -> None:
        """Be there before anything is observed."""
        with self._lock:
            self._of(labels)

    def observe(self, *labels: str, seconds: float) -> None:
        """Note what it took this time."""
        with self._lock:
            counts = self._of(labels)
            counts[bisect_left(self._bounds, seconds)] += 1
            counts[-1] += seconds

    def _of(self, labels: Labels) -> list[float]:
        found = self._values.get(labels)
        if found is None:
            found = self._values[labels] = [0] * (len(self._bounds) + 2)
        return found

    def _copied(self, value: tuple[Labels, list[float]]) -> tuple[Labels, list[float]]:
        return value[0], list(value[1])

    def _shown(self, values: tuple[tuple[Labels, list[float]], ...]) -> Metric:
        shown = HistogramMetricFamily(self.name, self._documentation, labels=self.labels)
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for labels, (*counts, total) in values:
            buckets = list(zip(names, accumulate(counts), strict=True))
            shown.add_metric(labels, buckets, total)
        return shown
