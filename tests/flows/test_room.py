"""How many devices an account may have, however many ask for one at the same moment (C314)."""

from functools import partial

import pytest

from support.oauth import API, DEVICE
from support.records import (
    ALICE,
    BOB,
    NOW,
    PHONE,
    REDIRECT_URI,
    VERIFIER,
    a_device_grant,
    a_device_opening,
    a_grant,
    a_place,
    a_session,
    a_sign_in,
    an_opening,
)
from synapse_nextgen_auth.flows import device, redeem_code, room, sign_in
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.store import device_grants, devices, grants, sessions, sign_ins
from synapse_nextgen_auth.store.device_grants import Codes

LIMIT = 2


def has_room(device_id="NEW", *, user_id=ALICE, at=0, limit=LIMIT):
    """Return the question whether one more device fits in."""
    return partial(
        room.has_room, user_id=user_id, device_id=device_id, max_devices=limit, now=NOW + at
    )


def with_devices(tables, *device_ids, hidden=False, in_use=True):
    """Give the account these devices, and tokens of Synapse's to them."""
    for device_id in device_ids:
        if in_use:
            tables.query(
                "INSERT INTO access_tokens (user_id, device_id) VALUES (?, ?) RETURNING 1",
                *(ALICE, device_id),
            )
        tables.query(
            "INSERT INTO devices (user_id, device_id, hidden) VALUES (?, ?, ?) RETURNING 1",
            *(ALICE, device_id, hidden),
        )


def test_thousands_of_devices_are_counted_without_comparing_each_with_each(postgres_tables):
    """A database that knows accounts with a few devices would join them so."""
    with postgres_tables.begin() as txn:
        explained = Explained(txn)
        devices.count_in_use(explained, ALICE, begun_after=NOW, now=NOW)

    assert "SetOp" in explained.plan
    assert "Nested Loop" not in explained.plan


class Explained:
    """A transaction that explains its statement instead of running it."""

    def __init__(self, txn):
        self._txn, self.plan = txn, ""

    def execute(self, sql, parameters):
        self._txn.execute(f"EXPLAIN {sql}", parameters)
        self.plan = "\n".join(row[0] for row in self._txn.fetchall())

    def fetchone(self):
        return (0,)


def code(tables, n):
    """Agree to a client with a device of its own; return the flow that redeems its code."""
    scope = f"{API} {DEVICE}CODE_DEVICE_{n}"
    browser = a_sign_in(f"browser {n}")
    tables.run(sign_ins.add, browser)
    tables.run(grants.add, a_grant(grant_id=f"g{n}", scope=scope, browser=browser.digest))
    agreed = {"by": browser, "acr": "acr", "proven_at": None, "code_digest": f"code {n}"}
    times = {"code_expires_at": NOW + 120, "expires_at": NOW + 86400, "now": NOW}
    tables.run(grants.approve, f"g{n}", **agreed, **times)
    presented = redeem_code.Presented(
        f"code {n}", "app", REDIRECT_URI, VERIFIER, an_opening(f"{n:032}", max_devices=LIMIT)
    )
    return partial(redeem_code.redeem, presented=presented, now=NOW)


def device_code(tables, n):
    """Agree to a device without a browser; return the flow that collects its session."""
    scope = f"{API} {DEVICE}OTHER_DEVICE_{n}"
    grant = a_device_grant(grant_id=f"d{n}", scope=scope, browser=a_sign_in().digest)
    tables.run(device_grants.add, grant, Codes(f"device {n}", f"user {n}", f"half {n}"))
    tables.run(device_grants.approve, f"d{n}", by=a_sign_in(), acr="acr", now=NOW)
    return partial(
        device.redeem,
        device_code=f"device {n}",
        opening=a_device_opening(f"d{n:031}", max_devices=LIMIT),
        now=NOW,
    )


def test_c314_twenty_at_once_get_no_more_than_fit_in(tables):
    """Codes and device codes, mixed: two begin, the others hear it in their own words."""
    tables.run(sign_in.sign_in, a_sign_in(), a_place())
    flows = [make(tables, n) for n in range(10) for make in (code, device_code)]

    outcomes = tables.race(flows)
    errors = [outcome.value.code for outcome in outcomes if isinstance(outcome.value, OAuthError)]

    assert tables.count("nextgen_sessions") == LIMIT
    assert len(errors) == 20 - LIMIT
    assert set(errors) == {"invalid_grant", "access_denied"}


def test_c314_a_code_that_found_no_room_is_good_when_there_is(tables, transact):
    """Whoever signs another device out meanwhile need not begin anew."""
    with_devices(tables, "ONE", "TWO")
    redeem = code(tables, 1)

    assert transact(redeem).value.code == "invalid_grant"
    tables.query("DELETE FROM devices WHERE device_id = ? RETURNING 1", "TWO")
    assert transact(redeem).value.session.device_id == "CODE_DEVICE_1"


def test_c314_what_counts_are_devices_and_sessions_about_to_get_one(tables, transact):
    """Each device once, nothing hidden, nothing of others, and no session without a device."""
    with_devices(tables, "ONE")
    with_devices(tables, "cross signing key", hidden=True)
    for n, fields in enumerate(
        (
            {"device_id": "ONE"},
            {"device_id": None, "scope": "openid"},
            {"device_id": "OVER", "ended_at": NOW, "end_reason": "failed"},
            {"user_id": BOB, "device_id": PHONE},
        )
    ):
        tables.run(sessions.add, a_session(session_id=f"{n:032}", **fields))

    assert transact(has_room())
    tables.run(sessions.add, a_session(session_id="ab" * 16, device_id="SOON"))
    assert not transact(has_room())
    assert transact(has_room(user_id=BOB))


def test_c314_a_session_that_never_got_its_device_takes_no_place_for_long(tables, transact):
    """A process died in between."""
    with_devices(tables, "ONE")
    tables.run(sessions.add, a_session(session_id="ab" * 16, device_id="NEVER"))

    assert not transact(has_room(at=room.BEGINNING - 1))
    assert transact(has_room(at=room.BEGINNING))


@pytest.mark.parametrize("device_id", ["ONE", "SOON", None])
def test_c314_what_is_there_already_needs_no_room(tables, transact, device_id):
    """And who asks for no device needs none either."""
    with_devices(tables, "ONE", "TWO")
    tables.run(sessions.add, a_session(session_id="ab" * 16, device_id="SOON"))

    assert transact(has_room(device_id))
    assert not transact(has_room())


def test_c314_what_stays_of_a_session_that_ended_does_not_count(tables, transact):
    """Its device keeps its keys, and the person who signs in anew is not locked out by it."""
    with_devices(tables, "ONE")
    with_devices(tables, "LEFT", "OVER", "SWEPT", in_use=False)
    for n, device_id in enumerate(("LEFT", "OVER")):
        ended = a_session(
            session_id=f"{n:032}", device_id=device_id, ended_at=NOW, end_reason="reuse"
        )
        tables.run(sessions.add, ended)

    assert transact(has_room())
    tables.run(sessions.add, a_session(session_id="ab" * 16, device_id="LEFT"))
    assert not transact(has_room())


def test_c314_coming_back_to_a_device_that_ended_needs_room(tables, transact):
    """Or there would be more in use than the limit."""
    with_devices(tables, "ONE")
    with_devices(tables, "OVER", in_use=False)

    assert transact(has_room("OVER"))
    with_devices(tables, "TWO")
    assert not transact(has_room("OVER"))
    assert transact(has_room("TWO"))


@pytest.mark.parametrize(
    ("valid_until", "refresh_token", "counts"),
    [
        (None, None, True),
        (NOW * 1000 + 1, None, True),
        (NOW * 1000, None, False),
        (NOW * 1000 - 1, None, False),
        (NOW * 1000 - 1, 7, True),
    ],
)
def test_c314_a_stock_token_whose_time_is_over_takes_no_place(
    tables, transact, valid_until, refresh_token, counts
):
    """Synapse keeps its row; one that can be refreshed still speaks for its device."""
    with_devices(tables, "ONE", "TWO")
    tables.query(
        "UPDATE access_tokens SET valid_until_ms = ?, refresh_token_id = ? WHERE device_id = 'TWO'"
        " RETURNING 1",
        *(valid_until, refresh_token),
    )

    assert transact(has_room()) is not counts
    assert transact(has_room("TWO"))
    with_devices(tables, "THREE")
    assert transact(has_room("TWO")) is counts


def test_without_the_option_nothing_is_written(tables, transact):
    """It costs nobody anything who does not use it."""
    with_devices(tables, "ONE", "TWO", "THREE")

    assert transact(has_room(limit=None))
    assert tables.count("nextgen_throttle") == 0
