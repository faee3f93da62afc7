"""What is counted reads as what prometheus_client's own would say, letter by letter."""

from concurrent.futures import ThreadPoolExecutor

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, exposition

from synapse_nextgen_auth.homeserver import counted

pytestmark = pytest.mark.newest_only

BOUNDS = (0.0005, 0.01, 1, 2.5, 10)


@pytest.fixture
def registry(monkeypatch):
    """Return a registry that only these tests have."""
    registry = CollectorRegistry(auto_describe=True)
    monkeypatch.setattr(counted, "REGISTRY", registry)
    monkeypatch.setattr(prometheus_client.metrics, "_use_created", False)
    return registry


def text(registry):
    return exposition.generate_latest(registry).decode()


def theirs(kind, *args, **kwargs):
    registry = CollectorRegistry(auto_describe=True)
    return kind(*args, registry=registry, **kwargs), registry


def test_a_counter_reads_as_theirs(registry):
    own = counted.Counter("refusals", "Refused", ("path", "reason"))
    other, others = theirs(prometheus_client.Counter, "refusals", "Refused", ["path", "reason"])
    assert text(registry) == text(others)

    own.begin("/a", 'quoted "and" \\ more')
    other.labels("/a", 'quoted "and" \\ more')
    for _ in range(3):
        own.count("/b", "x")
        other.labels("/b", "x").inc()
    own.count("/b", "y", by=7)
    other.labels("/b", "y").inc(7)
    own.begin("/b", "y")

    assert text(registry) == text(others)
    assert 'refusals_total{path="/b",reason="x"} 3.0' in text(registry)


def test_a_gauge_reads_as_theirs(registry):
    own = counted.Gauge("waiting", "What waits", ("kind",))
    other, others = theirs(prometheus_client.Gauge, "waiting", "What waits", ["kind"])

    for value in (4, 0, 2.5):
        own.set("mail", to=value)
        other.labels("mail").set(value)

    assert text(registry) == text(others)
    assert 'waiting{kind="mail"} 2.5' in text(registry)


def test_a_histogram_reads_as_theirs(registry):
    """At its bounds, between them and beyond them."""
    own = counted.Histogram("took", "How long", ("path",), buckets=BOUNDS)
    other, others = theirs(
        prometheus_client.Histogram, "took", "How long", ["path"], buckets=BOUNDS
    )

    own.begin("/never")
    other.labels("/never")
    for seconds in (0, 0.0005, 0.0006, 0.01, 0.75, 1, 2.5, 2.6, 10, 11, 600):
        own.observe("/a", seconds=seconds)
        other.labels("/a").observe(seconds)

    assert text(registry) == text(others)
    assert 'took_bucket{le="1.0",path="/a"} 6.0' in text(registry)


def test_of_two_with_one_name_the_second_is_refused(registry):
    counted.Counter("refusals", "Refused", ())

    with pytest.raises(ValueError, match="Duplicated timeseries"):
        counted.Gauge("refusals_total", "Another", ())


def test_nothing_that_threads_count_gets_lost(registry):
    """Also while somebody reads."""
    counter = counted.Counter("refusals", "Refused", ("path",))
    took = counted.Histogram("took", "How long", ("path",), buckets=BOUNDS)

    def count(number):
        for _ in range(500):
            counter.count(str(number % 4))
            took.observe(str(number), seconds=1)
        return text(registry)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))

    read = text(registry)
    assert [f'refusals_total{{path="{n}"}} 1000.0' in read for n in range(4)] == [True] * 4
    assert [f'took_count{{path="{n}"}} 500.0' in read for n in range(8)] == [True] * 8
