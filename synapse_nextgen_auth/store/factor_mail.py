"""Rows of addresses that codes go to as a second factor, one of each account."""

from synapse_nextgen_auth.accounts.factors.mail import FactorMail
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_ROWS = Table("nextgen_factor_mail", FactorMail)
# Whoever has the address no more is sent nothing there, whoever took it from them.
_IS_OURS = (
    "EXISTS (SELECT 1 FROM user_threepids AS t WHERE t.user_id = nextgen_factor_mail.user_id"
    " AND t.medium = 'email' AND t.address = nextgen_factor_mail.address)"
)


def get(txn: Txn, user_id: str) -> FactorMail | None:
    """Return where the codes of an account go, if it has that address still."""
    return _ROWS.one(txn, f"WHERE user_id = ? AND {_IS_OURS}", user_id)


def put(txn: Txn, row: FactorMail) -> None:
    """Let the codes of an account go there from now on."""
    remove(txn, row.user_id)
    _ROWS.insert(txn, row)


def note_use(txn: Txn, user_id: str, address: str, *, now: int) -> bool:
    """Note that a code was typed that went there; False where they go there no more."""
    txn.execute(
        "UPDATE nextgen_factor_mail SET last_used_at = ?"
        f" WHERE user_id = ? AND address = ? AND {_IS_OURS}",
        (now, user_id, address),
    )
    return txn.rowcount == 1


def remove(txn: Txn, user_id: str) -> bool:
    """Let no codes go anywhere; False where none did."""
    txn.execute("DELETE FROM nextgen_factor_mail WHERE user_id = ?", (user_id,))
    return txn.rowcount == 1


def remove_address(txn: Txn, user_id: str, address: str) -> bool:
    """Let none go to this address; False where they do not."""
    txn.execute(
        "DELETE FROM nextgen_factor_mail WHERE user_id = ? AND address = ?", (user_id, address)
    )
    return txn.rowcount == 1


def goes_to(txn: Txn, user_id: str, address: str) -> bool:
    """Say whether the codes of an account go to this address, in whatever case it is written."""
    row = get(txn, user_id)
    return row is not None and row.address.casefold() == address.casefold()


def count_alone(txn: Txn) -> tuple[int, int]:
    """Return how many accounts have this factor, and how many of them no other one."""
    txn.execute(
        "SELECT COUNT(*), COUNT(CASE WHEN NOT EXISTS"
        " (SELECT 1 FROM nextgen_totp_apps AS a"
        " WHERE a.user_id = nextgen_factor_mail.user_id AND a.confirmed_at IS NOT NULL)"
        " AND NOT EXISTS (SELECT 1 FROM nextgen_passkeys AS p"
        " WHERE p.user_id = nextgen_factor_mail.user_id) THEN 1 END)"
        f" FROM nextgen_factor_mail WHERE {_IS_OURS}"
    )
    having, alone = txn.fetchone()
    return int(having), int(alone)
