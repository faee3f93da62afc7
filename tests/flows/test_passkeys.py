"""Passkeys: whose they are, that the last way in stays, and that each answer counts once."""

from functools import partial

import attrs
import pytest

from support.factors import give_app
from support.records import ADDRESS, ALICE, BOB, NOW, a_place, a_proof, a_sign_in, an_attempt
from synapse_nextgen_auth.accounts.attempts.attempt import ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.stages import Policy, Stage
from synapse_nextgen_auth.accounts.factors.demands import Demand, Level, Rule
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.mail import FactorMail
from synapse_nextgen_auth.accounts.factors.passkeys import ceremonies
from synapse_nextgen_auth.accounts.factors.passkeys.ceremonies import Used
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import Passkey
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.accounts.own_ways import LetsIn
from synapse_nextgen_auth.accounts.people import Account
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows import close_account, passkeys
from synapse_nextgen_auth.flows.attempts import Ending, Lost
from synapse_nextgen_auth.flows.authenticator_apps import Undone
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.flows.passkeys import MOST, Added, Kept, New, Use
from synapse_nextgen_auth.store import attempts as attempt_rows
from synapse_nextgen_auth.store import factor_mail, factors, sign_ins
from synapse_nextgen_auth.store import passkeys as rows

OWNER = Owner(user_id=ALICE, now=NOW + 5, address=ADDRESS)
LETS_IN = LetsIn(passwords=True, passkeys="example.com")
REQUIRED, OPTIONAL = Demand(rule=Rule.REQUIRED), Demand(rule=Rule.OPTIONAL)
POLICY = Policy(passwords=True, factors=frozenset({ProofKind.PASSKEY, ProofKind.TOTP}))
CHALLENGE = b"of five minutes ago"


def a_passkey(name="phone", **fields):
    return Passkey(
        **{
            "credential_id": name,
            "user_id": ALICE,
            "user_handle": "handle",
            "rp_id": "example.com",
            "public_key": "key",
            "name": name,
            "made_at": NOW,
            "is_verified": True,
            **fields,
        }
    )


pytestmark = pytest.mark.usefixtures("two_accounts")


def without_password(tables):
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = NULL")


def add(tables, passkey, owner=OWNER, challenge=None, **fields):
    challenge = challenge or passkey.credential_id.encode()
    return tables.run(passkeys.add, New(passkey=passkey, challenge=challenge, **fields), owner)


def remove(tables, name="phone", owner=OWNER, lets_in=LETS_IN, demand=OPTIONAL):
    return tables.run(passkeys.remove, name, owner, lets_in, demand)


def held(tables):
    return tables.run(factors.held, ALICE)


def test_one_is_added_renamed_and_removed(tables):
    """Its owner hears of the first and the last."""
    assert add(tables, a_passkey()) == Added(made_codes=True)
    assert held(tables).passkeys == 1
    assert tables.run(passkeys.rename, "phone", "Old phone", OWNER) is None
    assert [each.name for each in tables.run(rows.list_for, ALICE)] == ["Old phone"]

    assert remove(tables) is None

    assert tables.run(rows.list_for, ALICE) == []
    assert set(tables.events()) == {"factor_added", "recovery_codes_made", "factor_removed"}


def test_recovery_codes_come_with_the_first_factor_and_go_with_the_last(tables):
    """They stand in for it, and for nothing else."""
    codes = tuple(RecoveryCode(ALICE, f"mac {n}", NOW) for n in range(10))

    assert add(tables, a_passkey(), codes=codes) == Added(made_codes=True)
    assert add(tables, a_passkey("laptop"), codes=codes) == Added(made_codes=False)
    assert held(tables).codes == 10
    remove(tables)
    assert held(tables).codes == 10
    remove(tables, "laptop")
    assert held(tables).codes == 0


def test_whoever_made_one_has_proved_a_second_factor_by_that(tables):
    """The sign-in in which they did it need not be proven again for what comes next."""
    signed_in = a_sign_in("secret")
    tables.run(sign_ins.add, signed_in)

    add(tables, a_passkey(), sign_in=signed_in.digest)

    assert tables.run(sign_ins.get, signed_in.digest).factors == 2


def enrolling(attempt, name="phone"):
    passkey = a_passkey(name)
    proof = ceremonies.proof(passkey, a_use(passkey).used, now=NOW)
    new = New(passkey=passkey, challenge=name.encode())
    return partial(passkeys.enrol, attempt=attempt, proof=proof, new=new, owner=OWNER)


def test_c294_the_first_factor_is_set_up_in_the_attempt_that_asks_for_one(tables):
    """Making it is the second proof of the attempt."""
    attempt = an_attempt(user_id=ALICE).having(a_proof())
    tables.run(attempt_rows.add, attempt)

    assert isinstance(tables.run(enrolling(attempt)), Added)

    assert [each.kind for each in tables.run(attempt_rows.get, "attempt").proven] == [
        ProofKind.PASSWORD,
        ProofKind.PASSKEY,
    ]


def test_c294_who_has_a_factor_sets_up_no_other_with_a_password_alone(tables):
    """A thief of the password would."""
    attempt = an_attempt(user_id=ALICE).having(a_proof())
    tables.run(attempt_rows.add, attempt)
    add(tables, a_passkey())

    assert tables.run(enrolling(attempt, "thiefs")) is Kept.NOT_FIRST
    assert held(tables).passkeys == 1


def test_c294_nothing_counts_where_the_attempt_is_over(tables):
    attempt = an_attempt(user_id=ALICE).having(a_proof())
    tables.run(attempt_rows.add, attrs.evolve(attempt, ended_at=NOW))

    with pytest.raises(Undone):
        tables.run(enrolling(attempt))

    assert held(tables).passkeys == 0


def test_c282_a_key_that_somebody_has_is_added_to_nobody(tables):
    """Whoever it is, and nothing of theirs changes."""
    add(tables, a_passkey())
    bobs = Owner(user_id=BOB, now=NOW)

    taken = add(tables, a_passkey(user_id=BOB), owner=bobs, challenge=b"another")

    assert taken is Kept.TAKEN
    assert add(tables, a_passkey(), challenge=b"a third") is Kept.TAKEN
    assert tables.run(rows.get, "phone") == a_passkey()


def test_c279_an_answer_adds_one_key(tables):
    assert isinstance(add(tables, a_passkey(), challenge=CHALLENGE), Added)
    assert add(tables, a_passkey("laptop"), challenge=CHALLENGE) is Kept.SPENT


def test_nobody_has_hundreds(tables):
    for number in range(MOST):
        assert isinstance(add(tables, a_passkey(f"key {number}")), Added)

    assert add(tables, a_passkey("one more")) is Kept.TOO_MANY


def test_a_closed_account_gets_none_and_keeps_none(tables):
    add(tables, a_passkey())
    tables.run(partial(close_account.clear, user_id=ALICE, now=NOW))
    assert held(tables).passkeys == 0
    with tables.begin() as txn:
        txn.execute("UPDATE users SET deactivated = 1")

    assert add(tables, a_passkey("late")) is Kept.CLOSED
    assert remove(tables) is Kept.CLOSED
    assert tables.run(passkeys.rename, "phone", "x", OWNER) is Kept.CLOSED


def test_c301_another_accounts_key_is_none(tables):
    add(tables, a_passkey())
    bobs = Owner(user_id=BOB, now=NOW)

    assert remove(tables, owner=bobs) is Kept.ABSENT
    assert tables.run(passkeys.rename, "phone", "Bob's", bobs) is Kept.ABSENT
    assert tables.run(rows.get, "phone") == a_passkey()


def test_c286_the_last_way_in_stays(tables):
    """Without a password a key that lets nobody in alone is none."""
    without_password(tables)
    add(tables, a_passkey())
    add(tables, a_passkey("stick", is_verified=False))

    assert remove(tables) is Kept.LAST_WAY_IN
    assert remove(tables, "stick") is None
    assert isinstance(add(tables, a_passkey("laptop")), Added)
    assert remove(tables) is None
    assert remove(tables, "laptop") is Kept.LAST_WAY_IN


def test_c286_a_key_stays_that_would_leave_the_mailbox_twice(tables):
    """It lets nobody in alone, and is all that a code by mail, which signs in, is proven beside."""
    without_password(tables)
    add(tables, a_passkey("stick", is_verified=False))
    with tables.begin() as txn:
        txn.execute(
            "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
            " VALUES (?, 'email', 'alice@example.com', 1, 1)",
            (ALICE,),
        )
    tables.run(factor_mail.put, FactorMail(ALICE, "alice@example.com", NOW))
    here = attrs.evolve(LETS_IN, codes=True, mails=True)

    assert remove(tables, "stick", lets_in=here) is Kept.MAILBOX
    assert held(tables) == Held(passkeys=1, mail=1, codes=held(tables).codes)
    give_app(tables)
    assert remove(tables, "stick", lets_in=here) is None


def test_c286_the_last_factor_that_is_demanded_stays(tables):
    add(tables, a_passkey())

    assert remove(tables, demand=REQUIRED) is Kept.DEMANDED
    add(tables, a_passkey("laptop"))
    assert remove(tables, demand=REQUIRED) is None
    assert remove(tables, "laptop", demand=REQUIRED) is Kept.DEMANDED
    assert remove(tables, "laptop", demand=OPTIONAL) is None


def test_c286_what_is_of_another_site_is_not_what_is_left(tables):
    """Neither as a way in, nor as the factor that is demanded; it may go at any time."""
    without_password(tables)
    add(tables, a_passkey())
    add(tables, a_passkey("old", rp_id="old.example.com"))

    assert remove(tables) is Kept.LAST_WAY_IN
    assert remove(tables, "old", demand=REQUIRED) is None
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = 'x'")
    add(tables, a_passkey("old", rp_id="old.example.com"), challenge=b"once more")
    assert remove(tables, demand=REQUIRED) is Kept.DEMANDED


def an_ending(**fields):
    return Ending(
        **{
            "digest": a_sign_in("secret").digest,
            "sign_in_id": "secret",
            "account": Account(ALICE),
            "policy": POLICY,
            "demand": OPTIONAL,
            "place": a_place(address=ADDRESS),
            **fields,
        }
    )


def a_use(passkey, count=1, challenge=CHALLENGE, **fields):
    used = Used(**{"sign_count": count, "is_synced": False, "is_verified": True, **fields})
    return Use(passkey=passkey, used=used, challenge=challenge)


def beginning(use, attempt, secret=""):
    secret = secret or use.challenge.hex()
    ending = an_ending(digest=a_sign_in(secret).digest, sign_in_id=secret)
    return partial(passkeys.begin, use=use, attempt=attempt, ending=ending, now=NOW)


def begin(tables, use):
    proof = ceremonies.proof(use.passkey, use.used, now=NOW)
    attempt = an_attempt(attempt_id=use.challenge.hex()).having(proof)
    return tables.run(beginning(use, attempt))


def test_a_key_whose_device_knows_its_owner_is_both_factors(tables):
    """Nobody types anything."""
    passkey = a_passkey(may_sync=True)
    add(tables, passkey)

    begun = begin(tables, a_use(passkey, count=7, is_synced=True))

    assert isinstance(begun, SignIn)
    assert begun.amr.split() == ["pop", "swk", "user", "mfa"]
    assert begun.factors == Level.RESISTANT
    now = tables.run(rows.get, "phone")
    assert (now.sign_count, now.is_synced, now.last_used_at) == (7, 1, NOW)


def test_c279_an_answer_counts_once(tables):
    """Also one of a key that never counts."""
    passkey = a_passkey()
    add(tables, passkey)
    use = a_use(passkey, count=0)

    assert isinstance(begin(tables, use), SignIn)
    assert begin(tables, use) is Lost.CHANGED
    assert isinstance(begin(tables, a_use(passkey, count=0, challenge=b"new")), SignIn)


def test_c279_two_that_come_at_once_count_once(tables):
    """What was read before the other one counted is too old."""
    passkey = a_passkey()
    add(tables, passkey)

    assert isinstance(begin(tables, a_use(passkey, count=5)), SignIn)
    assert begin(tables, a_use(passkey, count=6, challenge=b"b")) is Lost.CHANGED


def test_c279_of_many_at_once_one_signs_in(tables):
    """The same answer, sent to every worker."""
    passkey = a_passkey()
    add(tables, passkey)
    use = a_use(passkey, count=0)
    proof = ceremonies.proof(use.passkey, use.used, now=NOW)
    attempts = [an_attempt(attempt_id=f"attempt {n}").having(proof) for n in range(6)]

    ended = tables.race([beginning(use, each, each.attempt_id) for each in attempts])

    assert sum(isinstance(each, SignIn) for each in ended) == 1
    assert tables.count("nextgen_browsers") == 1


def test_a_key_that_was_removed_meanwhile_proves_nothing(tables):
    passkey = a_passkey()
    add(tables, passkey)
    remove(tables)

    assert begin(tables, a_use(passkey)) is Lost.CHANGED


def test_a_key_that_anybody_may_use_is_a_second_factor_alone(tables):
    passkey = a_passkey(is_verified=False)
    add(tables, passkey)
    use = a_use(passkey, is_verified=False)

    assert begin(tables, use) is Stage.IDENTIFY

    attempt = an_attempt(purpose=Purpose.SIGN_IN).having(a_proof())
    tables.run(attempt_rows.add, attempt)
    use = attrs.evolve(use, challenge=b"b", passkey=tables.run(rows.get, "phone"))
    use = attrs.evolve(use, used=attrs.evolve(use.used, sign_count=2))
    proof = ceremonies.proof(use.passkey, use.used, now=NOW)
    ended = tables.run(
        partial(passkeys.go_on, use=use, former=attempt, proof=proof, ending=an_ending(), now=NOW)
    )
    assert isinstance(ended, SignIn)
    assert ended.factors == Level.RESISTANT


def test_a_key_that_learnt_who_its_owner_is_lets_in_alone_from_then_on(tables):
    without_password(tables)
    add(tables, a_passkey(is_verified=False))
    passkey = tables.run(rows.get, "phone")

    begin(tables, a_use(passkey, is_verified=True))
    # Asked for by its id, it says nothing of whether it is found without.
    assert not tables.run(rows.get, "phone").is_verified
    passkey = tables.run(rows.get, "phone")
    begin(tables, a_use(passkey, 2, CHALLENGE[::-1] + b"2", names_owner=True))

    assert tables.run(rows.get, "phone").is_verified
    assert remove(tables) is Kept.LAST_WAY_IN


def test_the_owner_hears_of_a_copy(tables):
    passkey = a_passkey()
    add(tables, passkey)

    tables.run(partial(passkeys.warn, passkey=passkey, now=NOW, address=ADDRESS))

    assert "passkey_copied" in tables.events()
