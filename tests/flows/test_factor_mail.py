"""Codes by e-mail as a second factor on a database: turned on and off, typed once."""

from functools import partial

import attrs
import pytest

from support.factors import KEYS, give_app, kept, owner
from support.records import ALICE, BOB, NOW, a_place, a_proof, an_attempt
from support.tables import settled
from synapse_nextgen_auth.accounts.attempts.attempt import ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.stages import Policy, Stage
from synapse_nextgen_auth.accounts.codes import PAUSE, Code
from synapse_nextgen_auth.accounts.factors.demands import Demand, Level, Rule
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.mail import FactorMail, code_id
from synapse_nextgen_auth.accounts.factors.recovery_codes import draw as draw_codes
from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.own_ways import LetsIn
from synapse_nextgen_auth.accounts.people import Account
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.flows import authenticator_apps, prove_factor
from synapse_nextgen_auth.flows import codes as code_flows
from synapse_nextgen_auth.flows import factor_mail as flows
from synapse_nextgen_auth.flows import own_ways as own_flows
from synapse_nextgen_auth.flows.attempts import Ending
from synapse_nextgen_auth.flows.authenticator_apps import Undone
from synapse_nextgen_auth.flows.factor_mail import Added, Kept, New
from synapse_nextgen_auth.flows.prove_factor import IN_ATTEMPT, TOLD_AFTER, Trial, Used
from synapse_nextgen_auth.store import attempts, codes, factor_mail, factors, links

ADDRESS, OTHER = "alice@example.com", "alice@work.example"
RIGHT, WRONG = "123456", "654321"
HERE = LetsIn(passwords=True, codes=True, mails=True)
REQUIRED, OPTIONAL = Demand(rule=Rule.REQUIRED), Demand(rule=Rule.OPTIONAL)
POLICY = Policy(
    passwords=True,
    email_codes=True,
    factors=frozenset({ProofKind.TOTP, ProofKind.RECOVERY_CODE, ProofKind.FACTOR_MAIL}),
)


@pytest.fixture(autouse=True)
def alice(tables):
    """Give Alice a password and two addresses, Bob an account."""
    with tables.begin() as txn:
        for user_id in (ALICE, BOB):
            txn.execute(
                "INSERT INTO users (name, password_hash, deactivated) VALUES (?, 'hash', 0)",
                (user_id,),
            )
        for address in (ADDRESS, OTHER):
            give_address(txn, address)


def give_address(txn, address, user_id=ALICE):
    txn.execute(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        (user_id, address),
    )


def take_address(tables, address=ADDRESS):
    """Take an address away as anybody might who is not us."""
    with tables.begin() as txn:
        txn.execute("DELETE FROM user_threepids WHERE address = ?", (address,))


def turn_on(tables, address=ADDRESS, user_id=ALICE):
    tables.run(factor_mail.put, FactorMail(user_id, address, NOW - 100))


def proven(tables, attempt_id="attempt", kind=ProofKind.PASSWORD, purpose=Purpose.SIGN_IN):
    """Return an attempt in which Alice proved one thing."""
    first = attrs.evolve(a_proof(), kind=kind)
    attempt = an_attempt(attempt_id=attempt_id, purpose=purpose).having(first)
    tables.run(attempts.add, attempt)
    return attempt


def send(tables, typed=RIGHT, *, attempt_id="attempt", address=ADDRESS, at=0, mail="mail"):
    """Send a code, as the pages do."""
    posted = SendMail(mail, "a sealed letter", NOW + at + 600)
    its_id = code_id(attempt_id)
    said = {"attempt_id": its_id, "address": address, "mail": posted, "now": NOW + at}
    code = Code.of(KEYS, typed, **said)
    return tables.transact(
        settled(tables, partial(code_flows.send, code=code, mail=posted, now=NOW + at))
    )


def enter(tables, typed=RIGHT, *, attempt_id="attempt", at=0, user_id=ALICE):
    """Look at what somebody typed."""
    by = owner(at, user_id)
    flow = partial(prove_factor.try_mail, attempt_id=attempt_id, typed=typed, owner=by, keys=KEYS)
    return tables.transact(settled(tables, flow))


def taking(attempt, tried, number=0, at=0):
    ending = Ending(
        digest=f"digest {attempt.attempt_id} {number}",
        sign_in_id=f"sign-in {attempt.attempt_id} {number}",
        account=Account(ALICE),
        policy=POLICY,
        demand=REQUIRED,
        place=a_place(),
    )

    def run(txn):
        try:
            return prove_factor.take(txn, attempt, tried, owner(at), ending, now=NOW + at)
        except Used:
            return Used

    return run


def new(tried, sign_in=""):
    return New(tried=tried, lets_in=HERE, codes=kept(draw_codes()), sign_in=sign_in)


def held(tables, user_id=ALICE):
    return tables.run(factors.held, user_id)


def kinds_of_events(tables):
    found = tables.query("SELECT kind, detail FROM nextgen_events ORDER BY happened_at, event_id")
    return [tuple(row) for row in found]


def test_a_code_by_mail_signs_in_whoever_typed_the_password(tables, transact):
    """As two factors, and it is written down when it was used last."""
    turn_on(tables)
    attempt = proven(tables)
    send(tables)
    tried = enter(tables)
    signed_in = transact(taking(attempt, tried))
    row = tables.run(factor_mail.get, ALICE)

    assert tried.trial is Trial.RIGHT
    assert isinstance(signed_in, SignIn)
    assert signed_in.factors == Level.TWO
    assert signed_in.amr == "pwd otp mfa"
    assert row.last_used_at == NOW


@pytest.mark.parametrize("first", [ProofKind.EMAIL_CODE, ProofKind.LINK])
def test_c253_the_mailbox_twice_is_one_thing(tables, transact, first):
    """Whoever came by a mail is asked for another thing still, and the code is no proof of it."""
    turn_on(tables)
    purpose = Purpose.RECOVER if first is ProofKind.LINK else Purpose.SIGN_IN
    attempt = proven(tables, kind=first, purpose=purpose)
    send(tables)
    ended = transact(taking(attempt, enter(tables)))

    assert ended is Stage.FACTOR
    assert tables.query("SELECT 1 FROM nextgen_browsers") == []


def test_c289_a_code_by_mail_is_taken_once(tables, transact):
    """Typed twice, or tried at once by many: one of them signs in."""
    turn_on(tables)
    attempt = proven(tables)
    send(tables)
    early = [enter(tables) for _ in range(4)]
    done = tables.race([taking(attempt, each, number) for number, each in enumerate(early)])
    again = enter(tables)

    assert {each.trial for each in early} == {Trial.RIGHT}
    assert sum(isinstance(each, SignIn) for each in done) == 1
    assert again.trial is Trial.LATE


def test_c251_a_code_is_of_its_attempt_and_the_next_one_voids_it(tables):
    turn_on(tables)
    proven(tables)
    proven(tables, "other")
    send(tables)
    elsewhere = enter(tables, attempt_id="other")
    send(tables, "111111", at=PAUSE, mail="second")
    former, newest = enter(tables, at=PAUSE), enter(tables, "111111", at=PAUSE)

    assert elsewhere.trial is Trial.LATE
    assert former.trial is Trial.WRONG
    assert newest.trial is Trial.RIGHT


def test_c251_no_second_mail_leaves_within_the_pause(tables):
    turn_on(tables)
    proven(tables)
    send(tables)
    send(tables, "111111", at=PAUSE - 1, mail="second")

    assert enter(tables, at=PAUSE).trial is Trial.RIGHT
    assert [subject for (subject,) in tables.query("SELECT subject FROM nextgen_outbox")] == [
        "mail"
    ]


def test_c290_a_code_by_mail_is_good_for_ten_minutes(tables, transact):
    """Also where it was right in time, and what it proves came too late."""
    turn_on(tables)
    attempt = proven(tables)
    send(tables)
    in_time = enter(tables, at=599)
    late = enter(tables, at=600)
    taken = transact(taking(attempt, in_time, at=600))

    assert in_time.trial is Trial.RIGHT
    assert late.trial is Trial.LATE
    assert taken is Used


def test_a_code_that_opens_an_account_is_no_second_factor(tables):
    """One of the same attempt that was sent for something else, and the other way round."""
    proven(tables)
    posted = SendMail("mail", "a sealed letter", NOW + 600)
    of = {"attempt_id": "attempt", "address": ADDRESS, "mail": posted, "now": NOW}
    tables.run(codes.put, Code.of(KEYS, RIGHT, **of))
    as_factor = enter(tables)
    send(tables, "111111")
    flow = partial(code_flows.enter, attempt_id="attempt", typed="111111", keys=KEYS, now=NOW)
    as_sign_in = tables.transact(settled(tables, flow))

    assert as_factor.trial is Trial.LATE
    assert as_sign_in is code_flows.Trial.WRONG


def test_c291_wrong_codes_by_mail_end_in_the_attempt_and_in_the_account(tables):
    """New mails give no new tries, and codes of apps have their own; the owner is told."""
    turn_on(tables)
    give_app(tables)
    for number in range(2):
        proven(tables, f"attempt {number}")
        send(tables, attempt_id=f"attempt {number}", mail=f"mail {number}")
    trials = [enter(tables, WRONG, attempt_id="attempt 0").trial for _ in range(IN_ATTEMPT)]
    send(tables, "111111", attempt_id="attempt 0", at=PAUSE, mail="another")
    over = enter(tables, "111111", attempt_id="attempt 0", at=PAUSE)
    too_often = enter(tables, attempt_id="attempt 1")
    app = prove_factor.try_app
    by_app = tables.transact(
        settled(
            tables,
            partial(app, attempt_id="attempt 1", typed=WRONG, owner=owner(), keys=KEYS),
        )
    )
    kinds = [kind for kind, detail in kinds_of_events(tables) if detail == "factor_mail"]

    assert trials == [Trial.WRONG] * IN_ATTEMPT
    assert over.trial is Trial.OVER
    assert (too_often.trial, too_often.wait is not None) == (Trial.TOO_OFTEN, True)
    assert by_app.trial is Trial.WRONG
    assert kinds.count("factor_refused") == IN_ATTEMPT
    assert kinds.count("factor_guessed") == IN_ATTEMPT // TOLD_AFTER


def test_c294_it_counts_once_a_code_came_back(tables, transact):
    """For an address of the account; recovery codes come with it as with any first factor."""
    proven(tables)
    send(tables)
    before = held(tables)
    wrong = enter(tables, WRONG)
    done = transact(partial(flows.add, new=new(enter(tables)), owner=owner()))

    assert before == Held()
    assert wrong.trial is Trial.WRONG
    assert done == Added(made_codes=True)
    assert held(tables) == Held(mail=1, codes=10)
    assert ("factor_added", "factor_mail") in kinds_of_events(tables)


def test_c294_an_address_that_was_lost_meanwhile_is_not_turned_on(tables, transact):
    proven(tables)
    send(tables)
    tried = enter(tables)
    take_address(tables)

    assert transact(partial(flows.add, new=new(tried), owner=owner())) is Kept.ABSENT
    assert held(tables) == Held()


def test_c294_a_code_turns_it_on_once(tables, transact):
    proven(tables)
    send(tables)
    tried = enter(tables)
    first = transact(partial(flows.add, new=new(tried), owner=owner()))
    tables.run(factor_mail.remove, ALICE)

    assert isinstance(first, Added)
    assert transact(partial(flows.add, new=new(tried), owner=owner())) is Kept.USED


def test_another_address_takes_its_place_and_brings_no_codes(tables, transact):
    turn_on(tables)
    proven(tables)
    send(tables, address=OTHER)
    done = transact(partial(flows.add, new=new(enter(tables)), owner=owner()))

    assert done == Added(made_codes=False)
    assert tables.run(factor_mail.get, ALICE).address == OTHER


def test_whom_codes_alone_let_in_turns_none_on(tables, transact):
    """They could never prove it: the mailbox twice is one thing."""
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = NULL WHERE name = ?", (ALICE,))
    proven(tables)
    send(tables)

    assert transact(partial(flows.add, new=new(enter(tables)), owner=owner())) is Kept.ALONE


def test_c295_it_is_set_up_in_an_attempt_that_asks_for_a_factor(tables, transact):
    """That code is its proof; whoever has a factor proves that instead."""
    attempt = proven(tables)
    send(tables)
    tried = enter(tables)
    done = transact(partial(flows.enrol, attempt=attempt, new=new(tried), owner=owner()))
    found = tables.run(attempts.get, "attempt")
    other = proven(tables, "other")
    send(tables, attempt_id="other", mail="other")
    again = enter(tables, attempt_id="other")

    assert done == Added(made_codes=True)
    assert [each.kind for each in found.proven] == [ProofKind.PASSWORD, ProofKind.FACTOR_MAIL]
    assert (
        transact(partial(flows.enrol, attempt=other, new=new(again), owner=owner()))
        is Kept.NOT_FIRST
    )


def test_nothing_is_turned_on_in_an_attempt_that_is_over(tables):
    attempt = proven(tables)
    send(tables)
    tried = enter(tables)
    tables.run(attempts.change, attempt, attrs.evolve(attempt, ended_at=NOW))

    with pytest.raises(Undone):
        tables.transact(partial(flows.enrol, attempt=attempt, new=new(tried), owner=owner()))
    assert held(tables) == Held()


def test_c286_the_last_factor_that_is_demanded_stays_on(tables, transact):
    turn_on(tables)
    kept_on = transact(partial(flows.remove, owner=owner(), demand=REQUIRED, lets_in=HERE))
    give_app(tables)
    gone = transact(partial(flows.remove, owner=owner(), demand=REQUIRED, lets_in=HERE))

    assert kept_on is Kept.LAST
    assert gone is None
    assert held(tables) == Held(apps=1)
    assert ("factor_removed", "factor_mail") in kinds_of_events(tables)


def test_the_recovery_codes_go_with_the_last_factor(tables, transact):
    proven(tables)
    send(tables)
    transact(partial(flows.add, new=new(enter(tables)), owner=owner()))
    gone = transact(partial(flows.remove, owner=owner(), demand=OPTIONAL, lets_in=HERE))

    assert gone is None
    assert held(tables) == Held()


def test_a_mailbox_is_left_to_nobody_where_the_server_sends_no_codes(tables, transact):
    """What an account must not be left without is what it can prove here."""
    turn_on(tables)
    give_app(tables)
    removing = partial(authenticator_apps.remove, app_id="app", owner=owner(), demand=REQUIRED)

    assert transact(partial(removing, lets_in=LetsIn(passwords=True))) is not None
    assert transact(partial(removing, lets_in=HERE)) is None


def test_a_factor_goes_with_its_address(tables, transact):
    """Whoever took it: nothing is sent where the account has no address any more."""
    turn_on(tables)
    proven(tables)
    send(tables)
    tried = enter(tables)
    take_address(tables)
    attempt = tables.run(attempts.get, "attempt")

    assert held(tables) == Held()
    assert tables.run(factors.list_held) == []
    assert tables.run(factor_mail.get, ALICE) is None
    assert transact(taking(attempt, tried)) is Used


def test_the_owner_hears_that_the_factor_went_with_the_address(tables, transact):
    turn_on(tables)
    transact(partial(flows.address_gone, address=OTHER, owner=owner()))
    before = kinds_of_events(tables)
    transact(partial(flows.address_gone, address=ADDRESS, owner=owner()))

    assert before == []
    assert kinds_of_events(tables) == [("factor_removed", "factor_mail")]
    assert tables.query("SELECT 1 FROM nextgen_factor_mail") == []


def test_links_that_went_to_the_address_are_over(tables, transact):
    """Also where Synapse took it from the account, in a client that signed in in the old way."""
    for name, address in (("here", ADDRESS), ("there", OTHER)):
        link = Link(name, LinkKind.RECOVERY, ALICE, NOW, NOW + 600, address=address)
        tables.run(links.add, link)
    transact(partial(flows.address_gone, address=ADDRESS, owner=owner()))

    good = [tables.run(links.get, name).is_good(NOW + 5) for name in ("here", "there")]
    assert good == [False, True]


def test_c286_an_address_stays_that_the_last_factor_goes_to(tables, transact):
    turn_on(tables)
    removing = partial(
        flows.remove_address, address=ADDRESS, owner=owner(), lets_in=HERE, also_to=""
    )
    stays = transact(partial(removing, demand=REQUIRED))
    goes = transact(partial(removing, demand=OPTIONAL))

    assert stays is own_flows.Kept.LAST_FACTOR
    assert goes is None
    assert held(tables) == Held()
    kinds = [kind for kind, _ in kinds_of_events(tables)]
    assert sorted(kinds) == ["address_removed", "factor_removed"]


def test_another_accounts_mailbox_is_nobody_elses_factor(tables, transact):
    """A code that was sent to Alice turns nothing on for Bob, though he may type it."""
    proven(tables)
    send(tables)
    tried = enter(tables, user_id=BOB)

    assert transact(partial(flows.add, new=new(tried), owner=owner(0, BOB))) is Kept.ABSENT
    assert held(tables, BOB) == Held()


def test_c286_an_app_stays_that_would_leave_the_mailbox_twice(tables, transact):
    """Without a password the code that signs in would be the second factor, too, and prove nothing."""
    turn_on(tables)
    give_app(tables)
    remove = partial(authenticator_apps.remove, app_id="app", owner=owner(), demand=OPTIONAL)
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = NULL")

    assert transact(partial(remove, lets_in=HERE)) is authenticator_apps.Kept.MAILBOX
    assert held(tables) == Held(apps=1, mail=1)
    give_app(tables, "another")
    assert transact(partial(remove, lets_in=HERE)) is None


def test_an_app_goes_beside_a_password_and_codes_by_mail(tables, transact):
    turn_on(tables)
    give_app(tables)
    remove = partial(authenticator_apps.remove, app_id="app", owner=owner(), demand=REQUIRED)

    assert transact(partial(remove, lets_in=HERE)) is None
    assert held(tables) == Held(mail=1)
