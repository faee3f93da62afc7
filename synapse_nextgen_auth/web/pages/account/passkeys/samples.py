"""Samples of the pages about passkeys."""

import attrs

from synapse_nextgen_auth.accounts.factors.passkeys.passkey import MAX_NAME
from synapse_nextgen_auth.accounts.management import Done, Place
from synapse_nextgen_auth.web.pages.account.passkeys.page import (
    AddPasskeyPage,
    PasskeyCard,
    PasskeyError,
    PasskeyPage,
    RemovePasskeyPage,
    Stays,
)
from synapse_nextgen_auth.web.pages.account.samples import CARD, framed
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

PHONE = PasskeyCard(
    "Phone",
    "account-passkey?id=5d41",
    made_at=1_799_000_000,
    last_used_at=1_799_900_000,
    may_sync=True,
    is_synced=True,
)
STICK = PasskeyCard("Key on my ring", "account-passkey?id=8c2f", 1_790_000_000, opens=False)
LOST = attrs.evolve(PHONE, name="<b>\"'& " + LONG, is_lost=True, last_used_at=None)
_ADD = AddPasskeyPage(
    **CARD,
    action="account-passkey-add",
    back_url="account-sign-in",
    question='{"user": {"id": ""}}',
    handle="h4ndle",
    name="",
    longest=MAX_NAME,
)
_ONE = PasskeyPage(
    **framed(Place.PASSKEY),
    action=PHONE.url,
    passkey=PHONE,
    remove_url="account-passkey-remove?id=5d41",
    back_url="account-sign-in",
    typed_name="Phone",
    longest=MAX_NAME,
)
_REMOVE = RemovePasskeyPage(
    **CARD,
    action="account-passkey-remove?id=5d41",
    back_url="account-sign-in",
    passkey=PHONE,
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    AddPasskeyPage: {
        "plain": _ADD,
        **{error.value: attrs.evolve(_ADD, error=error, name=LONG) for error in PasskeyError},
    },
    PasskeyPage: {
        "plain": _ONE,
        "renamed": attrs.evolve(_ONE, done=Done.RENAMED),
        "too_long": attrs.evolve(_ONE, typed_name=LONG, is_too_long=True),
        "stick": attrs.evolve(_ONE, passkey=STICK),
        "lost": attrs.evolve(_ONE, passkey=LOST, user_id=LONG_ID),
    },
    RemovePasskeyPage: {
        "plain": _REMOVE,
        "last_way_in": attrs.evolve(_REMOVE, why_not=Stays.LAST_WAY_IN),
        "mailbox": attrs.evolve(_REMOVE, why_not=Stays.MAILBOX, passkey=STICK),
        "demanded": attrs.evolve(_REMOVE, why_not=Stays.DEMANDED, passkey=LOST),
    },
}
