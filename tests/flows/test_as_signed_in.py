"""What somebody does to their account is not done once they are signed out (C179)."""

import pytest

from support.factors import owner
from support.records import ALICE, NOW, a_sign_in
from synapse_nextgen_auth.accounts.attempts.attempt import ProofKind
from synapse_nextgen_auth.accounts.codes import Code
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.flows import codes, own_factors
from synapse_nextgen_auth.flows.as_signed_in import SignedOut, as_signed_in
from synapse_nextgen_auth.flows.end_several import Ends, end_several
from synapse_nextgen_auth.flows.own_password import Change, change
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store import passwords, sign_ins

THERE = a_sign_in("there", user_id=ALICE, sign_in_id="there")


@pytest.fixture(autouse=True)
def accounts(tables):
    """Give Alice a password and a browser."""
    with tables.begin() as txn:
        for table in ("users", "devices", "access_tokens", "user_external_ids", "user_threepids"):
            txn.execute(f"DELETE FROM {table}")
        txn.execute(
            "INSERT INTO users (name, deactivated, password_hash) VALUES (?, 0, ?)",
            (ALICE, "former"),
        )
        sign_ins.add(txn, THERE)


def set_password(tables, by=THERE):
    new = Change(hash="new", sign_out=False, keep=THERE.digest)
    return tables.run(as_signed_in(by, change), ALICE, new, now=NOW + 1)


def test_whoever_is_signed_in_does_it(tables):
    set_password(tables)

    assert tables.run(passwords.of_account, ALICE) == "new"


def test_it_goes_by_the_name_of_the_flow():
    """Logs and metrics of transactions are about the flow."""
    assert as_signed_in(THERE, change).__qualname__ == change.__qualname__


@pytest.mark.parametrize("by", [THERE, None], ids=["ended", "nobody"])
def test_whoever_was_signed_out_meanwhile_changes_nothing(tables, by):
    tables.run(sign_ins.end, THERE.digest, now=NOW)

    with pytest.raises(SignedOut):
        set_password(tables, by)

    assert tables.run(passwords.of_account, ALICE) == "former"


def test_whoever_was_signed_out_meanwhile_has_no_other_code_sent(tables):
    """A stranger at a lost device presses "again"."""
    mail = SendMail("mail", "sealed", NOW + 600)
    keys, address = Keyring.of(b"a secret of the tests, long enough"), "anna@example.com"
    code = Code.of(keys, "012345", attempt_id="attempt", address=address, mail=mail, now=NOW)
    tables.run(sign_ins.end, THERE.digest, now=NOW)

    with pytest.raises(SignedOut):
        tables.run(as_signed_in(THERE, codes.send), code, mail, now=NOW)

    assert tables.query("SELECT 1 FROM nextgen_codes") == []
    assert tables.query("SELECT 1 FROM nextgen_outbox") == []


def test_who_proved_it_again_meanwhile_is_the_same(tables):
    """The secret of the sign-in is another one from then on."""
    renewed = a_sign_in("renewed", user_id=ALICE, sign_in_id="there")
    tables.run(sign_ins.renew, THERE, renewed)

    set_password(tables)

    assert tables.run(passwords.of_account, ALICE) == "new"


def test_of_two_browsers_that_sign_each_other_out_one_is_first(tables):
    """And the other one does nothing more, whatever it was about to do."""
    owners = a_sign_in("owners", user_id=ALICE, sign_in_id="owners")
    tables.run(sign_ins.add, owners)
    ends = Ends(sign_ins=["there"])

    def changes(txn):
        new = Change(hash="new", sign_out=False, keep=THERE.digest)
        return as_signed_in(THERE, change)(txn, ALICE, new, now=NOW + 1).value

    def ends_it(txn):
        done = as_signed_in(owners, end_several)
        return done(txn, ALICE, ends, now=NOW + 1, address=None).value

    def or_signed_out(flow):
        def run(txn):
            try:
                return flow(txn)
            except SignedOut as error:
                return error

        return run

    changed, ended = tables.race([or_signed_out(changes), or_signed_out(ends_it)])

    assert [isinstance(changed, SignedOut), isinstance(ended, SignedOut)].count(True) == 1
    is_former = tables.run(passwords.of_account, ALICE) == "former"
    assert is_former == isinstance(changed, SignedOut)


@pytest.mark.parametrize("level", [None, 1, 2])
def test_c294_whoever_proved_one_factor_does_nothing_once_the_account_has_a_second(tables, level):
    """What was asked for before that and takes its time; who proved both goes on."""
    by = a_sign_in("slow", user_id=ALICE, sign_in_id="slow", level=level)
    tables.run(sign_ins.add, by)
    tables.run(own_factors.added, ProofKind.TOTP, (), owner(), is_first=True)

    if level == 2:
        set_password(tables, by)
    else:
        with pytest.raises(SignedOut):
            set_password(tables, by)

    assert tables.run(passwords.of_account, ALICE) == ("new" if level == 2 else "former")


def test_c294_what_is_asked_for_after_that_is_judged_by_then(tables):
    """A browser that need not prove a second factor each time changes what takes one alone."""
    tables.run(own_factors.added, ProofKind.TOTP, (), owner(), is_first=True)
    now = tables.run(sign_ins.get, THERE.digest)

    set_password(tables, now)

    assert now.factors == THERE.factors == 1
    assert tables.run(passwords.of_account, ALICE) == "new"
