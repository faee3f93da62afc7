"""What Synapse's own rows say of how the devices of an account began."""

import pytest

from support.records import ALICE, BOB
from support.tables import Listening
from synapse_nextgen_auth.store import devices
from synapse_nextgen_auth.store.devices import Begun


def legacy(tables, its_id, *, user_id=ALICE, hidden=False, tokens=1, provider=None):
    """Write a device down as Synapse does."""
    with tables.begin() as txn:
        txn.execute(
            "INSERT INTO devices (user_id, device_id, hidden) VALUES (?, ?, ?)",
            (user_id, its_id, hidden),
        )
        for n in range(tokens):
            txn.execute(
                "INSERT INTO access_tokens (user_id, device_id, token) VALUES (?, ?, ?)",
                (user_id, its_id, f"{n}"),
            )
        if provider is not None:
            txn.execute(
                "INSERT INTO device_auth_providers VALUES (?, ?, ?, ?)",
                (user_id, its_id, provider, "its session"),
            )


@pytest.mark.parametrize("service", [None, "bridge"])
def test_each_device_is_told_once_by_what_is_known_of_it(tables, service):
    """However many tokens it has; nothing of other accounts, and nothing that people cannot see."""
    with tables.begin() as txn:
        for name, made_by in ((ALICE, service), (BOB, None)):
            txn.execute("INSERT INTO users (name, appservice_id) VALUES (?, ?)", (name, made_by))
    legacy(tables, "OWN", tokens=2)
    legacy(tables, "BARE", tokens=0)
    legacy(tables, "SSO", provider="oidc-works")
    legacy(tables, "HIDDEN", hidden=True)
    legacy(tables, "BARE", user_id=BOB, provider="oidc-works")
    of_service = service is not None

    assert tables.run(devices.how_begun, ALICE) == {
        "OWN": Begun(by_provider=False, has_token=True, of_service=of_service),
        "BARE": Begun(by_provider=False, has_token=False, of_service=of_service),
        "SSO": Begun(by_provider=True, has_token=True, of_service=of_service),
    }


def test_however_many_devices_there_are_it_is_one_query(tables):
    """None for each of them."""
    with tables.begin() as txn:
        txn.execute("INSERT INTO users (name) VALUES (?)", (ALICE,))
        for n in range(500):
            txn.execute(
                "INSERT INTO devices (user_id, device_id, hidden) VALUES (?, ?, ?)",
                (ALICE, f"{n}", False),
            )
    with tables.begin() as txn:
        listening = Listening(txn)
        found = devices.how_begun(listening, ALICE)

    assert len(found) == 500
    assert len(listening.statements) == 1


def test_several_devices_are_found_by_account_and_id(tables):
    """Not those that are hidden, nor one of the same id in another account."""
    rows = [(ALICE, "A", "phone", False), (ALICE, "H", "hidden", True), (ALICE, "N", None, False)]
    rows += [(BOB, "A", "another", False)]
    with tables.begin() as txn:
        for row in rows:
            txn.execute(
                "INSERT INTO devices (user_id, device_id, display_name, hidden)"
                " VALUES (?, ?, ?, ?)",
                row,
            )
        asked = [(ALICE, "A"), (ALICE, "H"), (ALICE, "N"), (BOB, "N"), ("@x:y", "A")]
        found = devices.list_by_ids(txn, asked)

    assert {(row.user_id, row.device_id, row.display_name) for row in found} == {
        (ALICE, "A", "phone"),
        (ALICE, "N", None),
    }
