"""What an application may ask of a sign-in and is told of it (OpenID Connect Core, RFC 9470)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import a_sign_in
from synapse_nextgen_auth.accounts.factors.demands import Level
from synapse_nextgen_auth.accounts.factors.levels import (
    ONE_FACTOR,
    REFEDS_MFA,
    TWO_FACTORS,
    Reached,
    Verdict,
    announced,
    answer,
    asks_two,
    judge,
    of_row,
    read,
)

ONE, TWO = Reached(Level.ONE), Reached(Level.TWO)
SILVER = Reached(Level.ONE, "urn:example:silver")
STRONG = Reached(Level.TWO, "urn:example:gold")


@pytest.mark.parametrize(
    ("asked", "reached", "verdict", "told"),
    [
        ("", ONE, Verdict.MET, ONE_FACTOR),
        ("", TWO, Verdict.MET, TWO_FACTORS),
        (ONE_FACTOR, ONE, Verdict.MET, ONE_FACTOR),
        (ONE_FACTOR, TWO, Verdict.MET, ONE_FACTOR),
        (TWO_FACTORS, TWO, Verdict.MET, TWO_FACTORS),
        (REFEDS_MFA, TWO, Verdict.MET, REFEDS_MFA),
        (TWO_FACTORS, ONE, Verdict.PROVE, ONE_FACTOR),
        (REFEDS_MFA, ONE, Verdict.PROVE, ONE_FACTOR),
        # In this order: with less only who has no more.
        (f"{TWO_FACTORS} {ONE_FACTOR}", ONE, Verdict.PROVE, ONE_FACTOR),
        (f"{ONE_FACTOR} {TWO_FACTORS}", ONE, Verdict.MET, ONE_FACTOR),
        (f"{REFEDS_MFA} {TWO_FACTORS}", TWO, Verdict.MET, REFEDS_MFA),
        # What nobody knows here asks for nothing (OpenID Connect Core section 15.1).
        ("1 2", ONE, Verdict.MET, ONE_FACTOR),
        ("1 2", TWO, Verdict.MET, TWO_FACTORS),
        (f"phr {TWO_FACTORS}", ONE, Verdict.PROVE, ONE_FACTOR),
        # A provider's own words.
        ("", SILVER, Verdict.MET, "urn:example:silver"),
        ("urn:example:silver", SILVER, Verdict.MET, "urn:example:silver"),
        (f"urn:example:silver {TWO_FACTORS}", SILVER, Verdict.MET, "urn:example:silver"),
        (f"{TWO_FACTORS} urn:example:silver", SILVER, Verdict.PROVE, "urn:example:silver"),
        ("urn:example:gold", SILVER, Verdict.MET, "urn:example:silver"),
        ("", STRONG, Verdict.MET, TWO_FACTORS),
        ("urn:example:gold", STRONG, Verdict.MET, "urn:example:gold"),
        (ONE_FACTOR, SILVER, Verdict.MET, ONE_FACTOR),
    ],
)
def test_what_is_asked_of_somebody_who_has_two_factors(asked, reached, verdict, told):
    """The first value that they can prove, and what the application hears as it is."""
    assert judge(read(asked), reached, can_prove_two=True) is verdict
    assert answer(read(asked), reached) == told


@pytest.mark.parametrize(
    ("asked", "reached", "verdict"),
    [
        (TWO_FACTORS, ONE, Verdict.UNMET),
        (REFEDS_MFA, SILVER, Verdict.UNMET),
        (f"1 {TWO_FACTORS}", ONE, Verdict.UNMET),
        (f"{TWO_FACTORS} {ONE_FACTOR}", ONE, Verdict.MET),
        (TWO_FACTORS, STRONG, Verdict.MET),
        ("1 2", ONE, Verdict.MET),
        ("", ONE, Verdict.MET),
    ],
)
def test_what_is_asked_of_somebody_who_has_one(asked, reached, verdict):
    """RFC 9470 section 5: they are not sent back with what was not enough, again and again."""
    assert judge(read(asked), reached, can_prove_two=False) is verdict


@pytest.mark.parametrize("said", [TWO_FACTORS, REFEDS_MFA])
def test_c295_a_provider_cannot_say_our_words(said):
    """Two factors are what was counted here, whatever a provider calls its sign-in."""
    lying = Reached(Level.ONE, said)

    assert judge([TWO_FACTORS], lying, can_prove_two=True) is Verdict.PROVE
    assert judge([REFEDS_MFA], lying, can_prove_two=False) is Verdict.UNMET
    assert answer([], lying) == ONE_FACTOR
    assert answer([said], lying) == ONE_FACTOR
    assert asks_two([said], [said])


VALUES = st.lists(
    st.sampled_from([ONE_FACTOR, TWO_FACTORS, REFEDS_MFA, "1", "2", "urn:example:gold"]),
    unique=True,
)
REACHED = st.builds(
    Reached, st.sampled_from(Level), st.sampled_from([None, TWO_FACTORS, "urn:example:gold"])
)


@given(VALUES, REACHED, st.booleans())
def test_c295_nobody_is_told_of_two_factors_that_were_not_proven(asked, reached, can):
    """And whoever is done is never told of less than what was asked for and met."""
    told = answer(asked, reached)

    assert (told in {TWO_FACTORS, REFEDS_MFA}) <= (reached.level is Level.TWO)
    if judge(asked, reached, can_prove_two=can) is Verdict.MET:
        assert told in asked or not ({ONE_FACTOR, TWO_FACTORS, REFEDS_MFA} & {*asked})
    if judge(asked, reached, can_prove_two=can) is Verdict.PROVE:
        proven = Reached(Level.TWO, reached.said)
        assert can
        assert judge(asked, proven, can_prove_two=can) is Verdict.MET


@given(VALUES, REACHED)
def test_the_way_asks_for_what_is_missing_at_its_end(asked, reached):
    """Whoever is to prove two is asked for both at once, on any browser."""
    if judge(asked, reached, can_prove_two=True) is Verdict.PROVE:
        assert asks_two(asked, [reached.said] if reached.said else [])


def test_only_what_can_be_met_is_announced():
    """The strongest first: who repeats the list asks for as much as there is."""
    assert announced(two=False) == (ONE_FACTOR,)
    assert announced(two=True) == (TWO_FACTORS, REFEDS_MFA, ONE_FACTOR)


def test_rows_from_before_anybody_counted():
    assert of_row(None, None) == of_row(None, 1) == ONE_FACTOR
    assert of_row(None, 2) == TWO_FACTORS
    assert of_row("urn:example:silver", None) == "urn:example:silver"


def test_what_a_sign_in_is():
    assert Reached.by(a_sign_in()) == ONE
    assert Reached.by(a_sign_in(level=2, acr="urn:example:gold")) == STRONG


def test_a_list_is_read_as_one():
    assert read(f" {TWO_FACTORS}  1 {TWO_FACTORS}\t2 ") == (TWO_FACTORS, "1", "2")
    assert read(None) == ()
