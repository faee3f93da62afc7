"""Random values, digests, derived keys and the wrapper that keeps secrets out of logs.

Everything here is below the protocol: no module of this package is imported.
"""

import base64
import enum
import hashlib
import hmac
import secrets as _random
from collections.abc import Sequence

import attrs
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


@attrs.frozen(repr=False)
class Secret:
    """A string that prints as stars; `reveal()` is the one way to its value."""

    _value: str

    def reveal(self) -> str:
        """Return the value itself, to be sent or compared and never logged."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('**********')"

    __str__ = __repr__


def random_token() -> Secret:
    """Draw 256 random bits as 43 URL-safe characters."""
    return Secret(_random.token_urlsafe(32))


def random_bytes(length: int) -> bytes:
    """Draw bytes."""
    return _random.token_bytes(length)


def random_letters(alphabet: str, length: int) -> str:
    """Draw letters for a code that people read and type."""
    return "".join(_random.choice(alphabet) for _ in range(length))


def random_id() -> str:
    """Draw 128 random bits as 32 hexadecimal digits: an identifier nobody can guess."""
    return _random.token_hex(16)


def digest(value: str) -> str:
    """Return the SHA-256 of a high-entropy value in hex: what the database keeps instead of it."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare two strings in constant time; unlike `compare_digest`, any character is fine (C065)."""
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )


def urlsafe(raw: bytes) -> str:
    """Encode as base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


class Purpose(str, enum.Enum):
    """What a derived key is for. A value that changes makes everything worthless that has one."""

    ACCESS_TOKEN = "token access"  # noqa: S105
    REFRESH_TOKEN = "token refresh"  # noqa: S105
    PERSONAL_TOKEN = "token personal"  # noqa: S105
    SERVICE_TOKEN = "token service"  # noqa: S105
    RESOURCE_TOKEN = "token resource"  # noqa: S105
    TOKEN_ID = "token id"  # noqa: S105
    USER_CODE = "user code"
    USER_CODE_HALF = "user code half"
    FORM = "csrf"
    SIGNING_KEYS = "signing keys"
    PROVIDER_START = "provider start"
    NEWCOMER = "newcomer"
    EXTRAS = "extras"
    COMMAND = "command"
    LINK = "link"
    RECOVERY = "recovery"
    COMMAND_ANSWER = "command answer"
    MAIL = "mail"
    CODE = "code"
    CODE_ADDRESS = "code address"
    SIGN_UP = "sign up"
    CAPTCHA = "captcha"
    DONE = "done"
    TYPED = "typed"
    NOTICE = "notice"
    APPROVAL = "approval"
    APPROVAL_BODY = "approval body"
    STAGE = "stage"
    HINT = "hint"
    TOTP = "totp"
    RECOVERY_CODE = "recovery code"
    PASSKEY_CHALLENGE = "passkey challenge"
    LOST_FACTORS = "lost factors"


@attrs.frozen(repr=False)
class Keyring:
    """Keys for each purpose, derived from one master secret and its predecessors (RFC 5869).

    The first master makes new values, all of them check old ones, so that a rotation of the secret
    logs nobody out.
    """

    _masters: tuple[bytes, ...]
    _derived: dict[Purpose, tuple[bytes, ...]] = attrs.field(factory=dict, init=False, eq=False)
    _signers: dict[Purpose, tuple["_Signer", ...]] = attrs.field(factory=dict, init=False, eq=False)

    @classmethod
    def of(cls, current: bytes, previous: Sequence[bytes] = ()) -> "Keyring":
        """Make a ring whose `current` master is used for everything new."""
        return cls((current, *previous))

    def keys(self, purpose: Purpose) -> tuple[bytes, ...]:
        """Return the 32-byte keys for `purpose`, the current one first."""
        if purpose not in self._derived:
            self._derived[purpose] = tuple(_derive(master, purpose) for master in self._masters)
        return self._derived[purpose]

    def mac(self, purpose: Purpose, message: bytes) -> bytes:
        """Return the HMAC-SHA-256 of `message` under the current key for `purpose`."""
        return self._signers_for(purpose)[0].mac(message)

    def proves(self, purpose: Purpose, message: bytes, mac: bytes) -> bool:
        """Say whether `mac` (maybe truncated, never below 128 bits) was made for `message` by us."""
        if len(mac) < 16:
            return False
        return any(
            hmac.compare_digest(signer.mac(message)[: len(mac)], mac)
            for signer in self._signers_for(purpose)
        )

    def seal(self, purpose: Purpose, plain: bytes) -> str:
        """Encrypt and authenticate `plain` for storage."""
        return self._box(purpose).encrypt(plain).decode("ascii")

    def unseal(self, purpose: Purpose, sealed: str) -> bytes | None:
        """Decrypt what `seal` made; `None` when no key of ours fits."""
        try:
            return self._box(purpose).decrypt(sealed.encode("ascii"))
        except (InvalidToken, UnicodeEncodeError):
            return None

    def reseal(self, purpose: Purpose, sealed: str) -> str | None:
        """Seal anew what an earlier master sealed; `None` when there is nothing to do, or no way."""
        plain = self.unseal(purpose, sealed)
        if plain is None or Keyring(self._masters[:1]).unseal(purpose, sealed) is not None:
            return None
        return self.seal(purpose, plain)

    def _signers_for(self, purpose: Purpose) -> tuple["_Signer", ...]:
        known = self._signers.get(purpose)
        if known is None:
            known = self._signers[purpose] = tuple(map(_Signer, self.keys(purpose)))
        return known

    def _box(self, purpose: Purpose) -> MultiFernet:
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in self.keys(purpose)])


_BLOCK = 64  # bytes of SHA-256
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class _Signer:
    """A key whose two paddings are hashed already: a MAC costs a third (RFC 2104 section 4)."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER))
        self._outer = hashlib.sha256(block.translate(_OUTER))

    def mac(self, message: bytes) -> bytes:
        """Return the HMAC-SHA-256 of a message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def _derive(master: bytes, purpose: Purpose) -> bytes:
    info = b"synapse_nextgen_auth " + purpose.encode("ascii")
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)
