"""A passkey in software: it makes and uses keys as a device does, or does one thing of it wrong."""

import hashlib
import html
import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import urljoin

import attrs
import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def b64(raw: bytes) -> str:
    """Encode as base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@attrs.define
class SoftKey:
    """A key for one site. `flags` are those of its next answers; `count` goes on by one each time."""

    rp_id: str
    origin: str
    flags: int = UP | UV
    count: int = 0
    counts: bool = True
    alg: int = -7
    client_data: dict[str, Any] = attrs.field(factory=dict)  # what it says otherwise
    key: ec.EllipticCurvePrivateKey = attrs.field(
        factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = attrs.field(factory=lambda: secrets.token_bytes(20))
    user_handle: str = ""

    def make(self, options: str, *, fmt: str = "none", **changed: Any) -> str:
        """Answer `navigator.credentials.create()`, as `toJSON()` writes it."""
        asked = json.loads(options)
        self.user_handle = asked["user"]["id"]
        client_data = self._client_data("webauthn.create", asked["challenge"])
        attested = (
            bytes(16)
            + len(self.credential_id).to_bytes(2, "big")
            + self.credential_id
            + cbor2.dumps(self.public_key())
        )
        data = self._authenticator_data(AT) + attested
        attestation = cbor2.dumps({"fmt": fmt, "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": b64(client_data),
            "attestationObject": b64(attestation),
            "transports": ["internal", "hybrid", "<script>"],
        }
        return self._answer(response, changed)

    def use(self, options: str, **changed: Any) -> str:
        """Answer `navigator.credentials.get()`."""
        asked = json.loads(options)
        client_data = self._client_data("webauthn.get", asked["challenge"])
        if self.counts:
            self.count += 1
        data = self._authenticator_data(0)
        signed = data + hashlib.sha256(client_data).digest()
        response = {
            "clientDataJSON": b64(client_data),
            "authenticatorData": b64(data),
            "signature": b64(self.key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": self.user_handle,
        }
        return self._answer(response, changed)

    def public_key(self) -> dict[int, Any]:
        """Return it as COSE has it (RFC 9052)."""
        point = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (point.x, point.y))
        return {1: 2, 3: self.alg, -1: 1, -2: x, -3: y}

    def _client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**said, **self.client_data}).encode()

    def _authenticator_data(self, flags: int) -> bytes:
        site = hashlib.sha256(self.rp_id.encode()).digest()
        return site + bytes([self.flags | flags]) + self.count.to_bytes(4, "big")

    def _answer(self, response: dict[str, Any], changed: dict[str, Any]) -> str:
        name = b64(self.credential_id)
        answer = {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {**response, **changed.pop("response", {})},
        }
        return json.dumps({**answer, **changed})


def question(page: Any) -> str:
    """Return what a page wants the browser to ask its passkeys."""
    return html.unescape(re.search(r'data-passkey="([^"]*)"', page.text)[1])


def form_of(page: Any) -> tuple[str, dict[str, str]]:
    """Return the form around the button of the passkey: where it goes, and what is hidden in it."""
    box = page.text[page.text.index("data-passkey=") :]
    form = re.search(r'<form[^>]*action="([^"]*)".*?</form>', box, re.DOTALL)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
    return urljoin(page.url, html.unescape(form[1])), hidden
