"""Signing keys come and go by the calendar, whoever looks at it."""

from functools import partial

import attrs

from support.records import ALICE, BOB, NOW, PHONE, a_session
from synapse_nextgen_auth.flows import housekeeping
from synapse_nextgen_auth.oauth.tokens.keys import DAY, Algorithm, Schedule, SigningKey, current
from synapse_nextgen_auth.store import keys, sessions, strays

SCHEDULE = Schedule()


def a_key(kid, algorithm=Algorithm.RS256, *, start=NOW, created_at=NOW):
    """Return a key; no signature is made with it."""
    return SigningKey(kid, algorithm, f"sealed {kid}", f'{{"kid":"{kid}"}}', created_at, start)


def rotate(tables, made, *, now=NOW):
    """Add keys and drop the retired."""
    tables.transact(housekeeping.rotate_keys, made, now=now, schedule=SCHEDULE)


def kids(tables):
    """Return the names of the stored keys, the oldest first."""
    return [key.kid for key in tables.run(keys.list_all)]


def test_a_fresh_server_needs_one_key_of_each_kind_now(tables, transact):
    """And none once they are there."""
    missing = partial(housekeeping.missing_keys, now=NOW, schedule=SCHEDULE)

    assert transact(missing) == {Algorithm.RS256: NOW, Algorithm.ES256: NOW}
    rotate(tables, {a: a_key(a.value, a) for a in Algorithm})
    assert transact(missing) == {}
    assert tables.events() == ["key_rotated"] * 2


def test_c138_a_year_of_rotations_never_leaves_a_gap(tables):
    """Looked at every six hours: a key is published before its use and kept after it."""
    signing, published = {}, {}
    for hour in range(0, 365 * 24, 6):
        now = NOW + hour * 3600
        missing = tables.run(housekeeping.missing_keys, now=now, schedule=SCHEDULE)
        made = {
            a: a_key(f"{a.value} {now}", a, start=s, created_at=now) for a, s in missing.items()
        }
        tables.run(housekeeping.rotate_keys, made, now=now, schedule=SCHEDULE)
        present = tables.run(keys.list_all)
        for algorithm in Algorithm:
            signing.setdefault(current(present, algorithm, now=now).kid, []).append(now)
        for key in present:
            published.setdefault(key.kid, []).append(now)

    assert len(signing) == 2 * 5
    for kid, used in signing.items():
        if used[0] > NOW:
            assert published[kid][0] <= used[0] - SCHEDULE.publish_ahead
        if used[-1] < now:
            assert published[kid][-1] >= used[-1] + SCHEDULE.keep_after
    assert max(map(len, published.values())) * 6 * 3600 < 95 * DAY
    assert tables.count("nextgen_signing_keys") <= 4


def test_two_processes_that_notice_at_once_make_one_key(tables):
    """The same time of the calendar has one key; the loser's is dropped without an error."""
    calls = [
        partial(
            housekeeping.rotate_keys,
            made={Algorithm.RS256: a_key(f"k{n}")},
            now=NOW,
            schedule=SCHEDULE,
        )
        for n in range(8)
    ]

    tables.race(calls)

    assert len(kids(tables)) == 1
    assert tables.events() == ["key_rotated"]


def test_a_retired_key_goes_and_the_others_stay(tables):
    """Retired is what was replaced two days ago, of the same algorithm."""
    rotate(tables, {Algorithm.RS256: a_key("old"), Algorithm.ES256: a_key("ec", Algorithm.ES256)})
    rotate(tables, {Algorithm.RS256: a_key("new", start=NOW + 90 * DAY)})

    rotate(tables, {}, now=NOW + 92 * DAY - 1)
    assert kids(tables) == ["ec", "old", "new"]
    rotate(tables, {}, now=NOW + 92 * DAY)
    assert kids(tables) == ["ec", "new"]


def test_a_key_comes_back_as_it_was(tables, transact):
    """With its algorithm as such."""
    key = a_key("k", Algorithm.ES256, start=NOW + 5)
    transact(keys.add, key)

    assert transact(keys.list_all) == [key]
    assert transact(keys.add, attrs.evolve(key, kid="other")) is False


def with_synapse(tables, *, users, devices, signed_in=()):
    """Fill Synapse's tables beside ours, as far as we read them."""

    def create(txn):
        for name, deactivated in users.items():
            txn.execute(
                "INSERT INTO users (name, deactivated) VALUES (?, ?)", (name, int(deactivated))
            )
        for user_id, device_id in devices:
            txn.execute(
                "INSERT INTO devices (user_id, device_id) VALUES (?, ?)", (user_id, device_id)
            )
        for user_id, device_id in signed_in:
            txn.execute(
                "INSERT INTO access_tokens (user_id, device_id) VALUES (?, ?)", (user_id, device_id)
            )

    tables.run(create)


def look_through(tables, *, now):
    """Look for strays until there is nothing left to look at.

    Return which sessions were ended, and how many of each bite live on.
    """
    after, ended, bites = "", [], []
    while after is not None:
        outcome = tables.transact(housekeeping.end_strays, after=after, now=now)
        after, ended = outcome.value.until, ended + list(outcome.ended)
        bites.append(outcome.value.living)
    return ended, bites


def test_sessions_without_a_device_that_are_idle_are_ended(tables):
    """In bites like all others; one with a device waits for its client, whatever its idle limit."""
    with_synapse(tables, users={ALICE: False}, devices=[(ALICE, PHONE)])
    website = {"device_id": None, "scope": "openid"}
    for n, fields in enumerate(
        (
            website,
            {**website, "rotated_at": NOW + 1},
            {**website, "last_active_at": NOW + 1},
            {**website, "ended_at": NOW, "end_reason": "revoked"},
            {},
        )
    ):
        tables.run(sessions.add, a_session(session_id=f"{n:02}" * 16, **fields))

    limit = 30 * DAY
    before = tables.transact(
        housekeeping.end_strays, after="", now=NOW + limit - 1, idle_limit=limit
    )
    outcome = tables.transact(housekeeping.end_strays, after="", now=NOW + limit, idle_limit=limit)

    assert before.ended == ()
    assert outcome.ended == ("00" * 16,)
    assert outcome.value.living == 3
    assert tables.run(sessions.get, "00" * 16).end_reason == "idle"


def test_sessions_whose_own_end_has_come_are_ended(tables):
    """Nobody can go on with one without a refresh token; its device is the account's and stays."""
    with_synapse(tables, users={ALICE: False}, devices=[(ALICE, PHONE)])
    for n, expires_at in enumerate((NOW + 300, NOW + 301, None)):
        device_id = None if n else PHONE
        session = a_session(session_id=f"{n:02}" * 16, device_id=device_id, expires_at=expires_at)
        tables.run(sessions.add, session)

    before = tables.transact(housekeeping.end_strays, after="", now=NOW + 299)
    outcome = tables.transact(housekeeping.end_strays, after="", now=NOW + 300)

    assert (before.ended, outcome.ended) == ((), ("00" * 16,))
    assert outcome.value.living == 2
    assert tables.run(sessions.get, "00" * 16).end_reason == "lifetime"


def test_sessions_that_a_dead_process_left_behind_are_ended(tables):
    """Without their device, or of an account that is gone; all others stay."""
    with_synapse(tables, users={ALICE: False, BOB: True}, devices=[(ALICE, PHONE), (BOB, PHONE)])
    for n, (user_id, device_id) in enumerate(
        [(ALICE, PHONE), (ALICE, None), (ALICE, "GONE_TABLET"), (BOB, PHONE), ("@x:y", None)]
    ):
        session = a_session(session_id=f"{n:02}" * 16, user_id=user_id, device_id=device_id)
        tables.run(sessions.add, session)

    early, _ = look_through(tables, now=NOW + 300)
    ended, _ = look_through(tables, now=NOW + 301)

    assert early == []
    assert sorted(ended) == ["02" * 16, "03" * 16, "04" * 16]
    assert look_through(tables, now=NOW + 400)[0] == []


def test_a_session_whose_device_a_stock_sign_in_took_over_is_ended(tables):
    """While the module was not loaded; a stock token of another device is no reason."""
    devices = [(ALICE, PHONE), (ALICE, "TABLET_0001"), (BOB, PHONE)]
    stock = [(ALICE, "TABLET_0001"), (BOB, "TABLET_0001"), (ALICE, None)]
    with_synapse(tables, users={ALICE: False, BOB: False}, devices=devices, signed_in=stock)
    for n, (user_id, device_id) in enumerate([*devices, (ALICE, None)]):
        session = a_session(session_id=f"{n:02}" * 16, user_id=user_id, device_id=device_id)
        tables.run(sessions.add, session)

    assert look_through(tables, now=NOW + 3600)[0] == ["01" * 16]


def test_many_sessions_are_looked_through_in_bites(tables, monkeypatch):
    """The living ones are counted on the way; those that ended are not."""
    monkeypatch.setattr(strays, "BITE", 7)
    with_synapse(tables, users={ALICE: False}, devices=[(ALICE, "DEVICE_010")])
    over = a_session(session_id="f" * 32, ended_at=NOW, end_reason="revoked")
    tables.run(sessions.add, over)
    for n in range(30):
        tables.run(sessions.add, a_session(session_id=f"{n:032x}", device_id=f"DEVICE_{n:03}"))

    ended, bites = look_through(tables, now=NOW + 3600)

    assert len(ended) == 29
    assert bites == [0, 1, 0, 0, 0]


def test_c379_sessions_from_the_future_are_set_right(tables):
    """A clock ran ahead by a year: they live on, their limits begin now, every process hears of it."""
    year = 365 * 24 * 3600
    times = ["created_at", "rotated_at", "last_active_at", "auth_time"]
    ahead = dict.fromkeys(times, NOW + year)
    with tables.begin() as txn:
        sessions.add(txn, a_session(session_id="a0", device_id=None, **ahead))
        sessions.add(txn, a_session(session_id="a1", device_id=None, rotated_at=NOW + 61))
        sessions.add(txn, a_session(session_id="a2", device_id=None, rotated_at=NOW + 60))
        txn.execute("INSERT INTO users (name, deactivated) VALUES (?, 0)", (ALICE,))

    outcome = tables.transact(housekeeping.end_strays, after="", now=NOW)

    assert (outcome.ended, outcome.changed) == ((), ("a0", "a1"))
    found = [tables.run(sessions.get, name) for name in ("a0", "a1", "a2")]
    assert [getattr(found[0], name) for name in times] == [NOW] * 4
    assert [session.rotated_at for session in found] == [NOW, NOW, NOW + 60]
    assert all(session.ended_at is None for session in found)


def test_the_address_of_an_idle_session_is_forgotten(tables):
    """Living or ended; every process hears of it, and one that refreshed since keeps its own."""
    kept = {"device_id": None, "address": "192.0.2.1"}
    with tables.begin() as txn:
        sessions.add(txn, a_session(session_id="a0", rotated_at=NOW - 101, **kept))
        sessions.add(txn, a_session(session_id="a1", rotated_at=NOW - 100, **kept))
        over = {"ended_at": NOW, "end_reason": "revoked"}
        sessions.add(txn, a_session(session_id="a2", rotated_at=NOW - 101, **kept, **over))
        txn.execute("INSERT INTO users (name, deactivated) VALUES (?, 0)", (ALICE,))

    outcome = tables.transact(housekeeping.end_strays, after="", now=NOW, addresses_since=NOW - 100)

    assert (outcome.ended, outcome.changed) == ((), ("a0", "a2"))
    addresses = [tables.run(sessions.get, name).address for name in ("a0", "a1", "a2")]
    assert addresses == [None, "192.0.2.1", None]


def test_devices_that_outlived_the_revocation_of_their_session_are_found(tables):
    """Until the device is gone; not where somebody else has it now, or may come back to it."""
    cases = {
        "LEFT": [("revoked", NOW)],
        "TWICE": [("revoked", NOW - 5), ("revoked", NOW)],
        "FAILED_SINCE": [("revoked", NOW - 5), ("failed", NOW)],
        "IDLE_BEFORE": [("idle", NOW - 5), ("revoked", NOW)],
        "GONE_DEVICE": [("revoked", NOW)],
        "LONG_AGO": [("revoked", NOW - 101)],
        "LIVING": [("revoked", NOW), (None, None)],
        "STOCK": [("revoked", NOW)],
        "IDLE_SINCE": [("revoked", NOW - 5), ("idle", NOW)],
        "IDLE": [("idle", NOW)],
        "LOGGED_OUT": [("logout", NOW)],
    }
    there = [(ALICE, name) for name in cases if name != "GONE_DEVICE"]
    with_synapse(
        tables, users={ALICE: False}, devices=[*there, (BOB, "X")], signed_in=[(ALICE, "STOCK")]
    )
    for device, ends in cases.items():
        for n, (why, at) in enumerate(ends):
            session = a_session(
                session_id=f"{device}{n}", device_id=device, end_reason=why, ended_at=at
            )
            tables.run(sessions.add, session)
    tables.run(
        sessions.add,
        a_session(session_id="none", device_id=None, end_reason="revoked", ended_at=NOW),
    )

    found = tables.run(strays.list_half_revoked, since=NOW - 100)

    assert sorted(found) == [
        (ALICE, name) for name in ("FAILED_SINCE", "IDLE_BEFORE", "LEFT", "TWICE")
    ]
