"""Sign people in and out of a browser, which may hold several accounts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import events, grants, preferences, sign_ins
from synapse_nextgen_auth.store.txn import Txn

if TYPE_CHECKING:
    from synapse_nextgen_auth.store import approvals, device_grants, login_tokens, provider_sessions
else:
    approvals, device_grants, login_tokens, provider_sessions = late.files(
        "store.approvals", "store.device_grants", "store.login_tokens", "store.provider_sessions"
    )


def set_right(txn: Txn, sign_in: SignIn, *, now: int) -> SignIn:
    """Give a sign-in that comes from the future times of this clock (C379)."""
    right = sign_in.set_right(now)
    sign_ins.set_right(txn, sign_in, right)
    return right


def note_visit(txn: Txn, digests: Sequence[str], *, now: int) -> None:
    """Remember that the browser of these sign-ins was here."""
    for digest in digests:
        sign_ins.touch(txn, digest, now=now)


@frozen(kw_only=True)
class Place:
    """Where somebody signs in: `binding` is the digest of what binds grants to the browser.

    `renews` is the sign-in of the same account that is there already, `forgets` are those for which
    its cookie has no room any more. `grant_id` is what the person signs in for, if for a grant, and
    `is_fresh` says that they proved for it who they are.
    """

    binding: str
    renews: SignIn | None = None
    forgets: tuple[SignIn, ...] = ()
    grant_id: str | None = None
    is_fresh: bool = False
    device_grant_id: str | None = None
    address: str | None = None
    user_agent: str | None = attrs.field(default=None, repr=False)
    language: str | None = None


def sign_in(txn: Txn, new: SignIn, place: Place) -> SignIn:
    """Begin a sign-in under a secret of its own; return it as it is from now on.

    The secret is fresh, whoever was signed in before: so nobody can fix a sign-in on somebody else
    (C182). The same account goes on under the id that it has there, and what it approved and no client
    collected yet stays good. Other accounts of the browser are none of its business.
    """
    now = new.signed_in_at
    new = attrs.evolve(new, address=place.address, user_agent=place.user_agent)
    begun = _renew_or_add(txn, new, place.renews)
    if place.language is not None:
        preferences.note_read(txn, begun.user_id, place.language, now=now)
    if begun.provider is not None and begun.provider_session is not None:
        # Beside those that it came from before: each of them may be ended there.
        provider_sessions.note(txn, begun)
    for forgotten in place.forgets:
        end(txn, forgotten, now=now, address=place.address)
    if place.grant_id is not None:
        # A provider may mean a time before this grant, or not know when its person proved it. Where
        # they were asked for this grant that counts, whatever the clock says there.
        is_for_it = place.is_fresh or new.proven_at == now
        proven_at = now if is_for_it else None
        grants.choose(
            txn,
            place.grant_id,
            browser=place.binding,
            sign_in_id=begun.name,
            proven_at=proven_at,
        )
    if place.device_grant_id is not None:
        device_grants.choose(
            txn, place.device_grant_id, browser=place.binding, sign_in_id=begun.name
        )
    events.add(txn, Event(EventKind.SIGNED_IN, now, begun.user_id, address=place.address))
    return begun


def _renew_or_add(txn: Txn, new: SignIn, former: SignIn | None) -> SignIn:
    if former is not None:
        renewed = attrs.evolve(new.renewing(former), sign_in_id=former.name)
        if sign_ins.renew(txn, former, renewed):
            return renewed
    sign_ins.add(txn, new)
    return new


def choose(txn: Txn, sign_in: SignIn, place: Place, *, now: int) -> None:
    """Note that its person goes on with this account of the browser, and with what."""
    sign_ins.touch(txn, sign_in.digest, now=now)
    chosen = {"browser": place.binding, "sign_in_id": sign_in.name}
    if place.grant_id is not None:
        grants.choose(txn, place.grant_id, **chosen, proven_at=None)
    if place.device_grant_id is not None:
        device_grants.choose(txn, place.device_grant_id, **chosen)


@frozen
class Failure:
    """A wrong password for an account: when, in seconds, and from which network address.

    `event_id` is drawn when it happens, so that a batch that was perhaps written may be written again.
    """

    user_id: str
    at: int
    address: str | None
    event_id: str


def fail(txn: Txn, failures: tuple[Failure, ...]) -> None:
    """Write down, for the owners, that somebody failed to sign in to their accounts."""
    for failure in failures:
        events.add(
            txn,
            Event(
                EventKind.SIGN_IN_FAILED,
                failure.at,
                failure.user_id,
                address=failure.address,
                event_id=failure.event_id,
            ),
        )


def sign_out(
    txn: Txn,
    secrets: Sequence[str],
    *,
    now: int,
    address: str | None,
    user_id: str | None = None,
) -> list[SignIn]:
    """End the sign-ins with these digests, and what they approved and no client collected.

    Also those that ran out meanwhile: their people mean what they approved there, too. With `user_id`
    only those of that account. Sessions of clients go on.
    """
    found = [
        each for each in sign_ins.list_of_browser(txn, secrets) if user_id in {None, each.user_id}
    ]
    for each in found:
        end(txn, each, now=now, address=address)
    return found


def end(txn: Txn, sign_in: SignIn, *, now: int, address: str | None) -> bool:
    """End one sign-in, and what it approved and no client collected; False if it was over already."""
    if is_ended := sign_ins.end(txn, sign_in.digest, now=now):
        events.add(txn, Event(EventKind.SIGNED_OUT, now, sign_in.user_id, address=address))
        approvals.withdraw(txn, sign_in.user_id, now=now)
    # Written even where a look at the sign-in would do: a redemption at this very moment meets it.
    of = {"user_id": sign_in.user_id, "sign_in_id": sign_in.name}
    grants.withdraw_of_sign_in(txn, **of, now=now)
    device_grants.withdraw_of_sign_in(txn, **of, now=now)
    login_tokens.withdraw_of_sign_in(txn, **of, now=now)
    return is_ended
