"""What changes with the first factor of an account, beside the factor itself."""

import pytest

from support.approved import EVERYTHING, approve, waits
from support.factors import give_app, owner
from support.records import ALICE, BOB, a_sign_in
from synapse_nextgen_auth.accounts.attempts.attempt import ProofKind
from synapse_nextgen_auth.flows import own_factors
from synapse_nextgen_auth.flows.as_signed_in import SignedOut
from synapse_nextgen_auth.store import factors, sign_ins


@pytest.mark.parametrize("is_first", [True, False])
def test_c294_what_one_factor_approved_is_worth_nothing_with_the_first(tables, is_first):
    """A thief who let something in a moment before gets nothing of it; others' stays."""
    approve(tables, ALICE)
    approve(tables, BOB)

    tables.run(own_factors.added, ProofKind.TOTP, (), owner(), is_first=is_first)

    assert waits(tables, ALICE) == (set() if is_first else EVERYTHING)
    assert waits(tables, BOB) == EVERYTHING


@pytest.mark.parametrize(
    ("level", "has_one", "may"), [(1, False, True), (1, True, False), (2, True, True)]
)
def test_c294_who_adds_one_is_looked_at_as_it_happens(tables, level, has_one, may):
    """Its owner may have set up the first one since the page was asked for."""
    by = a_sign_in("thief", level=level)
    tables.run(sign_ins.add, by)
    if has_one:
        give_app(tables)

    def add():
        tables.run(own_factors.refuse_unproven, by.digest, ALICE)

    assert tables.run(factors.held, ALICE).is_any is has_one
    if may:
        add()
    else:
        with pytest.raises(SignedOut):
            add()
