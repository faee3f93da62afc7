"""Setting the password of an account, as Synapse's own change of passwords does it."""

from synapse.api.errors import SynapseError

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.secret import Secret

NEEDS = (
    Needed("synapse.handlers.auth", "AuthHandler.hash", ("password",)),
    *members("synapse.handlers.auth", "AuthHandler", "can_change_password"),
    Needed(
        "synapse.handlers.set_password",
        "SetPasswordHandler.set_password",
        ("user_id", "password_hash", "logout_devices"),
    ),
    *members("synapse.server", "HomeServer", "get_auth_handler", "get_set_password_handler"),
)


class NotChanged(Exception):
    """Synapse did not take the password."""


class PasswordChanges:
    """Passwords that people set on our pages."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._hs = homeserver.hs
        self._handler = homeserver.hs.get_auth_handler()

    @property
    def are_possible(self) -> bool:
        """Whether accounts have passwords here that can be changed (`password_config`)."""
        return bool(self._handler.can_change_password())

    async def set(self, user_id: str, password: Secret) -> None:
        """Set the password; what was approved under the former one is withdrawn with it.

        Who is signed out is for the caller to say. Raises `NotChanged`.
        """
        hashed = await self._handler.hash(password.reveal())
        try:
            await self._hs.get_set_password_handler().set_password(
                user_id, hashed, logout_devices=False
            )
        except SynapseError as error:
            raise NotChanged from error
