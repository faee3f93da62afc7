"""Taking the second factors of an account away: all of them, once, and not in silence."""

from functools import partial

import attrs
import pytest

from support.approved import EVERYTHING, approve, waits
from support.records import ALICE, BOB, NOW, a_proof, a_session, a_sign_in, an_attempt
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.mail import FactorMail
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import Passkey
from synapse_nextgen_auth.accounts.factors.policy import Remembered
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.flows import reset_factors
from synapse_nextgen_auth.flows.reset_factors import Reset
from synapse_nextgen_auth.store import (
    attempts,
    factor_mail,
    factor_owed,
    factors,
    passkeys,
    remembered,
    sessions,
    sign_ins,
)

APP = App("app", ALICE, "sealed", "phone", NOW, NOW)
TABLES = (
    *("nextgen_totp_apps", "nextgen_recovery_codes", "nextgen_factor_mail"),
    *("nextgen_passkeys", "nextgen_remembered", "nextgen_factor_owed"),
)


def a_passkey(user_id):
    return Passkey(user_id, user_id, "handle", "example.com", "key", "phone", NOW)


@pytest.fixture(autouse=True)
def accounts(tables, two_accounts):
    """Give each of the two one of everything; Bob has no password."""
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = NULL WHERE name = ?", (BOB,))
        for user_id in (ALICE, BOB):
            factors.APPS.insert(txn, attrs.evolve(APP, app_id=user_id, user_id=user_id))
            factors.CODES.insert(txn, RecoveryCode(user_id, "mac", NOW))
            factors.CODES.insert(txn, RecoveryCode(user_id, "used", NOW, NOW))
            passkeys.add(txn, a_passkey(user_id))
            factor_mail.put(txn, FactorMail(user_id, f"{user_id}@example.com", NOW))
            remembered.add(txn, Remembered(user_id, user_id, user_id, NOW, NOW + 60))
            factor_owed.note(txn, user_id, now=NOW)


def reset(user_id=ALICE):
    return partial(reset_factors.reset, user_id=user_id, by="command: lost it", now=NOW)


def left(tables):
    return {
        table: [name for (name,) in tables.query(f"SELECT DISTINCT user_id FROM {table}")]
        for table in TABLES
    }


def test_c298_all_factors_of_the_account_go_and_that_is_written_down(tables, transact):
    """With who did it and why; nobody else's are touched, and the time begins anew."""
    assert transact(reset()).value == Reset(Held(apps=1, passkeys=1, codes=1), has_password=True)
    assert left(tables) == {table: [BOB] for table in TABLES}
    assert tables.query("SELECT kind, happened_at, user_id, detail FROM nextgen_events") == [
        ("factors_reset", NOW, ALICE, "command: lost it")
    ]
    assert transact(reset(BOB)).value.has_password is False


def test_what_is_not_there_is_not_taken_away_twice(tables, transact):
    """And an account that there is not has none."""
    transact(reset())

    assert transact(reset()).value is None
    assert transact(reset("@nobody:example.org")).value is None
    assert tables.count("nextgen_events") == 1


def test_what_somebody_had_begun_to_prove_is_over(tables, transact):
    """Also a sign-in that waited for the factor: its person begins again, and proves what is left."""
    tables.run(attempts.add, an_attempt().having(a_proof()))
    tables.run(attempts.add, an_attempt(attempt_id="bobs").having(a_proof(BOB)))

    transact(reset())

    assert tables.run(attempts.get, "attempt").ended_at == NOW
    assert tables.run(attempts.get, "bobs").ended_at is None


def test_c298_what_the_lost_factor_let_in_and_nobody_fetched_is_worth_nothing(tables, transact):
    """Perhaps whoever found the phone approved it; what others approved stays."""
    approve(tables, ALICE)
    approve(tables, BOB)

    transact(reset())

    assert waits(tables, ALICE) == set()
    assert waits(tables, BOB) == EVERYTHING


def test_who_is_signed_in_has_proved_one_factor_from_then_on(tables, transact):
    """It may be whoever has the lost phone; other people's sign-ins stay what they are."""
    for name, user_id in (("hers", ALICE), ("bobs", BOB)):
        tables.run(sign_ins.add, a_sign_in(name, user_id=user_id, level=2, amr="pwd otp mfa"))

    tables.run(
        sessions.add, a_session(level=2, amr="pwd otp mfa", former_level=2, former_amr="mfa")
    )
    other = a_session(session_id="bobs", user_id=BOB, level=2)
    tables.run(sessions.add, other)

    transact(reset())

    session = tables.run(sessions.get, a_session().session_id)
    assert (session.level, session.amr, session.former_level) == (1, "pwd otp", 1)
    assert tables.run(sessions.get, "bobs") == other
    hers, bobs = (tables.run(sign_ins.get, a_sign_in(name).digest) for name in ("hers", "bobs"))
    assert (hers.factors, hers.amr) == (1, "pwd otp")
    assert (bobs.factors, bobs.amr) == (2, "pwd otp mfa")


def test_who_has_what_is_listed(tables, transact):
    """Unconfirmed apps and used codes are nothing."""
    transact(reset(BOB))
    unconfirmed = attrs.evolve(APP, app_id="other", user_id=BOB, confirmed_at=None)
    tables.run(factors.APPS.insert, unconfirmed)

    assert tables.run(factors.list_held) == [(ALICE, Held(apps=1, passkeys=1, codes=1))]
