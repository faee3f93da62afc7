"""Somebody whom a provider let in and who has no account yet, without a provider."""

import json
import secrets
import time

from support.synapse import _SECRETS
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.flows.arrive import NEWCOMER
from synapse_nextgen_auth.secret import Keyring, digest


def arrive(homeserver, browser, *, onward="home"):
    """Let a browser come to the page that asks for the name of its person's account."""
    browser.get(browser.server.url("sign-in"))
    binding = browser.cookie.partition(".")[0]
    keys = Keyring.of(_SECRETS.macaroon_secret_key.encode())
    attempt_id, now = secrets.token_hex(16), int(time.time())
    newcomer = Newcomer("oidc-works", secrets.token_hex(8), localpart=f"new{secrets.token_hex(4)}")
    homeserver.query(
        "INSERT INTO nextgen_attempts (attempt_id, browser, purpose, onward, created_at, expires_at,"
        " proofs, answers) VALUES (?, ?, 'sign_in', ?, ?, ?, '[]', ?)",
        *(attempt_id, digest(binding), onward, now, now + 3600),
        json.dumps({NEWCOMER: newcomer.seal(keys)}),
    )
    return browser.get(browser.server.url(f"new-account?attempt={attempt_id}"))
