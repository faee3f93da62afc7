"""`clients`: those of the configuration and those that registered; one of them; blocking one."""

from collections.abc import Sequence
from typing import Any

from synapse_nextgen_auth.flows import block_client
from synapse_nextgen_auth.oauth.clients import client_metadata
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import SessionLifetimes
from synapse_nextgen_auth.store import client_lists, clients, session_lists
from synapse_nextgen_auth.store.client_lists import Block, ClientFilter
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.command import done, lists
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.site import Site


async def _list(site: Site, asked: Asked) -> dict[str, Any]:
    window, use = lists.window(asked), asked.text("use")
    if use not in {None, "used", "unused"}:
        raise Refused("--use must be used or unused")
    wanted = ClientFilter(part=asked.text("search"), is_used=None if use is None else use == "used")
    found, counted, blocked = await site.homeserver.run(
        _page, wanted, window, lifetimes=site.lifetimes.sessions, now=site.now()
    )
    shown, after = lists.paged(found, window, lambda each: (each.created_at, each.client_id))
    first = [] if window.after is not None else _configured(site, wanted)
    counted |= await site.homeserver.run(
        _counts,
        [each.client_id for each in first],
        lifetimes=site.lifetimes.sessions,
        now=site.now(),
    )
    return {
        "clients": [_said(each, counted, blocked) for each in (*first, *shown)],
        "after": after,
    }


def _configured(site: Site, wanted: ClientFilter) -> list[Client]:
    """Return the clients of the configuration on the first page: they are no registrations."""
    part = (wanted.part or "").lower()
    return [
        each
        for each in site.clients.configured.values()
        if part in f"{each.client_id} {each.name_for(())}".lower()
    ]


def _page(
    txn: Txn, wanted: ClientFilter, window: Window, *, lifetimes: SessionLifetimes, now: int
) -> tuple[list[Client], dict[str, int], dict[str, Block]]:
    found = client_lists.page(txn, wanted, window)
    counted = _counts(txn, [each.client_id for each in found], lifetimes=lifetimes, now=now)
    return found, counted, client_lists.blocks(txn)


def _counts(
    txn: Txn, client_ids: Sequence[str], *, lifetimes: SessionLifetimes, now: int
) -> dict[str, int]:
    return {
        each: session_lists.count(
            txn, SessionFilter(clients=(each,), is_living=True), lifetimes=lifetimes, now=now
        )
        for each in client_ids
    }


def _said(client: Client, counted: dict[str, int], blocked: dict[str, Block]) -> dict[str, Any]:
    block = blocked.get(client.client_id)
    return {
        "client_id": client.client_id,
        "name": client.name_for(()),
        "places": list(client.places()),
        "kind": "configured" if client.is_configured else "registered",
        "created_at": client.created_at or None,
        "sessions": counted.get(client.client_id, 0),
        "blocked_at": block.blocked_at if block else None,
        "blocked_why": block.why if block else None,
    }


async def _show(site: Site, asked: Asked) -> dict[str, Any]:
    client = await _named(site, asked)
    counted = await site.homeserver.run(
        _counts, [client.client_id], lifetimes=site.lifetimes.sessions, now=site.now()
    )
    blocked = await site.homeserver.read(client_lists.blocks)
    return {**_said(client, counted, blocked), "metadata": client_metadata.document(client)}


async def _named(site: Site, asked: Asked) -> Client:
    client_id = asked.needed("client")
    configured = site.clients.configured.get(client_id)
    found = configured or await site.homeserver.read(clients.get, client_id)
    if found is None:
        raise Refused(f"There is no client {client_id}")
    return found


async def _block(site: Site, asked: Asked) -> dict[str, Any]:
    client = await _named(site, asked)
    if client.is_configured:
        raise Refused("This client stands in the configuration: take it out there, and restart")
    why = asked.text("why")
    if not await site.homeserver.run(
        block_client.block, client.client_id, by="command", why=why, now=site.now()
    ):
        raise Refused("This client is blocked already")
    await done.note(site, asked, "clients block", client.client_id)
    counted = await site.homeserver.run(
        _counts, [client.client_id], lifetimes=site.lifetimes.sessions, now=site.now()
    )
    return {"client_id": client.client_id, "sessions": counted[client.client_id]}


async def _unblock(site: Site, asked: Asked) -> dict[str, Any]:
    client = await _named(site, asked)
    if not await site.homeserver.run(client_lists.unblock, client.client_id):
        raise Refused("This client is not blocked")
    await done.note(site, asked, "clients unblock", client.client_id)
    return {"client_id": client.client_id}


LIST = Command(lists.PAGE | {"search", "use"}, _list)
SHOW = Command(frozenset({"client"}), _show)
BLOCK = Command(frozenset({"client", "why"}), _block)
UNBLOCK = Command(frozenset({"client", "why"}), _unblock)
