"""Which public keys of passkeys can prove something, of the kinds that are taken (C283).

One that cannot would count as a factor, and perhaps as the only one, of somebody whom it never lets in;
for one that proves too much, everybody can sign. Whatever reads keys reads most of these as well.
"""

# ES256, EdDSA, RS256: what WebAuthn wants sites to take (section 5.4, note).
ALGORITHMS = ES256, EDDSA, RS256 = -7, -8, -257
# Bits of the modulus; beyond the latter OpenSSL verifies nothing.
_LEAST_RSA, _MOST_RSA = 2048, 16_384
# What no signature can be forged with, and as many bits as OpenSSL takes with each modulus.
_LEAST_EXPONENT, _EXPONENT_BITS = 3, 64

# The field and the curve of Ed25519 (RFC 8032 section 5.1).
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def can_prove(public_key: bytes) -> bool:
    """Say whether a key (COSE, RFC 9052) can; raises what it likes for what is none."""
    from cryptography.hazmat.primitives.asymmetric.ec import (  # noqa: PLC0415 (seldom wanted)
        SECP256R1,
        EllipticCurvePublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 (the same)
    from webauthn.helpers import (  # noqa: PLC0415 (large, and seldom wanted)
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
    )

    decoded = decode_credential_public_key(public_key)
    key = decoded_public_key_to_cryptography(decoded)
    if isinstance(key, EllipticCurvePublicKey):
        # ES256 is for this curve alone (section 5.8.5).
        return decoded.alg == ES256 and isinstance(key.curve, SECP256R1)
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        return decoded.alg == RS256 and _is_rsa(numbers.n, numbers.e)
    return decoded.alg == EDDSA and is_ed25519(key.public_bytes_raw())


def _is_rsa(modulus: int, exponent: int) -> bool:
    is_modulus = _LEAST_RSA <= modulus.bit_length() <= _MOST_RSA and modulus % 2 == 1
    return is_modulus and _LEAST_EXPONENT <= exponent < 1 << _EXPONENT_BITS


def is_ed25519(raw: bytes) -> bool:
    """Say whether this is a point of the curve, and none of the eight that fit to forged signatures.

    Those eight are (0, 1) once they are doubled three times.
    """
    y = int.from_bytes(raw, "little") % (1 << 255)  # the last bit is the sign of x
    if y >= _P or pow(_x_squared(y), (_P - 1) // 2, _P) != 1:
        return False
    for _ in range(3):
        y = _doubled(y)
    return y != 1


def _x_squared(y: int) -> int:
    """Solve the equation of the curve, -x² + y² = 1 + dx²y²; it may have no root."""
    return (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P


def _doubled(y: int) -> int:
    x2, y2 = _x_squared(y), y * y
    return (y2 + x2) * pow(2 + x2 - y2, -1, _P) % _P
