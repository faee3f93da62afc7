"""Lists of browsers, of what Synapse's own tokens are signed in on, and of clients."""

import pytest

from support.records import ALICE, BOB, NOW, a_client, a_session, a_sign_in
from synapse_nextgen_auth.accounts.sign_ins import BrowserLifetimes
from synapse_nextgen_auth.store import (
    client_lists,
    clients,
    legacy_lists,
    sessions,
    sign_in_lists,
    sign_ins,
)
from synapse_nextgen_auth.store.client_lists import Block, ClientFilter
from synapse_nextgen_auth.store.legacy_lists import LegacyFilter
from synapse_nextgen_auth.store.sign_in_lists import SignInFilter
from synapse_nextgen_auth.store.windows import Window

DAY = 24 * 3600
ALL = Window(100)
LIMITS = {"lifetimes": BrowserLifetimes(idle=5 * DAY, absolute=20 * DAY), "now": NOW + 9 * DAY}


def browsers(tables, window=ALL, **fields):
    wanted = SignInFilter(**fields)
    found = tables.run(sign_in_lists.page, wanted, window, **LIMITS)
    if window is ALL:
        assert tables.run(sign_in_lists.count, wanted, **LIMITS) == len(found)
    return [each.sign_in_id for each in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "abcd"),
        ({"user_id": BOB}, "bd"),
        ({"is_living": True}, "cd"),
        ({"is_living": False}, "ab"),
        ({"created_before": NOW + DAY}, "a"),
        ({"created_after": NOW + DAY}, "cd"),
        ({"active_before": NOW + 6 * DAY}, "ab"),
        ({"active_after": NOW + 6 * DAY, "user_id": ALICE}, "c"),
    ],
    ids=str,
)
def test_browsers_by_what_they_have_in_common(tables, fields, expected):
    """The first was signed out, the second was not here for too long."""
    for number, name in enumerate("abcd"):
        made = a_sign_in(
            name,
            user_id=(ALICE, BOB)[number % 2],
            sign_in_id=name,
            signed_in_at=NOW + number * DAY,
            last_active_at=NOW + (3 if number == 1 else number + 5) * DAY,
            ended_at=NOW + 2 if number == 0 else None,
        )
        tables.run(sign_ins.add, made)

    assert "".join(browsers(tables, **fields)) == expected


def test_browsers_page_after_page(tables):
    for name in "abcd":
        tables.run(sign_ins.add, a_sign_in(name, sign_in_id=name))
    order = browsers(tables)
    (second,) = [sign for sign in [tables.run(sign_ins.find, ALICE, order[1])] if sign]
    at = (second.signed_in_at, second.digest)

    assert browsers(tables, Window(1, after=at)) == order[2:]
    assert browsers(tables, Window(1, before=at, backwards=True)) == order[:1]


@pytest.fixture
def legacy(tables):
    """A phone whose token was renewed, a laptop whose token ran out, one without a device, and ours."""
    rows = [
        (ALICE, "PHONE", None, 7, 1, "one"),
        (BOB, "LAPTOP", NOW * 1000, None, 2, "two"),
        (ALICE, "PHONE", NOW * 1000, 8, 3, "three"),
        (ALICE, None, None, None, 4, "four"),
    ]
    devices = [
        (ALICE, "PHONE", "Phone", 5_000),
        (BOB, "LAPTOP", None, NOW * 1000),
        (BOB, "OURS", "", 1),
    ]
    with tables.begin() as txn:
        for row in rows:
            txn.execute(
                "INSERT INTO access_tokens (user_id, device_id, valid_until_ms, refresh_token_id, id,"
                " token) VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        for row in devices:
            txn.execute(
                "INSERT INTO devices (user_id, device_id, display_name, last_seen, ip)"
                " VALUES (?, ?, ?, ?, '192.0.2.1')",
                row,
            )
        txn.execute(
            "INSERT INTO nextgen_ulids (kind, ulid, item_key) VALUES ('compat-session', '05', ?)",
            (f"{ALICE} PHONE",),
        )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [1, 2, 4]),
        ({"user_id": ALICE}, [1, 4]),
        ({"is_living": True}, [1, 4]),
        ({"is_living": False}, [2]),
        ({"active_before": 6}, [1]),
        ({"active_after": 6}, [2]),
        ({"active_after": 5}, [2]),
        ({"since": "04"}, [1, 2, 4]),
        ({"since": "06"}, [2, 4]),
        ({"until": "06"}, [1]),
        ({"until": "05"}, []),
    ],
    ids=str,
)
def test_a_device_is_one_session_however_often_its_token_was_renewed(
    tables, legacy, fields, expected
):
    wanted, now = LegacyFilter(**fields), NOW + 1
    found = tables.run(legacy_lists.page, wanted, ALL, now=now)

    assert legacy is None
    assert [each.token_id for each in found] == expected
    assert tables.run(legacy_lists.count, wanted, now=now) == len(expected)
    assert all(tables.run(legacy_lists.find, each.key) == each for each in found)


def test_what_is_known_of_such_a_session(tables, legacy):
    phone, laptop, bare = tables.run(legacy_lists.page, LegacyFilter(), ALL, now=NOW + 1)

    assert legacy is None
    assert (phone.name, phone.last_seen, phone.address, phone.can_refresh) == (
        "Phone",
        5_000,
        "192.0.2.1",
        True,
    )
    assert [each.finished_at(NOW + 1) for each in (phone, laptop, bare)] == [None, NOW, None]
    assert (bare.device_id, bare.key) == (None, "#4")
    assert tables.run(legacy_lists.token_of, 4) == "four"
    assert tables.run(legacy_lists.find, "#1") is None
    assert tables.run(legacy_lists.find, f"{BOB} PHONE") is None
    assert tables.run(legacy_lists.find, f"{BOB} OURS") is None


def register(tables, *names):
    for number, name in enumerate(names):
        made = a_client(client_id=name, client_name=name.title(), created_at=NOW + number)
        tables.run(clients.add, made, digest=name)


def listed(tables, window=ALL, **fields):
    wanted = ClientFilter(**fields)
    found = tables.run(client_lists.page, wanted, window)
    if window is ALL:
        assert tables.run(client_lists.count, wanted) == len(found)
    return [each.client_id for each in found]


def test_clients_by_what_they_have_in_common(tables):
    register(tables, "element", "elements", "cinny")
    tables.run(sessions.add, a_session(client_id="cinny"))
    tables.run(sessions.add, a_session(session_id="f" * 32, client_id="element", ended_at=NOW))

    assert listed(tables) == ["element", "elements", "cinny"]
    assert listed(tables, part="ELEMENT") == ["element", "elements"]
    assert listed(tables, is_used=True) == ["cinny"]
    assert listed(tables, is_used=False) == ["element", "elements"]
    assert listed(tables, fits=lambda each: each.client_id.endswith("s")) == ["elements"]
    assert tables.run(client_lists.is_used, "cinny")
    assert not tables.run(client_lists.is_used, "element")


def test_clients_page_after_page_though_few_of_them_fit(tables, monkeypatch):
    """However many do not, in between."""
    monkeypatch.setattr(client_lists, "_BITE", 2)
    register(tables, *"abcdefgh")

    def fits(client):
        return client.client_id in "adgh"

    assert listed(tables, Window(2), fits=fits) == ["a", "d", "g"]
    assert listed(tables, Window(2, after=(NOW + 3, "d")), fits=fits) == ["g", "h"]
    assert listed(tables, Window(2, backwards=True), fits=fits) == ["h", "g", "d"]
    before = Window(2, before=(NOW + 6, "g"), backwards=True)
    assert listed(tables, before, fits=fits) == ["d", "a"]
    assert listed(tables, Window(2, after=(NOW + 7, "h")), fits=fits) == []


def test_a_client_that_is_blocked_is_no_client(tables):
    """Its registration stays, so that it stays blocked when it registers the same once more."""
    register(tables, "good", "bad")
    block = Block("bad", NOW, "@root:example.com", "spam")
    with tables.begin() as txn:
        assert client_lists.block(txn, block)
        assert txn.gone == ["bad"]
    assert not tables.run(client_lists.block, block)

    assert tables.run(clients.admitted, "bad") is None
    assert tables.run(clients.admitted, "good").client_id == "good"
    assert [each.client_id for each in tables.run(clients.list_admitted, ["good", "bad"])] == [
        "good"
    ]
    assert tables.run(clients.get, "bad").client_id == "bad"
    assert tables.run(client_lists.blocks) == {"bad": block}
    with tables.begin() as txn:
        assert client_lists.unblock(txn, "bad")
        assert txn.gone == ["bad"]
    assert tables.run(clients.admitted, "bad").client_id == "bad"
    assert not tables.run(client_lists.unblock, "bad")
