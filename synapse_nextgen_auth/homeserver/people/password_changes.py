"""Whether the password of an account can be changed, and what Synapse keeps of one.

It is set by the flow that ends what the former one let in (`flows/links.py`).
"""

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.secret import Secret

NEEDS = (
    Needed("synapse.handlers.auth", "AuthHandler.hash", ("password",)),
    *members("synapse.handlers.auth", "AuthHandler", "can_change_password"),
    *members("synapse.server", "HomeServer", "get_auth_handler"),
)


class PasswordChanges:
    """Passwords that people set on our pages."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._handler = homeserver.hs.get_auth_handler()

    @property
    def are_possible(self) -> bool:
        """Whether accounts have passwords here that can be changed (`password_config`)."""
        return bool(self._handler.can_change_password())

    async def hash(self, password: Secret) -> str:
        """Return what Synapse keeps of a password, another one each time."""
        return str(await self._handler.hash(password.reveal()))
