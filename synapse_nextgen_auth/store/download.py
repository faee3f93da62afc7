"""What this module keeps about an account, for its owner to take away: no secret is in it.

Every table stands in one of the two lists below, and every column of a table that is handed out in one
of its two; a test fails for one that does not.
"""

from collections.abc import Mapping
from typing import Any

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import Txn

# Of each table so many rows, the newest first: an answer has an end.
MOST = 5_000


@frozen
class Part:
    """One table: what is handed out of it, what is left out, and by which column it is ordered."""

    table: str
    columns: tuple[str, ...]
    newest: str
    left_out: tuple[str, ...] = ()
    owner: str = "user_id"


PARTS: Mapping[str, Part] = {
    "sign_ins": Part(
        "nextgen_browsers",
        (
            *("signed_in_at", "last_active_at", "ended_at", "auth_time", "amr", "acr", "provider"),
            *("address", "user_agent", "level"),
        ),
        "signed_in_at",
        # Who has one of these stands nearer to the cookie, or to what a provider calls somebody.
        ("digest", "sign_in_id", "provider_session"),
    ),
    "sessions": Part(
        "nextgen_sessions",
        (
            *("device_id", "client_id", "scope", "created_at", "auth_time", "last_active_at"),
            *("address", "user_agent", "expires_at", "ended_at", "end_reason", "amr", "acr"),
            *("began_by", "level", "proven_at", "owner_id", "resource_scope"),
        ),
        "created_at",
        # Half of a token, and how often it was renewed; the day is that of the last use.
        (
            "active_day",
            *("session_id", "generation", "rotated_at", "confirmed_generation", "sign_in_id"),
            *("former_level", "former_proven_at", "former_auth_time", "former_amr", "former_acr"),
        ),
    ),
    "consents": Part("nextgen_consents", ("client_id", "scope", "granted_at"), "granted_at"),
    "grants": Part(
        "nextgen_grants",
        (
            *("client_id", "redirect_uri", "scope", "device_id", "created_at", "expires_at"),
            *("auth_time", "approved_at", "refused_at", "redeemed_at", "login_hint", "ui_locales"),
            "resource_scope",
        ),
        "created_at",
        (
            *("grant_id", "browser", "state", "response_mode", "nonce", "code_challenge", "prompt"),
            *(
                "idp_hint",
                "login_after",
                "code_digest",
                "code_expires_at",
                "session_id",
                "sign_in_id",
            ),
            *("proven_at", "amr", "acr", "acr_values", "acr_strictness", "level"),
        ),
    ),
    "device_grants": Part(
        "nextgen_device_grants",
        (
            *("client_id", "scope", "device_id", "created_at", "expires_at", "login_hint"),
            *("auth_time", "approved_at", "refused_at", "redeemed_at", "address", "user_agent"),
            "resource_scope",
        ),
        "created_at",
        (
            *("grant_id", "device_code_digest", "user_code_digest", "user_code_half"),
            *("user_code_sealed", "poll_interval", "slowed_at", "wrong_tries", "browser"),
            *("session_id", "sign_in_id", "amr", "acr", "level", "proven_at", "asked_for"),
            "acr_values",
        ),
    ),
    "events": Part(
        "nextgen_events",
        ("happened_at", "kind", "client_id", "address", "detail"),
        "happened_at",
        ("event_id", "session_id"),
    ),
    "provider_sign_ins": Part(
        "nextgen_provider_sessions",
        ("provider", "noted_at"),
        "noted_at",
        ("provider_session", "sign_in_id"),
    ),
    "password_links": Part(
        "nextgen_links",
        ("kind", "created_at", "expires_at", "address", "used_at", "ended_at"),
        "created_at",
        ("digest", "attempt_id"),
    ),
    # Of those that the account made; what its token is opens something.
    "invitations": Part(
        "nextgen_invitations",
        ("made_at", "expires_at", "text", "username", "email", "rooms"),
        "made_at",
        ("token", "mail_digest", "slot"),
        owner="invited_by",
    ),
    "preferences": Part(
        "nextgen_preferences",
        ("language", "time_zone", "last_language", "changed_at"),
        "changed_at",
    ),
    "personal_tokens": Part(
        "nextgen_personal_tokens",
        ("name", "made_at", "expires_at"),
        "made_at",
        ("session_id",),
    ),
    "authenticator_apps": Part(
        "nextgen_totp_apps",
        ("name", "made_at", "confirmed_at", "last_used_at"),
        "made_at",
        ("app_id", "secret", "last_step"),
    ),
    "passkeys": Part(
        "nextgen_passkeys",
        ("name", "made_at", "last_used_at", "may_sync", "is_synced", "aaguid"),
        "made_at",
        (
            *("credential_id", "user_handle", "rp_id", "public_key", "sign_count"),
            *("is_verified", "transports"),
        ),
    ),
    "recovery_codes": Part("nextgen_recovery_codes", ("made_at", "used_at"), "made_at", ("mac",)),
    "factor_mail": Part("nextgen_factor_mail", ("address", "made_at", "last_used_at"), "made_at"),
    "factor_owed": Part("nextgen_factor_owed", ("since",), "since"),
    "remembered_browsers": Part(
        "nextgen_remembered",
        ("made_at", "expires_at", "user_agent"),
        "made_at",
        ("remembered_id", "digest"),
    ),
    "lost_factors": Part(
        "nextgen_lost_factors",
        (
            *("asked_at", "ready_at", "expires_at", "told_at", "reminded_at", "cancelled_at"),
            *("used_at", "address"),
        ),
        "asked_at",
        ("request_id", "digest", "secret", "remind_at"),
    ),
    "first_session": Part("nextgen_first_sessions", ("began_at",), "began_at"),
    "notices": Part("nextgen_notices", ("about", "due_at"), "due_at"),
}

# What is nobody's, is over within the hour, or cannot be told whose it is.
LEFT_OUT: Mapping[str, str] = {
    "nextgen_approvals": "an hour",
    "nextgen_arrivals": "an hour",
    "nextgen_attempts": "an hour",
    "nextgen_blocked_clients": "of clients",
    "nextgen_client_assertions": "of clients",
    "nextgen_clients": "of clients",
    "nextgen_codes": "an hour",
    "nextgen_legacy_logins": "an hour",
    "nextgen_marks": "what is so stands on the account's page",
    "nextgen_outbox": "until it is done",
    "nextgen_services": "of clients",
    "nextgen_passkey_challenges": "five minutes",
    "nextgen_passwords": "a hash, which is a secret",
    "nextgen_provider_logouts": "a quarter of an hour",
    "nextgen_rendezvous": "of nobody",
    "nextgen_revoked_tokens": "of application services",
    "nextgen_schema": "of nobody",
    "nextgen_session_browsers": "of browsers",
    "nextgen_signing_keys": "of the server",
    "nextgen_throttle": "digests",
    "nextgen_ulids": "names of what other tables have",
    "nextgen_token_holds": "of nobody yet",
}


def part(txn: Txn, user_id: str, name: str, *, limit: int = MOST) -> list[dict[str, Any]]:
    """Return what one table has about an account, the newest first."""
    known = PARTS[name]
    txn.execute(
        f"SELECT {', '.join(known.columns)} FROM {known.table} WHERE {known.owner} = ?"
        f" ORDER BY {known.newest} DESC LIMIT ?",
        (user_id, limit),
    )
    return [dict(zip(known.columns, row, strict=True)) for row in txn.fetchall()]
