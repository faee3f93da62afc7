"""Codes of second factors on a database: each counts once, guesses wherever they come from."""

from functools import partial
from itertools import pairwise

import pytest

from support.factors import KEYS, give_app, give_codes, owner, shown, wrong
from support.records import ALICE, BOB, NOW, a_place, a_proof, an_attempt
from support.tables import settled
from synapse_nextgen_auth.accounts.attempts.attempt import ProofKind
from synapse_nextgen_auth.accounts.attempts.stages import Policy
from synapse_nextgen_auth.accounts.factors.apps import furthest
from synapse_nextgen_auth.accounts.factors.demands import Demand, Level, Rule
from synapse_nextgen_auth.accounts.people import Account
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows import prove_factor as flows
from synapse_nextgen_auth.flows.attempts import Ending
from synapse_nextgen_auth.flows.prove_factor import (
    IN_ATTEMPT,
    IN_DAY,
    IN_HOUR,
    TOLD_AFTER,
    Trial,
    Used,
)
from synapse_nextgen_auth.secret import Keyring, Secret
from synapse_nextgen_auth.store import attempts, factors

NEWER = Keyring.of(b"another secret of the tests, as long", [b"a secret of the tests, long enough"])
FOREIGN = Keyring.of(b"a secret of nobody's, and long enough")
POLICY = Policy(passwords=True, factors=frozenset({ProofKind.TOTP, ProofKind.RECOVERY_CODE}))
NO_CODE = Secret("A" * 10)


def proven(tables, attempt_id="attempt"):
    """Return an attempt in which Alice typed her password."""
    attempt = an_attempt(attempt_id=attempt_id).having(a_proof())
    tables.run(attempts.add, attempt)
    return attempt


def trying(typed, attempt_id="attempt", at=0, keys=KEYS, user_id=ALICE):
    by = owner(at, user_id)
    if isinstance(typed, Secret):
        return partial(
            flows.try_recovery_code, attempt_id=attempt_id, typed=typed, owner=by, keys=keys
        )
    return partial(flows.try_app, attempt_id=attempt_id, typed=typed, owner=by, keys=keys)


def entering(tables, typed, **said):
    return tables.transact(settled(tables, trying(typed, **said)))


def proving(attempt, tried, number=0):
    ending = Ending(
        digest=f"digest {attempt.attempt_id} {number}",
        sign_in_id=f"sign-in {attempt.attempt_id} {number}",
        account=Account(ALICE),
        policy=POLICY,
        demand=Demand(rule=Rule.REQUIRED),
        place=a_place(),
    )
    return caught(
        partial(flows.take, attempt=attempt, tried=tried, owner=owner(), ending=ending, now=NOW)
    )


def caught(flow):
    def run(txn):
        try:
            return flow(txn)
        except Used:
            return Used

    return run


def test_the_code_of_an_app_signs_in_whoever_typed_the_password(tables, transact):
    """As two factors; and the app knows when it was used."""
    secret, attempt = give_app(tables), proven(tables)
    tried = entering(tables, shown(secret))
    signed_in = transact(proving(attempt, tried))
    app = tables.run(factors.get_app, "app", ALICE)

    assert tried.trial is Trial.RIGHT
    assert tried.proof.provider == "app"
    assert isinstance(signed_in, SignIn)
    assert signed_in.factors == Level.TWO
    assert signed_in.amr == "pwd otp mfa"
    assert (app.last_step, app.last_used_at) == (NOW // 30, NOW)
    assert tables.query("SELECT count FROM nextgen_throttle WHERE count > 0") == []


def test_c289_a_code_is_taken_once(tables, transact):
    """Typed again, in another attempt, or one before it that was slow."""
    secret, attempt, other = give_app(tables), proven(tables), proven(tables, "other")
    early = entering(tables, shown(secret, -30), attempt_id="other")
    transact(proving(attempt, entering(tables, shown(secret))))

    assert entering(tables, shown(secret), attempt_id="other").trial is Trial.USED
    assert entering(tables, shown(secret, -30), attempt_id="other").trial is Trial.USED
    assert transact(proving(other, early)) is Used
    assert entering(tables, shown(secret, 30), attempt_id="other").trial is Trial.RIGHT


def test_c289_of_attempts_that_race_with_one_code_one_signs_in(tables):
    secret = give_app(tables)
    each = [proven(tables, f"attempt {number}") for number in range(6)]
    tried = [entering(tables, shown(secret), attempt_id=one.attempt_id) for one in each]
    done = tables.race([proving(one, right) for one, right in zip(each, tried, strict=True)])

    assert {one.trial for one in tried} == {Trial.RIGHT}
    assert sum(isinstance(one, SignIn) for one in done) == 1
    assert done.count(Used) == 5


def test_each_app_of_an_account_is_asked(tables, transact):
    give_app(tables, "one")
    secret, attempt = give_app(tables, "two"), proven(tables)
    tried = entering(tables, shown(secret))
    transact(proving(attempt, tried))

    assert tried.app.app_id == "two"
    assert tables.run(factors.get_app, "one", ALICE).last_used_at is None


def test_nobody_proves_anything_with_an_app_of_another_account(tables):
    secret = give_app(tables, "of bob", BOB)
    give_app(tables)

    assert entering(tables, shown(secret)).trial is Trial.WRONG


def test_an_app_that_was_not_confirmed_proves_nothing(tables):
    secret = give_app(tables)
    with tables.begin() as txn:
        txn.execute("UPDATE nextgen_totp_apps SET confirmed_at = NULL")

    assert entering(tables, shown(secret)).trial is Trial.WRONG


def test_a_secret_is_sealed_anew_when_it_is_used(tables, transact):
    secret, attempt = give_app(tables), proven(tables)
    transact(proving(attempt, entering(tables, shown(secret), keys=NEWER)))
    app = tables.run(factors.get_app, "app", ALICE)

    assert app.opened(NEWER) == secret
    assert app.opened(KEYS) is None


def test_what_no_key_opens_is_wrong_and_no_error(tables):
    secret, (code, *_) = give_app(tables), give_codes(tables)

    assert entering(tables, shown(secret), keys=FOREIGN).trial is Trial.WRONG
    assert entering(tables, code, keys=FOREIGN).trial is Trial.WRONG


def test_c289_an_app_whose_step_a_wrong_clock_noted_works(tables, transact):
    """C379: it is from tomorrow."""
    secret, attempt = give_app(tables), proven(tables)
    with tables.begin() as txn:
        txn.execute("UPDATE nextgen_totp_apps SET last_step = ?", (furthest(NOW) + 2880,))
    done = transact(proving(attempt, entering(tables, shown(secret))))

    assert isinstance(done, SignIn)
    assert entering(tables, shown(secret)).trial is Trial.USED


def test_a_recovery_code_signs_in_once(tables, transact):
    """Its owner hears of it, and of how many are left."""
    give_app(tables)
    code, other, *_ = give_codes(tables)
    attempt = proven(tables)
    tried = entering(tables, code)
    signed_in = transact(proving(attempt, tried))
    detail = tables.query("SELECT detail FROM nextgen_events WHERE kind = 'recovery_code_used'")

    assert signed_in.factors == Level.TWO
    assert detail == [("9 left",)]
    assert entering(tables, code).trial is Trial.USED
    assert entering(tables, other).trial is Trial.RIGHT


def test_c289_of_attempts_that_race_with_one_recovery_code_one_signs_in(tables):
    give_app(tables)
    code, *_ = give_codes(tables)
    each = [proven(tables, f"attempt {number}") for number in range(6)]
    tried = [entering(tables, code, attempt_id=one.attempt_id) for one in each]
    done = tables.race([proving(one, right) for one, right in zip(each, tried, strict=True)])

    assert sum(isinstance(one, SignIn) for one in done) == 1
    assert done.count(Used) == 5
    assert sorted(tables.events()) == ["recovery_code_used", "signed_in"]


def test_a_recovery_code_is_of_one_account(tables):
    give_app(tables)
    code, *_ = give_codes(tables, BOB)

    assert entering(tables, code).trial is Trial.WRONG


@pytest.mark.parametrize("typed", ["app", "recovery code"])
def test_c291_five_wrong_codes_are_all_that_an_attempt_looks_at(tables, typed):
    """The right one after them is not looked at; in another attempt it is."""
    secret, (code, *_) = give_app(tables), give_codes(tables)
    is_app = typed == "app"
    right, bad = (shown(secret), wrong(secret)) if is_app else (code, NO_CODE)
    tried = [entering(tables, bad).trial for _ in range(IN_ATTEMPT)]

    assert set(tried) == {Trial.WRONG}
    assert entering(tables, right).trial is Trial.OVER
    # The bucket of the account is full as well, for a while.
    assert entering(tables, right, attempt_id="other").trial is Trial.TOO_OFTEN
    later = shown(secret, 800) if is_app else code
    assert entering(tables, later, attempt_id="other", at=800).trial is Trial.RIGHT


def test_c291_who_guesses_at_apps_keeps_nobody_from_a_recovery_code(tables):
    secret, (code, *_) = give_app(tables), give_codes(tables)
    for _ in range(IN_ATTEMPT):
        entering(tables, wrong(secret))

    assert entering(tables, shown(secret)).trial is Trial.OVER
    assert entering(tables, code).trial is Trial.RIGHT


def test_c291_a_right_code_counts_as_no_guess(tables):
    secret = give_app(tables)
    tried = [entering(tables, shown(secret)).trial for _ in range(3 * IN_ATTEMPT)]

    assert set(tried) == {Trial.RIGHT}


def test_c291_of_guesses_at_once_no_more_than_five_are_looked_at(tables):
    """In one attempt, and of as many attempts as one likes."""
    secret = give_app(tables)
    bad = [settled(tables, trying(wrong(secret), attempt_id=f"attempt {n}")) for n in range(24)]
    tried = [each.trial for each in tables.race(bad)]

    assert tried.count(Trial.WRONG) == IN_HOUR // 2
    assert tried.count(Trial.TOO_OFTEN) == len(bad) - IN_HOUR // 2
    assert tables.events().count("factor_refused") == IN_HOUR // 2


@pytest.mark.parametrize("apps", [1, 2, 3, 5])
def test_c291_however_patient_somebody_is(tables, apps):
    """No hour and no day has more: guesses at three codes of each app hit once in 10,000 days."""
    secrets = [give_app(tables, f"app {number}") for number in range(apps)]
    looked = []
    for at in range(0, 2 * 86400, 240):
        tried = tables.run(trying(wrong(secrets[0], at), attempt_id=f"attempt {at}", at=at))
        looked += [at] if tried.trial is not Trial.TOO_OFTEN else []
    in_hour = max(sum(at <= each < at + 3600 for each in looked) for at in looked)
    in_day = max(sum(at <= each < at + 86400 for each in looked) for at in looked)

    assert IN_HOUR // 2 // apps <= in_hour <= IN_HOUR
    assert IN_DAY // apps // 2 <= in_day <= IN_DAY // apps
    assert in_day * apps * 3 / 10**6 < 1e-4


@pytest.mark.parametrize("minutes", [50, 65, 5 * 60, 8 * 60 - 1])
def test_c291_the_owner_hears_of_guesses_for_as_long_as_they_go_on(tables, minutes):
    """However even their pace is: each day of them has a notice."""
    secret = give_app(tables)
    for at in range(0, 14 * 86400, minutes * 60):
        entering(tables, wrong(secret, at), attempt_id=f"attempt {at}", at=at)
    told = tables.query(
        "SELECT happened_at FROM nextgen_events WHERE kind = 'factor_guessed' ORDER BY happened_at"
    )
    times = [at - NOW for (at,) in told]

    assert times[0] <= 86400
    assert max(later - at for at, later in pairwise([*times, 14 * 86400])) <= 2 * 86400


def test_c291_the_owner_hears_of_guesses(tables):
    """Each is an event; after some of them there is a notice."""
    secret = give_app(tables)
    for number in range(TOLD_AFTER):
        assert "factor_guessed" not in tables.events()
        entering(tables, wrong(secret), attempt_id=f"attempt {number}")
    before = tables.events()
    for number in range(TOLD_AFTER):
        entering(tables, wrong(secret, 4000), attempt_id=f"later {number}", at=4000)

    assert sorted(before) == ["factor_guessed", *["factor_refused"] * TOLD_AFTER]
    assert tables.events().count("factor_guessed") == 2
    assert tables.query("SELECT DISTINCT detail FROM nextgen_events") == [("totp",)]
