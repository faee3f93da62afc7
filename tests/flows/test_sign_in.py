"""Signing people in and out of a browser."""

from functools import partial

import attrs
import pytest

from support.records import ADDRESS, ALICE, BOB, NOW, a_grant, a_place, a_sign_in
from synapse_nextgen_auth.flows import authorize, sign_in
from synapse_nextgen_auth.flows.authorize import Known, Step
from synapse_nextgen_auth.flows.sign_in import Failure
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import grants, sign_ins

ALICES = a_sign_in("first", sign_in_id="alice")


def test_a_sign_in_is_known_by_the_digest_of_its_secret(tables, transact):
    """The secret itself is nowhere in the database."""
    transact(sign_in.sign_in, a_sign_in("secret"), a_place(address=ADDRESS, user_agent="x/1"))

    found = transact(sign_ins.get, digest("secret"))
    assert found == a_sign_in("secret", address=ADDRESS, user_agent="x/1")
    assert transact(sign_ins.get, "secret") is None
    assert tables.query("SELECT kind, happened_at, user_id, address FROM nextgen_events") == [
        ("signed_in", NOW, ALICE, ADDRESS)
    ]


def test_c182_signing_in_again_ends_the_former_secret(tables, transact):
    """The sign-in goes on under its name, with what its person proved now."""
    tables.run(sign_ins.add, attrs.evolve(ALICES, amr="pwd", acr="low", provider="one"))
    times = {"signed_in_at": NOW + 60, "last_active_at": NOW + 60}
    again = a_sign_in("fresh", sign_in_id="drawn", amr="pwd otp", auth_time=NOW + 50, **times)

    begun = transact(sign_in.sign_in, again, a_place(renews=ALICES))

    assert begun == attrs.evolve(again, sign_in_id="alice")
    assert tables.run(sign_ins.get, digest("first")) is None
    assert tables.run(sign_ins.get, digest("fresh")) == begun


def test_one_from_before_there_were_ids_goes_by_its_digest(tables, transact):
    """Also once its secret is another one."""
    old = a_sign_in("old")
    tables.run(sign_ins.add, old)

    begun = transact(sign_in.sign_in, a_sign_in("new", sign_in_id="x"), a_place(renews=old))

    assert begun.name == old.name == digest("old")
    assert transact(sign_ins.approves, ALICE, digest("old"))


@pytest.mark.parametrize("gone", ["ended", "renewed", "of another account"])
def test_what_cannot_be_renewed_begins_anew(tables, transact, gone):
    """Somebody signed out, or proved it in another tab, a moment ago."""
    tables.run(sign_ins.add, attrs.evolve(ALICES, user_id=BOB if "another" in gone else ALICE))
    if gone == "ended":
        tables.run(sign_ins.end, ALICES.digest, now=NOW)
    elif gone == "renewed":
        tables.run(sign_ins.renew, ALICES, a_sign_in("elsewhere"))
    new = a_sign_in("new", sign_in_id="new")

    assert transact(sign_in.sign_in, new, a_place(renews=ALICES)) == new
    assert tables.run(sign_ins.get, new.digest) == new
    assert tables.count("nextgen_browsers") == 2


def test_another_account_is_one_more(tables, transact):
    """Whoever is signed in there stays."""
    tables.run(sign_ins.add, ALICES)

    transact(sign_in.sign_in, a_sign_in("bob", user_id=BOB), a_place())

    assert tables.run(sign_ins.get, ALICES.digest) == ALICES
    assert tables.run(sign_ins.get, digest("bob")).user_id == BOB


def test_those_for_whom_there_is_no_room_are_signed_out(tables, transact):
    """Nobody could end them any more: their secret is in no cookie."""
    tables.run(sign_ins.add, ALICES)

    transact(sign_in.sign_in, a_sign_in("bob", user_id=BOB), a_place(forgets=(ALICES,)))

    assert tables.run(sign_ins.get, ALICES.digest).ended_at == NOW
    assert sorted(tables.events()) == ["signed_in", "signed_out"]


def test_what_the_browser_had_begun_goes_on(tables, transact):
    """And whatever asked for a fresh sign-in has it now, in that account alone (C023)."""
    tables.run(authorize.request, a_grant(login_after=NOW + 1))
    alice, bob = ALICES, a_sign_in("bob", user_id=BOB, sign_in_id="bob")

    transact(sign_in.sign_in, alice, a_place(grant_id="grant"))

    grant = transact(authorize.find, "grant", browser="browser", now=NOW)
    assert authorize.find_sign_in(authorize.wanted_by(grant), Known((bob, alice), bob)) == alice
    assert authorize.next_step(grant, alice) is Step.CONSENT
    assert authorize.next_step(grant, bob) is Step.SIGN_IN
    transact(grants.choose, "grant", browser="browser", sign_in_id="bob", proven_at=None)
    grant = transact(authorize.find, "grant", browser="browser", now=NOW)
    for each in (alice, bob):
        assert authorize.next_step(grant, each) is Step.SIGN_IN


def test_a_provider_that_says_when_is_believed(tables, transact):
    """A sign-in that it knows from before is no fresh one (OpenID Connect Core section 3.1.2.1)."""
    tables.run(authorize.request, a_grant(login_after=NOW + 1))
    old = attrs.evolve(ALICES, auth_time=NOW - 3600)

    transact(sign_in.sign_in, old, a_place(grant_id="grant"))

    grant = transact(authorize.find, "grant", browser="browser", now=NOW)
    assert authorize.next_step(grant, old) is Step.SIGN_IN
    assert authorize.next_step(
        grant, attrs.evolve(old, auth_time=NOW + 1, signed_in_at=NOW + 2)
    ) is (Step.CONSENT)


@pytest.mark.parametrize(
    "grant",
    [
        pytest.param({"browser": "another"}, id="of-another-browser"),
        pytest.param({"approved_at": NOW}, id="approved"),
        pytest.param({"refused_at": NOW}, id="refused"),
        pytest.param({"grant_id": "other"}, id="of-another-tab"),
    ],
)
def test_nothing_else_changes(tables, transact, grant):
    """Neither what belongs to others nor what is decided."""
    stays = a_grant(**{"login_after": NOW + 1} | grant)
    tables.run(grants.add, stays)

    transact(sign_in.sign_in, a_sign_in("fresh"), a_place(grant_id="grant"))

    assert tables.run(grants.get, stays.grant_id) == stays


def test_signing_out_ends_a_sign_in_once(tables, transact):
    """It ends in the database, not only in the cookie (C185)."""
    secrets = (ALICES.digest, "unknown")
    transact(sign_in.sign_in, ALICES, a_place())

    for at in (5, 6):
        transact(sign_in.sign_out, secrets, now=NOW + at, address=ADDRESS)

    assert transact(sign_ins.get, ALICES.digest).ended_at == NOW + 5
    assert tables.events() == ["signed_in", "signed_out"]


def test_signing_out_of_one_account_leaves_the_others(tables, transact):
    """Or of all at once."""
    bob = a_sign_in("bob", user_id=BOB)
    for each in (ALICES, bob):
        transact(sign_in.sign_in, each, a_place())

    transact(sign_in.sign_out, (ALICES.digest,), now=NOW, address=None)
    assert transact(sign_ins.get, bob.digest).ended_at is None
    transact(sign_in.sign_out, (ALICES.digest, bob.digest), now=NOW + 1, address=None)
    ends = [transact(sign_ins.get, each.digest).ended_at for each in (ALICES, bob)]
    assert ends == [NOW, NOW + 1]


def test_signing_out_by_account_ends_no_other(tables, transact):
    """However it ended before: whoever is named and gone takes nobody with them."""
    bob = a_sign_in("bob", user_id=BOB)
    for each in (ALICES, bob):
        transact(sign_in.sign_in, each, a_place())
    secrets = (bob.digest, ALICES.digest)

    gone = transact(sign_in.sign_out, secrets, user_id=ALICE, now=NOW, address=None)
    again = transact(sign_in.sign_out, secrets, user_id=ALICE, now=NOW + 1, address=None)
    nobody = transact(sign_in.sign_out, secrets, user_id="@c:example.org", now=NOW, address=None)

    assert [each.user_id for each in (*gone, *again)] == [ALICE, ALICE]
    assert nobody == []
    assert transact(sign_ins.get, bob.digest).ended_at is None


def test_a_visit_is_a_sign_of_life(tables, transact):
    """But brings nobody back who signed out."""
    transact(sign_in.sign_in, ALICES, a_place())

    transact(sign_ins.touch, ALICES.digest, now=NOW + 4000)
    assert transact(sign_ins.get, ALICES.digest).last_active_at == NOW + 4000
    transact(sign_in.sign_out, (ALICES.digest,), now=NOW + 5000, address=None)
    transact(sign_ins.touch, ALICES.digest, now=NOW + 6000)
    assert transact(sign_ins.get, ALICES.digest).last_active_at == NOW + 4000


def test_failures_are_written_down_for_the_owner(tables, transact):
    """Each of them, however fast somebody guesses."""
    failures = tuple(Failure(ALICE, NOW + at, ADDRESS, f"{n}") for n, at in enumerate((0, 0, 1)))
    transact(sign_in.fail, failures)

    assert tables.events() == ["sign_in_failed"] * 3


def test_failures_that_were_written_though_nobody_heard_are_written_once(tables, transact):
    """The batch comes again, with more behind it."""
    first = tuple(Failure(ALICE, NOW, ADDRESS, f"{n}") for n in range(2))
    transact(sign_in.fail, first)
    transact(sign_in.fail, (*first, Failure(ALICE, NOW, ADDRESS, "2")))

    assert tables.events() == ["sign_in_failed"] * 3


@pytest.mark.parametrize("renews", [None, ALICES], ids=["first", "again"])
def test_signing_in_twice_at_once_leaves_both_secrets_good(tables, renews):
    """A double click on the sign-in page: each answer has its own secret, and either works."""
    tables.run(sign_ins.add, ALICES)
    tables.run(authorize.request, a_grant())
    news = [a_sign_in(name, sign_in_id=name) for name in ("one", "two", "three")]
    place = a_place(renews=renews, grant_id="grant")

    begun = tables.race([partial(sign_in.sign_in, new=new, place=place) for new in news])

    assert all(tables.run(sign_ins.get, new.digest).ended_at is None for new in news)
    assert len({each.name for each in begun}) == 3
    assert tables.run(grants.get, "grant").sign_in_id in {each.name for each in begun}
