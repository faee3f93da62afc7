"""`user-emails`: the e-mail addresses of accounts."""

from typing import Any

from synapse_nextgen_auth.accounts import addresses
from synapse_nextgen_auth.accounts.notices import seal_addresses
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.flows import administration as flows
from synapse_nextgen_auth.flows.administration import Not
from synapse_nextgen_auth.homeserver.administration.accounts import canonical_email
from synapse_nextgen_auth.store import email_lists as rows
from synapse_nextgen_auth.store import ulids
from synapse_nextgen_auth.store.email_lists import Email
from synapse_nextgen_auth.store.own_ways import EMAIL
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin import changes, lists, users
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count, nothing, one, thing
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Many,
    Nothing,
    One,
    Operation,
    Refused,
    Shape,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Text, Time, Ulid, time

_SHAPE = Shape(
    "user-email",
    "UserEmail",
    (
        Field("created_at", Time(), "When the account got it.", True),
        Field("user_id", Ulid(), "Whose it is.", True),
        Field("email", Text(), "The address.", True),
    ),
    "An e-mail address of an account.",
)
_NOT_FOUND = {404: "There is no such address, or no such account."}
# Whose it is, and what both are called.
_Told = tuple[Email, str, str]


def _named(txn: Txn, found: list[Email]) -> list[_Told]:
    owners = ulids.name_users(txn, [each.user_id for each in found])
    names = ulids.name(txn, Kind.EMAIL, {each.key: each.added_at for each in found})
    return [
        (each, names[each.key], owners[each.user_id]) for each in found if each.user_id in owners
    ]


def _listed(
    txn: Txn, window: Window, *, user_id: str | None, address: str | None, counts: bool
) -> tuple[list[_Told], bool, int | None]:
    wanted = {"user_id": user_id, "address": address}
    found, more = lists.in_order(window, rows.list_emails(txn, window, **wanted))
    return _named(txn, found), more, rows.count(txn, **wanted) if counts else None


def _got(txn: Txn, key: str) -> _Told | None:
    found = rows.find(txn, key)
    return None if found is None else next(iter(_named(txn, [found])), None)


def _told(email: Email, ulid: str, owner: str) -> dict[str, Any]:
    return thing(
        _SHAPE,
        ulid,
        {"created_at": time(email.added_at // 1000), "user_id": owner, "email": email.address},
    )


def _looked_for(typed: str) -> str:
    """Return an address as it is kept; Synapse's own API lets in what is none to us."""
    return addresses.canonical(typed) or canonical_email(typed) or typed


async def _list(call: Call) -> Answer:
    homeserver, typed = call.site.homeserver, call.filters.get("filter[email]")
    wanted = {
        "user_id": await users.found_in(call, "filter[user]"),
        "address": None if typed is None else _looked_for(typed),
    }
    if call.page.count is Count.ONLY:
        return lists.count_only(call, await homeserver.run(rows.count, **wanted))

    async def at(key: str, _ulid: str) -> tuple[str] | None:
        found = await homeserver.read(rows.find, key)
        return None if found is None else (found.address,)

    window = await lists.window(call, Kind.EMAIL, at)
    counts = call.page.count is Count.YES
    told, more, count = await homeserver.run(_listed, window, **wanted, counts=counts)
    return lists.page(call, [_told(*each) for each in told], more=more, count=count)


async def _find(call: Call) -> _Told:
    homeserver, ulid = call.site.homeserver, call.path["id"]
    key = await homeserver.read(ulids.find, Kind.EMAIL, ulid)
    found = None if key is None else await homeserver.run(_got, key)
    if found is None:
        raise Refused(404, f"There is no address {ulid}.")
    return found


async def _get(call: Call) -> Answer:
    return one(call, _told(*await _find(call)))


async def _add(call: Call) -> Answer:
    site, homeserver = call.site, call.site.homeserver
    address = addresses.canonical(call.body["email"])
    if address is None:
        raise Refused(400, "email must be an e-mail address that mail goes to.")
    user_id = await users.find(call, call.body["user_id"])
    about = changes.only_if(None, user_id)
    why = await changes.run(call, about, flows.add_email, user_id, address, now=call.now)
    if why is Not.CLOSED:
        raise Refused(400, "The account is closed, and has no addresses.")
    if why is not None:
        raise Refused(409, f"{address} is an address of an account already.")
    await site.threepids.added(user_id, EMAIL, address)
    told, _, _ = await homeserver.run(
        _listed, Window(1), user_id=user_id, address=address, counts=False
    )
    if not told:
        raise Refused(404, "The address was taken away again meanwhile.")
    return one(call, _told(*told[0]), status=201, about=user_id)


async def _remove(call: Call) -> Answer:
    site = call.site
    email, _, _ = await _find(call)
    await site.threepids.expect_to_remove()
    why = await changes.run(
        call,
        changes.only_if(None, email.user_id),
        flows.remove_email,
        *(email.user_id, email.address),
        also_to=seal_addresses(site.issuer.keys, [email.address]),
        now=call.now,
    )
    if why is not None:
        raise Refused(404, "The address is not there any more.")
    await site.threepids.removed(email.user_id, EMAIL, email.address)
    return nothing(about=email.user_id)


OPERATIONS = (
    Operation(
        method="GET",
        path="user-emails",
        name="listUserEmails",
        tag="user-email",
        summary="List e-mail addresses",
        about="They are sorted by the address.",
        do=_list,
        answers={200: Many(_SHAPE)},
        takes=(
            Field("filter[user]", Ulid(), "Whose they are."),
            Field("filter[email]", Text(), "The address, in any case."),
        ),
        refuses={404: "There is no such account."},
    ),
    Operation(
        method="POST",
        path="user-emails",
        name="addUserEmail",
        tag="user-email",
        summary="Give an account an e-mail address",
        about="Nobody has to show that it is theirs.",
        do=_add,
        answers={201: One(_SHAPE)},
        body_title="AddUserEmailRequest",
        body=(
            Field("user_id", Ulid(), "Whose it is to be.", True),
            Field("email", Text(500, 3, format="email"), "The address.", True),
        ),
        refuses={**_NOT_FOUND, 409: "An account has it already."},
        is_for_main=True,
    ),
    Operation(
        method="GET",
        path="user-emails/{id}",
        name="getUserEmail",
        tag="user-email",
        summary="Tell of an e-mail address",
        do=_get,
        answers={200: One(_SHAPE)},
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="DELETE",
        path="user-emails/{id}",
        name="deleteUserEmail",
        tag="user-email",
        summary="Take an e-mail address from its account",
        about="Notifications that went there end, and links that were sent there open nothing.",
        do=_remove,
        answers={204: Nothing()},
        refuses=_NOT_FOUND,
        is_for_main=True,
    ),
)
