"""Passkeys: keys that a person's devices keep, each good for one site alone (WebAuthn Level 3)."""
