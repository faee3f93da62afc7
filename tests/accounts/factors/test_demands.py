"""Second factors: when they are missing, and that nothing but two proofs makes two factors."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import ALICE, NOW, an_attempt
from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.stages import (
    Done,
    Policy,
    Second,
    Stage,
    next_stage,
)
from synapse_nextgen_auth.accounts.factors.demands import (
    BESIDE,
    FIRST,
    SECOND,
    Demand,
    Level,
    Missing,
    Rule,
    Strong,
    is_first,
    level,
    may_add_mail,
    missing,
    suffices,
)
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.people import Account

APP, KEY, CODES_ONLY, NO_FACTOR = Held(apps=1), Held(passkeys=1), Held(codes=10), Held()
MAIL = Held(mail=1)
OPTIONAL, REQUIRED = Demand(rule=Rule.OPTIONAL), Demand(rule=Rule.REQUIRED)
STRONG = {Strong("oidc-a", "mfa")}
K = ProofKind


def proof(kind, **fields):
    """Return a proof of Alice's."""
    return Proof(kind, NOW, ALICE, **fields)


PASSWORD, TOTP = proof(K.PASSWORD), proof(K.TOTP)


@pytest.mark.parametrize(
    ("proofs", "is_two"),
    [
        ([], False),
        ([PASSWORD], False),
        ([PASSWORD, TOTP], True),
        ([TOTP], False),
        ([TOTP, proof(K.RECOVERY_CODE)], False),
        ([PASSWORD, proof(K.RECOVERY_CODE)], True),
        ([proof(K.LINK), TOTP], True),
        ([PASSWORD, proof(K.FACTOR_MAIL)], True),
        # The mailbox once more is no other thing.
        ([proof(K.LINK), proof(K.FACTOR_MAIL)], False),
        ([proof(K.EMAIL_CODE), proof(K.FACTOR_MAIL)], False),
        ([proof(K.EMAIL_CODE), TOTP], True),
        ([PASSWORD, proof(K.LINK)], False),
        ([PASSWORD, proof(K.PROVIDER, provider="oidc-a")], False),
        ([proof(K.PASSKEY)], False),
        ([proof(K.PASSKEY, is_verified=True)], True),
        ([PASSWORD, proof(K.PASSKEY)], True),
        # Whoever finds the key has both of these on one ring, and knows nothing.
        ([proof(K.PASSKEY), TOTP], False),
        ([proof(K.PROVIDER, provider="oidc-a", amr=("pwd", "mfa"))], True),
        ([proof(K.PROVIDER, provider="oidc-a", acr="mfa")], True),
        ([proof(K.PROVIDER, provider="oidc-a", amr=("pwd",))], False),
        # Another provider may say what it likes.
        ([proof(K.PROVIDER, provider="oidc-b", amr=("mfa",))], False),
        ([PASSWORD, proof(K.MODULE, provider="mfa", amr=("mfa",))], False),
    ],
)
def test_how_many_factors(proofs, is_two):
    """Two things of two kinds, or one that is both."""
    assert (level(proofs, STRONG) >= Level.TWO) is is_two
    assert level(reversed(proofs), STRONG) is level(proofs, STRONG)


SIGN_IN, AGAIN = Purpose.SIGN_IN, Purpose.PROVE_AGAIN


@pytest.mark.parametrize(
    ("demand", "held", "purpose", "lacks"),
    [
        (Demand(), APP, SIGN_IN, None),
        (OPTIONAL, NO_FACTOR, SIGN_IN, None),
        (attrs.evolve(OPTIONAL, may_add=False), NO_FACTOR, SIGN_IN, None),
        (attrs.evolve(OPTIONAL, may_add=False), APP, SIGN_IN, Missing.PROVE),
        (attrs.evolve(OPTIONAL, may_add=False), KEY, AGAIN, Missing.PROVE),
        (OPTIONAL, APP, SIGN_IN, Missing.PROVE),
        (OPTIONAL, KEY, SIGN_IN, Missing.PROVE),
        (OPTIONAL, MAIL, SIGN_IN, Missing.PROVE),
        (OPTIONAL, MAIL, Purpose.RECOVER, Missing.PROVE),
        (REQUIRED, MAIL, SIGN_IN, Missing.PROVE),
        (OPTIONAL, CODES_ONLY, SIGN_IN, None),
        (OPTIONAL, APP, AGAIN, Missing.PROVE),
        (OPTIONAL, APP, Purpose.RECOVER, Missing.PROVE),
        (REQUIRED, NO_FACTOR, SIGN_IN, Missing.ENROL),
        (REQUIRED, CODES_ONLY, SIGN_IN, Missing.ENROL),
        (REQUIRED, NO_FACTOR, Purpose.SIGN_UP, Missing.ENROL),
        (REQUIRED, NO_FACTOR, Purpose.RECOVER, Missing.ENROL),
        (REQUIRED, NO_FACTOR, AGAIN, Missing.ENROL),
        (REQUIRED, APP, SIGN_IN, Missing.PROVE),
        (attrs.evolve(REQUIRED, may_wait=True), NO_FACTOR, SIGN_IN, Missing.ENROL),
        (attrs.evolve(REQUIRED, may_wait=True), NO_FACTOR, AGAIN, None),
        (attrs.evolve(REQUIRED, may_wait=True), APP, SIGN_IN, Missing.PROVE),
        (attrs.evolve(OPTIONAL, is_remembered=True), APP, SIGN_IN, None),
        (attrs.evolve(OPTIONAL, is_remembered=True), APP, AGAIN, Missing.PROVE),
        (attrs.evolve(OPTIONAL, is_remembered=True), APP, Purpose.RECOVER, Missing.PROVE),
        (attrs.evolve(OPTIONAL, is_remembered=True, asks=Level.TWO), APP, SIGN_IN, Missing.PROVE),
        # Nobody can prove what they have not.
        (attrs.evolve(OPTIONAL, asks=Level.TWO), NO_FACTOR, SIGN_IN, None),
    ],
)
def test_what_is_missing_after_a_password(demand, held, purpose, lacks):
    """What the account has is asked for, what it has to have is to be set up."""
    assert missing(demand, held, [PASSWORD], purpose=purpose) is lacks
    assert missing(demand, held, [PASSWORD, TOTP], purpose=purpose) is None


@pytest.mark.parametrize(
    ("proofs", "lacks"),
    [
        ([PASSWORD], Missing.PROVE),
        ([PASSWORD, TOTP], Missing.PROVE),
        ([PASSWORD, proof(K.PASSKEY)], None),
        ([PASSWORD, TOTP, proof(K.PASSKEY)], None),
        ([proof(K.PASSKEY, is_verified=True)], None),
    ],
)
@pytest.mark.parametrize("is_remembered", [True, False])
def test_where_a_passkey_is_asked_for_no_code_stands_in_for_it(proofs, lacks, is_remembered):
    """Codes can be passed on by a forged page; a browser keeps a passkey from it."""
    asks = attrs.evolve(OPTIONAL, asks=Level.RESISTANT, is_remembered=is_remembered)

    assert missing(asks, attrs.evolve(KEY, apps=1), proofs, purpose=SIGN_IN) is lacks
    assert (level(proofs) is Level.RESISTANT) is (lacks is None)


def test_somebody_puts_it_off_as_long_as_they_may():
    """Until the day, and not after it."""
    waiting = attrs.evolve(REQUIRED, may_wait=True)

    assert missing(waiting, NO_FACTOR, [PASSWORD], purpose=SIGN_IN, waits=True) is None
    assert missing(REQUIRED, NO_FACTOR, [PASSWORD], purpose=SIGN_IN, waits=True) is Missing.ENROL
    assert missing(waiting, APP, [PASSWORD], purpose=SIGN_IN, waits=True) is Missing.PROVE


DEMANDS = st.builds(
    Demand,
    rule=st.sampled_from(Rule),
    may_wait=st.booleans(),
    asks=st.sampled_from(Level),
    is_remembered=st.booleans(),
)
HELD = st.builds(
    Held,
    apps=st.integers(0, 2),
    passkeys=st.integers(0, 2),
    codes=st.integers(0, 10),
    mail=st.integers(0, 1),
)
PROOFS = st.lists(st.sampled_from(ProofKind).map(proof), unique_by=lambda each: each.kind)


@given(DEMANDS, HELD, PROOFS, st.sampled_from(Purpose), st.booleans())
def test_c293_who_has_a_factor_proves_it(demand, held, proofs, purpose, waits):
    """Only the switch, a browser that proved it before, and nothing else lets somebody in with one."""
    lacks = missing(demand, held, proofs, purpose=purpose, waits=waits)

    if level(proofs) >= Level.TWO:
        assert len(proofs) >= 2
        assert {each.kind for each in proofs} & FIRST
        is_enough = demand.rule is Rule.OFF or level(proofs) >= demand.asks
        assert (lacks is None) or not is_enough
    elif demand.rule is not Rule.OFF and held.is_any and not demand.is_remembered:
        assert lacks is Missing.PROVE
    elif demand.rule is Rule.REQUIRED and not held.is_any and not demand.may_wait:
        assert lacks is Missing.ENROL


@given(PROOFS)
def test_c253_who_only_reads_the_mailbox_never_proves_two(proofs):
    """A link and codes, in any order and number: it is one thing."""
    by_mail = [each for each in proofs if each.kind in {K.LINK, K.EMAIL_CODE, K.FACTOR_MAIL}]

    assert level(by_mail) is Level.ONE
    assert not may_add_mail(by_mail)
    if level([*by_mail, PASSWORD]) is Level.TWO:
        assert K.FACTOR_MAIL in {each.kind for each in by_mail}


@given(PROOFS)
def test_a_code_by_mail_is_offered_to_whom_it_helps(proofs):
    """To whoever could go on with it, and to nobody else."""
    others = [each for each in proofs if each.kind not in {K.FACTOR_MAIL, *SECOND}]

    assert may_add_mail(others) is (level([*others, proof(K.FACTOR_MAIL)]) is Level.TWO)


@given(DEMANDS, HELD, st.sampled_from(Level))
def test_c295_what_lets_nobody_in_lets_nothing_in_either(demand, held, reached):
    """A sign-in that nobody would get now approves nothing, whenever it began."""
    proofs = {
        Level.ONE: [PASSWORD],
        Level.TWO: [PASSWORD, TOTP],
        Level.RESISTANT: [PASSWORD, proof(K.PASSKEY)],
    }[reached]

    lacks = missing(demand, held, proofs, purpose=SIGN_IN, waits=True)

    assert (
        suffices(demand, held, reached) is (lacks is None)
        or (
            # Who cannot prove two is not kept out here: the application hears that it was one.
            demand.asks > Level.ONE and not held.is_any
        )
        or (
            # A passkey that an application asks for is asked for there; this sign-in opens the rest.
            demand.asks > reached >= Level.TWO
        )
    )


@given(DEMANDS, HELD, PROOFS, st.sampled_from([SIGN_IN, AGAIN, Purpose.RECOVER]))
def test_c295_no_order_of_proofs_leads_past_a_factor(demand, held, proofs, purpose):
    """Whichever page is called first, what refuses a proof keeps it out of the attempt."""
    policy = Policy(
        passwords=True,
        email_codes=True,
        types=frozenset({"org.example"}),
        providers=frozenset({"oidc-a"}),
        factors=BESIDE | {K.PASSKEY},
    )
    attempt = an_attempt(purpose=purpose, user_id=ALICE if purpose is AGAIN else None)
    for each in proofs:
        proven = attempt if attempt.refuses(each) else attempt.having(each)
        stage = next_stage(proven, Account(ALICE), policy, second=Second(demand, held))
        attempt = attempt if stage is Stage.IDENTIFY else proven
        if isinstance(stage, Done):
            assert suffices(demand, held, stage.level)
            assert any(is_first(proof) for proof in stage.proofs)
            made = stage.sign_in(digest="d", sign_in_id="i", now=NOW)
            assert made.factors == stage.level
            assert ("mfa" in (made.amr or "").split()) is (stage.level >= Level.TWO)
        if stage is Stage.FACTOR:
            assert held.is_any


def test_each_kind_is_decided():
    """A new kind of proof is the first thing, or what stands beside it."""
    assert set(ProofKind) == FIRST | BESIDE
