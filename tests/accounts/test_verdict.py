"""Whether an account is safe: what counts, in which order, and what does not."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.verdict import ODD_FOR, Check, Facts, Found, State, judge

NOW = 1_800_000_000
SAFE = Facts(devices=3, emails=1, mail_helps=True, ways=2, can_add_way=True)


def state(check, **fields):
    verdict = judge(attrs.evolve(SAFE, **fields), NOW)
    (found,) = [each for each in verdict.checks if each.check is check]
    return found.state


@pytest.mark.parametrize(
    ("check", "fields", "expected"),
    [
        (Check.ODD, {}, State.GOOD),
        (Check.ODD, {"odd_at": NOW}, State.ACT),
        (Check.ODD, {"odd_at": NOW - ODD_FOR + 1}, State.ACT),
        (Check.ODD, {"odd_at": NOW - ODD_FOR}, State.GOOD),
        # Another password, or signing out everywhere else, is what helps; before it, it does not.
        (Check.ODD, {"odd_at": NOW - 9, "mended_at": NOW - 8}, State.GOOD),
        (Check.ODD, {"odd_at": NOW - 9, "mended_at": NOW - 9}, State.GOOD),
        (Check.ODD, {"odd_at": NOW - 9, "mended_at": NOW - 10}, State.ACT),
        (Check.ODD, {"mended_at": NOW}, State.GOOD),
        (Check.VERIFIED, {"unverified": 1}, State.LOOK),
        (Check.VERIFIED, {"devices": 0}, State.GOOD),
        (Check.USED, {"unused": 2}, State.LOOK),
        (Check.WAY_BACK, {"emails": 0}, State.LOOK),
        # Where mail lets nobody in, or nobody may add an address, there is nothing to mend.
        (Check.WAY_BACK, {"emails": 0, "mail_helps": False}, State.NOT_HERE),
        (Check.ANOTHER_WAY, {"ways": 1, "mail_helps": False}, State.LOOK),
        (Check.ANOTHER_WAY, {"ways": 1}, State.GOOD),
        # One thing that is missing is told once.
        (Check.ANOTHER_WAY, {"ways": 1, "emails": 0}, State.NOT_HERE),
        (
            Check.ANOTHER_WAY,
            {"ways": 1, "mail_helps": False, "can_add_way": False},
            State.NOT_HERE,
        ),
        (Check.SECOND_FACTOR, {"factors": Held()}, State.LOOK),
        (Check.SECOND_FACTOR, {"factors": Held(codes=10)}, State.LOOK),
        (Check.SECOND_FACTOR, {"factors": Held(apps=1)}, State.LOOK),
        (Check.SECOND_FACTOR, {"factors": Held(apps=1, codes=1)}, State.GOOD),
        (Check.SECOND_FACTOR, {"factors": Held(passkeys=1, codes=1)}, State.GOOD),
        (Check.LOST, {"is_loss_waiting": True}, State.ACT),
        # What is not well about them is told besides.
        (Check.SECOND_FACTOR, {"factors": Held(), "is_loss_waiting": True}, State.LOOK),
        (Check.POWER, {"powers": 1}, State.LOOK),
    ],
)
def test_each_check_says_whether_its_person_has_to_look(check, fields, expected):
    """Only what they can change counts."""
    assert state(check, **fields) is expected


def test_where_nobody_has_second_factors_nobody_looks_for_one():
    assert Check.SECOND_FACTOR not in {each.check for each in judge(SAFE, NOW).checks}


def test_what_is_bad_comes_first_and_counts():
    """What somebody else may have done before all; the rest in the order of the checks."""
    verdict = judge(attrs.evolve(SAFE, powers=1, odd_at=NOW, emails=0), NOW)

    assert [each.check for each in verdict.checks] == [
        *(Check.ODD, Check.WAY_BACK, Check.POWER),
        *(Check.VERIFIED, Check.USED, Check.ANOTHER_WAY),
    ]
    assert verdict.state is State.ACT
    assert verdict.to_look_at == 3
    assert Found(Check.VERIFIED, State.GOOD, 3) in verdict.checks


def test_an_account_is_safe_where_nothing_is_left_to_do():
    """Also on a server that sends no mail."""
    assert judge(SAFE, NOW).state is State.GOOD
    assert judge(attrs.evolve(SAFE, mail_helps=False, emails=0), NOW).state is State.GOOD


few = st.integers(0, 3)
when = st.none() | st.integers(NOW - 2 * ODD_FOR, NOW)
facts = st.builds(
    Facts,
    odd_at=when,
    mended_at=when,
    devices=few,
    unverified=few,
    unused=few,
    emails=few,
    mail_helps=st.booleans(),
    ways=few,
    can_add_way=st.booleans(),
    powers=few,
)


@given(facts)
def test_the_checks_are_always_the_same_ones(given):
    """And the verdict is as bad as the worst of them, and no worse."""
    verdict = judge(given, NOW)
    states = [each.state for each in verdict.checks]

    # Where nobody has second factors, nobody looks for them, nor whether somebody wants them removed.
    looked_at = set(Check) - {Check.LOST}
    looked_at -= {Check.SECOND_FACTOR} if given.factors is None else set()
    assert {each.check for each in verdict.checks} == looked_at
    assert len(states) == len(looked_at)
    assert states == sorted(states)
    assert (verdict.state <= State.LOOK) == (verdict.to_look_at > 0)


@given(facts, few)
def test_nothing_that_is_mended_makes_it_worse(given, mended):
    """Fewer bad things never make more to look at."""
    before = judge(given, NOW)
    after = judge(attrs.evolve(given, unverified=0, unused=0, powers=0, emails=max(1, mended)), NOW)

    assert after.to_look_at <= before.to_look_at
    assert after.state >= before.state or before.state is State.NOT_HERE


def test_an_account_whose_factors_somebody_wants_removed_is_not_called_safe():
    """That comes first, and nothing says meanwhile that a second factor protects it."""
    waiting = attrs.evolve(SAFE, factors=Held(apps=1, codes=9), is_loss_waiting=True)
    verdict = judge(waiting, NOW)

    assert verdict.state is State.ACT
    assert verdict.checks[0] == Found(Check.LOST, State.ACT)
    assert Check.SECOND_FACTOR not in {each.check for each in verdict.checks}
    assert Check.LOST not in {each.check for each in judge(SAFE, NOW).checks}
