"""Which events somebody is told of, and when: notices about the safety of an account.

One notice carries what happened of its kind within ten minutes, so that nobody gets ten mails for one
thing; the first is told at once.
"""

import enum
import json
from collections.abc import Collection, Mapping, Sequence

from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.secret import Keyring, Purpose

# A notice names so many events, and says how many more there were.
MOST = 10
# Somebody who signed up just now knows of their first device.
NEWCOMER = 3600


class Notice(str, enum.Enum):
    """What a notice is about; each is one option of `notices`."""

    NEW_DEVICE = "new_device"
    PASSWORD = "password"  # noqa: S105 - what it is about
    ADDRESSES = "addresses"
    PROVIDERS = "providers"
    FACTORS = "factors"
    REUSE = "reuse"
    APPROVALS = "approvals"
    PERSONAL_TOKENS = "personal_tokens"
    DOWNLOADS = "downloads"
    DEACTIVATION = "deactivation"


class Question(str, enum.Enum):
    """What waits for an answer, and may be shown to the account in Matrix; an option of `notices`.

    Of one account there is one of each at a time: the stranger of a device hides no approval.
    """

    APPROVAL = "approval_questions"  # a session wants to do something dangerous
    DEVICE = "device_questions"  # a device says whose it is


class Outcome(str, enum.Enum):
    """What became of a question."""

    APPROVED = "approved"
    REFUSED = "refused"
    OVER = "over"  # the account did not answer, or it was taken back


def outcome(
    *, approved_at: int | None, refused_at: int | None, answered_by: str | None, user_id: str
) -> Outcome:
    """Return what became, for this account, of what waits no more.

    What is taken back later was approved all the same. What another account answered, which a stranger
    can have done who named this one, is nothing that this one allowed or refused.
    """
    if answered_by != user_id:
        return Outcome.OVER
    if approved_at is not None:
        return Outcome.APPROVED
    return Outcome.REFUSED if refused_at is not None else Outcome.OVER


# By the value of the event's kind.
NOTICES: Mapping[str, Notice] = {
    "session_begun": Notice.NEW_DEVICE,
    "legacy_session_begun": Notice.NEW_DEVICE,
    "password_set": Notice.PASSWORD,
    "password_changed": Notice.PASSWORD,
    "password_removed": Notice.PASSWORD,
    "address_added": Notice.ADDRESSES,
    "address_removed": Notice.ADDRESSES,
    "phone_added": Notice.ADDRESSES,
    "phone_removed": Notice.ADDRESSES,
    "provider_connected": Notice.PROVIDERS,
    "provider_disconnected": Notice.PROVIDERS,
    "factor_added": Notice.FACTORS,
    "factor_skipped": Notice.FACTORS,
    "factors_reset": Notice.FACTORS,
    "factors_lost": Notice.FACTORS,
    "factor_removal_cancelled": Notice.FACTORS,
    "factor_removed": Notice.FACTORS,
    "factor_guessed": Notice.FACTORS,
    "passkey_copied": Notice.FACTORS,
    "recovery_codes_made": Notice.FACTORS,
    "recovery_code_used": Notice.FACTORS,
    "refresh_token_reused": Notice.REUSE,
    "code_reused": Notice.REUSE,
    "operation_approved": Notice.APPROVALS,
    "personal_token_made": Notice.PERSONAL_TOKENS,
    "personal_token_ending": Notice.PERSONAL_TOKENS,
    "data_downloaded": Notice.DOWNLOADS,
    "account_deactivated": Notice.DEACTIVATION,
}
# Whoever sets a password by a link gets a mail of its own for that.
HAVE_A_MAIL_OF_THEIR_OWN = frozenset({"password_set"})
BEGINS_WITH_A_DEVICE = "device "
_OPERATIONS = frozenset(each.value for each in Operation)


def kinds_of(notice: Notice) -> tuple[str, ...]:
    """Return the kinds of events that a notice tells of."""
    return tuple(kind for kind, about in NOTICES.items() if about is notice)


def told(notices: Collection[Notice]) -> frozenset[str]:
    """Return the kinds of events that are told of, with these notices switched on."""
    return frozenset(kind for kind, about in NOTICES.items() if about in notices)


def about(kind: str, detail: str | None) -> Notice | None:
    """Return the notice that tells of an event; `None` for one that is nobody's worry.

    A session without a device of its own is a website that knows who somebody is: what it may do is
    what its person agreed to a moment ago.
    """
    notice = NOTICES.get(kind)
    if notice is Notice.NEW_DEVICE and device_of(detail) is None:
        return None
    return notice


def device_of(detail: str | None) -> str | None:
    """Return the device that the detail of an event names."""
    operation = operation_of(detail)
    said = (detail or "")[len(operation) :].lstrip() if operation else detail or ""
    return said[len(BEGINS_WITH_A_DEVICE) :] if said.startswith(BEGINS_WITH_A_DEVICE) else None


def operation_detail(operation: Operation, device_id: str | None) -> str:
    """Return the detail of an event about an approval: what it was, and which device asked."""
    said = operation.value
    return said if device_id is None else f"{said} {BEGINS_WITH_A_DEVICE}{device_id}"


def operation_of(detail: str | None) -> str | None:
    """Return what was to be approved, where the detail of an event says so."""
    word = (detail or "").partition(" ")[0]
    return word if word in _OPERATIONS else None


def seal_addresses(keys: Keyring, addresses: Sequence[str]) -> str:
    """Return addresses as a notice keeps them that is for an account that has them no more."""
    return keys.seal(Purpose.NOTICE, json.dumps([*addresses]).encode("utf-8"))


def unseal_addresses(keys: Keyring, sealed: str) -> tuple[str, ...] | None:
    """Return what was sealed; `None` where no key of ours fits any more."""
    plain = keys.unseal(Purpose.NOTICE, sealed)
    return None if plain is None else tuple(json.loads(plain))
