"""Samples of the pages that ask for a second factor."""

import attrs

from synapse_nextgen_auth.web import qr
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.factor.page import (
    AppProblem,
    CodesPage,
    EnrolPage,
    FactorPage,
    FactorProblem,
    FactorWay,
    MailChoice,
    MailShown,
    OtherWay,
    SecretShown,
)
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, UGLY

_LETTERS = "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"
_URI = (
    "otpauth://totp/example.org:%40alice%3Aexample.org"
    "?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=example.org"
)
SECRET = SecretShown(qr.draw(_URI), _LETTERS, _URI)
LONG_SECRET = SecretShown(qr.draw(_URI + LONG + LONG), _LETTERS, _URI + LONG + LONG)
CODES = (
    *("BQ4T7-KHM2X", "X2PNC-9RDAB", "7VJWQ-M3ACD", "KD8R2-XTFEF", "N5HCP-W6JGH"),
    *("3GTA9-BLXJK", "RZ7QM-4VKLM", "W8FDJ-2NPNP", "C6XKT-5HRQR", "9MPBV-Q3DST"),
)
_QUESTION = '{"challenge": "AAAA", "rpId": "example.org", "allowCredentials": []}'
_OTHER = OtherWay(FactorWay.RECOVERY_CODE, "factor?attempt=8a1f&by=recovery-code")
_APP = OtherWay(FactorWay.APP, "factor?attempt=8a1f")
FACTOR = FactorPage(
    csrf="c5rf",
    action="factor?attempt=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    way=FactorWay.APP,
    others=(_OTHER,),
    restart_url="sign-in?grant=8a1f",
    client=ELEMENT,
    can_cancel=True,
)
LOST = attrs.evolve(FACTOR, lost_url="factor-lost?attempt=8a1f")
MAIL = attrs.evolve(
    FACTOR,
    way=FactorWay.EMAIL,
    others=(_OTHER,),
    action="factor?attempt=8a1f&by=email",
    mail=MailShown("a…@e….com"),
)
SENT = MailShown("a…@e….com", is_sent=True, minutes=10, wait=40)
MAIL_SENT = attrs.evolve(MAIL, mail=SENT)
CHOICE = MailChoice("8a1f", "a…@e….com")
RECOVERY = attrs.evolve(FACTOR, way=FactorWay.RECOVERY_CODE, others=(_APP,), action=_OTHER.url)
ENROL = EnrolPage(
    csrf="c5rf",
    action="factor-enrol?attempt=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    client=ELEMENT,
    can_cancel=True,
)
SHOWN = attrs.evolve(ENROL, secret=SECRET, action="factor-enrol?attempt=8a1f&app=8a20")
RECOVERY_CODES = CodesPage(
    csrf="c5rf",
    server_name="example.org",
    user_id="@alice:example.org",
    codes=CODES,
    made_at=1_795_000_000,
    sign_in_at="https://matrix.example.org/_synapse/client/auth/",
    action="account-factors",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    FactorPage: {
        "lost": LOST,
        "lost_nothing_left": attrs.evolve(LOST, way=None, others=()),
        "plain": FACTOR,
        "mail": MAIL,
        "mail_beside_others": attrs.evolve(
            FACTOR,
            others=(_OTHER, OtherWay(FactorWay.EMAIL, MAIL.action)),
        ),
        "mail_sent": MAIL_SENT,
        "mail_late": attrs.evolve(
            MAIL,
            mail=attrs.evolve(SENT, minutes=0, wait=0),
            problem=FactorProblem.MAIL_LATE,
        ),
        "mail_never_sent": attrs.evolve(MAIL, problem=FactorProblem.MAIL_LATE),
        "mail_refused": attrs.evolve(MAIL, mail=attrs.evolve(SENT, is_refused=True)),
        "mail_waiting": attrs.evolve(MAIL, mail=attrs.evolve(SENT, is_waiting=True)),
        "mail_wrong": attrs.evolve(MAIL_SENT, problem=FactorProblem.WRONG),
        "mail_missing": attrs.evolve(MAIL_SENT, problem=FactorProblem.MISSING),
        "mail_over": attrs.evolve(MAIL_SENT, problem=FactorProblem.OVER),
        "mail_too_often": attrs.evolve(
            MAIL_SENT, problem=FactorProblem.MAIL_TOO_OFTEN, retry_after=90
        ),
        "mail_and_passkey": attrs.evolve(MAIL, passkey=_QUESTION, remember_days=30),
        "came_by_mail": attrs.evolve(RECOVERY, others=(), is_by_mail=True),
        "alone": attrs.evolve(FACTOR, others=(), client=None, can_cancel=False),
        "remember": attrs.evolve(FACTOR, remember_days=30),
        "recovery": RECOVERY,
        "recovery_wrong": attrs.evolve(RECOVERY, problem=FactorProblem.WRONG),
        "recovery_used": attrs.evolve(RECOVERY, problem=FactorProblem.USED),
        "recovery_missing": attrs.evolve(RECOVERY, problem=FactorProblem.MISSING),
        "unreadable": attrs.evolve(RECOVERY, others=(), is_unreadable=True),
        "passkey": attrs.evolve(FACTOR, passkey=_QUESTION),
        "passkey_alone": attrs.evolve(FACTOR, way=None, others=(), passkey=_QUESTION),
        "nothing": attrs.evolve(FACTOR, way=None, others=(), is_unreadable=True),
        "long": attrs.evolve(FACTOR, client=UGLY, user_id=LONG_ID, server_name=LONG),
        **{
            kind.value: attrs.evolve(
                FACTOR,
                problem=kind,
                retry_after=700 if kind is FactorProblem.TOO_OFTEN else None,
            )
            for kind in FactorProblem
        },
    },
    EnrolPage: {
        "plain": ENROL,
        "later": attrs.evolve(ENROL, may_wait=True, deadline=1_795_000_000),
        "some_day": attrs.evolve(ENROL, may_wait=True),
        "secret": SHOWN,
        "alone": attrs.evolve(SHOWN, client=None, can_cancel=False),
        "long": attrs.evolve(
            SHOWN, secret=LONG_SECRET, client=UGLY, user_id=LONG_ID, server_name=LONG
        ),
        "over": attrs.evolve(ENROL, problem=AppProblem.OVER),
        "too_many": attrs.evolve(ENROL, problem=AppProblem.TOO_MANY),
        "or_a_passkey": attrs.evolve(
            ENROL, question='{"user": {"id": ""}}', handle="h4ndle", may_wait=True
        ),
        "or_mail": attrs.evolve(ENROL, mails=(CHOICE, MailChoice("8a20", "b…@w….org"))),
        "mail": attrs.evolve(
            ENROL, mails=(CHOICE,), mail=SENT, action="factor-enrol?attempt=8a1f&by=email"
        ),
        **{
            kind.value: attrs.evolve(
                ENROL,
                mails=(CHOICE,),
                mail=SENT,
                problem=kind,
                retry_after=90 if kind is AppProblem.MAIL_TOO_OFTEN else None,
            )
            for kind in AppProblem
            if kind.value.startswith("mail_") and kind is not AppProblem.MAIL_LAST
        },
        "no_passkey": attrs.evolve(
            ENROL, question="{}", handle="h4ndle", problem=AppProblem.PASSKEY
        ),
        "dead_passkey": attrs.evolve(
            ENROL, question="{}", handle="h4ndle", problem=AppProblem.PASSKEY_KEY
        ),
        **{
            kind.value: attrs.evolve(SHOWN, problem=kind)
            for kind in (AppProblem.MISSING, AppProblem.WRONG)
        },
    },
    CodesPage: {
        "plain": RECOVERY_CODES,
        "with_factor": attrs.evolve(RECOVERY_CODES, with_factor=True),
        "with_app": attrs.evolve(RECOVERY_CODES, with_app=True),
        "in_attempt": attrs.evolve(
            RECOVERY_CODES, with_app=True, action="factor-enrol?attempt=8a1f"
        ),
        "long": attrs.evolve(
            RECOVERY_CODES,
            user_id=LONG_ID,
            server_name=LONG,
            sign_in_at=f"https://matrix.example.org/{LONG}/",
        ),
    },
}
