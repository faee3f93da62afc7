"""Somebody whom a provider let in and who has no account yet, without a provider."""

import json
import secrets
import time

from support.synapse import _SECRETS
from synapse_nextgen_auth.accounts.attempts import sign_ups
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.flows.arrive import NEWCOMER
from synapse_nextgen_auth.secret import Keyring, digest

_KEYS = Keyring.of(_SECRETS.macaroon_secret_key.encode())


def arrive(homeserver, browser, *, onward="home"):
    """Let a browser come to the page that asks for the name of its person's account."""
    newcomer = Newcomer("oidc-works", secrets.token_hex(8), localpart=f"new{secrets.token_hex(4)}")
    attempt_id = _begin(homeserver, browser, "sign_in", {NEWCOMER: newcomer.seal(_KEYS)}, onward)
    return browser.get(browser.server.url(f"new-account?attempt={attempt_id}"))


def sign_up(homeserver, browser):
    """Let a browser have gone through the first page of a sign-up; return the attempt's id."""
    session = secrets.token_hex(12)
    homeserver.query(
        "INSERT INTO ui_auth_sessions"
        " (session_id, creation_time, serverdict, clientdict, uri, method, description)"
        " VALUES (?, ?, '{}', '{}', 'register', 'POST', 'a test')",
        *(session, int(time.time() * 1000)),
    )
    person = {"localpart": f"new{secrets.token_hex(4)}", "password_hash": "x", "session": session}
    answers = {"account": sign_ups.seal(_KEYS, person)}
    return _begin(homeserver, browser, "sign_up", answers, "home")


def answer(sealed):
    """Return what somebody answered, as their attempt keeps it."""
    return sign_ups.unseal(_KEYS, sealed)


def sealed(said):
    """Return an answer as an attempt keeps it."""
    return sign_ups.seal(_KEYS, said)


def _begin(homeserver, browser, purpose, answers, onward):
    browser.get(browser.server.url("sign-in"))
    binding = browser.cookie.partition(".")[0]
    attempt_id, now = secrets.token_hex(16), int(time.time())
    homeserver.query(
        "INSERT INTO nextgen_attempts (attempt_id, browser, purpose, onward, created_at, expires_at,"
        " proofs, answers) VALUES (?, ?, ?, ?, ?, ?, '[]', ?)",
        *(attempt_id, digest(binding), purpose, onward, now, now + 3600),
        json.dumps(answers),
    )
    return attempt_id
