"""Ending sessions: by whoever has a token of them, by their device, with their account."""

from functools import partial

import pytest

from support.records import (
    ADDRESS,
    ALICE,
    BOB,
    NOW,
    PHONE,
    REDIRECT_URI,
    VERIFIER,
    a_device_grant,
    a_grant,
    a_place,
    a_session,
    a_sign_in,
    an_opening,
)
from synapse_nextgen_auth.flows import authorize, device, end_session, redeem_code, sign_in
from synapse_nextgen_auth.flows.authorize import Decision
from synapse_nextgen_auth.flows.end_session import Revoked
from synapse_nextgen_auth.flows.redeem_code import Presented, Redeemed
from synapse_nextgen_auth.oauth.grants.device_grants import Poll
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import device_grants, sessions, sign_ins
from synapse_nextgen_auth.store.device_grants import Codes

ID = a_session().session_id


def begin(tables, number=0, **fields):
    """Keep a session."""
    session = a_session(session_id=f"{number:02}" * 16, **fields)
    tables.run(sessions.add, session)
    return session


def issue(tables, code, **fields):
    """Give out a code."""
    grant = a_grant(grant_id=code, **fields)
    tables.run(authorize.request, grant)
    if tables.run(sign_ins.get, grant.browser) is None:
        tables.run(sign_ins.add, a_sign_in(digest=grant.browser))
    decision = Decision(a_sign_in(digest=grant.browser), digest(code), NOW + 120, ADDRESS)
    tables.run(authorize.approve, grant, decision, now=NOW)


def is_good(tables, code):
    """Say whether a code opens a session; that is undone."""
    presented = Presented(digest(code), "app", REDIRECT_URI, VERIFIER, an_opening("ff" * 16))
    try:
        with tables.begin() as txn:
            outcome = redeem_code.redeem(txn, presented, now=NOW)
            raise _Undo
    except _Undo:
        return isinstance(outcome.value, Redeemed)


class _Undo(Exception):
    pass


def revoke(session_id=ID, *, client_id="app", at=9):
    """Return the flow that revokes."""
    return partial(
        end_session.revoke,
        session_id=session_id,
        client_id=client_id,
        now=NOW + at,
        address="198.51.100.9",
    )


def living(tables):
    """Return the ids of the sessions that live."""
    rows = tables.query("SELECT session_id FROM nextgen_sessions WHERE ended_at IS NULL")
    return {session_id for (session_id,) in rows}


def test_c121_a_revocation_ends_the_session_and_names_its_device(tables, transact):
    """The device goes with it, as on /logout."""
    session = begin(tables)

    outcome = transact(revoke())

    after = tables.run(sessions.get, ID)
    assert (outcome.value, outcome.ended) == (Revoked(ALICE, PHONE, session), (ID,))
    assert (after.ended_at, after.end_reason) == (NOW + 9, End.REVOKED)
    assert tables.query("SELECT kind, session_id, address, detail FROM nextgen_events") == [
        ("session_ended", ID, "198.51.100.9", "revoked")
    ]


@pytest.mark.parametrize("client_id", [None, "other", "unknown\u2028client"])
def test_c125_a_stranger_may_revoke_and_that_is_written_down(tables, transact, client_id):
    """Whoever found a token can end what it stands for (MSC4254)."""
    session = begin(tables)

    outcome = transact(revoke(client_id=client_id))

    assert (outcome.value, outcome.ended) == (Revoked(ALICE, PHONE, session), (ID,))
    assert tables.events() == ["revoked_by_another", "session_ended"]


@pytest.mark.parametrize("client_id", ["app", None])
def test_c123_revoking_again_ends_nothing_but_names_the_device_again(tables, transact, client_id):
    """Deleting the device may have failed the first time; the log has no second entry."""
    begin(tables)
    transact(revoke())

    outcome = transact(revoke(client_id=client_id, at=60))

    assert (outcome.value, outcome.ended) == (Revoked(ALICE, PHONE), ())
    assert tables.run(sessions.get, ID).ended_at == NOW + 9
    assert tables.events() == ["session_ended"]


def test_c123_an_unknown_session_is_nothing_to_revoke(tables, transact):
    """Its row was swept long ago, say."""
    outcome = transact(revoke())

    assert (outcome.value, outcome.ended) == (Revoked(), ())


def test_a_device_that_a_later_session_took_over_stays(tables, transact):
    """A token of the former session says nothing about the present one."""
    begin(tables, ended_at=NOW, end_reason=End.REPLACED.value)
    successor = begin(tables, number=1)

    outcome = transact(revoke())

    assert (outcome.value, outcome.ended) == (Revoked(ALICE), ())
    assert tables.run(sessions.get, successor.session_id) == successor


def test_a_device_that_was_taken_over_after_the_revocation_stays(tables, transact):
    """Revoked, then signed in again on the same device: a second call must not log that out."""
    begin(tables)
    transact(revoke())
    begin(tables, number=1)

    assert transact(revoke(at=60)).value == Revoked(ALICE)


@pytest.mark.parametrize("why", [End.REUSE, End.IDLE, End.LIFETIME, End.REPLACED, End.LOGOUT])
def test_a_device_that_outlived_its_session_on_purpose_stays(tables, transact, why):
    """After a soft logout its keys wait for their owner."""
    begin(tables, ended_at=NOW, end_reason=why.value)

    assert transact(revoke()).value == Revoked(ALICE)


def test_a_session_without_a_device_has_none_to_delete(tables, transact):
    """As for `openid` alone."""
    session = begin(tables, device_id=None, scope="openid")

    outcome = transact(revoke())

    assert (outcome.value, outcome.ended) == (Revoked(ALICE, None, session), (ID,))


def test_ending_by_id_returns_the_session_as_it_was(tables, transact):
    """Once; the second time nothing ends."""
    session = begin(tables)
    end = partial(end_session.end_by_id, session_id=ID, why=End.FAILED, now=NOW)

    first, second = transact(end), transact(end)

    assert (first.value, first.ended) == (session, (ID,))
    assert second.ended == ()
    assert transact(partial(end, session_id="ee" * 16)).value is None


def test_deleted_devices_end_their_sessions(tables, transact):
    """Those of this account and of these devices, and no others."""
    mine = [begin(tables, n, device_id=f"DEVICE_{n}") for n in range(4)]
    begin(tables, 8, user_id=BOB, device_id="DEVICE_0")
    begin(tables, 9, device_id=None)

    outcome = transact(
        end_session.end_for_devices,
        ALICE,
        ("DEVICE_0", "DEVICE_2", "UNKNOWN_DEVICE"),
        why=End.LOGOUT,
        now=NOW,
    )

    assert outcome.value == [mine[0], mine[2]]
    assert outcome.ended == (mine[0].session_id, mine[2].session_id)
    assert living(tables) == {"01" * 16, "03" * 16, "08" * 16, "09" * 16}


def test_a_code_for_a_deleted_device_is_worth_nothing(tables, transact):
    """Otherwise a code on its way would bring back what its owner just threw out."""
    issue(tables, "doomed")
    issue(
        tables, "other-device", scope="urn:matrix:client:api:* urn:matrix:client:device:TABLET_0001"
    )
    issue(tables, "no-device", scope="openid")

    transact(end_session.end_for_devices, ALICE, (PHONE,), why=End.LOGOUT, now=NOW)

    assert not is_good(tables, "doomed")
    assert is_good(tables, "other-device")
    assert is_good(tables, "no-device")


def test_a_request_for_the_account_is_no_code(tables, transact):
    """Who is asked for by name may still answer after signing out everywhere else."""
    tables.run(authorize.request, a_grant(user_id=ALICE))

    transact(end_session.sign_out_everywhere, ALICE, now=NOW)

    assert transact(authorize.find, "grant", browser="browser", now=NOW).is_open(NOW)


def approve_a_device(tables, number, **fields):
    """Let a device without a browser in that has not collected its session yet."""
    grant = a_device_grant(grant_id=number, **fields)
    tables.run(device.request, grant, Codes(number, number, number))
    assert tables.run(device.approve, grant, by=a_sign_in(), now=NOW, address=ADDRESS)


def is_collectable(tables, number):
    """Say whether the device may still collect its session."""
    return tables.run(device_grants.get, number).poll(NOW) is Poll.APPROVED


TABLET = "urn:matrix:client:api:* urn:matrix:client:device:TABLET_0001"


def test_what_a_deleted_device_has_not_collected_is_gone(tables, transact):
    """Whichever grant it signs in by; those of other devices go on."""
    approve_a_device(tables, "phone")
    approve_a_device(tables, "tablet", scope=TABLET)
    approve_a_device(tables, "none", scope="openid")

    transact(end_session.end_for_devices, ALICE, (PHONE,), why=End.LOGOUT, now=NOW)

    assert not is_collectable(tables, "phone")
    assert is_collectable(tables, "tablet")
    assert is_collectable(tables, "none")


@pytest.mark.parametrize("why", End)
def test_a_thief_gets_nothing_that_is_on_its_way(tables, transact, why):
    """Nobody knows who asked for it; any other end says nothing about what comes next."""
    session = begin(tables)
    issue(tables, "code")
    issue(tables, "other-device", scope=TABLET)
    approve_a_device(tables, "phone")

    transact(end_session.end_by_id, session.session_id, why=why, now=NOW)

    assert is_good(tables, "code") == (why is not End.REUSE)
    assert is_collectable(tables, "phone") == (why is not End.REUSE)
    assert is_good(tables, "other-device")


def test_signing_out_everywhere_takes_browsers_and_codes(tables, transact):
    """Of this account; and a session may stay, that of the device which changes the password."""
    tables.run(sign_in.sign_in, a_sign_in("mine"), a_place())
    tables.run(sign_in.sign_in, a_sign_in("hers", user_id=BOB), a_place())
    issue(tables, "code")
    session = begin(tables)

    transact(end_session.sign_out_everywhere, ALICE, now=NOW + 1, keep_device=session.device_id)

    assert tables.run(sign_ins.get, digest("mine")).ended_at == NOW + 1
    assert tables.run(sign_ins.get, digest("hers")).ended_at is None
    assert not is_good(tables, "code")
    assert tables.run(sessions.get, ID) == session


def test_signing_out_everywhere_leaves_no_session(tables, transact):
    """Sessions with and without a device, browsers, codes."""
    for n, device_id in enumerate([None, PHONE, "TABLET_0001"]):
        begin(tables, n, device_id=device_id)
    begin(tables, 5, user_id=BOB)
    tables.run(sign_in.sign_in, a_sign_in(), a_place())
    issue(tables, "code")

    outcome = transact(end_session.sign_out_everywhere, ALICE, now=NOW)

    assert sorted(outcome.ended) == ["00" * 16, "01" * 16, "02" * 16]
    assert living(tables) == {"05" * 16}
    assert tables.run(sign_ins.get, a_sign_in().digest).ended_at == NOW
    assert not is_good(tables, "code")


def test_ending_the_same_session_in_two_ways_at_once_is_written_down_once(tables):
    """The first reason stays, and one process reports the end."""
    session = begin(tables)
    by_id = partial(end_session.end_by_id, session_id=session.session_id, now=NOW)

    outcomes = tables.race([partial(by_id, why=why) for why in End])

    assert sorted(outcome.ended for outcome in outcomes) == [()] * (len(End) - 1) + [(ID,)]
    assert tables.events() == ["session_ended"]


@pytest.mark.parametrize(
    ("device_id", "heir", "stock", "since"),
    [
        (PHONE, None, False, None),
        (PHONE, {"created_at": NOW + 20}, False, NOW + 20),
        (PHONE, {"created_at": NOW + 20}, True, NOW + 20),
        (PHONE, {"created_at": NOW + 20, "device_id": "ANOTHER"}, False, None),
        (PHONE, {"created_at": NOW + 20, "user_id": BOB}, False, None),
        (PHONE, {"created_at": NOW + 20, "ended_at": NOW + 30}, False, None),
        (PHONE, None, True, NOW + 9),
        (None, None, True, None),
    ],
)
def test_since_when_another_speaks_for_the_device_of_an_ended_session(
    tables, transact, device_id, heir, stock, since
):
    """A later session does, or a token that Synapse itself made."""
    session = begin(tables, device_id=device_id, ended_at=NOW + 9, end_reason="reuse")
    if heir is not None:
        begin(tables, 1, **heir)
    if stock:
        tables.run(
            lambda txn: txn.execute(
                "INSERT INTO access_tokens (user_id, device_id) VALUES (?, ?)", (ALICE, PHONE)
            )
        )

    assert transact(end_session.taken_over_since, session) == since
