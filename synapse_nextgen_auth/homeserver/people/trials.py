"""An account for a look at the server: opened with a new password, and closed again.

It is marked as a bot's, so that whoever registered that name first keeps theirs.

There is one, used over and over: each look would leave a closed account behind, and a name that nobody
can have.
"""

from synapse.api.constants import UserTypes
from synapse.types import UserInfo, create_requester

from synapse_nextgen_auth.accounts.trials import LOCALPART
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.secret import Secret, random_token

NEEDS = (
    Needed("synapse.handlers.auth", "AuthHandler.hash", ("password",)),
    Needed(
        "synapse.handlers.deactivate_account",
        "DeactivateAccountHandler.deactivate_account",
        ("user_id", "erase_data", "requester", "by_admin"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.register_user",
        ("user_id", "password_hash", "approved", "user_type"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.set_user_deactivated_status",
        ("user_id", "deactivated"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.user_set_password_hash",
        ("user_id", "password_hash"),
    ),
    Needed("synapse.storage.databases.main", "DataStore.get_user_by_id", ("user_id",)),
    Needed("synapse.api.constants", "UserTypes.BOT"),
    Needed("synapse.types", "create_requester", ("user_id",)),
    *members("synapse.server", "HomeServer", "get_auth_handler", "get_deactivate_account_handler"),
)


class InUse(Exception):
    """Another look is under way, or ended half-way."""


class Theirs(Exception):
    """Somebody has an account of this name."""


class Absent(Exception):
    """There never was such an account."""


class Trials:
    """Opens and closes it."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._store = homeserver.store
        self.user_id = f"@{LOCALPART}:{homeserver.server_name}"

    async def begin(self) -> Secret:
        """Open the account and return its password; it joins no room and stands in no directory."""
        user = await self._homeserver.user_now(self.user_id)
        if user is not None:
            self._refuse_theirs(user)
            if not user.is_deactivated:
                raise InUse
        password = random_token()
        hashed = await self._homeserver.hs.get_auth_handler().hash(password.reveal())
        if user is None:
            await self._store.register_user(
                user_id=self.user_id,
                password_hash=hashed,
                approved=True,
                user_type=UserTypes.BOT,
            )
        else:
            await self._store.user_set_password_hash(self.user_id, hashed)
            await self._store.set_user_deactivated_status(self.user_id, False)
        return password

    async def end(self) -> None:
        """Close it, with all that it signed in to; nobody's who has it by chance."""
        user = await self._homeserver.user_now(self.user_id)
        if user is None:
            raise Absent
        self._refuse_theirs(user)
        await self._homeserver.hs.get_deactivate_account_handler().deactivate_account(
            self.user_id,
            erase_data=False,
            requester=create_requester(self.user_id),
            by_admin=True,
        )

    def _refuse_theirs(self, user: UserInfo) -> None:
        """Stop where somebody registered the name: a type of account that nobody gets who does."""
        if user.user_type != UserTypes.BOT:
            raise Theirs
