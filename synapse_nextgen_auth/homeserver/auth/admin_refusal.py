"""What the admin API says to an administrator's token without the admin scope (RFC 6750 section 3.1).

Synapse asks `is_server_admin`, which answers yes or no to many callers and must not raise; only here
it is known that a "no" becomes a refusal.
"""

import sys
from http import HTTPStatus

from synapse.api.auth import Auth
from synapse.api.errors import AuthError
from synapse.rest.admin import _base
from synapse.types import Requester

from synapse_nextgen_auth.homeserver.auth.challenges import insufficient_scope
from synapse_nextgen_auth.homeserver.auth.checker import SessionAuth
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN

NEEDS = (Needed("synapse.rest.admin._base", "assert_user_is_admin", ("auth", "requester")),)

_NAME = "assert_user_is_admin"
_stock = _base.assert_user_is_admin


async def assert_user_is_admin(auth: Auth, requester: Requester) -> None:
    """Refuse as Synapse does, except where it is the session that lacks the scope."""
    try:
        await _stock(auth, requester)
    except AuthError as error:
        if (
            error.code == HTTPStatus.FORBIDDEN
            and isinstance(auth, SessionAuth)
            and await auth.is_admin_without_scope(requester)
        ):
            raise insufficient_scope(f"This session was not granted {ADMIN}", ADMIN) from error
        raise


def install() -> None:
    """Take the place of Synapse's function, in every module that has it by name."""
    for name, module in list(sys.modules.items()):
        if name.startswith("synapse.") and vars(module).get(_NAME) is _stock:
            patches.instead(module, _NAME, assert_user_is_admin)
