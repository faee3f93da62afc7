"""Sign in on a device without a browser: asked there, decided in a browser, collected by polling.

Everything is in the database, so that polling and deciding may meet on different workers (RFC 8628).
"""

import enum

from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.accounts.factors.levels import Reached
from synapse_nextgen_auth.accounts.notices import Question
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.flows import notices
from synapse_nextgen_auth.flows.begin_session import Beginning, Opening, begin
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_grant
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.grants.device_grants import (
    LONGEST_LIFE,
    SLOWER_BY,
    DeviceGrant,
    Poll,
    refuse_poll,
)
from synapse_nextgen_auth.oauth.networks import network
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.sessions import Began, Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import clients, device_grants, events, sign_ins, throttle
from synapse_nextgen_auth.store.device_grants import Codes
from synapse_nextgen_auth.store.txn import Txn

# How many wrong codes (C147), in how many seconds. A window of a network is longer than a code lives,
# so a code meets two of them at most: 100 tries, where 119 are as good as 2^-32 (RFC 8628 section 5.1).
# So many, because thousands of people may share one address.
WRONG_PER_NETWORK = 50
NETWORK_WINDOW = LONGEST_LIFE + 2 * SKEW
WRONG_PER_BROWSER = 5
BROWSER_WINDOW = 900


def request(txn: Txn, grant: DeviceGrant, codes: Codes) -> bool:
    """Write down what a device asks for; False when a code is taken and must be drawn again."""
    if not device_grants.add(txn, grant, codes):
        return False
    clients.touch(txn, grant.client_id, now=grant.created_at)
    if grant.login_hint is not None or grant.asked_for is not None:
        notices.ask(txn, Question.DEVICE, grant.grant_id, now=grant.created_at)
    return True


class Refused(enum.Enum):
    """Why a device grant cannot go on in this browser."""

    UNKNOWN = "unknown"
    DECIDED = "decided"
    EXPIRED = "expired"


@frozen
class TooManyTries:
    """Too many wrong codes from here; `retry_after` in seconds."""

    retry_after: int


@frozen
class Entered:
    """A code that a person typed, as the database knows it, and who typed it."""

    user_code: str
    user_code_half: str
    browser: str
    address: str


def enter(txn: Txn, entered: Entered, *, now: int) -> DeviceGrant | Refused | TooManyTries:
    """Return the grant that a code stands for; from now on it belongs to this browser.

    Wrong codes are counted per network, per browser and against the codes they come close to (C147).
    """
    lifetimes = {
        f"user code {network(entered.address)}": (WRONG_PER_NETWORK, NETWORK_WINDOW),
        f"user code {entered.browser}": (WRONG_PER_BROWSER, BROWSER_WINDOW),
    }
    for key, (limit, window) in lifetimes.items():
        wait = throttle.wait(txn, key, limit=limit, window=window, now=now)
        if wait is not None:
            return TooManyTries(wait)
    grant = device_grants.find_by_user_code(txn, entered.user_code)
    if (
        grant is not None
        and grant.is_open(now)
        and device_grants.link(txn, grant.grant_id, browser=entered.browser)
    ):
        return grant
    for key, (_, window) in lifetimes.items():
        throttle.count(txn, key, window=window, now=now)
    if grant is None:
        device_grants.note_wrong_try(txn, entered.user_code_half, now=now)
    return Refused.UNKNOWN


def find(txn: Txn, grant_id: str, *, browser: str | None, now: int) -> DeviceGrant | Refused:
    """Return the open grant whose code this browser entered."""
    grant = device_grants.get(txn, grant_id)
    if grant is None or browser is None or grant.browser != browser:
        return Refused.UNKNOWN
    if grant.is_open(now):
        return grant
    return Refused.EXPIRED if grant.poll(now) is Poll.EXPIRED else Refused.DECIDED


def approve(txn: Txn, grant: DeviceGrant, *, by: SignIn, now: int, address: str) -> bool:
    """Let the device in; False when that was decided before."""
    acr = levels.answer(levels.read(grant.acr_values), Reached.by(by))
    if not device_grants.approve(txn, grant.grant_id, by=by, acr=acr, now=now):
        return False
    notices.answered(txn, Question.DEVICE, grant.grant_id, by=by.user_id, now=now)
    events.add(
        txn,
        Event(
            EventKind.CONSENTED,
            now,
            by.user_id,
            grant.client_id,
            address=address,
            detail=f"device grant, {grant.asked}",
        ),
    )
    return True


def refuse(txn: Txn, grant: DeviceGrant, *, by: str | None, now: int) -> bool:
    """Tell the device no; False when that was decided before. `None` says so without an account."""
    if not device_grants.refuse(txn, grant.grant_id, by=by, now=now):
        return False
    if by is not None:
        notices.answered(txn, Question.DEVICE, grant.grant_id, by=by, now=now)
    return True


def slow_down(txn: Txn, grant: DeviceGrant, *, now: int) -> None:
    """Make the device wait longer between its polls."""
    device_grants.slow_down(txn, grant.grant_id, by=SLOWER_BY, now=now)


def redeem(txn: Txn, device_code: str, opening: Opening, *, now: int) -> Outcome[Session]:
    """Spend the approved code on a session of a device that the account does not have yet."""
    grant = device_grants.find_by_device_code(txn, device_code)
    if grant is None or grant.user_id is None or grant.auth_time is None:
        return Outcome(invalid_grant("unknown device code"))
    # Unless this very request was written already: `begin` knows.
    if grant.session_id != opening.session_id:
        refusal = refuse_poll(grant.poll(now))
        if refusal is not None:
            return Outcome(OAuthError(*refusal))
        approver = grant.approver
        if approver is None or not sign_ins.approves(txn, grant.user_id, approver):
            # Whoever approved signed out since, perhaps because it was not meant (C145).
            return Outcome(OAuthError("access_denied", "The person signed out again"))

    def spend() -> OAuthError | None:
        if device_grants.redeem(txn, grant.grant_id, session_id=opening.session_id, now=now):
            return None
        return invalid_grant("somebody else redeemed the device code just now")

    return begin(
        txn,
        Beginning(
            opening=opening,
            user_id=grant.user_id,
            client_id=grant.client_id,
            scope=grammar.of_row(grant.scope),
            auth_time=grant.auth_time,
            how=Began.DEVICE,
            sign_in_id=grant.approver,
            amr=grant.amr,
            acr=grant.acr,
            level=grant.level,
            proven_at=grant.proven_at,
            resource_scope=grant.resource_scope,
        ),
        now=now,
        spend=spend,
        no_room=OAuthError("access_denied", "The account has too many devices"),
    )
