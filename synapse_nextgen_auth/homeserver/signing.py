"""The keys that sign ID tokens: made by themselves, kept encrypted, shared by all processes."""

from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.threads import in_thread
from synapse_nextgen_auth.oauth.tokens import keys
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm, Schedule, SigningKey
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret, random_id

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import housekeeping
    from synapse_nextgen_auth.oauth.tokens import access_jwt, id_token
    from synapse_nextgen_auth.oauth.tokens.id_token import Claims
    from synapse_nextgen_auth.store import keys as signing_keys
else:
    housekeeping, access_jwt, id_token, signing_keys = late.files(
        "flows.housekeeping", "oauth.tokens.access_jwt", "oauth.tokens.id_token", "store.keys"
    )

# Keys change every few months: a process that looks every few minutes never signs with a stale one,
# because a new key is published for two days before it is used.
_REREAD_AFTER = 300  # seconds


@attrs.define
class Signing:
    """Signs ID tokens and publishes the public keys."""

    homeserver: Homeserver
    keyring: Keyring
    schedule: Schedule = attrs.field(factory=Schedule)
    _known: list[SigningKey] = attrs.field(factory=list, init=False)
    _pems: dict[str, bytes] = attrs.field(factory=dict, init=False, repr=False)
    _loaded: dict[str, keys.PrivateKey] = attrs.field(factory=dict, init=False, repr=False)
    _read_at: int = attrs.field(default=0, init=False)

    async def sign(self, claims: "Claims", algorithm: Algorithm) -> str:
        """Return a signed ID token."""
        now = self.homeserver.now()
        key = await self._key(algorithm, now)
        return id_token.sign(claims, key, await self._private(key), now=now)

    async def sign_access(self, claims: "access_jwt.Claims", algorithm: Algorithm) -> Secret:
        """Return a signed access token for a service of others."""
        now = self.homeserver.now()
        key = await self._key(algorithm, now)
        return access_jwt.sign(claims, key, await self._private(key), now=now)

    async def read_access(self, text: str, *, issuer: str) -> "access_jwt.Claims | None":
        """Return what an access token for a service says, `None` unless it is ours and good."""
        now = self.homeserver.now()
        published = await self._usable()
        return access_jwt.read(text, published, keys=self.keyring, issuer=issuer, now=now)

    async def _key(self, algorithm: Algorithm, now: int) -> SigningKey:
        key = keys.current(await self._usable(), algorithm, now=now)
        if key is None:
            await self.rotate()
            key = keys.current(await self._usable(), algorithm, now=now)
        if key is None:
            raise RuntimeError(f"there is no {algorithm.value} key to sign with")
        return key

    async def public_jwks(self, *, may_make: bool = True) -> list[str]:
        """Return every published key as JSON: present, former and coming ones.

        Where there is none yet it is made, if that may be.
        """
        if may_make and not await self._usable():
            await self.rotate()
        return [key.public_jwk for key in await self._usable()]

    async def hinted(
        self, id_token_hint: str, *, issuer: str, audience: str | None
    ) -> "id_token.Hint | None":
        """Return whom an ID token of ours names, made for this client, or for any."""
        return id_token.read_hint(
            id_token_hint, await self._usable(), issuer=issuer, audience=audience
        )

    async def rotate(self) -> None:
        """Make the keys that are due and drop the retired ones."""
        now = self.homeserver.now()
        needed = await self.homeserver.read(
            housekeeping.missing_keys, now=now, schedule=self.schedule
        )
        usable = await self._usable()
        if any(keys.current(usable, algorithm, now=now) is None for algorithm in Algorithm):
            # Nothing is readable, as after the loss of the secret: new keys from now on.
            needed = dict.fromkeys(Algorithm, now)
        made = {a: await self._make(a, now=now, start=start) for a, start in needed.items()}
        await self.homeserver.run(housekeeping.rotate_keys, made, now=now, schedule=self.schedule)
        await self._reseal(usable)
        self._read_at = 0

    async def _reseal(self, usable: list[SigningKey]) -> None:
        """Bring what an earlier secret encrypted under the present one, so that it may be forgotten."""
        sealed = {key.kid: self.keyring.reseal(Purpose.SIGNING_KEYS, key.sealed) for key in usable}
        anew = {kid: text for kid, text in sealed.items() if text is not None}
        if anew:
            await self.homeserver.run(housekeeping.reseal_keys, anew)

    async def _make(self, algorithm: Algorithm, *, now: int, start: int) -> SigningKey:
        kid = random_id()
        pem, public_jwk = await in_thread(self.homeserver.hs, _generate, kid, algorithm)
        return SigningKey(
            kid=kid,
            algorithm=algorithm,
            sealed=self.keyring.seal(Purpose.SIGNING_KEYS, pem),
            public_jwk=public_jwk,
            created_at=now,
            active_from=start,
        )

    async def _private(self, key: SigningKey) -> keys.PrivateKey:
        """Return a key that signs; to read an RSA key takes a hundred times as long as to sign."""
        if key.kid not in self._loaded:
            pem = self._pems[key.kid]
            self._loaded[key.kid] = await in_thread(self.homeserver.hs, keys.load, pem)
        return self._loaded[key.kid]

    async def _usable(self) -> list[SigningKey]:
        """Return the keys that this process can decrypt."""
        now = self.homeserver.now()
        if not 0 <= now - self._read_at < _REREAD_AFTER:
            stored = await self.homeserver.read(signing_keys.list_all)
            pems = {
                key.kid: self.keyring.unseal(Purpose.SIGNING_KEYS, key.sealed) for key in stored
            }
            self._pems = {kid: pem for kid, pem in pems.items() if pem is not None}
            self._known = [key for key in stored if key.kid in self._pems]
            self._loaded = {kid: key for kid, key in self._loaded.items() if kid in self._pems}
            self._read_at = now
        return self._known


def _generate(kid: str, algorithm: Algorithm) -> tuple[bytes, str]:
    """Make a key; return it as PEM, and its public half as JSON, for which it is read once more."""
    pem = keys.generate(algorithm)
    return pem, keys.public_jwk(pem, kid=kid, algorithm=algorithm)
