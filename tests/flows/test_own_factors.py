"""What changes with the first factor of an account, beside the factor itself."""

import pytest

from support.factors import give_app, owner
from support.records import ALICE, BOB, NOW, a_device_grant, a_grant, a_sign_in
from synapse_nextgen_auth.accounts.attempts.attempt import ProofKind
from synapse_nextgen_auth.flows import own_factors
from synapse_nextgen_auth.flows.as_signed_in import SignedOut
from synapse_nextgen_auth.oauth.grants.device_grants import Poll
from synapse_nextgen_auth.store import device_grants, factors, grants, sign_ins
from synapse_nextgen_auth.store.device_grants import Codes


def approved(tables, user_id):
    """Let somebody approve a client and a device; neither fetches its tokens."""
    by = a_sign_in(user_id, user_id=user_id)
    grant, device = a_grant(grant_id=user_id), a_device_grant(grant_id=user_id)
    tables.run(sign_ins.add, by)
    tables.run(grants.add, grant)
    tables.run(
        grants.approve,
        user_id,
        by=by,
        acr="a",
        proven_at=NOW,
        code_digest=f"code {user_id}",
        code_expires_at=NOW + 60,
        expires_at=NOW + 600,
        now=NOW,
    )
    codes = Codes(f"device {user_id}", f"user {user_id}", f"half {user_id}")
    assert tables.run(device_grants.add, device, codes)
    assert tables.run(device_grants.approve, user_id, by=by, acr="a", now=NOW)


def waits(tables, user_id):
    """Say whether what they approved would still let something in."""
    code = tables.run(grants.find_by_code, f"code {user_id}")
    device = tables.run(device_grants.get, user_id)
    is_good = code is not None and code.refused_at is None and code.code_expires_at > NOW
    return is_good, device.poll(NOW) is Poll.APPROVED


@pytest.mark.parametrize("is_first", [True, False])
def test_c294_what_one_factor_approved_is_worth_nothing_with_the_first(tables, is_first):
    """A thief who let something in a moment before gets nothing of it; others' stays."""
    approved(tables, ALICE)
    approved(tables, BOB)

    tables.run(own_factors.added, ProofKind.TOTP, (), owner(), is_first=is_first)

    assert waits(tables, ALICE) == (not is_first, not is_first)
    assert waits(tables, BOB) == (True, True)


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
