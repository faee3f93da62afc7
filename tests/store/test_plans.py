"""Every statement finds its rows through an index, so that it costs the same with millions of them."""

import pytest

from support.plans import ABOUT_ALL, explained, statements


@pytest.mark.parametrize(
    ("module", "function", "given"),
    [pytest.param(*one, id=f"{one[0]}.{one[1].__name__}") for one in statements()],
)
def test_every_statement_has_an_index(postgres_tables, module, function, given):
    """With sequential scans discouraged, none is left over (EXPLAIN on PostgreSQL)."""
    with postgres_tables.begin() as txn:
        txn.execute("SET LOCAL enable_seqscan = off")
        plans = explained(txn, function, given)

    assert plans
    if (module, function.__name__) not in ABOUT_ALL:
        assert not [plan for plan in plans if "Seq Scan" in plan]
