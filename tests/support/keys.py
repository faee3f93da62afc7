"""End-to-end encryption keys as clients upload them; nobody ever encrypts anything with them."""

import base64
import secrets


def public_key():
    """Return random bytes that look like a public key."""
    return base64.b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def device_keys(user_id, device_id):
    """Return the body of `/keys/upload` with the identity keys of a device."""
    return {
        "device_keys": {
            "user_id": user_id,
            "device_id": device_id,
            "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
            "keys": {f"curve25519:{device_id}": public_key(), f"ed25519:{device_id}": public_key()},
            "signatures": {user_id: {f"ed25519:{device_id}": public_key()}},
        }
    }


def master_key(user_id, key=None):
    """Return the body of `/keys/device_signing/upload` with a fresh cross-signing identity."""
    key = key or public_key()
    return {
        "master_key": {
            "user_id": user_id,
            "usage": ["master"],
            "keys": {f"ed25519:{key}": key},
        }
    }
