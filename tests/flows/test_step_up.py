"""What was proven comes with the code, and what was proven for a while goes with the first tokens."""

import pytest

from support.records import (
    ADDRESS,
    ALICE,
    MATRIX,
    NOW,
    PHONE,
    REDIRECT_URI,
    VERIFIER,
    a_device_grant,
    a_device_opening,
    a_grant,
    a_session,
    a_sign_in,
    an_opening,
)
from synapse_nextgen_auth.accounts.factors.levels import ONE_FACTOR, REFEDS_MFA, TWO_FACTORS
from synapse_nextgen_auth.flows import authorize, device, redeem_code
from synapse_nextgen_auth.flows.authorize import Decision
from synapse_nextgen_auth.flows.redeem_code import Presented
from synapse_nextgen_auth.oauth.sessions import Proven
from synapse_nextgen_auth.store import device_grants, sessions, sign_ins
from synapse_nextgen_auth.store.device_grants import Codes

TWO = {"level": 2, "amr": "pwd otp mfa"}


def let_in(tables, transact, session_id, *, by=None, now=NOW, **asked):
    """Let Alice's phone in by a sign-in like this; return its session."""
    grant = a_grant(grant_id=session_id, **asked)
    sign_in = a_sign_in(session_id, signed_in_at=now - 60, sign_in_id=session_id, **(by or {}))
    tables.run(sign_ins.add, sign_in)
    tables.run(authorize.request, grant)
    decision = Decision(sign_in, session_id, now + 120, ADDRESS)
    assert transact(authorize.approve, grant, decision, now=now)
    presented = Presented(session_id, "app", REDIRECT_URI, VERIFIER, an_opening(session_id))
    redeemed = transact(redeem_code.redeem, presented, now=now).value
    return tables.run(sessions.get, redeemed.session.session_id)


@pytest.mark.parametrize(
    ("by", "asked", "level", "acr"),
    [
        ({}, None, 1, ONE_FACTOR),
        (TWO, None, 2, TWO_FACTORS),
        (TWO, f"{REFEDS_MFA} {ONE_FACTOR}", 2, REFEDS_MFA),
        ({"acr": "silver", "provider": "oidc-a"}, "silver", 1, "silver"),
        ({"acr": TWO_FACTORS, "provider": "oidc-a"}, None, 1, ONE_FACTOR),
    ],
)
def test_a_session_has_what_was_proven_for_it(tables, transact, by, asked, level, acr):
    """How many factors, and the word that its client asked for if it is met."""
    session = let_in(tables, transact, "aa" * 16, by=by, acr_values=asked)

    # A provider that does not say when may have known its person from before.
    when = None if "provider" in by else NOW - 60
    assert (session.level, session.acr, session.amr) == (level, acr, by.get("amr"))
    assert session.proven(1) == Proven(NOW - 60, when, level, by.get("amr"), acr)
    assert session.proven(7) == session.proven(1)


def test_a_device_has_what_was_proven_for_it(tables, transact):
    """On another device than the one that asks."""
    tables.run(sign_ins.add, a_sign_in(sign_in_id="there", **TWO))
    grant = a_device_grant(browser="browser")
    transact(device.request, grant, Codes("code", "user", "half"))
    by = a_sign_in(sign_in_id="there", **TWO)
    assert transact(device.approve, grant, by=by, now=NOW, address=ADDRESS)

    session = transact(device.redeem, "code", a_device_opening("bb" * 16), now=NOW + 5).value

    assert (session.level, session.acr, session.amr) == (2, TWO_FACTORS, "pwd otp mfa")
    assert tables.run(device_grants.get, grant.grant_id).level == 2


@pytest.mark.parametrize("asked", [{"acr_values": TWO_FACTORS}, {"login_after": NOW}])
def test_tokens_after_the_first_are_what_they_were_before(tables, transact, asked):
    """MSC4363: who has them renewed has proved nothing."""
    before = let_in(tables, transact, "aa" * 16, by={"amr": "pwd"}, now=NOW - 5000)
    stepped = let_in(tables, transact, "bb" * 16, by=TWO, **asked)
    again = let_in(tables, transact, "cc" * 16, by=TWO, now=NOW + 900, **asked)

    assert stepped.proven(1) == Proven(NOW - 60, NOW - 60, 2, "pwd otp mfa", TWO_FACTORS)
    assert (
        stepped.proven(2)
        == before.proven(1)
        == Proven(NOW - 5060, NOW - 5060, 1, "pwd", ONE_FACTOR)
    )
    assert again.proven(1).auth_time == NOW + 840
    assert again.proven(2) == before.proven(1)


def test_who_signs_in_anew_keeps_what_they_proved(tables, transact):
    """Nobody asked for it for a while: it is what this session is from now on."""
    let_in(tables, transact, "aa" * 16)
    anew = let_in(tables, transact, "bb" * 16, by=TWO)

    assert anew.proven(1) == anew.proven(2)
    assert anew.level == 2


def test_the_first_session_of_a_client_keeps_what_was_proven(tables, transact):
    """There is nothing before it that its tokens could go back to."""
    session = let_in(tables, transact, "aa" * 16, by=TWO, acr_values=TWO_FACTORS)

    assert session.proven(1) == session.proven(2)


def test_c295_a_new_sign_in_with_less_brings_nothing_back(tables, transact):
    """Who knows one factor gets no session of two by asking for a fresh sign-in on its device."""
    let_in(tables, transact, "aa" * 16, by=TWO)
    session = let_in(tables, transact, "bb" * 16, acr_values=ONE_FACTOR, login_after=NOW)

    assert session.proven(1).level == session.proven(2).level == 1


def test_c295_what_another_client_proved_is_none_of_this_one(tables, transact):
    """The device is taken over, and nothing else."""
    former = a_session(
        session_id="dd" * 16, user_id=ALICE, device_id=PHONE, client_id="other", level=1
    )
    tables.run(sessions.add, former)
    session = let_in(tables, transact, "aa" * 16, by=TWO, acr_values=TWO_FACTORS)

    assert session.scope == MATRIX
    assert session.proven(1) == session.proven(2)


def test_a_later_time_is_never_made_of_an_earlier_one(tables, transact):
    """A clock that went back: the session is as old as the older of both."""
    let_in(tables, transact, "aa" * 16, now=NOW + 50)
    session = let_in(tables, transact, "bb" * 16, login_after=NOW)

    assert session.proven(2).auth_time == session.proven(1).auth_time == NOW - 60


def test_a_provider_that_was_asked_for_it_is_believed(tables, transact):
    """What its person proved for this very grant has a time, though it does not say one."""
    by = {"acr": "silver", "provider": "oidc-a"}
    session = let_in(tables, transact, "aa" * 16, by=by, sign_in_id="aa" * 16, proven_at=NOW - 20)
    other = let_in(tables, transact, "bb" * 16, by=by, sign_in_id="another", proven_at=NOW - 20)

    assert session.proven_at == NOW - 20
    assert other.proven_at is None
