"""Rows of sign-ins, in the table that has their old name: browsers."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.sign_ins import TOO_LITTLE, SignIn
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn, placeholders

_SIGN_INS = Table("nextgen_browsers", SignIn)


def add(txn: Txn, sign_in: SignIn) -> None:
    """Insert a sign-in that has just begun."""
    _SIGN_INS.insert(txn, sign_in)


def get(txn: Txn, digest: str) -> SignIn | None:
    """Return the sign-in with this secret."""
    return _SIGN_INS.one(txn, "WHERE digest = ?", digest)


def list_of_browser(txn: Txn, digests: Sequence[str]) -> list[SignIn]:
    """Return the sign-ins whose secrets a browser has, in the order of its cookie."""
    if not digests:
        return []
    marks = placeholders(digests)
    found = _SIGN_INS.all(txn, f"WHERE digest IN ({marks})", *digests)
    return sorted(found, key=lambda sign_in: digests.index(sign_in.digest))


def list_of_provider(txn: Txn, provider: str, provider_session: str) -> list[SignIn]:
    """Return the sign-ins, living or over, whose last proof an identity provider knows as this."""
    return _SIGN_INS.all(
        txn, "WHERE provider_session = ? AND provider = ?", provider_session, provider
    )


def list_living(txn: Txn, user_id: str) -> list[SignIn]:
    """Return the sign-ins of an account that nobody ended."""
    return _SIGN_INS.all(txn, "WHERE user_id = ? AND ended_at IS NULL", user_id)


def find(txn: Txn, user_id: str, name: str) -> SignIn | None:
    """Return the sign-in that grants and sessions call so, living or over."""
    return _SIGN_INS.one(
        txn, "WHERE user_id = ? AND (sign_in_id = ? OR digest = ?)", user_id, name, name
    )


def approves(txn: Txn, user_id: str, name: str) -> bool:
    """Say whether the sign-in that let a client in is there still."""
    txn.execute(
        "SELECT 1 FROM nextgen_browsers"
        " WHERE user_id = ? AND (sign_in_id = ? OR digest = ?) AND ended_at IS NULL LIMIT 1",
        (user_id, name, name),
    )
    return txn.fetchone() is not None


def holds(txn: Txn, by: SignIn) -> bool:
    """Say whether a sign-in is there still, and proves what it proved when it was looked at.

    In a way that whoever ends it at this moment meets, or gives its account a first factor.
    """
    return has(txn, by.user_id, by.name, level=by.proven_level)


def has(txn: Txn, user_id: str, name: str, *, level: int = TOO_LITTLE) -> bool:
    """Say the same of a sign-in by its name, whatever it proves if no `level` says what it has to."""
    txn.execute(
        "UPDATE nextgen_browsers SET last_active_at = last_active_at"
        " WHERE user_id = ? AND (sign_in_id = ? OR digest = ?) AND ended_at IS NULL"
        " AND COALESCE(level, 1) >= ?",
        (user_id, name, name, level),
    )
    return txn.rowcount >= 1


def weaken(txn: Txn, user_id: str) -> None:
    """Note that one factor is not enough any more, so that what is under way with one stops."""
    txn.execute(
        "UPDATE nextgen_browsers SET level = ?"
        " WHERE user_id = ? AND ended_at IS NULL AND COALESCE(level, 1) = 1",
        (TOO_LITTLE, user_id),
    )


def note_level(txn: Txn, digest: str, user_id: str, *, level: int) -> None:
    """Note that so many factors were proven in a sign-in that is there already: more than before."""
    txn.execute(
        "UPDATE nextgen_browsers SET level = ?, amr = COALESCE(amr || ' ', '') || 'mfa'"
        " WHERE digest = ? AND user_id = ? AND ended_at IS NULL AND COALESCE(level, 1) < ?",
        (level, digest, user_id, level),
    )


def forget_factors(txn: Txn, user_id: str) -> None:
    """Note that of whoever is signed in to an account no second factor counts any more."""
    txn.execute(
        "UPDATE nextgen_browsers SET level = 1, amr = REPLACE(amr, ' mfa', '')"
        " WHERE user_id = ? AND ended_at IS NULL AND level > 1",
        (user_id,),
    )


def renew(txn: Txn, former: SignIn, sign_in: SignIn) -> bool:
    """Write down that its person proved again who they are; False when somebody else was first.

    The secret is another one from now on, the id stays.
    """
    txn.execute(
        "UPDATE nextgen_browsers SET digest = ?, sign_in_id = ?, signed_in_at = ?,"
        " last_active_at = ?, auth_time = ?, amr = ?, acr = ?, provider = ?, provider_session = ?,"
        " user_agent = ?, address = ?, level = ?"
        " WHERE digest = ? AND user_id = ? AND ended_at IS NULL",
        (
            *(sign_in.digest, former.name, sign_in.signed_in_at, sign_in.last_active_at),
            *(sign_in.auth_time, sign_in.amr, sign_in.acr),
            *(sign_in.provider, sign_in.provider_session),
            *(sign_in.user_agent, sign_in.address, sign_in.level),
            *(former.digest, sign_in.user_id),
        ),
    )
    return txn.rowcount == 1


def touch(txn: Txn, digest: str, *, now: int) -> None:
    """Remember that the browser was here."""
    txn.execute(
        "UPDATE nextgen_browsers SET last_active_at = ? WHERE digest = ? AND ended_at IS NULL",
        (now, digest),
    )


def set_right(txn: Txn, former: SignIn, sign_in: SignIn) -> None:
    """Write other times down, unless somebody did since `former` was read."""
    txn.execute(
        "UPDATE nextgen_browsers SET signed_in_at = ?, last_active_at = ?"
        " WHERE digest = ? AND signed_in_at = ? AND last_active_at = ? AND ended_at IS NULL",
        (
            *(sign_in.signed_in_at, sign_in.last_active_at),
            *(former.digest, former.signed_in_at, former.last_active_at),
        ),
    )


def list_ahead(txn: Txn, *, now: int, limit: int) -> list[SignIn]:
    """Return some of those that were here in the future, the first ones first."""
    return _SIGN_INS.all(
        txn, "WHERE last_active_at > ? ORDER BY last_active_at LIMIT ?", now + SKEW, limit
    )


def end(txn: Txn, digest: str, *, now: int) -> bool:
    """End the sign-in; False when it was over already."""
    txn.execute(
        "UPDATE nextgen_browsers SET ended_at = ? WHERE digest = ? AND ended_at IS NULL",
        (now, digest),
    )
    return txn.rowcount == 1


def end_for_user(txn: Txn, user_id: str, *, now: int, keep: str | None = None) -> int:
    """End every sign-in of an account, but for the one with the secret to `keep`; return how many."""
    txn.execute(
        "UPDATE nextgen_browsers SET ended_at = ?"
        " WHERE user_id = ? AND ended_at IS NULL AND digest <> ?",
        (now, user_id, keep or ""),
    )
    return txn.rowcount
