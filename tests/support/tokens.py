"""Tokens as the shared homeservers sign them: to look inside one, and to make odd ones."""

import attrs

from support.synapse import _SECRETS
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind
from synapse_nextgen_auth.secret import Keyring

KEYS = Keyring.of(_SECRETS.macaroon_secret_key.encode())
OTHER_KEYS = Keyring.of(b"a secret of some other homeserver")


def inside(text):
    """Return what a token of the test homeservers says."""
    token = session_tokens.read(KEYS, text)
    assert token is not None, text
    return token


def made_from(text, *, keys=KEYS, **changes):
    """Return the token with changes, signed."""
    return session_tokens.mint(keys, attrs.evolve(inside(text), **changes)).reveal()


def access_token(session_id, **fields):
    """Return an access token for a session, living or not."""
    stated = {"generation": 1, "expires_at": 2**39, **fields}
    return session_tokens.mint(
        KEYS, session_tokens.Token(Kind.ACCESS, session_id, **stated)
    ).reveal()
