"""Passwords as argon2id, for every caller of Synapse's: `/login`, `/register`, the admin API, pages.

What Synapse makes and checks hashes with goes through here, on every process. A hash of ours is known
by what stands in for it, so it is checked however the option is set now; once it was typed, a password
is kept as the option says.
"""

import logging
from typing import TYPE_CHECKING, Any

import bcrypt
from synapse.util.async_helpers import Linearizer

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts import hashes
from synapse_nextgen_auth.accounts.hashes import Costs, Hashing, PasswordHash
from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.homeserver.threads import in_thread
from synapse_nextgen_auth.secret import digest, random_letters

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import rehash_password
    from synapse_nextgen_auth.store import passwords
else:
    rehash_password, passwords = late.files("flows.rehash_password", "store.passwords")

NEEDS = (
    Needed("synapse.handlers.auth", "AuthHandler.hash", ("password",)),
    Needed("synapse.handlers.auth", "AuthHandler.validate_hash", ("password", "stored_hash")),
    Needed("synapse.handlers.auth", "AuthHandler._check_local_password", ("user_id", "password")),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.user_set_password_hash",
        ("user_id", "password_hash"),
    ),
    Needed(
        "synapse.storage.databases.main", "DataStore.register_user", ("user_id", "password_hash")
    ),
    *members("synapse.server", "HomeServer", "get_auth_handler", "get_clock"),
)

logger = logging.getLogger(__name__)

# Each takes its memory and a thread of Synapse's pool (C230).
_AT_ONCE = 4


class PasswordHashes:
    """What stands in the place of Synapse's own hashing."""

    def __init__(self, homeserver: Homeserver, *, hashing: Hashing, costs: Costs) -> None:
        hs = homeserver.hs
        self._homeserver = homeserver
        self._handler = hs.get_auth_handler()
        self._hashing = hashing
        self._costs = costs
        self._pepper: str = hs.config.auth.password_pepper
        self._rounds: int = hs.config.registration.bcrypt_rounds
        self._turns = Linearizer(name="nextgen_argon2", max_count=_AT_ONCE, clock=hs.get_clock())
        self._stock_hash: Any = self._handler.hash
        self._stock_validate: Any = self._handler.validate_hash

    def install(self, *, change_kept: bool = True) -> None:
        """Check hashes of ours; make them where the option says so.

        Without `change_kept` a password that was typed stays as it is kept.
        """
        handler, store = self._handler, self._homeserver.store
        self._stock_validate = patches.instead(handler, "validate_hash", self.validate)
        if self._hashing is Hashing.ARGON2ID:
            self._stock_hash = patches.instead(handler, "hash", self.hash)
        if change_kept:
            patches.after(handler, "_check_local_password", self._typed)
        patches.after(store, "user_set_password_hash", self._was_set)
        patches.after(store, "register_user", self._was_registered)

    async def hash(self, password: str) -> str:
        """Keep a hash of this password; return what stands in for it, for Synapse's column."""
        stand_in, made = await self._make(password)
        await self._homeserver.run(passwords.add, made)
        return stand_in

    async def validate(self, password: str, stored_hash: bytes | str) -> bool:
        """Say whether a hash that Synapse has is of this password, as `validate_hash` does."""
        stored = stored_hash.decode("ascii") if isinstance(stored_hash, bytes) else stored_hash
        known = None
        if stored and not hashes.is_argon2(stored):
            known = await self._homeserver.read(passwords.get, stored)
        if known is None and not hashes.is_argon2(stored or ""):
            return bool(await self._stock_validate(password, stored_hash))
        ours = stored if known is None else known.hash
        async with self._turns.queue("argon2"):
            return await in_thread(self._homeserver.hs, hashes.fits, ours, password, self._pepper)

    async def hash_of_nobody(self, text: str) -> str:
        """Return a hash that takes as long to check as those that are made now, kept nowhere."""
        if self._hashing is Hashing.SYNAPSE:
            return str(await self._stock_hash(text))
        return await in_thread(self._homeserver.hs, hashes.make, self._costs, text, self._pepper)

    async def _make(self, password: str) -> tuple[str, PasswordHash]:
        async with self._turns.queue("argon2"):
            made = await in_thread(
                self._homeserver.hs, hashes.make, self._costs, password, self._pepper
            )
        salted = bcrypt.gensalt(self._rounds).decode("ascii")
        letters = random_letters(hashes.BCRYPT_LETTERS, hashes.BCRYPT_DIGEST)
        stand_in = hashes.stand_in(salted, letters)
        return stand_in, PasswordHash(digest(stand_in), made, self._homeserver.now())

    async def _typed(self, user_id: str | None, _asked: str, password: str) -> None:
        """Keep the password of whoever typed it as the option says, without making them wait."""
        if user_id is not None:
            background.begin(self._homeserver.hs, Background.HASHES, self._kept, user_id, password)

    async def _kept(self, user_id: str, password: str) -> None:
        """Do that; whatever goes wrong, somebody is signed in already, and it is tried the next time."""
        try:
            await self._keep(user_id, password)
        except Exception:
            logger.warning("Could not keep the password of %s anew yet", user_id, exc_info=True)

    async def _keep(self, user_id: str, password: str) -> None:
        """Make another hash where this one is kept in another way, or was made at other costs."""
        former = await self._homeserver.read(passwords.of_account, user_id)
        if former is None:
            return
        known = await self._homeserver.read(passwords.get, former)
        if known is not None and known.user_id is None:
            await self._homeserver.run(passwords.claim, user_id, former)
        made: PasswordHash | None = None
        if self._hashing is Hashing.ARGON2ID:
            if known is not None and not hashes.is_outdated(known.hash, self._costs):
                return
            # Another process may have set another one since: what is there must still fit.
            stand_in, made = await self._make(password)
        elif known is not None:
            stand_in = str(await self._stock_hash(password))
        else:
            return
        if not await self.validate(password, former):
            return
        if await self._homeserver.run(
            rehash_password.rehash, user_id, former=former, stand_in=stand_in, made=made
        ):
            logger.info("The password of %s is kept by %s now", user_id, self._hashing.value)

    async def _was_set(self, _result: None, user_id: str, password_hash: str | None) -> None:
        await self._homeserver.run(passwords.belongs, user_id, password_hash)

    async def _was_registered(
        self, _result: None, user_id: str, password_hash: str | None = None, *_: Any, **__: Any
    ) -> None:
        if password_hash:
            await self._homeserver.run(passwords.belongs, user_id, password_hash)
