"""Making an account for somebody of a provider so that there is none without whose it is.

Synapse makes the account, lets it join rooms, and writes down only then whose it is. A process that ends
in between leaves an account that nobody can ever sign in to, and its person finds the name taken (C247).
Two that let in the same person at once make two accounts (C246). Here both writes are one transaction.

And it binds each address that a provider names, whoever has it: here only one that nobody has (C267).
"""

import copy
import logging
from typing import Any

from synapse.api.errors import Codes, SynapseError
from synapse.storage.databases.main.registration import ExternalIDReuseException

from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed(
        "synapse.handlers.sso",
        "SsoHandler._register_mapped_user",
        ("attributes", "auth_provider_id", "remote_user_id", "user_agent", "ip_address"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_user_by_external_id",
        ("auth_provider", "external_id"),
    ),
    Needed("synapse.storage.databases.main", "DataStore.register_user", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore._register_user", ("txn", "user_id")),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.record_user_external_id",
        ("auth_provider", "external_id", "user_id"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore._record_user_external_id_txn",
        ("txn", "auth_provider", "external_id", "user_id"),
    ),
    Needed("synapse.storage.databases.main.registration", "ExternalIDReuseException"),
    Needed(
        "synapse.handlers.register",
        "RegistrationHandler._register_email_threepid",
        ("user_id", "threepid", "token"),
    ),
    Needed("synapse.handlers.auth", "AuthHandler.add_threepid", ("user_id", "medium", "address")),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.user_add_threepid",
        ("user_id", "medium", "address", "validated_at", "added_at"),
    ),
    Needed(
        "synapse.storage.database",
        "DatabasePool.simple_upsert",
        ("table", "keyvalues", "values", "insertion_values", "desc"),
    ),
)

logger = logging.getLogger(__name__)


async def register(
    sso: Any, attributes: Any, person: tuple[str, str], *args: Any, **kwargs: Any
) -> str:
    """Make the account of a person, which is a provider's id and whom it means; return its Matrix id.

    It is the account that they have where another tab or process made one meanwhile.
    """
    stock = type(sso)._register_mapped_user  # noqa: SLF001 (of any handler)
    try:
        return str(await stock(_on(sso, person), attributes, *person, *args, **kwargs))
    except (ExternalIDReuseException, SynapseError) as error:
        if isinstance(error, SynapseError) and error.errcode != Codes.USER_IN_USE:
            raise
        # Under this name or another.
        known = await account_of(sso._store, person)  # noqa: SLF001 (as it asks itself)
        if known is None:
            raise
        return known


async def account_of(store: Any, person: tuple[str, str]) -> str | None:
    """Return whose account a person's is in the database now.

    What this process remembers may be older: that another one made it comes over Redis, a moment later.
    """
    store.get_user_by_external_id.invalidate(person)
    found: str | None = await store.get_user_by_external_id(*person)
    return found


def _on(sso: Any, person: tuple[str, str]) -> Any:
    """Return the handler as it is for this one registration: on a store that knows whose it will be."""
    own, registration = copy.copy(sso), copy.copy(sso._registration_handler)  # noqa: SLF001 (its own)
    addresses = copy.copy(registration._auth_handler)  # noqa: SLF001
    own._registration_handler = registration  # noqa: SLF001
    own._store = registration.store = _Store(registration.store, person)  # noqa: SLF001
    registration._auth_handler = addresses  # noqa: SLF001
    addresses.store = own._store  # noqa: SLF001
    bind = registration._register_email_threepid  # noqa: SLF001

    async def bind_free(user_id: str, *args: Any, **kwargs: Any) -> None:
        try:
            await bind(user_id, *args, **kwargs)
        except _AddressTakenError:
            logger.info(
                "An address that a provider names became another account's, and stays there"
            )

    registration._register_email_threepid = bind_free  # noqa: SLF001
    return own


class _AddressTakenError(Exception):
    """An address belongs to somebody: modules hear nothing of it, and the account goes on without."""


class _Store:
    """Synapse's store, of which one account is made with whose it is."""

    def __init__(self, store: Any, person: tuple[str, str]) -> None:
        self._store = store
        self._person = person

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def register_user(self, *args: Any, **kwargs: Any) -> None:
        """Make the account; nothing is written where its person has one already."""
        try:
            # Synapse's own, that ends in the transaction below.
            await type(self._store).register_user(self, *args, **kwargs)
        except self._store.database_engine.module.IntegrityError as error:
            raise ExternalIDReuseException from error

    def _register_user(self, txn: Any, user_id: str, *args: Any) -> None:
        self._store._register_user(txn, user_id, *args)  # noqa: SLF001
        self._store._record_user_external_id_txn(txn, *self._person, user_id)  # noqa: SLF001

    async def record_user_external_id(self, *_: Any) -> None:
        """Have nothing to do: it is written down."""

    async def user_add_threepid(
        self, user_id: str, medium: str, address: str, validated_at: int, added_at: int
    ) -> None:
        """Bind an address to the account, in one statement; one that is bound stays where it is."""
        is_bound = await self._store.db_pool.simple_upsert(
            table="user_threepids",
            keyvalues={"medium": medium, "address": address},
            values={},
            insertion_values={
                "user_id": user_id,
                "validated_at": validated_at,
                "added_at": added_at,
            },
            desc="user_add_threepid",
        )
        if not is_bound:
            raise _AddressTakenError
