"""Second factors of accounts in tests: an app that shows codes, and rows of them."""

from typing import Any

from pyotp import TOTP

from support.records import ADDRESS, ALICE, NOW
from synapse_nextgen_auth.accounts.factors.apps import App, draw
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.accounts.factors.recovery_codes import draw as draw_codes
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.secret import Keyring, Secret
from synapse_nextgen_auth.store import factors

KEYS = Keyring.of(b"a secret of the tests, long enough")


def owner(at: int = 0, user_id: str = ALICE) -> Owner:
    """Return whoever changes something, so many seconds later."""
    return Owner(user_id=user_id, now=NOW + at, address=ADDRESS)


def shown(secret: Secret, at: int = 0) -> str:
    """Return what an app shows so many seconds later."""
    return TOTP(secret.reveal()).at(NOW + at)


def wrong(secret: Secret, at: int = 0) -> str:
    """Return six digits that it does not show anywhere near."""
    near = {shown(secret, at + off) for off in range(-90, 91, 30)}
    return next(each for each in map("{:06}".format, range(100)) if each not in near)


def give_app(tables: Any, app_id: str = "app", user_id: str = ALICE) -> Secret:
    """Give an account an app that was confirmed."""
    secret = draw()
    made = App.of(KEYS, secret, app_id=app_id, user_id=user_id, name="Phone", now=NOW - 100)
    with tables.begin() as txn:
        factors.add_app(txn, made)
        factors.confirm_app(txn, made, step=0, now=NOW - 90)
    return secret


def give_codes(tables: Any, user_id: str = ALICE, keys: Keyring = KEYS) -> tuple[Secret, ...]:
    """Give an account recovery codes."""
    drawn = draw_codes()
    with tables.begin() as txn:
        factors.replace_codes(txn, user_id, kept(drawn, user_id, keys))
    return drawn


def kept(drawn: Any, user_id: str = ALICE, keys: Keyring = KEYS) -> list[RecoveryCode]:
    """Return what is kept of codes."""
    return [RecoveryCode.of(keys, each, user_id=user_id, now=NOW) for each in drawn]
