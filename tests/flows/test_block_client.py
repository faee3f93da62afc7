"""Blocking a client: nobody collects anything for it any more."""

from support.records import NOW, a_client, a_device_grant, a_grant
from synapse_nextgen_auth.flows import block_client
from synapse_nextgen_auth.store import client_lists, clients, device_grants, grants
from synapse_nextgen_auth.store.device_grants import Codes


def test_what_it_was_about_to_collect_is_worth_nothing(tables):
    """Of another client everything goes on."""
    for name in ("app", "other"):
        tables.run(clients.add, a_client(client_id=name), digest=name)
        tables.run(grants.add, a_grant(grant_id=f"grant {name}", client_id=name))
        tables.run(
            device_grants.add,
            a_device_grant(grant_id=f"device {name}", client_id=name),
            Codes(f"a {name}", f"b {name}", f"c {name}"),
        )
    blocking = {"by": "@root:example.com", "why": "spam", "now": NOW + 5}

    assert tables.transact(block_client.block, "app", **blocking)
    assert not tables.transact(block_client.block, "app", **blocking)
    assert tables.run(clients.admitted, "app") is None
    assert tables.run(client_lists.blocks)["app"].why == "spam"
    assert tables.run(grants.get, "grant app").refused_at == NOW + 5
    assert tables.run(device_grants.get, "device app").refused_at == NOW + 5
    assert tables.run(grants.get, "grant other").refused_at is None
    assert tables.run(device_grants.get, "device other").refused_at is None
