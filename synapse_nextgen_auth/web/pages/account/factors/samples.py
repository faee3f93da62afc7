"""Samples of the pages on which people look after their second factors."""

import attrs

from synapse_nextgen_auth.accounts.factors.apps import LONGEST_NAME
from synapse_nextgen_auth.accounts.management import Done, Place
from synapse_nextgen_auth.accounts.user_agents import Program, System
from synapse_nextgen_auth.web.pages.account.factors.page import (
    AddAppPage,
    AppLine,
    AppPage,
    BrowserLine,
    FactorMailPage,
    FactorsPage,
    LostFactorsPage,
    MailLine,
    RecoveryCodesPage,
    RemoveAppPage,
)
from synapse_nextgen_auth.web.pages.account.frame import Loss
from synapse_nextgen_auth.web.pages.account.samples import CARD, framed
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.factor.page import AppProblem, MailChoice, MailShown
from synapse_nextgen_auth.web.pages.factor.samples import LONG_SECRET, SECRET
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

MADE, USED = 1_790_000_000, 1_795_000_000
PHONE = AppLine(
    name="Phone",
    made_at=MADE,
    used_at=USED,
    url="account-factor?id=8a1f",
    remove_url="account-factor-remove?id=8a1f",
)
NAMELESS = attrs.evolve(PHONE, name="", used_at=None)
LONG_LINE = attrs.evolve(PHONE, name=f"<b>&{LONG}"[:LONGEST_NAME])
LOST = attrs.evolve(PHONE, name="Old phone", is_readable=False)
BROWSERS = (
    BrowserLine(
        id="8a1f",
        made_at=MADE,
        expires_at=USED,
        agent=Program("Firefox", System.LINUX, is_browser=True),
    ),
    BrowserLine(id="8a20", made_at=MADE, expires_at=USED),
)
FACTORS = FactorsPage(
    **framed(Place.FACTORS),
    apps=(PHONE, NAMELESS),
    has_any=True,
    has_passkeys=True,
    codes=8,
    of_codes=10,
    few=3,
    add_url="account-factor-add",
    codes_url="account-recovery-codes",
    back_url="account-sign-in",
)
NONE = attrs.evolve(FACTORS, apps=(), has_any=False, codes=0, of_codes=0)
MAIL = MailLine(address="alice@example.com", made_at=MADE, used_at=USED)
_DIALOG = {**CARD, "back_url": "account-factors"}
ADD = AddAppPage(**_DIALOG, action="account-factor-add", longest=LONGEST_NAME)
SHOWN = attrs.evolve(ADD, action="account-factor-add?id=8a1f", name="Phone", secret=SECRET)
APP = AppPage(
    **framed(Place.FACTOR),
    app=PHONE,
    action="account-factor?id=8a1f",
    longest=LONGEST_NAME,
    typed="Phone",
)
REMOVE = RemoveAppPage(
    **_DIALOG,
    action="account-factor-remove?id=8a1f",
    name="Phone",
    may_go=True,
    is_last=False,
)
MAIL_OFF = FactorMailPage(
    **_DIALOG,
    action="account-factor-mail",
    addresses_url="account-profile",
    choices=(MailChoice("8a1f", "alice@example.com"), MailChoice("8a20", "alice@work.example")),
)
SENT = MailShown("alice@example.com", is_sent=True, minutes=10, wait=40)
MAIL_CODE = attrs.evolve(
    MAIL_OFF,
    action="account-factor-mail?id=8a1f",
    mail=SENT,
)
MAIL_ON = attrs.evolve(MAIL_OFF, address="alice@example.com", choices=MAIL_OFF.choices[1:])
CODES = RecoveryCodesPage(**_DIALOG, action="account-recovery-codes", left=8, made_at=MADE)

STOP = LostFactorsPage(
    **framed(Place.LOST_FACTORS),
    action="account-factor-lost",
    asked_at=USED,
    ready_at=USED + 604_800,
    address="192.0.2.1",
    password_url="account-password",  # noqa: S106 - a page
    back_url="account-sign-in",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    FactorsPage: {
        "plain": FACTORS,
        "none": attrs.evolve(NONE, closes_old=True),
        "demanded": attrs.evolve(NONE, is_demanded=True),
        "passkey": attrs.evolve(NONE, has_any=True),
        "full": attrs.evolve(FACTORS, apps=(PHONE,) * 5, add_url=None, is_demanded=True),
        "former": attrs.evolve(FACTORS, may_add=False, add_url=None),
        "former_passkey": attrs.evolve(NONE, has_any=True, may_add=False, add_url=None),
        "few": attrs.evolve(FACTORS, codes=2),
        "no_codes": attrs.evolve(FACTORS, codes=0),
        "lost": attrs.evolve(FACTORS, apps=(LOST, PHONE)),
        "lost_asked": attrs.evolve(FACTORS, loss=Loss(USED, "account-factor-lost")),
        "mail": attrs.evolve(FACTORS, mail=MAIL, mail_url="account-factor-mail"),
        "mail_unused": attrs.evolve(
            NONE,
            mail=attrs.evolve(MAIL, used_at=None),
            mail_url="account-factor-mail",
            has_any=True,
        ),
        "mail_offered": attrs.evolve(NONE, mail_url="account-factor-mail"),
        "browsers": attrs.evolve(FACTORS, browsers=BROWSERS, done=Done.BROWSER_FORGOTTEN),
        "long": attrs.evolve(FACTORS, user_id=LONG_ID, apps=(LONG_LINE, LONG_LINE)),
        **{
            each.value: attrs.evolve(FACTORS, done=each)
            for each in (
                Done.FACTOR_ADDED,
                Done.FACTOR_RENAMED,
                Done.FACTOR_REMOVED,
                Done.FACTOR_MAIL_ON,
                Done.FACTOR_MAIL_OFF,
            )
        },
    },
    LostFactorsPage: {
        "plain": STOP,
        "stopped": attrs.evolve(STOP, asked_at=None, ready_at=None, done=Done.LOSS_STOPPED),
        "nothing": attrs.evolve(STOP, asked_at=None, ready_at=None),
        "provider": attrs.evolve(STOP, password_url=None, address=None, user_id=LONG_ID),
    },
    AddAppPage: {
        "plain": ADD,
        "secret": SHOWN,
        "long": attrs.evolve(SHOWN, secret=LONG_SECRET, user_id=LONG_ID, name=LONG_LINE.name),
        "name": attrs.evolve(ADD, problem=AppProblem.NAME, name=LONG),
        "over": attrs.evolve(ADD, problem=AppProblem.OVER),
        "too_many": attrs.evolve(ADD, problem=AppProblem.TOO_MANY),
        **{
            kind.value: attrs.evolve(SHOWN, problem=kind)
            for kind in (AppProblem.MISSING, AppProblem.WRONG)
        },
    },
    AppPage: {
        "plain": APP,
        "lost": attrs.evolve(APP, app=LOST),
        "nameless": attrs.evolve(APP, app=NAMELESS, typed=""),
        "too_long": attrs.evolve(APP, is_too_long=True, typed=LONG),
        "long": attrs.evolve(APP, app=LONG_LINE, user_id=LONG_ID, typed=LONG_LINE.name),
    },
    RemoveAppPage: {
        "plain": REMOVE,
        "last": attrs.evolve(REMOVE, is_last=True),
        "kept": attrs.evolve(REMOVE, is_last=True, may_go=False),
        "mailbox": attrs.evolve(REMOVE, may_go=False, leaves_mail=True),
        "nameless": attrs.evolve(REMOVE, name=""),
        "long": attrs.evolve(REMOVE, name=LONG_LINE.name, user_id=LONG_ID),
    },
    FactorMailPage: {
        "off": MAIL_OFF,
        "on": MAIL_ON,
        "last": attrs.evolve(MAIL_ON, choices=(), is_last=True),
        "demanded": attrs.evolve(MAIL_ON, is_last=True, may_go=False),
        "code": MAIL_CODE,
        "refused": attrs.evolve(MAIL_CODE, mail=attrs.evolve(SENT, is_refused=True)),
        "waiting": attrs.evolve(MAIL_CODE, mail=attrs.evolve(SENT, is_waiting=True)),
        "expired": attrs.evolve(
            MAIL_CODE,
            mail=attrs.evolve(SENT, minutes=0, wait=0),
            problem=AppProblem.MAIL_LATE,
        ),
        "no_address": attrs.evolve(MAIL_OFF, choices=(), has_addresses=False),
        "mails_alone": attrs.evolve(MAIL_OFF, choices=()),
        "long": attrs.evolve(
            MAIL_ON,
            user_id=LONG_ID,
            address=f"{LONG[:64]}@example.com",
            choices=(MailChoice("8a1f", f"{LONG[:64]}@example.org"),),
        ),
        **{
            kind.value: attrs.evolve(
                MAIL_CODE,
                problem=kind,
                retry_after=90 if kind is AppProblem.MAIL_TOO_OFTEN else None,
            )
            for kind in AppProblem
            if kind.value.startswith("mail_")
        },
    },
    RecoveryCodesPage: {
        "plain": CODES,
        "none": attrs.evolve(CODES, left=0),
        "first": attrs.evolve(CODES, left=0, made_at=None),
        "long": attrs.evolve(CODES, user_id=LONG_ID),
    },
}
