"""What an application may ask of a sign-in and is told of it (OpenID Connect Core, RFC 9470)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import a_sign_in
from synapse_nextgen_auth.accounts.factors.demands import Level
from synapse_nextgen_auth.accounts.factors.levels import (
    ONE_FACTOR,
    PHISHING_RESISTANT,
    REFEDS_MFA,
    TWO_FACTORS,
    Asked,
    Reached,
    Strictness,
    Verdict,
    announced,
    answer,
    judge,
    of_row,
    read,
    wanted,
)

ONE, TWO, RESISTANT = map(Reached, Level)
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
    assert judge(read(asked), reached, can_prove=Level.TWO) is verdict
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
    assert judge(read(asked), reached, can_prove=Level.ONE) is verdict


@pytest.mark.parametrize("said", [TWO_FACTORS, REFEDS_MFA])
def test_c295_a_provider_cannot_say_our_words(said):
    """Two factors are what was counted here, whatever a provider calls its sign-in."""
    lying = Reached(Level.ONE, said)

    assert judge(read(TWO_FACTORS), lying, can_prove=Level.TWO) is Verdict.PROVE
    assert judge(read(REFEDS_MFA), lying, can_prove=Level.ONE) is Verdict.UNMET
    assert answer(Asked(), lying) == ONE_FACTOR
    assert answer(read(said), lying) == ONE_FACTOR
    assert wanted(read(said), can_prove=Level.ONE, said=[said]) is Level.ONE
    assert wanted(read(said), can_prove=Level.TWO) is Level.TWO


OURS = {
    ONE_FACTOR: Level.ONE,
    TWO_FACTORS: Level.TWO,
    REFEDS_MFA: Level.TWO,
    PHISHING_RESISTANT: Level.RESISTANT,
}
VALUES = st.lists(st.sampled_from([*OURS, "1", "2", "urn:example:gold"]), unique=True).map(tuple)
ASKED = st.builds(Asked, VALUES, st.sampled_from(Strictness))
REACHED = st.builds(
    Reached, st.sampled_from(Level), st.sampled_from([None, TWO_FACTORS, "phr", "urn:example:gold"])
)


@given(ASKED, REACHED, st.sampled_from(Level))
def test_c295_nobody_is_told_of_more_than_was_proven(asked, reached, can):
    """And whoever is done is never told of less than what was asked for and met."""
    told, verdict = answer(asked, reached), judge(asked, reached, can_prove=can)

    assert OURS.get(told, Level.ONE) <= reached.level
    if verdict is Verdict.MET:
        assert told in asked.values or not asked.has_to_be_met
    if verdict is Verdict.PROVE:
        proven = Reached(can, reached.said)
        assert judge(asked, proven, can_prove=can) is Verdict.MET
    if verdict is Verdict.UNMET:
        assert asked.strictness is not Strictness.VOLUNTARY
        assert told not in asked.values


@given(ASKED, REACHED, st.sampled_from(Level))
def test_the_way_asks_for_what_is_missing_at_its_end(asked, reached, can):
    """Whoever is to prove more is asked for all of it at once, on any browser."""
    if judge(asked, reached, can_prove=can) is Verdict.PROVE:
        said = [reached.said] if reached.said and reached.said not in OURS else []
        assert reached.level < wanted(asked, can_prove=can, said=said) <= can


@pytest.mark.parametrize(
    ("values", "how", "reached", "can", "verdict"),
    [
        # OpenID Connect Core section 5.5.1.1: met, or the request has failed.
        ("1", Strictness.ESSENTIAL, TWO, Level.TWO, Verdict.UNMET),
        (f"1 {TWO_FACTORS}", Strictness.ESSENTIAL, ONE, Level.ONE, Verdict.UNMET),
        (f"1 {TWO_FACTORS}", Strictness.ESSENTIAL, ONE, Level.TWO, Verdict.PROVE),
        (f"1 {TWO_FACTORS}", Strictness.ESSENTIAL, TWO, Level.TWO, Verdict.MET),
        ("urn:example:silver", Strictness.ESSENTIAL, SILVER, Level.ONE, Verdict.MET),
        ("", Strictness.ESSENTIAL, ONE, Level.ONE, Verdict.MET),
        # What is only wished for is asked of whoever has it, and of nobody else.
        ("1", Strictness.VOLUNTARY, ONE, Level.ONE, Verdict.MET),
        (TWO_FACTORS, Strictness.VOLUNTARY, ONE, Level.ONE, Verdict.MET),
        (TWO_FACTORS, Strictness.VOLUNTARY, ONE, Level.TWO, Verdict.PROVE),
        (PHISHING_RESISTANT, Strictness.VOLUNTARY, TWO, Level.TWO, Verdict.MET),
        (PHISHING_RESISTANT, Strictness.VOLUNTARY, TWO, Level.RESISTANT, Verdict.PROVE),
        # A passkey that is asked for.
        (PHISHING_RESISTANT, Strictness.KNOWN, TWO, Level.TWO, Verdict.UNMET),
        (PHISHING_RESISTANT, Strictness.KNOWN, TWO, Level.RESISTANT, Verdict.PROVE),
        (PHISHING_RESISTANT, Strictness.KNOWN, RESISTANT, Level.RESISTANT, Verdict.MET),
        (f"{PHISHING_RESISTANT} {TWO_FACTORS}", Strictness.KNOWN, TWO, Level.TWO, Verdict.MET),
        ("phrh", Strictness.KNOWN, ONE, Level.RESISTANT, Verdict.MET),
        ("phrh", Strictness.ESSENTIAL, RESISTANT, Level.RESISTANT, Verdict.UNMET),
    ],
)
def test_what_has_to_be_met(values, how, reached, can, verdict):
    assert judge(read(values, how.value), reached, can_prove=can) is verdict


def test_a_passkey_is_two_factors_unless_more_is_asked():
    """Whoever knows no other word hears the one that they know."""
    assert answer(read(None), RESISTANT) == TWO_FACTORS
    assert answer(read(f"phrh {PHISHING_RESISTANT}"), RESISTANT) == PHISHING_RESISTANT
    assert answer(read(TWO_FACTORS), RESISTANT) == TWO_FACTORS


def test_only_what_can_be_met_is_announced():
    """The strongest first: who repeats the list asks for as much as there is."""
    assert announced(Level.ONE) == (ONE_FACTOR,)
    assert announced(Level.TWO) == (TWO_FACTORS, REFEDS_MFA, ONE_FACTOR)
    assert announced(Level.RESISTANT) == (PHISHING_RESISTANT, TWO_FACTORS, REFEDS_MFA, ONE_FACTOR)


def test_rows_from_before_anybody_counted():
    assert of_row(None, None) == of_row(None, 1) == ONE_FACTOR
    assert of_row(None, 2) == of_row(None, 3) == TWO_FACTORS
    assert of_row("urn:example:silver", None) == "urn:example:silver"


def test_what_a_sign_in_is():
    assert Reached.by(a_sign_in()) == ONE
    assert Reached.by(a_sign_in(level=2, acr="urn:example:gold")) == STRONG


def test_a_list_is_read_as_one():
    assert read(f" {TWO_FACTORS}  1 {TWO_FACTORS}\t2 ") == Asked((TWO_FACTORS, "1", "2"))
    assert read(None) == Asked()
    assert read("1", "essential") == Asked(("1",), Strictness.ESSENTIAL)
