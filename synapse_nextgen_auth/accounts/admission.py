"""May this account, with what it asks for, go on? The one answer, wherever somebody goes on.

It is asked on the page, again at the answer, and again when tokens are collected: in between,
somebody may have locked the account, or taken the device (C101, C145, C179).
"""

import enum
from collections.abc import Mapping

from synapse_nextgen_auth.accounts.people import Account, Standing
from synapse_nextgen_auth.records import frozen


class Intent(enum.Enum):
    """What somebody is about to do with an account."""

    SIGN_IN = "sign in"  # and whatever a signed-in person does on our pages
    CONSENT = "consent"  # let an application in: on the page, and at the answer
    SET_PASSWORD = "set password"  # noqa: S105 - with a link, by whoever holds it
    COLLECT = "collect"  # spend what was agreed on
    REFRESH = "refresh"
    USE = "use"  # show a token at an endpoint of ours
    MATRIX_API = "matrix api"  # show a token to Synapse
    KEEP = "keep"  # what was written a moment ago


class Unfit(enum.Enum):
    """Why an account that may go on may not with what is asked for."""

    ADMIN = "admin"  # the power over the server is not this account's to give (C311)
    DEVICE = "device"  # somebody has the device, and keeps it (C310)
    ROOM = "room"  # it would be one device too many (C314)


Reason = Standing | Unfit


@frozen(kw_only=True)
class Asked:
    """What an application asks an account for, as far as the account may not have it to give."""

    admin: bool = False
    device_is_taken: bool = False
    has_room: bool = True


NOTHING = Asked()


@frozen
class _Rule:
    stopped_by: frozenset[Standing]
    # Another process may have changed the account a moment ago, and there is no later look.
    is_asked_afresh: bool = False


_ANY = frozenset(Standing)
_GONE = frozenset({Standing.DEACTIVATED})

_RULES: Mapping[Intent, _Rule] = {
    Intent.SIGN_IN: _Rule(_ANY),
    Intent.CONSENT: _Rule(_ANY),
    # A lock is there for a reason, and the accounts of programs have no passwords. Whoever is not
    # approved yet, or expired, may have one: they are told the rest when they sign in (C255).
    Intent.SET_PASSWORD: _Rule(
        _GONE | {Standing.LOCKED, Standing.GUEST, Standing.APPSERVICE}, is_asked_afresh=True
    ),
    Intent.COLLECT: _Rule(_ANY, is_asked_afresh=True),
    # Synapse refuses the requests of a locked or expired account in its own words, and a 4xx at
    # the refresh would make the client forget its keys (C101).
    Intent.REFRESH: _Rule(_GONE),
    Intent.MATRIX_API: _Rule(_GONE),
    Intent.USE: _Rule(_GONE | {Standing.LOCKED}),
    # Deactivation marks the account and then ends what it finds; whatever is written after that
    # look finds the mark (C317).
    Intent.KEEP: _Rule(_GONE, is_asked_afresh=True),
}


def is_asked_afresh(intent: Intent) -> bool:
    """Say whether only what the database says at this moment will do."""
    return _RULES[intent].is_asked_afresh


def matters(standing: Standing, intent: Intent) -> bool:
    """Say whether an account of this standing is stopped; what stops nobody need not be looked up."""
    return standing in _RULES[intent].stopped_by


def refuse(account: Account | None, intent: Intent, asked: Asked = NOTHING) -> Reason | None:
    """Return why the account may not go on, or `None`; one that is not there never may.

    Suspended and shadow-banned people may: Synapse limits what they do afterwards. What lasts is
    told before what passes.
    """
    if account is None:
        return Standing.DEACTIVATED
    if account.standings:
        stopped_by = _RULES[intent].stopped_by
        standings = (standing for standing in account.standings if standing in stopped_by)
        if found := next(standings, None):
            return found
    return _refuse_asked(account, intent, asked)


def _refuse_asked(account: Account, intent: Intent, asked: Asked) -> Unfit | None:
    # When tokens are collected, the flow that spends the grant looks at the device once more, in its
    # transaction; what an account lost since is left out of their scope each time it counts (C313).
    if intent is not Intent.CONSENT:
        return None
    if asked.admin and not account.is_admin:
        return Unfit.ADMIN
    if asked.device_is_taken:
        return Unfit.DEVICE
    return None if asked.has_room else Unfit.ROOM
