"""Samples of the pages about personal tokens."""

import attrs

from synapse_nextgen_auth.accounts.management import Done, Place
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API, READ, SEND
from synapse_nextgen_auth.oauth.tokens.personal_tokens import POWERS, Refusal
from synapse_nextgen_auth.web.pages.account.samples import CARD, framed
from synapse_nextgen_auth.web.pages.account.tokens.add import FIELDS
from synapse_nextgen_auth.web.pages.account.tokens.page import (
    AddTokenPage,
    DeviceChoice,
    EndTokenPage,
    LifetimeChoice,
    PartChoice,
    TokenLine,
    TokenMadePage,
    TokensPage,
)
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import GARDEN, LONG, LONG_ID, RIGHT_TO_LEFT

_DAY = 24 * 3600
_BOT = TokenLine(
    name="Weather bot",
    permissions=(API,),
    device_id="HJKLQWERTY",
    made_at=1_795_336_800,
    expires_at=1_803_112_800,
    last_used=1_795_436_800,
    address="192.0.2.7",
    town="Leipzig, Germany",
    renew_url="account-token-add?id=8a1f",
    end_url="account-token-end?id=8a1f",
)
_WIDGET = attrs.evolve(
    _BOT,
    name="Widget in the garden",
    permissions=(READ, SEND),
    rooms=GARDEN,
    device_id=None,
    last_used=None,
    address=None,
    town=None,
    ends_soon=True,
)
_GRAVE = attrs.evolve(_BOT, name="Backup", permissions=(API, ADMIN), is_grave=True, expires_at=None)
_MADE_BY = attrs.evolve(_BOT, name="Bridge", made_by="@root:example.com")
_MADE_FOR = attrs.evolve(_BOT, name="Alarm", made_for="@alarm:example.com")
_HOSTILE = attrs.evolve(
    _BOT, name=f"<script>{RIGHT_TO_LEFT}", address=LONG, device_id=LONG, made_by=LONG, made_for=LONG
)
_SOME = TokensPage(
    **framed(Place.TOKENS),
    tokens=(_BOT, _WIDGET, _GRAVE, _MADE_BY, _MADE_FOR, _HOSTILE, attrs.evolve(_WIDGET, name=LONG)),
    add_url="account-token-add",
    is_offered=True,
    left=15,
    most=20,
)
_ADD = AddTokenPage(
    **framed(Place.ADD_TOKEN),
    action="account-token-add",
    back_url="account-tokens",
    longest_name=100,
    most_rooms=8,
    permissions=tuple(
        PartChoice(field, scope, scope == READ, scope in POWERS) for field, scope in FIELDS.items()
    ),
    devices=(
        DeviceChoice("at HJKLQWERTY", "Weather bot (HJKLQWERTY)"),
        DeviceChoice("at ABCDEFGHIJ", "ABCDEFGHIJ"),
        DeviceChoice("at LONGLONGLONG", f"<script>{RIGHT_TO_LEFT}{LONG}"),
    ),
    lifetimes=(
        LifetimeChoice(7 * _DAY),
        LifetimeChoice(30 * _DAY, is_chosen=True),
        LifetimeChoice(365 * _DAY),
    ),
)
_RENEW = attrs.evolve(
    _ADD,
    renews="Weather bot",
    name="Weather bot",
    action="account-token-add?id=8a1f",
    takes_new=False,
    devices=(attrs.evolve(_ADD.devices[0], is_chosen=True),),
)
_MADE = TokenMadePage(
    **CARD,
    name="Weather bot",
    token=f"ngp_{'A' * 60}",
    server_url="https://matrix.example.org",
    device_id="HJKLQWERTY",
    expires_at=1_803_112_800,
    back_url="account-tokens",
)
_MADE_GRAVE = attrs.evolve(_MADE, name="Accounts", device_id=None, is_grave=True)
_END = EndTokenPage(
    **CARD, action="account-token-end?id=8a1f", line=_BOT, back_url="account-tokens"
)

_AS_PASSWORD = "account-token-add?id=password"  # noqa: S105 (where one is made)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    TokensPage: {
        "some": _SOME,
        "none": attrs.evolve(_SOME, tokens=(), left=20),
        "passwords": attrs.evolve(_SOME, tokens=(), password_url=_AS_PASSWORD),
        "full": attrs.evolve(_SOME, tokens=(_BOT,), left=0, most=1),
        "too many": attrs.evolve(_SOME, tokens=(_BOT, _WIDGET), left=0, most=2),
        "ended": attrs.evolve(_SOME, done=Done.TOKEN_ENDED),
        "missing": attrs.evolve(_SOME, is_missing=True),
        "off": attrs.evolve(_SOME, tokens=(_BOT,), is_offered=False),
        "nothing": attrs.evolve(_SOME, tokens=(), is_offered=False),
    },
    AddTokenPage: {
        "new": _ADD,
        "for a member": attrs.evolve(
            _ADD,
            permissions=tuple(each for each in _ADD.permissions if not each.is_grave),
            devices=(),
        ),
        "password": attrs.evolve(_ADD, is_password=True),
        "renewed": _RENEW,
        "renewed with less": attrs.evolve(
            _RENEW,
            is_less=True,
            permissions=tuple(each for each in _ADD.permissions if each.scope in {READ, SEND}),
        ),
        "for ever": attrs.evolve(
            _ADD, lifetimes=(LifetimeChoice(7 * _DAY), LifetimeChoice(None, is_chosen=True))
        ),
        "short": attrs.evolve(_ADD, lifetimes=tuple(map(LifetimeChoice, (90, 5 * 3600, _DAY)))),
        "hostile": attrs.evolve(
            _RENEW, renews=f"<script>{RIGHT_TO_LEFT}", name=LONG, rooms=LONG, user_id=LONG_ID
        ),
        **{each.value: attrs.evolve(_ADD, problem=each) for each in Refusal},
    },
    TokenMadePage: {
        "made": _MADE,
        "with power": _MADE_GRAVE,
        "password": attrs.evolve(_MADE, is_password=True),
        "for ever": attrs.evolve(_MADE, device_id=None, expires_at=None),
        "long": attrs.evolve(_MADE, is_password=True, name=LONG, user_id=LONG_ID, device_id=LONG),
    },
    EndTokenPage: {
        "with a device": _END,
        "without": attrs.evolve(_END, line=_WIDGET),
        "grave": attrs.evolve(_END, line=_GRAVE),
        "hostile": attrs.evolve(_END, line=_HOSTILE, user_id=LONG_ID),
    },
}
