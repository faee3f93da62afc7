"""Asking for tokens for services of others, and asking what they are good for."""

import secrets
import time
from urllib.parse import quote_plus

import jwt

from support.answers import assert_not_kept
from support.oauth import Browser
from support.public import CALLBACK, ISSUER, KEY, SECRET

PROOF = {"auth": ("basic", quote_plus(SECRET))}
SERVICE = {"auth": ("calendar", quote_plus(SECRET))}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
INACTIVE = {"active": False}


def begun(server, client, user, scope, **changes):
    """Sign the user in; return the request that redeems the code."""
    parameters, verifier = client.request(scope=scope, **changes)
    browser = Browser(server)
    code = browser.let_in(parameters, user.localpart, user.password)["code"]
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }


def got(answer):
    """Return the body of an answer that must be a good one."""
    assert answer.status_code == 200, answer.text
    assert_not_kept(answer)
    return answer.json()


def renewed(tokens, **more):
    """Return the request for the next pair."""
    return {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]} | more


def as_wiki():
    """Return what the wiki proves itself by."""
    now = int(time.time())
    said = {"iss": "wiki", "sub": "wiki", "aud": ISSUER, "iat": now, "exp": now + 60}
    said["jti"] = secrets.token_hex(16)
    text = jwt.encode(said, KEY, algorithm="ES256", headers={"kid": "k1"})
    return {"client_id": "wiki", "client_assertion_type": ASSERTION, "client_assertion": text}


def look(server, token, *, by=SERVICE, **form):
    """Ask what a token is good for."""
    answer = server.post("introspect", {"token": token} | form, **(by or {}))
    return got(answer)
