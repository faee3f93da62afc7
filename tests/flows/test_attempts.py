"""Attempts on a database: bound to their browser, proven step by step, ended once."""

from functools import partial

import attrs
import pytest

from support.records import (
    ADDRESS,
    ALICE,
    BOB,
    NOW,
    a_grant,
    a_place,
    a_proof,
    a_sign_in,
    an_attempt,
)
from support.tables import Listening
from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.attempts.stages import Added, Asked, Policy, Refused, Stage
from synapse_nextgen_auth.accounts.links import Link
from synapse_nextgen_auth.accounts.people import Account, Standing
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows import attempts, authorize, end_session, links
from synapse_nextgen_auth.flows.attempts import Ending, Lost
from synapse_nextgen_auth.flows.links import NewPassword
from synapse_nextgen_auth.store import attempts as rows
from synapse_nextgen_auth.store import grants, sign_ins

POLICY = Policy(passwords=True, providers=frozenset({"oidc-a"}))
ATTEMPT = an_attempt()
PROOF = a_proof()


def an_ending(secret="secret", **fields):
    """Return what an attempt of Alice's ends with."""
    return Ending(
        **{
            "digest": a_sign_in(secret).digest,
            "sign_in_id": secret,
            "account": Account(ALICE),
            "policy": POLICY,
            "place": a_place(address=ADDRESS),
            **fields,
        }
    )


def prove(proof=PROOF, *, browser="browser", at=0):
    return partial(attempts.prove, attempt_id="attempt", browser=browser, proof=proof, now=NOW + at)


def test_a_password_alone_is_one_row_that_has_ended(tables, transact):
    """With the sign-in, and the event: three statements that write."""
    attempt = ATTEMPT.having(PROOF)

    begun = transact(attempts.begin_proven, attempt, an_ending(), now=NOW)

    assert isinstance(begun, SignIn)
    assert (begun.user_id, begun.name, begun.amr) == (ALICE, "secret", "pwd")
    assert tables.run(sign_ins.get, begun.digest) == begun
    assert tables.run(rows.get, "attempt") == attrs.evolve(attempt, ended_at=NOW)
    assert tables.events() == ["signed_in"]


def give_password(tables, password_hash):
    with tables.begin() as txn:
        txn.execute("DELETE FROM users WHERE name = ?", (ALICE,))
        txn.execute(
            "INSERT INTO users (name, deactivated, password_hash) VALUES (?, 0, ?)",
            (ALICE, password_hash),
        )


def test_c255_a_password_that_was_set_since_it_was_checked_signs_nobody_in(tables):
    """Nothing is written: whoever has the new one is asked again."""
    give_password(tables, "new")
    begin = partial(attempts.begin_proven, attempt=ATTEMPT.having(PROOF), now=NOW)

    assert tables.run(begin, ending=an_ending(password_hash="old")) is Lost.OTHER_PASSWORD
    assert tables.run(rows.get, "attempt") is None
    assert tables.events() == []
    assert isinstance(tables.run(begin, ending=an_ending(password_hash="new")), SignIn)


@pytest.mark.parametrize("number", range(5))
def test_c255_whoever_signs_in_while_the_password_is_set_is_signed_out_or_not_in(tables, number):
    """However close: the former password lets nobody stay."""
    give_password(tables, "old")
    link = Link(digest="link", kind="command", user_id=ALICE, created_at=NOW, expires_at=NOW + 9)
    tables.run(links.make, link, now=NOW)
    new = NewPassword(hash="new", sign_out=True)

    begun, (done, *_) = tables.race(
        [
            partial(
                attempts.begin_proven,
                attempt=ATTEMPT.having(PROOF),
                ending=an_ending(password_hash="old"),
                now=NOW,
            ),
            lambda txn: (links.set_password(txn, link, new, now=NOW).value,),
        ]
    )

    assert begun is Lost.OTHER_PASSWORD or isinstance(begun, SignIn)
    assert done is not None
    assert tables.query("SELECT 1 FROM nextgen_browsers WHERE ended_at IS NULL") == []


def test_what_a_sign_in_writes(tables):
    """At most five statements from the first page on, the one for the grant included."""
    give_password(tables, "hash")
    tables.run(authorize.request, a_grant(login_after=NOW + 1))
    attempt = attrs.evolve(ATTEMPT, onward=Kind.GRANT, onward_id="grant").having(PROOF)
    ending = an_ending(place=a_place(grant_id="grant"), password_hash="hash")
    with tables.begin() as txn:
        listening = Listening(txn)
        begun = attempts.begin_proven(listening, attempt, ending, now=NOW)
        writes = [sql for sql in listening.statements if not sql.startswith("SELECT")]

    assert isinstance(begun, SignIn)
    assert len(writes) == 5
    grant = tables.run(grants.get, "grant")
    assert (grant.sign_in_id, grant.proven_at) == (begun.name, NOW)


def test_a_proof_alone_signs_nobody_in(tables, transact):
    """Only the end does."""
    transact(attempts.begin, ATTEMPT)

    proven = transact(prove())

    assert proven.user_id == ALICE
    assert tables.run(rows.get, "attempt") == proven
    assert tables.count("nextgen_browsers") == 0
    assert isinstance(transact(attempts.end, proven, an_ending(), now=NOW), SignIn)


@pytest.mark.parametrize(
    ("browser", "at", "lost"),
    [
        ("another", 0, Lost.UNKNOWN),
        (None, 0, Lost.UNKNOWN),
        ("browser", 3600, Lost.EXPIRED),
    ],
)
def test_c261_an_attempt_goes_on_in_its_browser_and_its_hour(tables, transact, browser, at, lost):
    """Whoever knows its id has nothing by that (C278)."""
    transact(attempts.begin, ATTEMPT)

    assert transact(attempts.find, "attempt", browser=browser, now=NOW + at) is lost
    assert transact(prove(browser=browser, at=at)) is lost
    assert tables.run(rows.get, "attempt") == ATTEMPT


def test_a_proof_that_does_not_count_is_not_kept(tables, transact):
    """It would fix the account, and be in the way of the proof that counts."""
    transact(attempts.begin, ATTEMPT)
    gone = Proof(ProofKind.PROVIDER, NOW, user_id="@other:example.com", provider="gone")

    assert transact(attempts.prove_and_end, ATTEMPT, gone, an_ending(), now=NOW) is Stage.IDENTIFY
    assert tables.run(rows.get, "attempt") == ATTEMPT
    assert isinstance(
        transact(attempts.prove_and_end, ATTEMPT, PROOF, an_ending(), now=NOW), SignIn
    )


def test_c278_no_stage_can_be_skipped(tables, transact):
    """The end of an attempt that lacks something says what, and signs nobody in."""
    transact(attempts.begin, ATTEMPT)

    assert transact(attempts.end, ATTEMPT, an_ending(), now=NOW) is Stage.IDENTIFY
    proven = transact(prove())
    asked = an_ending(asked=Asked((Stage.TERMS,)))
    assert transact(attempts.end, proven, asked, now=NOW) is Stage.TERMS
    locked = an_ending(account=Account(ALICE, is_locked=True))
    assert transact(attempts.end, proven, locked, now=NOW) == Refused(Standing.LOCKED)
    assert tables.count("nextgen_browsers") == 0
    answered = transact(
        attempts.answer, "attempt", browser="browser", stage=Stage.TERMS, sealed="x", now=NOW
    )
    assert isinstance(transact(attempts.end, answered, asked, now=NOW), SignIn)


def test_c261_an_attempt_ends_once(tables, transact):
    """A reload, or the back button, finds it over."""
    proven = ATTEMPT.having(PROOF)
    transact(attempts.begin, proven)
    transact(attempts.end, proven, an_ending(), now=NOW)

    ended = tables.run(rows.get, "attempt")
    assert transact(attempts.end, proven, an_ending("again"), now=NOW) is Lost.CHANGED
    assert isinstance(transact(attempts.end, ended, an_ending("again"), now=NOW), Refused)
    assert transact(attempts.find, "attempt", browser="browser", now=NOW) is Lost.ENDED
    assert transact(prove()) is Lost.ENDED
    assert tables.count("nextgen_browsers") == 1


def test_two_that_end_it_at_once_sign_in_once(tables):
    """A double click."""
    proven = ATTEMPT.having(PROOF)
    tables.run(attempts.begin, proven)
    endings = [an_ending(f"secret {n}") for n in range(6)]

    ended = tables.race(
        [partial(attempts.end, attempt=proven, ending=ending, now=NOW) for ending in endings]
    )

    assert sum(isinstance(each, SignIn) for each in ended) == 1
    assert tables.count("nextgen_browsers") == 1


def test_proofs_at_once_are_one_proof(tables):
    """Of two people in two tabs, one; the other one is told."""
    tables.run(attempts.begin, ATTEMPT)
    proofs = [prove(a_proof(f"@{n}:hs")) for n in range(6)]

    taken = tables.race(proofs)

    assert sum(not isinstance(each, Lost) for each in taken) == 1
    (proof,) = tables.run(rows.get, "attempt").proven
    assert tables.run(rows.get, "attempt").user_id == proof.user_id


@pytest.mark.parametrize("fixed", [True, False], ids=["from-the-start", "by-the-first-proof"])
def test_c262_a_proof_of_another_account_is_none(tables, transact, fixed):
    """Neither as the first one of an attempt for one account, nor beside what was proven."""
    again = an_attempt(purpose=Purpose.PROVE_AGAIN, user_id=ALICE)
    transact(attempts.begin, again if fixed else ATTEMPT.having(PROOF))

    bobs = a_proof(BOB, provider="oidc-a")
    assert transact(prove(bobs)) is Lost.OTHER_ACCOUNT
    held = tables.run(rows.get, "attempt")
    ended = transact(attempts.prove_and_end, held, bobs, an_ending(account=Account(BOB)), now=NOW)
    assert ended is Lost.OTHER_ACCOUNT
    assert tables.count("nextgen_browsers") == 0


@pytest.mark.parametrize("how", ["ended meanwhile", "not here"])
def test_c021_nobody_proves_again_who_was_signed_out(tables, transact, how):
    """Less is asked of them than of whoever signs in: not what other modules add to that."""
    here = a_sign_in("here", user_id=ALICE, sign_in_id="here")
    transact(sign_ins.add, here)
    again = an_attempt(purpose=Purpose.PROVE_AGAIN, user_id=ALICE)
    transact(attempts.begin, again)
    if how == "ended meanwhile":
        transact(sign_ins.end, here.digest, now=NOW)
    place = a_place(renews=here if how == "ended meanwhile" else None)

    ended = transact(attempts.prove_and_end, again, PROOF, an_ending(place=place), now=NOW + 1)

    assert ended is Lost.SIGNED_OUT
    assert tables.run(rows.get, "attempt") == again
    assert tables.run(sign_ins.get, an_ending().digest) is None


def test_whoever_is_here_proves_it_again(tables, transact):
    """It is the same sign-in, under another secret."""
    here = a_sign_in("here", user_id=ALICE, sign_in_id="here")
    transact(sign_ins.add, here)
    again = an_attempt(purpose=Purpose.PROVE_AGAIN, user_id=ALICE)
    transact(attempts.begin, again)
    ending = an_ending(place=a_place(renews=here))

    ended = transact(attempts.prove_and_end, again, PROOF, ending, now=NOW + 1)

    assert isinstance(ended, SignIn)
    assert (ended.name, tables.count("nextgen_browsers")) == ("here", 1)


def test_a_password_ends_an_attempt_that_went_to_a_provider_first(tables, transact):
    """The person came back and typed it: one write for proof and end."""
    transact(attempts.begin, ATTEMPT)

    begun = transact(attempts.prove_and_end, ATTEMPT, PROOF, an_ending(), now=NOW + 1)
    late = transact(attempts.prove_and_end, ATTEMPT, PROOF, an_ending("x"), now=NOW + 1)

    assert isinstance(begun, SignIn)
    assert late is Lost.CHANGED
    assert tables.run(rows.get, "attempt").ended_at == NOW + 1


def test_c039_what_it_is_for_waits_as_long(tables, transact):
    """A grant of half an hour has an hour once somebody is on the way; not one that is decided."""
    for grant_id, fields in (("open", {}), ("refused", {"refused_at": NOW}), ("other", {})):
        tables.run(grants.add, a_grant(grant_id=grant_id, **fields))
    begun = {"onward": Kind.GRANT, "expires_at": NOW + 5000}
    transact(attempts.begin, an_attempt(attempt_id="1", onward_id="open", **begun))
    transact(attempts.begin, an_attempt(attempt_id="2", onward_id="refused", **begun))
    transact(attempts.begin, an_attempt(attempt_id="3", onward_id="other", browser="x", **begun))

    ends = [tables.run(grants.get, name).expires_at - NOW for name in ("open", "refused", "other")]
    assert ends == [5000, 1800, 1800]


ASKED = Asked(added=(Added("terms"),))


def test_what_another_module_asks_keeps_the_proof_and_signs_nobody_in(tables, transact):
    """Until it is answered: one write each, and once."""
    ending = an_ending(asked=ASKED)
    attempt = ATTEMPT.having(PROOF)

    assert transact(attempts.begin_proven, attempt, ending, now=NOW) == Added("terms")
    assert tables.events() == []
    answered = attempt.answering("module:terms", "sealed")
    end = partial(attempts.answer_and_end, former=attempt, answered=answered, ending=ending)
    assert isinstance(transact(end, now=NOW), SignIn)
    assert tables.run(partial(end, now=NOW)) is Lost.CHANGED
    assert tables.events() == ["signed_in"]


def test_c255_another_password_ends_what_waits_with_the_former_one(tables, transact):
    """So does whoever signs out everywhere: what was proven before that is over."""
    waits = an_ending(asked=ASKED)
    attempt = ATTEMPT.having(PROOF)
    transact(attempts.begin_proven, attempt, waits, now=NOW)
    transact(end_session.withdraw, ALICE, now=NOW)
    answered = attempt.answering("module:terms", "sealed")

    end = partial(attempts.answer_and_end, former=attempt, answered=answered, ending=waits)
    assert tables.run(partial(end, now=NOW)) is Lost.CHANGED
    assert tables.events() == []


def test_c255_a_password_that_was_set_since_is_not_kept_as_a_proof(tables):
    """Nor does it wait for another module."""
    give_password(tables, "new")
    ending = an_ending(asked=ASKED, password_hash="old")
    begin = partial(attempts.begin_proven, attempt=ATTEMPT.having(PROOF), now=NOW)

    assert tables.run(begin, ending=ending) is Lost.OTHER_PASSWORD
    assert tables.run(rows.get, "attempt") is None


def test_a_refused_attempt_is_over(tables, transact):
    """Whoever asks again begins anew."""
    attempt = ATTEMPT.having(PROOF)
    transact(attempts.begin_proven, attempt, an_ending(asked=ASKED), now=NOW)

    assert transact(attempts.refuse, attempt, now=NOW)
    assert not tables.run(partial(attempts.refuse, now=NOW), attempt)
    assert transact(attempts.find, "attempt", browser="browser", now=NOW) is Lost.ENDED
