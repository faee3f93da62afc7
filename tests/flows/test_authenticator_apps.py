"""Authenticator apps on a database: shown, confirmed once, renamed, removed."""

from functools import partial

import attrs
import pytest

from support.factors import KEYS, give_app, give_codes, kept, owner, shown, wrong
from support.records import ALICE, BOB, NOW, a_proof, a_sign_in, an_attempt
from synapse_nextgen_auth.accounts.attempts.attempt import ProofKind
from synapse_nextgen_auth.accounts.factors.apps import (
    MOST,
    MOST_UNCONFIRMED,
    UNCONFIRMED_FOR,
    App,
    draw,
)
from synapse_nextgen_auth.accounts.factors.demands import Demand, Rule
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.policy import Remembered
from synapse_nextgen_auth.accounts.factors.recovery_codes import draw as draw_codes
from synapse_nextgen_auth.flows import authenticator_apps as flows
from synapse_nextgen_auth.flows import own_factors
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.authenticator_apps import Confirmed, Kept, Shown, Undone
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store import attempts, factors, remembered, sign_ins

OPTIONAL, REQUIRED = Demand(rule=Rule.OPTIONAL), Demand(rule=Rule.REQUIRED)


@pytest.fixture(autouse=True)
def accounts(tables):
    with tables.begin() as txn:
        txn.execute("DELETE FROM users")
        for name in (ALICE, BOB):
            txn.execute("INSERT INTO users (name, deactivated) VALUES (?, 0)", (name,))


def begin(tables, app_id="app", user_id=ALICE, at=0, **said):
    secret = draw()
    app = App.of(KEYS, secret, app_id=app_id, user_id=user_id, name="Phone", now=NOW + at)
    return secret, tables.transact(partial(flows.begin, app=app, now=NOW + at, **said))


def confirming(secret, app_id="app", user_id=ALICE, at=10, typed=None, **said):
    code = Shown(app_id, typed or shown(secret, at), kept(draw_codes(), user_id))
    by = owner(at, user_id)
    return partial(flows.confirm, shown=code, owner=by, **{"keys": KEYS, **said})


def held(tables, user_id=ALICE):
    return tables.run(factors.held, user_id)


def rows(tables):
    return [app_id for (app_id,) in tables.query("SELECT app_id FROM nextgen_totp_apps ORDER BY 1")]


def test_c294_an_app_counts_once_it_showed_a_code(tables, transact):
    """The first brings recovery codes, in the same step."""
    secret, refused = begin(tables)
    before = held(tables)
    done = transact(confirming(secret))

    assert refused is None
    assert before == Held()
    assert done == Confirmed((NOW + 10) // 30, made_codes=True)
    assert held(tables) == Held(apps=1, codes=10)
    assert tables.events() == ["factor_added", "recovery_codes_made"]


def test_the_next_app_leaves_the_codes_alone(tables, transact):
    give_app(tables, "first")
    codes = give_codes(tables)
    secret, _ = begin(tables)
    done = transact(confirming(secret))

    assert not done.made_codes
    assert held(tables) == Held(apps=2, codes=10)
    left = tables.run(factors.list_codes, ALICE)
    assert all(any(each.is_of(KEYS, code) for each in left) for code in codes)


def test_c294_a_wrong_code_confirms_nothing(tables, transact):
    secret, _ = begin(tables)

    assert transact(confirming(secret, typed=wrong(secret))) is Kept.WRONG
    assert held(tables) == Held()
    assert tables.events() == []


def test_c289_the_code_that_confirmed_it_is_used(tables, transact):
    secret, _ = begin(tables)
    transact(confirming(secret))
    app = tables.run(factors.get_app, "app", ALICE)

    assert app.last_step == (NOW + 10) // 30
    assert transact(confirming(secret)) is Kept.DONE


def test_c294_a_secret_that_waited_too_long_is_none(tables, transact):
    secret, _ = begin(tables)

    assert transact(confirming(secret, at=UNCONFIRMED_FOR)) is Kept.ABSENT
    assert held(tables) == Held()


def test_c301_nobody_confirms_renames_or_removes_an_app_of_others(tables, transact):
    """The answer is that of one that is not there."""
    secret, _ = begin(tables)
    give_app(tables, "hers")
    by = owner(user_id=BOB)

    assert transact(confirming(secret, user_id=BOB)) is Kept.ABSENT
    assert transact(confirming(secret, app_id="no such", user_id=BOB)) is Kept.ABSENT
    assert not transact(partial(flows.rename, app_id="hers", name="x", owner=by))
    assert transact(partial(flows.remove, app_id="hers", owner=by, demand=OPTIONAL)) is Kept.ABSENT
    assert held(tables) == Held(apps=1)


def test_a_secret_that_no_key_opens_is_confirmed_by_nothing(tables, transact):
    secret, _ = begin(tables)
    foreign = Keyring.of(b"a secret of nobody's, and long enough")

    assert transact(confirming(secret, keys=foreign)) is Kept.ABSENT


def test_confirmed_twice_at_once_it_is_one_app_with_one_set_of_codes(tables):
    secret, _ = begin(tables)
    done = tables.race([confirming(secret) for _ in range(6)])

    assert sorted(map(str, done)).count(str(Kept.DONE)) == 5
    assert sum(isinstance(each, Confirmed) for each in done) == 1
    assert held(tables) == Held(apps=1, codes=10)
    assert tables.events() == ["factor_added", "recovery_codes_made"]


def test_two_first_apps_at_once_bring_one_set_of_codes(tables):
    """Whose page shows the codes has those that hold."""
    one, _ = begin(tables, "one")
    two, _ = begin(tables, "two")
    done = tables.race([confirming(one, "one"), confirming(two, "two")])

    assert sorted(each.made_codes for each in done) == [False, True]
    assert held(tables) == Held(apps=2, codes=10)


def test_a_few_may_wait_for_their_code(tables):
    """The oldest make room, and those whose time is over."""
    for number in range(MOST_UNCONFIRMED + 1):
        begin(tables, f"app {number}", at=number)
    waiting = rows(tables)
    begin(tables, "later", at=UNCONFIRMED_FOR + 2)

    assert waiting == [f"app {number}" for number in range(1, MOST_UNCONFIRMED + 1)]
    assert rows(tables) == ["app 3", "later"]


def test_c291_there_are_not_so_many_that_a_guess_hits(tables, transact):
    """Neither begun, nor confirmed where several were begun before."""
    for number in range(MOST - 1):
        give_app(tables, f"app {number}")
    one, _ = begin(tables, "one")
    two, _ = begin(tables, "two")

    assert isinstance(transact(confirming(one, "one")), Confirmed)
    assert transact(confirming(two, "two")) is Kept.TOO_MANY
    assert begin(tables, "three")[1] is Kept.TOO_MANY
    assert held(tables).apps == MOST


def test_c294_whoever_proved_no_second_factor_sets_up_the_first_and_no_other(tables, transact):
    """Not even where they began before the owner set one up."""
    secret, begun = begin(tables, is_first=True)
    give_app(tables, "hers")

    assert begun is None
    assert transact(confirming(secret, is_first=True)) is Kept.NOT_FIRST
    assert begin(tables, "again", is_first=True)[1] is Kept.NOT_FIRST
    assert held(tables) == Held(apps=1)


def test_c294_two_that_race_to_be_the_first_are_one(tables):
    one, _ = begin(tables, "one", is_first=True)
    two, _ = begin(tables, "two", is_first=True)
    done = tables.race(
        [confirming(one, "one", is_first=True), confirming(two, "two", is_first=True)]
    )

    assert done.count(Kept.NOT_FIRST) == 1
    assert held(tables).apps == 1


def test_nothing_is_added_to_a_closed_account(tables, transact):
    secret, _ = begin(tables)
    with tables.begin() as txn:
        txn.execute("UPDATE users SET deactivated = 1")

    assert begin(tables, "other")[1] is Kept.CLOSED
    assert transact(confirming(secret)) is Kept.CLOSED


def test_an_app_is_renamed(tables, transact):
    give_app(tables)

    assert transact(partial(flows.rename, app_id="app", name="Old phone", owner=owner()))
    assert tables.run(factors.get_app, "app", ALICE).name == "Old phone"
    assert tables.events() == []


@pytest.mark.parametrize(
    ("demand", "others", "refused"),
    [
        (OPTIONAL, 0, None),
        (OPTIONAL, 1, None),
        (REQUIRED, 1, None),
        (REQUIRED, 0, Kept.LAST),
        # Whoever may wait has it already.
        (attrs.evolve(REQUIRED, may_wait=True), 0, Kept.LAST),
    ],
)
def test_c286_the_last_factor_stays_where_one_is_demanded(
    tables, transact, demand, others, refused
):
    """With the last one go the codes that stand in for it."""
    give_app(tables)
    give_codes(tables)
    for number in range(others):
        give_app(tables, f"other {number}")
    done = transact(partial(flows.remove, app_id="app", owner=owner(), demand=demand))

    assert done is refused
    left = others + (refused is not None)
    assert held(tables) == Held(apps=left, codes=10 if left else 0)
    assert tables.events() == ([] if refused else ["factor_removed"])


def test_c286_of_two_that_are_removed_at_once_one_stays(tables):
    give_app(tables, "one")
    give_app(tables, "two")
    removing = [
        partial(flows.remove, app_id=each, owner=owner(), demand=REQUIRED)
        for each in ("one", "two")
    ]
    done = tables.race(removing)

    assert sorted(map(str, done)) == sorted(map(str, [None, Kept.LAST]))
    assert held(tables).apps == 1


def test_new_codes_take_the_place_of_the_old(tables, transact):
    """Of an account that has something for them to stand in for."""
    give_app(tables)
    old, new = give_codes(tables), draw_codes()
    made = transact(partial(own_factors.make_codes, codes=kept(new), owner=owner()))
    left = tables.run(factors.list_codes, ALICE)

    assert made
    assert held(tables) == Held(apps=1, codes=10)
    assert not any(each.is_of(KEYS, code) for each in left for code in old)
    assert all(any(each.is_of(KEYS, code) for each in left) for code in new)
    assert tables.events() == ["recovery_codes_made"]


def test_without_a_factor_there_are_no_codes(tables, transact):
    made = transact(partial(own_factors.make_codes, codes=kept(draw_codes()), owner=owner()))

    assert not made
    assert held(tables) == Held()
    assert tables.events() == []


def test_what_an_account_has_is_looked_at(tables):
    give_app(tables)
    give_app(tables, "of bob", BOB)
    begin(tables, "waits")
    give_codes(tables)
    had = tables.run(own_factors.look, ALICE)

    assert [app.app_id for app in had.apps] == ["app"]
    assert had.held == Held(apps=1, codes=10)
    assert had.codes_made_at == NOW


def an_attempt_of_alice(tables, **fields):
    attempt = an_attempt(**fields).having(a_proof())
    tables.run(attempts.add, attempt)
    return attempt


def enrolling(attempt, secret, at=10):
    code = Shown("app", shown(secret, at), kept(draw_codes()))
    return partial(flows.enrol, attempt=attempt, shown=code, owner=owner(at), keys=KEYS)


def test_what_confirms_the_first_app_is_the_second_proof_of_its_attempt(tables, transact):
    attempt = an_attempt_of_alice(tables)
    secret, _ = begin(tables, is_first=True)
    done = transact(enrolling(attempt, secret))
    proven = tables.run(attempts.get, "attempt").proven

    assert done.made_codes
    assert [(proof.kind, proof.provider) for proof in proven[1:]] == [(ProofKind.TOTP, "app")]


def test_c294_an_app_whose_attempt_is_over_is_none(tables):
    """Nothing of it is kept: whoever was there would never have seen the codes."""
    attempt = an_attempt_of_alice(tables, ended_at=NOW + 1)
    secret, _ = begin(tables, is_first=True)

    with pytest.raises(Undone) as undone:
        tables.run(enrolling(attempt, secret))

    assert undone.value.why is Lost.ENDED
    assert held(tables) == Held()
    assert tables.events() == []


def test_an_app_that_is_added_counts_for_the_sign_in_that_added_it(tables, transact):
    """Its code was typed just now; other sign-ins of the account proved one factor, as before."""
    mine, other = a_sign_in("mine"), a_sign_in("other")
    for each in (mine, other):
        tables.run(sign_ins.add, each)
    secret, _ = begin(tables)
    code = Shown("app", shown(secret, 10), kept(draw_codes()))
    adding = partial(flows.add, digest=mine.digest, shown=code, owner=owner(10), keys=KEYS)
    wrong_one = attrs.evolve(code, typed=wrong(secret, 10))

    assert transact(partial(adding, shown=wrong_one)) is Kept.WRONG
    assert tables.run(sign_ins.get, mine.digest).factors == 1
    transact(adding)
    assert tables.run(sign_ins.get, mine.digest).factors == 2
    assert tables.run(sign_ins.get, other.digest).factors == 1


def test_no_browser_is_spared_once_the_factors_are_others(tables):
    """Neither after one was added, nor after one was removed."""
    for number in range(2):
        tables.run(remembered.add, Remembered(f"r{number}", f"d{number}", ALICE, NOW, NOW + 900))
        if number:
            tables.run(flows.remove, "app", owner(), OPTIONAL)
        else:
            secret, _ = begin(tables)
            tables.run(confirming(secret))
        assert tables.run(remembered.list_for, ALICE, now=NOW) == []
