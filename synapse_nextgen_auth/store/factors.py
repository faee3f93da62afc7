"""Rows of second factors, and how many of them an account has."""

from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

APPS = Table("nextgen_totp_apps", App)
CODES = Table("nextgen_recovery_codes", RecoveryCode)


def held(txn: Txn, user_id: str) -> Held:
    """Count what an account has; an app that was never confirmed, and a code that was used, is none."""
    txn.execute(
        "SELECT (SELECT COUNT(*) FROM nextgen_totp_apps"
        " WHERE user_id = ? AND confirmed_at IS NOT NULL),"
        " (SELECT COUNT(*) FROM nextgen_recovery_codes WHERE user_id = ? AND used_at IS NULL),"
        " (SELECT COUNT(*) FROM nextgen_passkeys WHERE user_id = ?)",
        (user_id, user_id, user_id),
    )
    apps, codes, passkeys = txn.fetchone()
    return Held(apps=int(apps), codes=int(codes), passkeys=int(passkeys))


def sealed_secrets(txn: Txn) -> list[str]:
    """Return the sealed secrets of all authenticator apps that show codes."""
    txn.execute("SELECT secret FROM nextgen_totp_apps WHERE confirmed_at IS NOT NULL")
    return [str(secret) for (secret,) in txn.fetchall()]
