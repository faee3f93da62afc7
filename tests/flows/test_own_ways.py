"""Identities and addresses of an account: taken, given, and that the last way in stays."""

import pytest

from support.records import ADDRESS, ALICE, BOB, NOW, an_attempt
from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival
from synapse_nextgen_auth.accounts.attempts.attempt import Purpose
from synapse_nextgen_auth.accounts.codes import Code
from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.own_ways import Identity, LetsIn
from synapse_nextgen_auth.flows import own_password, own_ways
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.own_ways import Kept, Owner
from synapse_nextgen_auth.store import arrivals, attempts, codes, links
from synapse_nextgen_auth.store import own_ways as rows

LETS_IN = LetsIn(passwords=True, providers=frozenset({"oidc-a"}))
HERS, ANOTHER = Identity("oidc-a", "alice"), Identity("oidc-a", "somebody")
OWNER = Owner(user_id=ALICE, now=NOW + 5, address=ADDRESS)
MAIL = "alice@example.com"


pytestmark = pytest.mark.usefixtures("two_accounts")


def give(tables, identity=None, email=None, user_id=ALICE):
    with tables.begin() as txn:
        if identity is not None:
            rows.connect(txn, user_id, identity)
        if email is not None:
            rows.add_address(txn, user_id, rows.EMAIL, email, validated_at=NOW, now=NOW)


def without_password(tables):
    with tables.begin() as txn:
        txn.execute("UPDATE users SET password_hash = NULL")


def ways(tables, user_id=ALICE):
    return tables.run(rows.list_for, user_id)


def begun(tables, purpose, **fields):
    attempt = an_attempt(purpose=purpose, user_id=ALICE, **fields)
    tables.run(attempts.add, attempt)
    return attempt


def answer(tables, attempt, provider="oidc-a", digest="arrival", **fields):
    arrival = Arrival(digest, attempt.attempt_id, provider, NOW, **fields)
    tables.run(arrivals.add, arrival)
    return arrival


def connecting(attempt, arrival, identity=HERS, owner=OWNER):
    return lambda txn: own_ways.connect(txn, attempt, arrival, identity, owner)


def test_whoever_comes_back_is_connected_once(tables):
    attempt = begun(tables, Purpose.CONNECT)
    arrival = answer(tables, attempt)

    first, again = (tables.run(connecting(attempt, arrival)) for _ in range(2))

    assert (first, again) == (None, Lost.ENDED)
    assert ways(tables).identities == (HERS,)
    assert tables.query("SELECT kind, detail FROM nextgen_events") == [
        ("provider_connected", "oidc-a")
    ]


def test_c270_whom_another_account_has_stays_there(tables):
    """Nobody is told whose they are, and nothing is written down of it."""
    give(tables, HERS, user_id=BOB)
    attempt = begun(tables, Purpose.CONNECT)

    assert tables.run(connecting(attempt, answer(tables, attempt))) is Kept.TAKEN
    assert ways(tables, BOB).identities == (HERS,)
    assert ways(tables).identities == ()
    assert tables.events() == []


def test_c278_an_answer_counts_for_its_own_attempt_alone(tables):
    """Of another attempt, provider or account, or for something else, it connects nobody."""
    attempt = begun(tables, Purpose.CONNECT)
    other = begun(tables, Purpose.CONNECT, attempt_id="another attempt")
    proving = begun(tables, Purpose.PROVE_AGAIN, attempt_id="proving")
    arrival = answer(tables, attempt)

    tried = [
        tables.run(connecting(other, arrival)),
        tables.run(connecting(attempt, arrival, Identity("oidc-b", "alice"))),
        tables.run(connecting(attempt, arrival, owner=Owner(user_id=BOB, now=NOW))),
        tables.run(connecting(proving, answer(tables, proving, digest="of it"))),
    ]

    assert tried == [Lost.UNKNOWN] * 4
    assert ways(tables).identities == ()


def test_two_accounts_that_connect_one_person_at_once(tables):
    """One of them is first, and the other hears that it is another's."""
    calls = []
    for name, user_id in (("one", ALICE), ("two", BOB)):
        attempt = an_attempt(attempt_id=name, purpose=Purpose.CONNECT, user_id=user_id)
        tables.run(attempts.add, attempt)
        arrival = answer(tables, attempt, digest=name)
        calls.append(connecting(attempt, arrival, owner=Owner(user_id=user_id, now=NOW)))

    ended = tables.race(calls)

    assert sorted(ended, key=str) == [Kept.TAKEN, None]


def disconnecting(identity=HERS, lets_in=LETS_IN):
    return lambda txn: own_ways.disconnect(txn, identity, OWNER, lets_in)


def test_an_identity_goes_where_another_way_is_left(tables):
    give(tables, HERS)

    assert tables.run(disconnecting()) is None
    assert ways(tables).identities == ()
    assert tables.events() == ["provider_disconnected"]


def test_c301_an_identity_of_another_account_is_as_good_as_none(tables):
    give(tables, ANOTHER, user_id=BOB)

    assert tables.run(disconnecting(ANOTHER)) is Kept.ABSENT
    assert ways(tables, BOB).identities == (ANOTHER,)


def test_the_last_identity_stays(tables):
    give(tables, HERS)
    without_password(tables)

    assert tables.run(disconnecting()) is Kept.LAST_WAY_IN


def test_two_ways_that_go_at_once_leave_one(tables):
    """The password and the only provider: whoever is second looks again, and is told no."""

    def remove(txn):
        given = {"keep": "", "now": NOW, "address": None}
        return own_password.remove(txn, ALICE, LETS_IN, **given)

    for _ in range(5):
        give(tables, HERS)
        with tables.begin() as txn:
            txn.execute("UPDATE users SET password_hash = 'one' WHERE name = ?", (ALICE,))

        tables.race([remove, disconnecting()])

        assert ways(tables).open(LETS_IN)


def typed(tables, attempt, *, is_right=True):
    """Keep a code of this attempt, which was typed."""
    code = Code(attempt.attempt_id, "", "sealed", "a mail", NOW, NOW + 600)
    tables.run(codes.put, code)
    if is_right:
        tables.run(codes.prove, code, now=NOW + 1)


def adding(attempt, address=MAIL, medium=rows.EMAIL, owner=OWNER):
    return lambda txn: own_ways.add_address(txn, attempt, medium, address, owner)


def test_an_address_is_added_once_by_whoever_typed_the_code(tables):
    attempt = begun(tables, Purpose.ADD_ADDRESS)
    typed(tables, attempt)

    first, again = (tables.run(adding(attempt)) for _ in range(2))

    assert (first, again) == (None, Lost.ENDED)
    assert tables.query("SELECT user_id, address, validated_at, added_at FROM user_threepids") == [
        (ALICE, MAIL, (NOW + 1) * 1000, (NOW + 5) * 1000)
    ]
    assert tables.events() == ["address_added"]


def test_no_address_without_its_code(tables):
    attempt = begun(tables, Purpose.ADD_ADDRESS)
    typed(tables, attempt, is_right=False)

    assert tables.run(adding(attempt)) is Lost.EXPIRED
    assert ways(tables).emails == ()


def test_c249_an_address_that_became_anothers_stays_there(tables):
    give(tables, email=MAIL, user_id=BOB)
    attempt = begun(tables, Purpose.ADD_ADDRESS)
    typed(tables, attempt)

    assert tables.run(adding(attempt)) is Kept.TAKEN
    assert ways(tables, BOB).emails == (MAIL,)


def test_a_number_has_no_code_of_ours(tables):
    attempt = begun(tables, Purpose.ADD_ADDRESS)

    assert tables.run(adding(attempt, "4915112345", rows.PHONE)) is None
    assert tables.events() == ["phone_added"]


def removing(address=MAIL, medium=rows.EMAIL, lets_in=LETS_IN, **given):
    return lambda txn: own_ways.remove_address(txn, medium, address, OWNER, lets_in, **given)


def test_an_address_goes_with_the_links_that_went_there(tables):
    """A link that went to another address stays good."""
    give(tables, email=MAIL)
    for name, address in (("here", MAIL), ("there", "other@example.com")):
        tables.run(links.add, Link(name, LinkKind.RECOVERY, ALICE, NOW, NOW + 600, address=address))

    assert tables.run(removing()) is None
    assert ways(tables).emails == ()
    assert [tables.run(links.get, name).is_good(NOW + 5) for name in ("here", "there")] == [
        False,
        True,
    ]
    assert tables.events() == ["address_removed"]


def test_c301_an_address_of_another_account_is_as_good_as_none(tables):
    give(tables, email=MAIL, user_id=BOB)

    assert tables.run(removing()) is Kept.ABSENT
    assert ways(tables, BOB).emails == (MAIL,)


def test_the_address_that_codes_go_to_stays_where_nothing_else_opens_the_account(tables):
    give(tables, email=MAIL)
    without_password(tables)

    assert tables.run(removing(lets_in=LetsIn(codes=True))) is Kept.LAST_WAY_IN
    assert tables.run(removing()) is None
