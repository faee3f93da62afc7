"""An authorization from the request to the code: what is still missing, and the decision.

Pages never send people to each other: each comes back to `next_step`, which looks at what is stored.
"""

import enum
from collections.abc import Sequence

from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.accounts.factors.levels import Reached
from synapse_nextgen_auth.accounts.sign_ins import SignIn, by_name, of_account
from synapse_nextgen_auth.clock import is_ahead
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import DEVICE
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import clients, consents, events, grants, sessions
from synapse_nextgen_auth.store.txn import Txn

# How long (seconds) a grant is remembered behind its code, so that a second use is noticed.
_REMEMBERED = 24 * 3600
# How many characters of what was agreed for services of others are written down as they are.
_LONGEST = 1000


class Step(enum.Enum):
    """What the person has to do next."""

    SIGN_IN = "sign_in"  # or prove once more who they are
    CHOOSE = "choose"  # among the accounts that are signed in, and others
    CONSENT = "consent"
    REFUSE = "refuse"  # they cannot prove what the client asks for


class Refused(enum.Enum):
    """Why a grant cannot go on in this browser."""

    UNKNOWN = "unknown"
    OTHER_BROWSER = "other_browser"
    EXPIRED = "expired"
    DECIDED = "decided"


def request(txn: Txn, grant: Grant) -> None:
    """Write down what a client asks for."""
    grants.add(txn, grant)
    clients.touch(txn, grant.client_id, now=grant.created_at)


def find(txn: Txn, grant_id: str, *, browser: str | None, now: int) -> Grant | Refused:
    """Return the open grant, or why this browser cannot go on with it (C034, C037, C039)."""
    grant = grants.get(txn, grant_id)
    if grant is None:
        return Refused.UNKNOWN
    if browser is None or grant.browser != browser:
        return Refused.OTHER_BROWSER
    if grant.approved_at is not None or grant.refused_at is not None:
        return Refused.DECIDED
    return grant if grant.is_open(now) else Refused.EXPIRED


@frozen
class Known:
    """Who is signed in in the browser of a grant, and whom the client named by its hint.

    `hinted` is the sign-in of that account, `names_another` says that there is none.
    """

    sign_ins: Sequence[SignIn] = ()
    present: SignIn | None = None
    hinted: SignIn | None = None
    names_another: bool = False


@frozen(kw_only=True)
class Wanted:
    """Who may go on with what a client asks: the sign-in that was chosen, the one account that it takes.

    `asks_selection` says that it wants its person to choose.
    """

    chosen: str | None = None
    only: str | None = None
    asks_selection: bool = False


def find_sign_in(wanted: Wanted, known: Known) -> SignIn | Step:
    """Return the sign-in that goes on, or what its person must do before there is one.

    One that was chosen and is over is not replaced by another: its person must say who goes on. Where
    the client asks for one account, it is nobody else's (OpenID Connect Core section 3.1.2.2).
    """
    missing = Step.CHOOSE if known.sign_ins else Step.SIGN_IN
    if wanted.chosen is not None:
        found = by_name(known.sign_ins, wanted.chosen)
        return found if found and wanted.only in {None, found.user_id} else missing
    if wanted.only is not None:
        return of_account(known.sign_ins, wanted.only) or missing
    if wanted.asks_selection:
        return missing
    if known.hinted is not None:
        return known.hinted
    return missing if known.names_another else known.present or missing


def wanted_by(grant: Grant) -> Wanted:
    """Return who may go on with a grant that is open."""
    return Wanted(chosen=grant.sign_in_id, only=grant.user_id, asks_selection=grant.asks_selection)


def next_step(grant: Grant, found: SignIn | Step) -> Step:
    """Say what is missing before the code; consent is always asked unless it is remembered."""
    if isinstance(found, Step):
        return found
    return Step.CONSENT if _is_late_enough(grant, found) else Step.SIGN_IN


def _is_late_enough(grant: Grant, sign_in: SignIn) -> bool:
    """Say whether the person signed in as lately as the client wants: for this grant, or by the time.

    Another account may not go on with what one has proved for it (C023).
    """
    if grant.login_after is None:
        return True
    if sign_in.proven_at is not None and sign_in.proven_at >= grant.login_after:
        return True
    return grant.proven_at is not None and grant.sign_in_id == sign_in.name


@frozen
class Decision:
    """What was decided in which sign-in, with the digest of the code that a "yes" gives out.

    `answered` says that a person answered our question just now; otherwise it is what they agreed
    to before that still counts.
    """

    by: SignIn
    code_digest: str
    code_expires_at: int
    address: str | None
    answered: bool = True


def approve(txn: Txn, grant: Grant, decision: Decision, *, now: int) -> bool:
    """Attach the code; False when the grant was decided before: a second click gives no second code.

    Nor is there a code for another account than the one that the client asks for.

    Only an answered page is remembered and written down: a client that asks silently must not be able
    to prolong what its person once agreed to.
    """
    if not grants.approve(
        txn,
        grant.grant_id,
        by=decision.by,
        acr=levels.answer(
            levels.read(grant.acr_values, grant.acr_strictness), Reached.by(decision.by)
        ),
        proven_at=_proven_at(grant, decision.by),
        code_digest=decision.code_digest,
        code_expires_at=decision.code_expires_at,
        expires_at=decision.code_expires_at + _REMEMBERED,
        now=now,
    ):
        return False
    if decision.answered:
        _remember(txn, grant, decision, now=now)
    return True


def _proven_at(grant: Grant, by: SignIn) -> int | None:
    """Return when somebody proved who they are: at the sign-in, or for this grant."""
    if by.proven_at is not None or grant.sign_in_id != by.name:
        return by.proven_at
    return grant.proven_at


def _remember(txn: Txn, grant: Grant, decision: Decision, *, now: int) -> None:
    consents.remember(
        txn,
        user_id=decision.by.user_id,
        client_id=grant.client_id,
        scope=what_is_remembered(grant.scope, grant.resource_scope),
        now=now,
    )
    events.add(
        txn,
        Event(
            EventKind.CONSENTED,
            now,
            decision.by.user_id,
            grant.client_id,
            address=decision.address,
            detail=grant.asked,
        ),
    )


def is_remembered(  # noqa: PLR0913 (what is asked, by whom, and since when)
    txn: Txn,
    *,
    user_id: str,
    client_id: str,
    scope: str,
    agreed_since: int,
    now: int,
    words: str | None = None,
) -> bool:
    """Say whether the person agreed to this since then, and no new device is involved."""
    granted_at = consents.granted_at(
        txn, user_id=user_id, client_id=client_id, scope=what_is_remembered(scope, words)
    )
    if granted_at is None or granted_at < agreed_since or is_ahead(granted_at, now):
        return False
    asked = grammar.of_row(scope)
    if asked.device_id is not None:
        session = sessions.find_by_device(txn, user_id, asked.device_id)
        return session is not None and session.client_id == client_id
    if not asked.opens_matrix and words is None:
        return True
    # What was signed out does not come back by itself, with a device or without.
    return any(
        session.client_id == client_id
        and session.granted.effective == asked.effective
        and frozenset((session.resource_scope or "").split()) == frozenset((words or "").split())
        for session in sessions.list_living(txn, user_id)
    )


def what_is_remembered(scope: str, words: str | None = None) -> str:
    """Return the scope without the device: a consent covers what a client may do, here and elsewhere."""
    effective = grammar.of_row(scope).effective
    own = (token for token in effective if not token.startswith(DEVICE))
    elsewhere = " ".join(sorted((words or "").split()))
    if len(elsewhere) > _LONGEST:
        # An index of PostgreSQL takes no more; what it says is not lost, as sessions have it in full.
        elsewhere = f"sha256:{digest(elsewhere)}"
    return " ".join(filter(None, (*sorted(own), elsewhere)))
