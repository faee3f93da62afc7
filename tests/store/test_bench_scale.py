"""What the benchmark of scale asks PostgreSQL before it measures, so that it runs when it is wanted."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))  # the benchmarks are no part of what is installed

from bench import scale  # noqa: E402


def test_every_statement_is_explained_in_the_benchmark_too(postgres_tables):
    """With sequential scans discouraged it names none."""
    with postgres_tables.begin() as txn:
        txn.execute("SET LOCAL enable_seqscan = off")
        assert scale.scanning(txn) == []


def test_a_table_that_is_read_from_end_to_end_is_named(postgres_tables):
    with postgres_tables.begin() as txn:
        txn.execute("SET LOCAL enable_indexscan = off")
        txn.execute("SET LOCAL enable_bitmapscan = off")
        assert "clients.get" in scale.scanning(txn)
