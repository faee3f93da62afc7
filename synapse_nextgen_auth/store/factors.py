"""Rows of second factors, and how many of them an account has."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

APPS = Table("nextgen_totp_apps", App)
CODES = Table("nextgen_recovery_codes", RecoveryCode)
# A mailbox of which the account has the address no more is none of its factors.
_HAS_ADDRESS = (
    "EXISTS (SELECT 1 FROM user_threepids AS t"
    " WHERE t.user_id = m.user_id AND t.medium = 'email' AND t.address = m.address)"
)


def held(txn: Txn, user_id: str) -> Held:
    """Count what an account has; an app that was never confirmed, and a code that was used, is none."""
    txn.execute(
        "SELECT (SELECT COUNT(*) FROM nextgen_totp_apps"
        " WHERE user_id = ? AND confirmed_at IS NOT NULL),"
        " (SELECT COUNT(*) FROM nextgen_recovery_codes WHERE user_id = ? AND used_at IS NULL),"
        " (SELECT COUNT(*) FROM nextgen_passkeys WHERE user_id = ?),"
        f" (SELECT COUNT(*) FROM nextgen_factor_mail AS m WHERE m.user_id = ? AND {_HAS_ADDRESS})",
        (user_id, user_id, user_id, user_id),
    )
    return _held(*txn.fetchone())


def list_held(txn: Txn) -> list[tuple[str, Held]]:
    """Return what each account has that has anything, by its name."""
    txn.execute(
        "SELECT user_id, SUM(apps), SUM(codes), SUM(passkeys), SUM(mail) FROM ("
        "SELECT user_id, 1 AS apps, 0 AS codes, 0 AS passkeys, 0 AS mail FROM nextgen_totp_apps"
        " WHERE confirmed_at IS NOT NULL"
        " UNION ALL SELECT user_id, 0, 1, 0, 0 FROM nextgen_recovery_codes WHERE used_at IS NULL"
        " UNION ALL SELECT user_id, 0, 0, 1, 0 FROM nextgen_passkeys"
        f" UNION ALL SELECT user_id, 0, 0, 0, 1 FROM nextgen_factor_mail AS m WHERE {_HAS_ADDRESS}"
        ") AS held GROUP BY user_id ORDER BY user_id"
    )
    return [(str(user_id), _held(*numbers)) for user_id, *numbers in txn.fetchall()]


def _held(apps: int, codes: int, passkeys: int, mail: int) -> Held:
    return Held(apps=int(apps), codes=int(codes), passkeys=int(passkeys), mail=int(mail))


def sealed_secrets(txn: Txn) -> list[str]:
    """Return the sealed secrets of all authenticator apps that show codes."""
    txn.execute("SELECT secret FROM nextgen_totp_apps WHERE confirmed_at IS NOT NULL")
    return [str(secret) for (secret,) in txn.fetchall()]


def add_app(txn: Txn, app: App) -> None:
    """Keep an app."""
    APPS.insert(txn, app)


def get_app(txn: Txn, app_id: str, user_id: str) -> App | None:
    """Return an app of this account, confirmed or not (C301)."""
    return APPS.one(txn, "WHERE app_id = ? AND user_id = ?", app_id, user_id)


def list_apps(txn: Txn, user_id: str) -> list[App]:
    """Return the apps of an account that were confirmed, the oldest first."""
    return APPS.all(
        txn,
        "WHERE user_id = ? AND confirmed_at IS NOT NULL ORDER BY confirmed_at, app_id",
        user_id,
    )


def list_unconfirmed(txn: Txn, user_id: str) -> list[App]:
    """Return those that were not, the newest first."""
    return APPS.all(
        txn, "WHERE user_id = ? AND confirmed_at IS NULL ORDER BY made_at DESC, app_id", user_id
    )


def confirm_app(txn: Txn, app: App, *, step: int, now: int) -> bool:
    """Note that it showed the code of this step; False where somebody else was faster."""
    txn.execute(
        "UPDATE nextgen_totp_apps SET confirmed_at = ?, last_step = ?"
        " WHERE app_id = ? AND user_id = ? AND confirmed_at IS NULL",
        (now, step, app.app_id, app.user_id),
    )
    return txn.rowcount == 1


def take_code(txn: Txn, app: App, *, step: int, furthest: int, sealed: str, now: int) -> bool:
    """Note that the code of this step was taken; False where it, or a later one, was already (C289).

    A step behind the `furthest` was noted by a clock that ran ahead, and counts for nothing (C379).
    """
    txn.execute(
        "UPDATE nextgen_totp_apps SET last_step = ?, last_used_at = ?, secret = ?"
        " WHERE app_id = ? AND user_id = ? AND confirmed_at IS NOT NULL"
        " AND (last_step IS NULL OR last_step < ? OR last_step > ?)",
        (step, now, sealed, app.app_id, app.user_id, step, furthest),
    )
    return txn.rowcount == 1


def rename_app(txn: Txn, app_id: str, user_id: str, *, name: str) -> bool:
    """Call an app otherwise; False where the account has no such app."""
    txn.execute(
        "UPDATE nextgen_totp_apps SET name = ?"
        " WHERE app_id = ? AND user_id = ? AND confirmed_at IS NOT NULL",
        (name, app_id, user_id),
    )
    return txn.rowcount == 1


def remove_app(txn: Txn, app_id: str, user_id: str) -> bool:
    """Delete an app; False where the account has no such app."""
    txn.execute("DELETE FROM nextgen_totp_apps WHERE app_id = ? AND user_id = ?", (app_id, user_id))
    return txn.rowcount == 1


def list_codes(txn: Txn, user_id: str) -> list[RecoveryCode]:
    """Return the recovery codes of an account, those that were used among them."""
    return CODES.all(txn, "WHERE user_id = ? ORDER BY mac", user_id)


def use_code(txn: Txn, code: RecoveryCode, *, now: int) -> bool:
    """Note that a recovery code was used; False where it was already."""
    txn.execute(
        "UPDATE nextgen_recovery_codes SET used_at = ?"
        " WHERE user_id = ? AND mac = ? AND used_at IS NULL",
        (now, code.user_id, code.mac),
    )
    return txn.rowcount == 1


def replace_codes(txn: Txn, user_id: str, codes: Sequence[RecoveryCode]) -> None:
    """Give an account other recovery codes; those it had are worth nothing from now on."""
    txn.execute("DELETE FROM nextgen_recovery_codes WHERE user_id = ?", (user_id,))
    for code in codes:
        CODES.insert(txn, code)


def forget(txn: Txn, user_id: str) -> None:
    """Delete every factor of an account, and its recovery codes."""
    txn.execute("DELETE FROM nextgen_totp_apps WHERE user_id = ?", (user_id,))
    txn.execute("DELETE FROM nextgen_factor_mail WHERE user_id = ?", (user_id,))
    replace_codes(txn, user_id, ())
