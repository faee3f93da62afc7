"""The ways in of one account: what may go, and that one is always left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.own_ways import Identity, LetsIn, OwnWays, may_go

A, B, GONE = Identity("oidc-a", "1"), Identity("oidc-a", "2"), Identity("oidc-gone", "1")
ALL = LetsIn(passwords=True, providers=frozenset({"oidc-a"}), codes=True)
WITHOUT_CODES = LetsIn(passwords=True, providers=frozenset({"oidc-a"}))


@pytest.mark.parametrize(
    ("had", "lets_in", "is_open"),
    [
        (OwnWays(), ALL, False),
        (OwnWays(has_password=True), ALL, True),
        (OwnWays(has_password=True), LetsIn(codes=True), False),
        (OwnWays(identities=(A,)), WITHOUT_CODES, True),
        (OwnWays(identities=(GONE,)), ALL, False),
        (OwnWays(emails=("a@example.com",)), ALL, True),
        (OwnWays(emails=("a@example.com",)), WITHOUT_CODES, False),
    ],
)
def test_what_lets_somebody_in(had, lets_in, is_open):
    """Only what this server lets people in by: a provider that was taken away lets nobody in."""
    assert had.open(lets_in) is is_open


@pytest.mark.parametrize(
    ("had", "left", "lets_in", "may"),
    [
        pytest.param(
            OwnWays(has_password=True), OwnWays(), WITHOUT_CODES, False, id="the-only-password"
        ),
        pytest.param(
            OwnWays(has_password=True, identities=(A,)),
            OwnWays(identities=(A,)),
            WITHOUT_CODES,
            True,
            id="a-password-beside-a-provider",
        ),
        pytest.param(
            OwnWays(identities=(A, B)),
            OwnWays(identities=(B,)),
            WITHOUT_CODES,
            True,
            id="one-of-two",
        ),
        pytest.param(OwnWays(identities=(A,)), OwnWays(), WITHOUT_CODES, False, id="the-only-one"),
        pytest.param(
            OwnWays(identities=(A,), emails=("a@example.com",)),
            OwnWays(emails=("a@example.com",)),
            ALL,
            True,
            id="a-code-opens-it-then",
        ),
        pytest.param(
            OwnWays(emails=("a@example.com",)), OwnWays(), ALL, False, id="the-address-for-codes"
        ),
        pytest.param(
            OwnWays(emails=("a@example.com",)), OwnWays(), WITHOUT_CODES, True, id="of-a-module"
        ),
    ],
)
def test_what_may_go(had, left, lets_in, may):
    """Whoever is let in by what nobody can tell from here, a module for instance, is not held up."""
    assert may_go(had, left, lets_in) is may


@given(
    had=st.builds(
        OwnWays,
        has_password=st.booleans(),
        identities=st.lists(st.sampled_from((A, B, GONE)), unique=True).map(tuple),
        emails=st.lists(st.sampled_from(("a@example.com", "b@example.com")), unique=True).map(
            tuple
        ),
    ),
    lets_in=st.builds(
        LetsIn,
        passwords=st.booleans(),
        providers=st.frozensets(st.sampled_from(("oidc-a", "oidc-b"))),
        codes=st.booleans(),
    ),
    order=st.permutations(("password", A, B, GONE, "a@example.com", "b@example.com")),
)
def test_no_order_of_removals_closes_an_account(had, lets_in, order):
    was_open = had.open(lets_in)
    for gone in order:
        if gone == "password":
            left = had.without_password()
        elif isinstance(gone, Identity):
            left = had.without_identity(gone)
        else:
            left = had.without_email(gone)
        had = left if may_go(had, left, lets_in) else had

    assert had.open(lets_in) is was_open
