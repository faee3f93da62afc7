"""How long a person may decide about a dangerous operation."""

import pytest

from support.records import ALICE, NOW
from synapse_nextgen_auth.accounts.approvals import WINDOW, Approval, Operation

RESET = "org.matrix.cross_signing_reset"


@pytest.mark.parametrize(
    ("approved_at", "used_at", "at", "is_open"),
    [
        (None, None, 0, True),
        (None, None, WINDOW - 1, True),
        (None, None, WINDOW, False),
        (NOW, None, 0, False),
        (NOW, NOW, 0, False),
        (None, NOW, 0, False),
        (None, None, -60, True),
        (None, None, -61, False),
    ],
)
def test_c299_an_approval_is_open_for_ten_minutes(approved_at, used_at, at, is_open):
    """Once, to the second; and not when it was asked for by a clock that ran ahead."""
    approval = Approval("a", ALICE, "s", RESET, NOW, approved_at, used_at)

    assert approval.is_open(NOW + at) is is_open


def test_an_approval_out_of_the_database_has_its_operation():
    """The column is text, and what we do not know is no operation."""
    assert Approval("a", ALICE, "s", RESET, NOW).operation is Operation.CROSS_SIGNING_RESET
    with pytest.raises(ValueError, match="erase"):
        Approval("a", ALICE, "s", "erase", NOW)
