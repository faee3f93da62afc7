"""Which sessions a command means, as the admin API's filters have it."""

from synapse_nextgen_auth.oauth.session_filter import SessionFilter, is_scope_token
from synapse_nextgen_auth.store import clients as clients_rows
from synapse_nextgen_auth.web.endpoints.command import lists
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Refused
from synapse_nextgen_auth.web.site import Site

FILTERS = frozenset({"user", "clients", "scopes", "address", "idle", "older", "younger", "device"})
TAKES = FILTERS | {"state"}
_STATES = {"living": True, "over": False, "all": None}


async def read(site: Site, asked: Asked, *, is_personal: bool | None = None) -> SessionFilter:
    """Return what is meant; `idle`, `older` and `younger` are seconds from now.

    Whom or what nobody knows is a slip of whoever typed it, and no empty list.
    """
    state = asked.text("state") or "living"
    if state not in _STATES:
        raise Refused("--state must be living, over or all")
    device = asked.text("device")
    if device not in {None, "with", "without"}:
        raise Refused("--device must be with or without")
    scopes = asked.texts("scopes")
    for each in scopes:
        if not is_scope_token(each):
            raise Refused(f"{each} can be in no scope")
    clients, now = asked.texts("clients"), site.now()
    for each in clients:
        if each not in site.clients.configured and not await _is_registered(site, each):
            raise Refused(f"There is no client {each}")
    user_id = lists.account(site, asked)
    if user_id is not None and await site.people.passwords.spelled(user_id) is None:
        raise Refused(f"There is no account {user_id}")
    idle, older, younger = (asked.number(name) for name in ("idle", "older", "younger"))
    sought = site.resources.sought(scopes)
    return SessionFilter(
        user_id=user_id,
        clients=clients or None,
        scopes=sought.scopes,
        kept=sought.kept,
        is_living=_STATES[state],
        is_personal=is_personal,
        has_device=None if device is None else device == "with",
        address=asked.text("address"),
        created_before=None if older is None else now - older,
        created_after=None if younger is None else now - younger,
        active_before=None if idle is None else now - idle,
    )


async def _is_registered(site: Site, client_id: str) -> bool:
    return await site.homeserver.read(clients_rows.get, client_id) is not None
