"""Lists of sign-ins in browsers across accounts, for whoever runs the server."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.sign_ins import BrowserLifetimes, SignIn
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.conditions import Conditions
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn, placeholders
from synapse_nextgen_auth.store.windows import Window

_SIGN_INS = Table("nextgen_browsers", SignIn)


@frozen(kw_only=True)
class SignInFilter:
    """What sign-ins have in common; `None` is whatever they have. Times in seconds, each strictly."""

    user_id: str | None = None
    is_living: bool | None = None
    created_before: int | None = None
    created_after: int | None = None
    active_before: int | None = None
    active_after: int | None = None


def page(
    txn: Txn, wanted: SignInFilter, window: Window, *, lifetimes: BrowserLifetimes, now: int
) -> list[SignIn]:
    """Return those of a window, and one more; whose person proved first who they are is the first."""
    where = _where(wanted, lifetimes=lifetimes, now=now)
    return _SIGN_INS.all(txn, where.within(window, "signed_in_at", "digest"), *where.values)


def list_of(txn: Txn, user_ids: Sequence[str]) -> list[SignIn]:
    """Return the sign-ins of these accounts, living or over."""
    marks = placeholders(user_ids)
    return _SIGN_INS.all(txn, f"WHERE user_id IN ({marks})", *user_ids)


def count(txn: Txn, wanted: SignInFilter, *, lifetimes: BrowserLifetimes, now: int) -> int:
    """Return how many there are."""
    where = _where(wanted, lifetimes=lifetimes, now=now)
    txn.execute(f"SELECT COUNT(*) FROM nextgen_browsers {where.text}", tuple(where.values))
    return int(txn.fetchone()[0])


def _where(wanted: SignInFilter, *, lifetimes: BrowserLifetimes, now: int) -> Conditions:
    where = Conditions()
    where.add_if("user_id = ?", wanted.user_id)
    where.add_if("signed_in_at < ?", wanted.created_before)
    where.add_if("signed_in_at > ?", wanted.created_after)
    where.add_if("last_active_at < ?", wanted.active_before)
    where.add_if("last_active_at > ?", wanted.active_after)
    since = (now - lifetimes.absolute, now - lifetimes.idle)
    if wanted.is_living is True:
        where.add("ended_at IS NULL AND signed_in_at > ? AND last_active_at > ?", *since)
    elif wanted.is_living is False:
        where.add("(ended_at IS NOT NULL OR signed_in_at <= ? OR last_active_at <= ?)", *since)
    return where
