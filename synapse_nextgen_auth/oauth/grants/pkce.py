"""Proof that who redeems a code also asked for it (RFC 7636), with S256 and nothing else (C061).

The example verifier in MSC2964 and the Client-Server API has 32 characters. RFC 7636 section 4.1
wants 43, so that example is refused here (C066).
"""

import hashlib
import re

from synapse_nextgen_auth.secret import same, urlsafe

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def refuse_challenge(challenge: str | None, method: str | None) -> str | None:
    """Say why an authorization request with this challenge must not go on (C061, C062)."""
    if challenge is None:
        return "code_challenge is required"
    if method != "S256":
        return "code_challenge_method must be S256"
    if not _CHALLENGE.fullmatch(challenge):
        return "code_challenge must be 43 characters of base64url"
    return None


def refuse_verifier(verifier: str | None) -> str | None:
    """Say why this is no verifier at all (C063, C065)."""
    if verifier is None:
        return "code_verifier is required"
    if not _VERIFIER.fullmatch(verifier):
        return "code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~"
    return None


def proves(verifier: str | None, challenge: str) -> bool:
    """Say whether the challenge was made from this verifier (RFC 7636 section 4.6)."""
    if verifier is None or refuse_verifier(verifier):
        return False
    return same(challenge_of(verifier), challenge)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return urlsafe(hashlib.sha256(verifier.encode("ascii")).digest())
