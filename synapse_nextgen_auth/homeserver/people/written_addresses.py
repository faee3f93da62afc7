"""An administrator writes the addresses of an account: the same one in other letters is the same one.

Synapse compares what the admin API is told with what it keeps, letter by letter, and takes the address
away before it adds it again: with it went the second factor that codes to it are, at each run of a
script that knows people by other spellings.
"""

import json
from io import BytesIO
from typing import Any

from synapse.api.errors import SynapseError
from synapse.http.servlet import parse_json_object_from_request
from synapse.http.site import SynapseRequest
from synapse.rest.admin.users import UserRestServletV2
from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed("synapse.rest.admin.users", "UserRestServletV2.on_PUT", ("request", "user_id")),
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
)

_stock = UserRestServletV2.on_PUT


async def on_put(servlet: Any, request: SynapseRequest, user_id: str) -> Any:
    """Let Synapse change the account, by addresses that are written as it keeps them."""
    _write_as_kept(request)
    return await _stock(servlet, request, user_id)


def install() -> None:
    """Take the place of Synapse's method, before anything is registered with it."""
    patches.instead(UserRestServletV2, "on_PUT", on_put)


def _write_as_kept(request: SynapseRequest) -> None:
    """Change what a request says; of what is no address, or no request, Synapse says what is wrong."""
    if request.content is None:
        return
    try:
        body = parse_json_object_from_request(request)
    except SynapseError:
        return
    finally:
        request.content.seek(0)
    written = body.get("threepids")
    if isinstance(written, list):
        body["threepids"] = [_as_kept(each) for each in written]
        if body["threepids"] != written:
            request.content = BytesIO(json.dumps(body).encode())


def _as_kept(written: Any) -> Any:
    if not isinstance(written, dict) or written.get("medium") != "email":
        return written
    try:
        return {**written, "address": canonicalise_email(written["address"])}
    except (KeyError, AttributeError, ValueError):
        return written
