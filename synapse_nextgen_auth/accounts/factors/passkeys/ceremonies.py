"""What browsers are asked to do with passkeys, and whether what they bring back is right.

The `webauthn` package does what is cryptography and CBOR (WebAuthn sections 7.1 and 7.2). Here is what
it leaves to others: pages in frames, attestation, counters, that nothing it stumbles over is an error,
and that it reads no CBOR but such as keys send.
"""

import enum
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind
from synapse_nextgen_auth.accounts.factors.passkeys import cbor, keys
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import MAX_ID, Passkey, RelyingParty
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import same, urlsafe

# Letters of an answer: an RSA key with certificates and the longest of ids takes twelve thousand.
MAX_ANSWER = 16_000
TIMEOUT = 300_000  # milliseconds, for people who have to find their key first
_TRANSPORTS = ("ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb")
_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_ID}}}")
# Nobody asks which make a device is. What proves nothing is fine, and so is what a key says of itself.
_FORMATS = frozenset({"none", "packed"})


class Wrong(enum.Enum):
    """Why an answer is not taken; nobody but the log hears which it was."""

    MALFORMED = "malformed"
    UNPROVEN = "unproven"  # challenge, origin, site, presence, signature: any of them
    IN_A_FRAME = "in_a_frame"
    OTHER_KEY = "other_key"
    OTHER_ACCOUNT = "other_account"
    UNVERIFIED = "unverified"  # the device did not ask who its owner is
    ATTESTATION = "attestation"
    KEY = "key"  # it can never prove anything
    # A counter that does not go on: the key may have been copied (section 6.1.1).
    COUNTER = "counter"


class Refused(Exception):
    """An answer is not taken."""

    def __init__(self, why: Wrong) -> None:
        super().__init__(why.value)
        self.why = why


@frozen(kw_only=True)
class Made:
    """What a browser says of a passkey that it made; `is_found` if it finds it without a name."""

    credential_id: str
    public_key: str
    sign_count: int
    may_sync: bool
    is_synced: bool
    is_verified: bool
    is_found: bool
    transports: str
    aaguid: str | None


@frozen(kw_only=True)
class Used:
    """What a passkey that proved itself says: its counter, and whether it asked who its owner is.

    `names_owner`: it said whose it is, as those do that browsers find by themselves (section 6.3.3).
    """

    sign_count: int
    is_synced: bool
    is_verified: bool
    names_owner: bool = False


def proof(passkey: Passkey, used: Used, *, now: int) -> Proof:
    """Return what somebody proved with a passkey, in the words of RFC 8176.

    What other devices may have is held by software. Which thing of its owner a device asked for, their
    finger or a number, nobody says.
    """
    said = f"pop {'swk' if passkey.may_sync else 'hwk'} user"
    return Proof(
        ProofKind.PASSKEY,
        now,
        passkey.user_id,
        amr=said.split(),  # type: ignore[arg-type]  # attrs converts it
        is_verified=used.is_verified,
    )


def to_make(
    party: RelyingParty,
    *,
    challenge: bytes,
    user_handle: str,
    name: str,
    display_name: str,
    has: Iterable[Passkey],
) -> str:
    """Return what a browser needs to make one (JSON), which is none of those that the account has.

    One that can be found without a name is preferred, and that its device asks who its owner is.
    """
    return json.dumps(
        {
            "rp": {"id": party.rp_id, "name": party.name},
            "user": {"id": user_handle, "name": name, "displayName": display_name},
            "challenge": urlsafe(challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in keys.ALGORITHMS],
            "timeout": TIMEOUT,
            "excludeCredentials": [_descriptor(each) for each in has],
            "authenticatorSelection": {
                "residentKey": "preferred",
                "requireResidentKey": False,
                "userVerification": "preferred",
            },
            "attestation": "none",
            "extensions": {"credProps": True},
        }
    )


def to_use(
    party: RelyingParty, *, challenge: bytes, has: Iterable[Passkey] = (), verified: bool = False
) -> str:
    """Return what a browser needs to use one (JSON); without `has`, any that it finds for this site.

    So nobody learns whether somebody has one (C285). `verified`: its device has to ask who its owner is.
    """
    return json.dumps(
        {
            "challenge": urlsafe(challenge),
            "timeout": TIMEOUT,
            "rpId": party.rp_id,
            "allowCredentials": [_descriptor(each) for each in has],
            "userVerification": "required" if verified else "preferred",
        }
    )


def made(party: RelyingParty, answer: str, *, challenge: bytes) -> Made:
    """Return the passkey that a browser made; raises `Refused`."""
    from webauthn import verify_registration_response  # noqa: PLC0415 (large, and seldom wanted)
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415 (the same)

    credential = _plain(_read(answer), "attestationObject")
    _refuse_frames(credential)
    raw = _bytes(credential["response"]["attestationObject"])
    if not _checked(lambda: _format_of(raw) in _FORMATS):
        raise Refused(Wrong.ATTESTATION)
    found = _checked(
        lambda: verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=list(party.origins),
            supported_pub_key_algs=[COSEAlgorithmIdentifier(each) for each in keys.ALGORITHMS],
        )
    )
    if not _checked(lambda: keys.can_prove(found.credential_public_key)):
        raise Refused(Wrong.KEY)
    credential_id = urlsafe(found.credential_id)
    # The id in the answer is not signed; the one in the device's own words is.
    if credential_id != credential["id"]:
        raise Refused(Wrong.OTHER_KEY)
    told = credential["response"].get("transports")
    transports = told if isinstance(told, list) else []
    return Made(
        credential_id=credential_id,
        public_key=urlsafe(found.credential_public_key),
        sign_count=found.sign_count,
        may_sync=found.credential_device_type == "multi_device",
        is_synced=found.credential_backed_up,
        is_verified=found.user_verified,
        is_found=_is_found(credential),
        transports=" ".join(each for each in _TRANSPORTS if each in transports),
        aaguid=found.aaguid if found.aaguid.strip("0-") else None,
    )


def _is_found(credential: dict[str, Any]) -> bool:
    """Say whether the browser finds it without a name, unless it says no (section 10.1.3)."""
    told = credential.get("clientExtensionResults")
    properties = told.get("credProps") if isinstance(told, dict) else None
    return not (isinstance(properties, dict) and properties.get("rk") is False)


def _format_of(attestation: bytes) -> str:
    """Return what kind of attestation this is, which is looked at no further; raises what it likes."""
    from webauthn.helpers import parse_cbor  # noqa: PLC0415 (large, and seldom wanted)

    cbor.check(attestation)
    said = parse_cbor(attestation)
    _look_at(said["authData"])
    return str(said["fmt"])


def _look_at(data: bytes) -> None:
    """Raise what it likes for authenticator data of which `webauthn` might read what `cbor` did not see.

    It goes on behind a part after as many bytes as it would write itself.
    """
    from webauthn.helpers import encode_cbor, parse_cbor  # noqa: PLC0415 (large, and seldom wanted)

    for part in cbor.parts_of(data):
        if len(encode_cbor(parse_cbor(part))) != len(part):
            raise cbor.Odd


def named(answer: str) -> str:
    """Return the id of the passkey that an answer is of, which proves nothing yet; raises `Refused`."""
    return str(_read(answer)["id"])


def challenge_in(answer: str) -> bytes:
    """Return which challenge an answer is to, which may be anybody's; raises `Refused`."""
    said = _client_data(_read(answer)).get("challenge")
    if not isinstance(said, str):
        raise Refused(Wrong.MALFORMED)
    return _bytes(said)


def used(
    party: RelyingParty,
    answer: str,
    passkey: Passkey,
    *,
    challenge: bytes,
    verified: bool = False,
    nameless: bool = False,
) -> Used:
    """Return what a passkey proved; raises `Refused`. `Wrong.COUNTER` is of one that is right otherwise.

    Whose it is the row says, and its device, where that says anything, has to say the same (C281).
    `nameless`: nobody said who they are, so the device has to (section 7.2 step 6).
    """
    from webauthn import verify_authentication_response  # noqa: PLC0415 (large, and seldom wanted)

    credential = _plain(_read(answer), "authenticatorData")
    _refuse_frames(credential)
    if not same(str(credential["id"]), passkey.credential_id):
        raise Refused(Wrong.OTHER_KEY)
    handle = credential["response"].get("userHandle")
    if (handle or nameless) and not same(str(handle or "").rstrip("="), passkey.user_handle):
        raise Refused(Wrong.OTHER_ACCOUNT)
    public_key = _bytes(passkey.public_key)
    _checked(lambda: cbor.check(public_key))
    _checked(lambda: _look_at(_bytes(credential["response"]["authenticatorData"])))
    found = _checked(
        lambda: verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=list(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,  # looked at below, to tell its owner
        )
    )
    if verified and not found.user_verified:
        raise Refused(Wrong.UNVERIFIED)
    counts = found.new_sign_count > 0 or passkey.sign_count > 0
    if counts and found.new_sign_count <= passkey.sign_count:
        raise Refused(Wrong.COUNTER)
    return Used(
        sign_count=found.new_sign_count,
        is_synced=found.credential_backed_up,
        is_verified=found.user_verified,
        names_owner=bool(handle),
    )


def _descriptor(passkey: Passkey) -> dict[str, object]:
    known: dict[str, object] = {"type": "public-key", "id": passkey.credential_id}
    transports = passkey.transports.split()
    return {**known, "transports": transports} if transports else known


def _read(answer: str) -> dict[str, Any]:
    """Read what `PublicKeyCredential.toJSON()` wrote, as far as we look at it ourselves."""
    if len(answer) > MAX_ANSWER:
        raise Refused(Wrong.MALFORMED)
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        raise Refused(Wrong.MALFORMED) from None
    if not isinstance(found, dict) or not isinstance(found.get("response"), dict):
        raise Refused(Wrong.MALFORMED)
    name = found.get("id")
    if not isinstance(name, str) or name != found.get("rawId") or not _NAME.fullmatch(name):
        raise Refused(Wrong.MALFORMED)
    return found


def _plain(credential: dict[str, Any], name: str) -> dict[str, Any]:
    """Write the bytes of that name as there is one way to write them: all read the same ones then."""
    said = credential["response"].get(name)
    if not isinstance(said, str):
        raise Refused(Wrong.MALFORMED)
    return {**credential, "response": {**credential["response"], name: urlsafe(_bytes(said))}}


def _client_data(credential: dict[str, Any]) -> dict[str, Any]:
    said = credential["response"].get("clientDataJSON")
    if not isinstance(said, str):
        raise Refused(Wrong.MALFORMED)
    try:
        found = json.loads(_bytes(said))
    except (ValueError, RecursionError):
        raise Refused(Wrong.MALFORMED) from None
    if not isinstance(found, dict):
        raise Refused(Wrong.MALFORMED)
    return found


def _refuse_frames(credential: dict[str, Any]) -> None:
    """Refuse what was asked for in a frame of another site (section 5.10)."""
    said = _client_data(credential)
    if said.get("crossOrigin") not in (None, False) or said.get("topOrigin") is not None:
        raise Refused(Wrong.IN_A_FRAME)


T = TypeVar("T")


def _checked(verify: Callable[[], T]) -> T:
    """Run what checks an answer; whatever it stumbles over, the answer is not right."""
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 (large)

    try:
        return verify()
    except WebAuthnException:
        raise Refused(Wrong.UNPROVEN) from None
    except Exception:  # noqa: BLE001 (CBOR, base64 and keys that are none raise what they like)
        raise Refused(Wrong.MALFORMED) from None


def _bytes(text: str) -> bytes:
    """Read base64url with or without padding."""
    try:
        return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except ValueError:
        raise Refused(Wrong.MALFORMED) from None
