"""Records to begin a test with; each takes the fields that matter to the test."""

from typing import Any

from support.oauth import API, DEVICE
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows.begin_session import Opening
from synapse_nextgen_auth.flows.sign_in import Place
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.grants.authorization import Grant, ResponseMode
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.oauth.grants.grant_types import AUTHORIZATION_CODE, BY_NAME, DEVICE_CODE
from synapse_nextgen_auth.oauth.sessions import Sender, Session
from synapse_nextgen_auth.secret import digest

NOW = 1_800_000_000

# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
REDIRECT_URI = "https://app.example.com/cb"
ADDRESS = "192.0.2.1"
SENDER = Sender(ADDRESS, "App/1.0 (a test)")
ALICE = "@alice:example.com"
BOB = "@bob:example.com"
PHONE = "PHONE_DEVICE"
MATRIX = f"{API} {DEVICE}{PHONE}"


def a_client(**fields: Any) -> Client:
    """Return a public client that may use codes."""
    return Client(
        **{
            "client_id": "app",
            "redirect_uris": (REDIRECT_URI,),
            "auth_method": AuthMethod.NONE,
            "client_uri": "https://app.example.com/",
            "created_at": NOW,
            **fields,
        }
    )


def an_opening(session_id: str, **fields: Any) -> Opening:
    """Return how the session of a code begins."""
    return Opening(
        session_id=session_id,
        **{
            "kind": BY_NAME[AUTHORIZATION_CODE],
            "sender": SENDER,
            "max_devices": None,
            "only_new_device": False,
            "expires_at": None,
            **fields,
        },
    )


def a_device_opening(session_id: str, **fields: Any) -> Opening:
    """Return how the session of a device code begins."""
    kind = BY_NAME[DEVICE_CODE]
    return an_opening(session_id, **{"kind": kind, "only_new_device": True, **fields})


def a_grant(**fields: Any) -> Grant:
    """Return a grant that has just been requested."""
    return Grant(
        **{
            "grant_id": "grant",
            "browser": "browser",
            "client_id": "app",
            "redirect_uri": REDIRECT_URI,
            "scope": MATRIX,
            "state": "state",
            "response_mode": ResponseMode.QUERY,
            "nonce": "nonce",
            "code_challenge": CHALLENGE,
            "prompt": None,
            "login_hint": None,
            "ui_locales": None,
            "login_after": None,
            "created_at": NOW,
            "expires_at": NOW + 1800,
            **fields,
        }
    )


def a_device_grant(**fields: Any) -> DeviceGrant:
    """Return a device grant that has just been asked for."""
    return DeviceGrant(
        **{
            "grant_id": "device grant",
            "client_id": "app",
            "scope": MATRIX,
            "user_code_sealed": "sealed",
            "address": ADDRESS,
            "user_agent": "a television",
            "created_at": NOW,
            "expires_at": NOW + 900,
            "poll_interval": 5,
            **fields,
        }
    )


def a_session(**fields: Any) -> Session:
    """Return a session that began just now."""
    return Session(
        **{
            "session_id": "00" * 16,
            "user_id": ALICE,
            "device_id": PHONE,
            "client_id": "app",
            "scope": MATRIX,
            "generation": 1,
            "rotated_at": NOW,
            "confirmed_generation": 0,
            "auth_time": NOW,
            "created_at": NOW,
            "last_active_at": NOW,
            "address": ADDRESS,
            "user_agent": SENDER.user_agent,
            **fields,
        }
    )


def a_sign_in(secret: str = "cookie", **fields: Any) -> SignIn:
    """Return a sign-in that has just begun, with the digest of this secret."""
    return SignIn(
        **{
            "digest": digest(secret),
            "user_id": ALICE,
            "signed_in_at": NOW,
            "last_active_at": NOW,
            **fields,
        }
    )


def a_place(browser: str = "browser", **fields: Any) -> Place:
    """Return where somebody signs in."""
    return Place(binding=browser, **fields)


def an_attempt(**fields: Any) -> Attempt:
    """Return an attempt to sign in that has just begun."""
    return Attempt(
        **{
            "attempt_id": "attempt",
            "browser": "browser",
            "purpose": Purpose.SIGN_IN,
            "onward": Kind.HOME,
            "onward_id": None,
            "created_at": NOW,
            "expires_at": NOW + 3600,
            **fields,
        }
    )


def a_proof(user_id: str | None = ALICE, **fields: Any) -> Proof:
    """Return what somebody proved just now, by a password or at the provider of that name."""
    kind = ProofKind.PROVIDER if "provider" in fields else ProofKind.PASSWORD
    return Proof(**{"kind": kind, "at": NOW, "user_id": user_id, **fields})
