"""Lost second factors: a request that comes neither early nor in silence, and what stops it."""

from functools import partial

import attrs
import pytest

from support.factors import give_app, give_codes, owner
from support.records import ALICE, BOB, NOW, a_proof, a_sign_in, an_attempt
from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind
from synapse_nextgen_auth.accounts.attempts.stages import Policy, Stage
from synapse_nextgen_auth.accounts.factors import lost
from synapse_nextgen_auth.accounts.factors.demands import Demand, Rule
from synapse_nextgen_auth.accounts.factors.held import NOTHING
from synapse_nextgen_auth.accounts.factors.lost import DAY, KEPT, Cancelled, Drawn, State, Terms
from synapse_nextgen_auth.accounts.people import Account
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.accounts.works import SendMail, TellLost
from synapse_nextgen_auth.flows import attempts as attempt_flows
from synapse_nextgen_auth.flows import close_account, end_session, lost_factors, reset_factors
from synapse_nextgen_auth.flows.attempts import Ending
from synapse_nextgen_auth.flows.sign_in import Place
from synapse_nextgen_auth.store import attempts, factors, outbox, sign_ins
from synapse_nextgen_auth.store import lost_factors as rows

WAIT = 7 * DAY
MAIL = SendMail("mail", "sealed", 0)
DIGEST = "d" * 64


@pytest.fixture(autouse=True)
def accounts(tables):
    """Alice has an app, and proved her password just now."""
    with tables.begin() as txn:
        for table in ("users", "user_external_ids", "user_threepids"):
            txn.execute(f"DELETE FROM {table}")
        txn.execute(
            "INSERT INTO users (name, deactivated, password_hash) VALUES (?, 0, 'h')", (ALICE,)
        )
        attempts.add(txn, proven())
    give_app(tables)


def proven(attempt_id="attempt", at=0):
    begun = an_attempt(attempt_id=attempt_id, created_at=NOW + at, expires_at=NOW + at + 3600)
    return begun.having(a_proof(at=NOW + at))


def request(at=0, request_id="request", digest=DIGEST, wait=WAIT):
    drawn = Drawn(request_id, digest, "sealed")
    return lost.asked(ALICE, drawn, Terms(wait=wait), now=NOW + at)


def ask(transact, at=0, attempt=None, **of):
    return transact(
        partial(
            lost_factors.ask,
            attempt=attempt or proven(),
            request=request(at, **of),
            owner=owner(at),
        )
    )


def row(tables):
    with tables.begin() as txn:
        return rows.get(txn, ALICE)


def told(transact, at=0, flow=lost_factors.told, request=None):
    """Post the notices as the main process does, who read the row before."""
    noted = request.told(NOW + at) if flow is lost_factors.told else request.reminded(NOW + at)
    transact(partial(flow, noted=noted, letters=[MAIL], now=NOW + at))


def ripe(tables, transact):
    """Let Alice ask, be told twice, and come back when the time is over; return her attempt."""
    assert ask(transact)
    told(transact, request=row(tables))
    told(transact, WAIT - DAY, lost_factors.reminded, row(tables))
    again = proven("again", WAIT)
    with tables.begin() as txn:
        attempts.add(txn, again)
    return again


def use(transact, attempt, at=WAIT):
    return transact(partial(lost_factors.use, attempt=attempt, owner=owner(at))).value


def held(tables):
    with tables.begin() as txn:
        return factors.held(txn, ALICE)


def kinds(tables):
    found = tables.query("SELECT kind, detail FROM nextgen_events ORDER BY happened_at, kind")
    return [(kind, detail) for kind, detail in found]


def mails(tables):
    return tables.query("SELECT kind, COUNT(*) FROM nextgen_outbox GROUP BY kind ORDER BY kind")


def test_asking_is_written_down_and_told_and_removes_nothing(tables, transact):
    assert ask(transact)

    assert held(tables).apps == 1
    assert row(tables).state(NOW) is State.WAITING
    assert kinds(tables) == [("factor_removal_asked", None)]
    assert mails(tables) == [("tell_lost", 1)]


def test_asking_again_neither_hastens_nor_delays_nor_tells_anew(tables, transact):
    """However often, and whatever the operator says of the time by then."""
    assert ask(transact)
    first = row(tables)
    again = proven("again")
    with tables.begin() as txn:
        attempts.add(txn, again)

    assert not ask(transact, 60, again, request_id="other", digest="e" * 64, wait=DAY)
    assert not ask(transact, 90, again, request_id="other", digest="f" * 64, wait=90 * DAY)
    assert row(tables) == first
    assert mails(tables) == [("tell_lost", 1)]


def test_c298_after_the_waiting_time_the_person_removes_them_and_that_is_written_down(
    tables, transact
):
    """Nothing happens by itself; what else was begun for the account is over."""
    give_codes(tables)
    with tables.begin() as txn:
        sign_ins.add(txn, a_sign_in(level=2))
    again = ripe(tables, transact)
    assert held(tables).is_any

    assert use(transact, again)

    assert held(tables) == NOTHING
    assert kinds(tables)[-1] == ("factors_lost", None)
    assert tables.query("SELECT level FROM nextgen_browsers") == [(1,)]
    of_again = "SELECT ended_at FROM nextgen_attempts WHERE attempt_id = 'again'"
    assert tables.query(of_again) == [(NOW + WAIT,)]
    assert row(tables).used_at == NOW + WAIT


@pytest.mark.parametrize("at", [0, DAY, WAIT - 1, WAIT + KEPT, WAIT + 50 * DAY])
def test_it_is_used_neither_early_nor_when_it_is_over(tables, transact, at):
    ripe(tables, transact)
    late = proven("late", at)
    with tables.begin() as txn:
        attempts.add(txn, late)

    assert not use(transact, late, at)
    assert held(tables).apps == 1


@pytest.mark.parametrize("notices", [(), (lost_factors.told,)])
def test_c298_nothing_is_removed_of_whoever_was_not_told_twice(tables, transact, notices):
    """The main process was away, or there was nobody to tell."""
    assert ask(transact)
    for flow in notices:
        told(transact, 0, flow, row(tables))
    late = proven("late", WAIT)
    with tables.begin() as txn:
        attempts.add(txn, late)

    assert not use(transact, late)
    assert held(tables).apps == 1


@pytest.mark.parametrize(
    "stop",
    [
        lambda txn: lost_factors.cancel(txn, ALICE, Cancelled.BROWSER, now=NOW + WAIT),
        lambda txn: lost_factors.cancel_by_link(txn, DIGEST, now=NOW + WAIT, address=None),
        lambda txn: end_session.withdraw(txn, ALICE, now=NOW + WAIT),
    ],
    ids=["browser", "link", "password"],
)
def test_c295_of_who_stops_it_and_who_removes_them_one_is_first(tables, transact, stop):
    """At once, and again and again: never both, and what was done is written down once."""
    again = ripe(tables, transact)
    remove = partial(lost_factors.use, attempt=again, owner=owner(WAIT))

    said = tables.race([remove, stop, remove, stop])

    went = [said[0].value, said[2].value]
    done = [kind for kind, _ in kinds(tables) if kind != "factor_removal_asked"]
    assert went.count(True) == (held(tables).apps == 0)
    assert done == ["factors_lost" if True in went else "factor_removal_cancelled"]


def test_of_two_who_ask_at_once_one_is_told(tables, transact):
    """On whatever worker, in whatever browser."""
    others = [proven(f"attempt {number}") for number in range(3)]
    with tables.begin() as txn:
        for each in others:
            attempts.add(txn, each)

    asked = tables.race(
        [
            partial(
                lost_factors.ask,
                attempt=each,
                request=request(request_id=each.attempt_id, digest=each.attempt_id),
                owner=owner(),
            )
            for each in others
        ]
    )

    assert sorted(asked) == [False, False, True]
    assert mails(tables) == [("tell_lost", 1)]
    assert kinds(tables) == [("factor_removal_asked", None)]


def test_it_is_used_once_and_of_that_account_alone(tables, transact):
    again = ripe(tables, transact)
    of_bob = attrs.evolve(again, attempt_id="of bob", user_id=BOB)
    with tables.begin() as txn:
        attempts.add(txn, of_bob)

    assert not transact(partial(lost_factors.use, attempt=of_bob, owner=owner(WAIT))).value
    assert use(transact, again)
    assert not use(transact, again)


def test_an_attempt_that_went_on_or_ended_neither_asks_nor_removes(tables, transact):
    """As one of the former password."""
    again = ripe(tables, transact)
    with tables.begin() as txn:
        attempts.withdraw(txn, ALICE, now=NOW + WAIT)

    assert not use(transact, again)
    assert held(tables).apps == 1


def stop_by_link(txn):
    return lost_factors.cancel_by_link(txn, DIGEST, now=NOW + 60, address="192.0.2.1")


def stop_by_browser(txn):
    return lost_factors.cancel(txn, ALICE, Cancelled.BROWSER, now=NOW + 60)


def stop_by_command(txn):
    return lost_factors.cancel(txn, ALICE, Cancelled.COMMAND, now=NOW + 60, why="phoned")


def stop_by_password(txn):
    end_session.withdraw(txn, ALICE, now=NOW + 60)
    return True


def stop_by_sign_out(txn):
    return end_session.sign_out_everywhere(txn, ALICE, now=NOW + 60)


STOPS = {
    stop_by_link: "by the link in the notice",
    stop_by_browser: "in a browser that was signed in",
    stop_by_command: "command: phoned",
    stop_by_password: "another password, or signed out everywhere",
    stop_by_sign_out: "another password, or signed out everywhere",
}


@pytest.mark.parametrize("stop", STOPS)
def test_what_was_stopped_is_never_used(tables, transact, stop):
    """Whoever stops it is written down, and it is stopped once."""
    ripe(tables, transact)

    transact(stop)
    transact(stop)

    late = proven("late", WAIT)
    with tables.begin() as txn:
        attempts.add(txn, late)
    assert not use(transact, late)
    assert held(tables).apps == 1
    stopped = [each for each in kinds(tables) if each[0] == "factor_removal_cancelled"]
    assert stopped == [("factor_removal_cancelled", STOPS[stop])]


@pytest.mark.parametrize("stop", [stop_by_link, stop_by_browser, stop_by_command])
def test_after_the_owner_stopped_it_nobody_asks_for_as_long_as_it_would_have_waited(
    tables, transact, stop
):
    assert ask(transact)
    transact(stop)
    for at, may in ((120, False), (60 + WAIT - 1, False), (60 + WAIT, True)):
        name = f"at {at}"
        with tables.begin() as txn:
            attempts.add(txn, proven(name, at))
        assert ask(transact, at, proven(name, at), digest=name, request_id=name) is may


def test_after_another_password_it_may_be_asked_for_at_once(tables, transact):
    """Whoever has that one is not who knew the former."""
    assert ask(transact)
    transact(stop_by_password)
    with tables.begin() as txn:
        attempts.add(txn, proven("next", 120))
    assert ask(transact, 120, proven("next", 120), digest="e" * 64, request_id="next")


def test_a_link_of_nothing_stops_nothing(tables, transact):
    assert ask(transact)
    assert not transact(
        partial(lost_factors.cancel_by_link, digest="e" * 64, now=NOW, address=None)
    )
    assert row(tables).is_open(NOW)


POLICY = Policy(passwords=True, factors=frozenset({ProofKind.TOTP, ProofKind.RECOVERY_CODE}))


def ending(at=0):
    return Ending(
        digest=f"digest {at}",
        sign_in_id=f"sign in {at}",
        account=Account(ALICE),
        policy=POLICY,
        demand=Demand(rule=Rule.OPTIONAL),
        place=Place(binding="browser"),
    )


@pytest.mark.parametrize("kind", [ProofKind.TOTP, ProofKind.RECOVERY_CODE])
def test_whoever_proves_a_factor_has_not_lost_it(tables, transact, kind):
    again = ripe(tables, transact)
    proof = Proof(kind, NOW + WAIT, ALICE)

    ended = transact(
        partial(
            attempt_flows.prove_and_end, attempt=again, proof=proof, ending=ending(), now=NOW + WAIT
        )
    )

    assert isinstance(ended, SignIn)
    assert not row(tables).is_open(NOW + WAIT)
    assert ("factor_removal_cancelled", "a second factor was proven") in kinds(tables)


def test_the_first_factor_alone_stops_nothing(tables, transact):
    """Or nobody could ever come back."""
    again = ripe(tables, transact)
    done = transact(partial(attempt_flows.end, attempt=again, ending=ending(), now=NOW + WAIT))
    assert done is Stage.FACTOR
    assert row(tables).state(NOW + WAIT) is State.READY


def test_a_reset_by_the_operator_and_a_closed_account_leave_nothing_waiting(tables, transact):
    assert ask(transact)
    transact(partial(reset_factors.reset, user_id=ALICE, by="command", now=NOW + 60))
    assert not row(tables).is_open(NOW + 60)
    transact(partial(close_account.clear, user_id=ALICE, now=NOW + 60))
    assert row(tables) is None


def test_nobody_asks_who_has_nothing_to_lose_or_is_closed(tables, transact):
    with tables.begin() as txn:
        factors.forget(txn, ALICE)
    assert not ask(transact)
    give_app(tables)
    with tables.begin() as txn:
        txn.execute("UPDATE users SET deactivated = 1")
    assert not ask(transact)
    assert row(tables) is None


def test_the_notices_go_out_once_and_not_of_what_was_stopped(tables, transact):
    assert ask(transact)
    asked = row(tables)
    told(transact, request=asked)
    told(transact, request=asked)
    assert mails(tables) == [("send_mail", 1), ("tell_lost", 1)]

    transact(stop_by_browser)
    told(transact, WAIT - DAY, lost_factors.reminded, asked)
    assert mails(tables)[0] == ("send_mail", 1)


def due(tables, at):
    with tables.begin() as txn:
        return rows.list_to_remind(txn, now=NOW + at, limit=10)


def test_the_owner_is_told_again_a_day_before_the_end(tables, transact):
    """Once, however often somebody looks, and only of what was told before."""
    assert ask(transact)
    assert due(tables, WAIT) == []
    told(transact, request=row(tables))

    assert due(tables, WAIT - DAY - 1) == []
    (found,) = due(tables, WAIT - DAY)
    for _ in range(3):
        transact(partial(lost_factors.remind, request=found, now=NOW + WAIT - DAY))
    with tables.begin() as txn:
        assert outbox.find(txn, TellLost(ALICE, "request", 1))
    assert mails(tables) == [("send_mail", 1), ("tell_lost", 2)]
    told(transact, WAIT - DAY, lost_factors.reminded, row(tables))
    assert due(tables, WAIT) == []


def test_c379_what_a_clock_wrote_that_ran_ahead_is_in_nobodys_way(tables, transact):
    with tables.begin() as txn:
        rows.put(txn, request(400 * DAY, "ahead", "a" * 64), now=NOW + 400 * DAY)

    assert ask(transact)
    assert row(tables).request_id == "request"
