"""Lost second factors: who may ask for their removal, and that it never comes early or in silence."""

from functools import reduce

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import ALICE, NOW
from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.factors import lost
from synapse_nextgen_auth.accounts.factors.lost import (
    DAY,
    KEPT,
    Cancelled,
    Drawn,
    State,
    Terms,
    WhyNot,
    why_not,
)

TERMS = Terms(wait=7 * DAY)
PASSWORD = Proof(ProofKind.PASSWORD, NOW, ALICE)
LINK = Proof(ProofKind.LINK, NOW, ALICE)
CODE = Proof(ProofKind.EMAIL_CODE, NOW, ALICE)


def asked(wait=7 * DAY):
    return lost.asked(ALICE, Drawn("r", "d", "s"), Terms(wait=wait), now=NOW)


def why(*proofs, terms=TERMS, purpose=Purpose.SIGN_IN, is_admin=False, is_told=True, **said):
    given = {"purpose": purpose, "is_admin": is_admin, "is_told": is_told}
    return why_not(terms, proofs, **given, **said)


def test_off_by_default():
    """Nobody asks unless somebody who runs the server says how long they wait."""
    assert not Terms().are_on
    assert TERMS.are_on


@pytest.mark.parametrize("kind", [ProofKind.PASSWORD, ProofKind.PROVIDER, ProofKind.MODULE])
def test_who_proved_the_first_factor_may_ask(kind):
    assert why(Proof(kind, NOW, ALICE)) is None


@pytest.mark.parametrize("proofs", [(), (LINK,), (CODE,), (LINK, CODE)])
def test_c253_the_mailbox_alone_is_not_enough_unless_somebody_says_so(proofs):
    """It is where the notices go: whoever reads it would be asked, told and let in."""
    for purpose in (Purpose.SIGN_IN, Purpose.RECOVER):
        assert why(*proofs, purpose=purpose) is WhyNot.BY_MAIL
    helped = attrs.evolve(TERMS, by_mail=True)
    assert why(*proofs, terms=helped) is (None if proofs else WhyNot.BY_MAIL)


def test_c253_a_password_that_a_mail_set_is_no_more_than_the_mailbox():
    """What else somebody proved counts; so does the password where a mailbox is enough."""
    provider = Proof(ProofKind.PROVIDER, NOW, ALICE)

    assert why(PASSWORD, is_set_by_mail=True) is WhyNot.BY_MAIL
    assert why(PASSWORD, LINK, is_set_by_mail=True) is WhyNot.BY_MAIL
    assert why(provider, is_set_by_mail=True) is None
    helped = attrs.evolve(TERMS, by_mail=True)
    assert why(PASSWORD, terms=helped, is_set_by_mail=True) is None


def test_a_second_factor_alone_asks_for_nothing():
    """Whoever shows one has not lost it."""
    for kind in (ProofKind.TOTP, ProofKind.RECOVERY_CODE, ProofKind.FACTOR_MAIL, ProofKind.PASSKEY):
        assert why(Proof(kind, NOW, ALICE)) is WhyNot.BY_MAIL


@pytest.mark.parametrize(
    "purpose", [each for each in Purpose if each not in {Purpose.SIGN_IN, Purpose.RECOVER}]
)
def test_c295_it_is_no_way_to_a_fresh_or_stronger_proof(purpose):
    assert why(PASSWORD, purpose=purpose) is WhyNot.SIGNED_IN


def test_administrators_are_left_out_unless_somebody_says_so():
    assert why(PASSWORD, is_admin=True) is WhyNot.ADMIN
    assert why(PASSWORD, is_admin=True, terms=attrs.evolve(TERMS, admins=True)) is None


def test_c298_nobody_asks_where_the_owner_would_not_hear_of_it():
    assert why(PASSWORD, is_told=False) is WhyNot.NOBODY_TOLD


@given(wait=st.integers(DAY, lost.LONGEST_WAIT), later=st.integers(0, 200 * DAY))
def test_it_is_ready_after_the_waiting_time_and_not_for_ever(wait, later):
    """The owner is told again in between, with time left to stop it."""
    request = asked(wait)
    done = request.told(NOW).reminded(request.remind_at)
    state = done.state(NOW + later)

    assert NOW < request.remind_at < request.ready_at
    assert request.ready_at - request.remind_at >= DAY // 2
    assert (state is State.WAITING) == (later < wait)
    assert (state is State.READY) == (wait <= later < wait + KEPT)
    assert (state is State.OVER) == (later >= wait + KEPT)


@given(told=st.booleans(), reminded=st.booleans(), later=st.integers(0, 30 * DAY))
def test_c298_it_is_never_ready_before_the_owner_was_told_twice(told, reminded, later):
    request = asked()
    request = request.told(NOW) if told else request
    request = request.reminded(request.remind_at) if reminded else request
    assert (told and reminded) or request.state(NOW + later) is not State.READY


@given(told_at=st.integers(NOW, NOW + 60 * DAY), delay=st.integers(0, 60 * DAY))
def test_however_late_the_owner_is_told_the_time_to_stop_it_is_the_same(told_at, delay):
    """The process that tells may have been away: within the hour nobody minds."""
    request = asked().told(told_at)
    assert request.ready_at - told_at >= 7 * DAY - 3600
    reminded_at = request.remind_at + delay
    again = request.reminded(reminded_at)

    assert again.ready_at - reminded_at >= DAY - 3600
    assert again.expires_at - again.ready_at == KEPT
    assert again.state(again.ready_at - 1) is State.WAITING
    assert again.state(again.ready_at) is State.READY


STEPS = st.sampled_from(["tell", "remind", "cancel", "use", "wait"])


@given(st.lists(STEPS, max_size=30), st.lists(st.integers(0, 5 * DAY), min_size=30, max_size=30))
def test_c295_in_no_order_of_steps_is_what_was_stopped_used(steps, waits):
    """Nor is anything used twice, or before its time."""

    def step(at, each):
        request, now, stopped = at
        name, wait = each
        now += wait
        if name == "tell" and request.told_at is None and request.is_open(now):
            request = request.told(now)
        elif name == "remind" and request.told_at is not None and request.is_open(now):
            request = request.reminded(max(now, request.remind_at))
        elif name == "cancel" and request.is_open(now):
            request, stopped = attrs.evolve(request, cancelled_at=now), True
        elif name == "use" and request.state(now) is State.READY:
            assert not stopped
            assert request.used_at is None
            assert now - NOW >= 7 * DAY
            request = attrs.evolve(request, used_at=now)
        return request, now, stopped

    request, now, stopped = reduce(step, zip(steps, waits, strict=False), (asked(), NOW, False))
    assert not (stopped and request.used_at)
    assert request.used_at is None or request.state(now) is State.OVER


def test_what_the_owner_stops_rests_and_what_solved_itself_does_not():
    assert {each for each in Cancelled if each.is_by_the_owner} == {
        Cancelled.BROWSER,
        Cancelled.LINK,
        Cancelled.COMMAND,
    }


def test_its_secrets_are_in_no_log():
    shown = repr(attrs.evolve(asked(), digest="DIGEST", secret="SEALED", address="192.0.2.1"))
    assert not any(each in shown for each in ("DIGEST", "SEALED", "192.0.2.1"))


@given(st.integers(0, 20 * DAY), st.booleans(), st.booleans())
def test_nobody_who_waits_is_shown_a_time_that_is_over(after, is_told, is_reminded):
    """However late the owner is told; what is shown changes nothing else."""
    request = asked()
    request = request.told(NOW) if is_told else request
    request = request.reminded(request.remind_at) if is_reminded else request
    now = NOW + after
    shown = request.as_expected(now)

    if request.state(now) is State.WAITING:
        assert shown.ready_at > now
        assert shown.expires_at == shown.ready_at + KEPT
    else:
        assert is_told or request.state(now) is State.OVER
    assert shown.ready_at >= request.ready_at
    assert (shown.told_at, shown.reminded_at) == (request.told_at, request.reminded_at)
