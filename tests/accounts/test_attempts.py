"""Attempts: which stage is next, and that nothing leads to the end but what is demanded."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import ALICE, BOB, NOW, a_proof, an_attempt
from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.stages import (
    NOTHING,
    Added,
    Asked,
    Done,
    Policy,
    Refused,
    Second,
    Stage,
    Stop,
    next_stage,
)
from synapse_nextgen_auth.accounts.factors.demands import BESIDE, SECOND, Demand, Level, Rule
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.people import Account, Standing

HERS = Account(ALICE)
POLICY = Policy(passwords=True, providers=frozenset({"oidc-a", "cas"}))
NEW = Asked((Stage.USERNAME, Stage.TERMS))
ADDED = (Added("terms"), Added("org.example.human"))
OTHERS = Asked((Stage.TERMS,), ADDED)
AGAIN = {"purpose": Purpose.PROVE_AGAIN, "user_id": ALICE}
PASSWORD = a_proof()


def attempt(*proofs, answers=(), **fields):
    """Return an attempt with these proofs and answers."""
    made = an_attempt(**fields)
    for proof in proofs:
        made = made.having(proof)
    for stage in answers:
        made = made.answering(stage, f"sealed {stage}")
    return made


@pytest.mark.parametrize(
    ("made", "stage"),
    [
        pytest.param(attempt(), Stage.IDENTIFY, id="nothing"),
        pytest.param(attempt(PASSWORD), Done(ALICE, (PASSWORD,), is_fresh=True), id="password"),
        pytest.param(
            attempt(PASSWORD, **AGAIN), Done(ALICE, (PASSWORD,), is_fresh=True), id="again"
        ),
        pytest.param(attempt(**AGAIN), Stage.IDENTIFY, id="again-without-a-proof"),
        pytest.param(
            attempt(a_proof(provider="gone")), Stage.IDENTIFY, id="a-provider-that-is-none"
        ),
        pytest.param(attempt(a_proof(BOB), **AGAIN), Stage.IDENTIFY, id="somebody-else"),
        pytest.param(
            attempt(a_proof(provider="cas"), **AGAIN),
            Stage.IDENTIFY,
            id="a-provider-that-cannot-say",
        ),
        pytest.param(
            attempt(a_proof(provider="oidc-a", auth_time=NOW - 61), **AGAIN),
            Stage.IDENTIFY,
            id="known-from-before",
        ),
        pytest.param(attempt(PASSWORD, ended_at=NOW), Refused(Stop.ENDED), id="ended"),
    ],
)
def test_the_next_stage(made, stage):
    """A proof that counts, of the account that it is about, and of now where it is asked again."""
    assert next_stage(made, HERS, POLICY) == stage


@pytest.mark.parametrize(
    ("proof", "trusted"),
    [
        (a_proof(provider="oidc-a", auth_time=NOW - 60), False),
        (a_proof(provider="oidc-a", auth_time=NOW + 5), False),
        (a_proof(provider="cas"), True),
    ],
)
def test_a_provider_proves_it_again(proof, trusted):
    """When it says that it asked just now, or where the operator believes it."""
    policy = attrs.evolve(POLICY, trusted=frozenset({"cas"} if trusted else ()))

    done = next_stage(attempt(proof, **AGAIN), HERS, policy)

    assert done == Done(ALICE, (proof,), is_fresh=True)
    made = done.sign_in(digest="d", sign_in_id="i", now=NOW + 5)
    assert made.proven_at == min(made.signed_in_at, proof.auth_time or proof.at)


@pytest.mark.parametrize(
    ("proof", "is_fresh", "is_known"),
    [
        (PASSWORD, True, True),
        (a_proof(provider="oidc-a", auth_time=NOW - 60), True, True),
        (a_proof(provider="oidc-a", auth_time=NOW - 61), False, True),
        (a_proof(provider="oidc-a"), False, False),
        # Nobody asked it: what the operator believes is that it lets people prove it anew then.
        (a_proof(provider="cas"), False, False),
    ],
)
def test_c023_whether_somebody_proved_it_for_this(proof, is_fresh, is_known):
    """A provider lets people in that it knows from before: that says who they are, and not when."""
    policy = attrs.evolve(POLICY, trusted=frozenset({"cas"}))

    done = next_stage(attempt(proof), HERS, policy)

    assert done.is_fresh is is_fresh
    sign_in = done.sign_in(digest="d", sign_in_id="i", now=NOW)
    assert (sign_in.proven_at is not None) is is_known


def test_a_password_counts_only_where_passwords_do():
    """Somebody switched them off a moment ago."""
    assert next_stage(attempt(PASSWORD), HERS, attrs.evolve(POLICY, passwords=False)) is (
        Stage.IDENTIFY
    )


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (None, Standing.DEACTIVATED),
        (Account(BOB), Standing.DEACTIVATED),
        (Account(ALICE, is_locked=True), Standing.LOCKED),
        (Account(ALICE, is_deactivated=True), Standing.DEACTIVATED),
        (Account(ALICE, is_guest=True), Standing.GUEST),
    ],
)
def test_c271_an_account_that_may_not_go_on_signs_nobody_in(account, why):
    """Whatever was proven; nor does the word of another account help."""
    assert next_stage(attempt(PASSWORD), account, POLICY) == Refused(why)
    hers = attempt(a_proof(provider="cas"))
    assert next_stage(hers, account, POLICY) == Refused(why)


def test_somebody_new_is_asked_before_there_is_an_account():
    """In the order of the server; then the account is made, and only then somebody signs in."""
    new = a_proof(None, provider="cas", amr=("mfa",))

    stages = [
        next_stage(attempt(new, answers=answers), None, POLICY, NEW)
        for answers in ((), ("username",), ("terms",), ("username", "terms"))
    ]

    assert stages == [Stage.USERNAME, Stage.TERMS, Stage.USERNAME, Stage.REGISTER]
    registered = attempt(new, answers=("username", "terms")).registered(ALICE)
    assert next_stage(registered, HERS, POLICY, NEW) == Done(
        ALICE, (attrs.evolve(new, user_id=ALICE),)
    )


def test_what_a_sign_in_takes_over():
    """The account that was proven, how, and what the provider said of its own sign-in."""
    proof = a_proof(
        provider="oidc-a", provider_session="s", amr=("pwd", "otp"), acr="2", auth_time=NOW - 9
    )
    by_password = Done(ALICE, (PASSWORD,)).sign_in(digest="d", sign_in_id="i", now=NOW + 1)
    sign_in = Done(ALICE, (proof, PASSWORD)).sign_in(digest="d", sign_in_id="i", now=NOW + 1)

    assert (by_password.amr, by_password.acr, by_password.auth_time) == ("pwd", None, None)
    assert (sign_in.user_id, sign_in.digest, sign_in.name) == (ALICE, "d", "i")
    assert (sign_in.amr, sign_in.acr, sign_in.auth_time) == ("pwd otp", "2", NOW - 9)
    assert (sign_in.provider, sign_in.provider_session) == ("oidc-a", "s")
    assert sign_in.signed_in_at == sign_in.last_active_at == NOW + 1


def test_what_a_module_checks_counts_while_its_type_is_offered():
    """It is a proof like a password, and no provider of the sign-in that it leads to."""
    made = attempt(Proof(ProofKind.MODULE, NOW, ALICE, provider="com.example.otp"))
    offered = Policy(types=frozenset({"com.example.otp"}))

    done = next_stage(made, HERS, offered)

    assert isinstance(done, Done)
    sign_in = done.sign_in(digest="d", sign_in_id="i", now=NOW)
    assert (sign_in.amr, sign_in.provider) == (None, None)
    assert next_stage(made, HERS, Policy(passwords=True)) is Stage.IDENTIFY
    assert next_stage(made, HERS, Policy(providers=offered.types)) is Stage.IDENTIFY


def test_the_account_is_fixed_by_the_first_proof():
    """Or before: no proof of another one is taken, and none twice."""
    hers = attempt(PASSWORD)

    assert hers.user_id == ALICE
    assert hers.refuses(a_proof(BOB, provider="cas"))
    assert hers.refuses(PASSWORD)
    assert not hers.refuses(a_proof(provider="cas"))
    assert attempt(**AGAIN).refuses(a_proof(BOB))
    assert attempt(**AGAIN).refuses(a_proof(None, provider="cas"))
    assert not attempt(**AGAIN).refuses(PASSWORD)


@pytest.mark.parametrize(
    ("purpose", "passwords", "counts"),
    [
        (Purpose.RECOVER, True, True),
        (Purpose.RECOVER, False, False),  # `only_for_reauth`: no password signs anybody in
        (Purpose.SIGN_IN, True, False),
        (Purpose.PROVE_AGAIN, True, False),
        (Purpose.SIGN_UP, True, False),
    ],
)
def test_c253_a_link_proves_something_where_a_password_was_set_with_it(purpose, passwords, counts):
    """It is one proof of an attempt like any other: what else is demanded is asked for after it."""
    made = an_attempt(purpose=purpose, user_id=ALICE).having(Proof(ProofKind.LINK, NOW, ALICE))

    done = next_stage(made, HERS, Policy(passwords=passwords))
    asked = next_stage(made, HERS, Policy(passwords=passwords), Asked((Stage.TERMS,)))

    assert isinstance(done, Done) is counts
    assert asked is (Stage.TERMS if counts else Stage.IDENTIFY)


@pytest.mark.parametrize("purpose", [Purpose.SIGN_IN, Purpose.SIGN_UP, Purpose.PROVE_AGAIN])
@pytest.mark.parametrize("kind", sorted(SECOND | BESIDE))
def test_c293_a_second_factor_is_one_whatever_its_person_came_for(purpose, kind):
    """Also of who signs up where one is required, and sets it up on the way."""
    policy = attrs.evolve(POLICY, factors=frozenset({kind}))
    second = Second(Demand(rule=Rule.REQUIRED), Held(apps=1, passkeys=1, mail=1))
    made = attempt(PASSWORD, purpose=purpose, user_id=ALICE)
    proven = made.having(Proof(kind, NOW, ALICE))

    assert next_stage(made, HERS, policy, second=second) is Stage.FACTOR
    done = next_stage(proven, HERS, policy, second=second)
    assert isinstance(done, Done)
    assert done.level >= Level.TWO


def test_a_code_by_mail_counts_where_the_operator_lets_people_sign_in_so():
    """It is a one-time password (RFC 8176), and a fresh one: it was typed for this attempt."""
    made = attempt(Proof(ProofKind.EMAIL_CODE, NOW, ALICE))
    done = next_stage(made, HERS, Policy(email_codes=True))
    assert isinstance(done, Done)
    sign_in = done.sign_in(digest="d", sign_in_id="s", now=NOW)

    assert (sign_in.amr, done.is_fresh) == ("otp", True)
    assert next_stage(made, HERS, POLICY) is Stage.IDENTIFY
    assert next_stage(made, Account(BOB), Policy(email_codes=True)) != done


PROOFS = st.builds(
    Proof,
    kind=st.sampled_from(ProofKind),
    at=st.just(NOW),
    user_id=st.sampled_from([ALICE, BOB, None]),
    provider=st.sampled_from(["oidc-a", "cas", "com.example.otp", "gone", None]),
    provider_session=st.none() | st.text(max_size=5),
    auth_time=st.none() | st.integers(NOW - 100, NOW + 10),
    amr=st.lists(st.text(max_size=4), max_size=2),
    acr=st.none() | st.text(max_size=5),
)


@given(PROOFS)
def test_a_proof_comes_back_as_it_was(proof):
    """From the database's JSON."""
    assert attempt(proof).proven == (proof,)


@given(
    st.lists(PROOFS, max_size=4),
    st.lists(st.sampled_from([*Stage, *ADDED]), max_size=4),
    st.sampled_from(list(Purpose)),
    st.sampled_from([NOTHING, NEW, Asked((Stage.TERMS,)), Asked(added=ADDED), OTHERS]),
    st.booleans(),
    st.booleans(),
)
def test_c278_nothing_leads_to_the_end_but_what_is_demanded(
    proofs, answers, purpose, asked, passwords, email_codes
):
    """In whatever order somebody proves and answers things, taken or not by the flow that adds them."""
    types = frozenset({"com.example.otp"})
    policy = Policy(
        passwords=passwords,
        email_codes=email_codes,
        types=types,
        providers=frozenset({"oidc-a", "cas"}),
    )
    fixed = ALICE if purpose is Purpose.PROVE_AGAIN else None
    made = an_attempt(purpose=purpose, user_id=fixed)
    for proof in proofs:
        made = made.having(proof)
    for stage in answers:
        made = made.answering(stage.value, "sealed")

    for account in (HERS, Account(BOB), None):
        stage = next_stage(made, account, policy, asked)

        if isinstance(stage, Done):
            assert account is not None
            assert account.user_id == stage.user_id == made.user_id
            assert fixed in {None, stage.user_id}
            if purpose is Purpose.SIGN_UP:
                assert ProofKind.PASSWORD in {proof.kind for proof in stage.proofs}
            assert {*asked.stages, *asked.added} <= set(answers)
            assert any(
                proof.user_id == stage.user_id
                and (
                    passwords or purpose is Purpose.SIGN_UP
                    if proof.kind is ProofKind.PASSWORD
                    else passwords and purpose is Purpose.RECOVER
                    if proof.kind is ProofKind.LINK
                    else email_codes
                    if proof.kind is ProofKind.EMAIL_CODE
                    else proof.provider in types
                    if proof.kind is ProofKind.MODULE
                    else proof.provider in policy.providers
                )
                for proof in proofs
            )
            if purpose is Purpose.PROVE_AGAIN:
                assert all(
                    proof.kind is not ProofKind.PROVIDER or proof.auth_time >= NOW - 60
                    for proof in stage.proofs
                )


def test_what_other_modules_ask_comes_after_the_proof_and_the_account():
    """In the order in which they were added; what is ours is asked before."""
    proven = attempt(PASSWORD)
    new = attempt(a_proof(None, provider="oidc-a"))

    assert next_stage(attempt(), None, POLICY, OTHERS) is Stage.IDENTIFY
    assert next_stage(proven, HERS, POLICY, OTHERS) is Stage.TERMS
    assert next_stage(new.answering("terms", "x"), None, POLICY, OTHERS) is Stage.REGISTER
    answered = proven.answering("terms", "x")
    assert next_stage(answered, HERS, POLICY, OTHERS) == Added("terms"), "ours is another stage"
    answered = answered.answering("module:terms", "x")
    assert next_stage(answered, HERS, POLICY, OTHERS) == Added("org.example.human")
    done = next_stage(answered.answering("module:org.example.human", "x"), HERS, POLICY, OTHERS)
    assert isinstance(done, Done)


def test_c190_an_account_that_may_not_go_on_is_asked_nothing():
    """Other modules' words are for people who may come in."""
    locked = Account(ALICE, is_locked=True)

    stage = next_stage(attempt(PASSWORD), locked, POLICY, Asked(added=ADDED))
    assert stage == Refused(Standing.LOCKED)
