"""Samples of the sign-in page."""

import attrs

from synapse_nextgen_auth.accounts.ways import PASSWORD, PASSWORD_FIELD, Field, Way, Ways
from synapse_nextgen_auth.web.pages.content import BRANDS, ClientCard, PageContent, ProviderCard
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, RIGHT_TO_LEFT, UGLY
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError, SignInPage

_PASSWORD = Ways(Way(PASSWORD, (PASSWORD_FIELD,)))
_OTP = Way("com.example.otp", (Field("passphrase"), Field("otp"), Field("floor")))
_ODD = Way("<b>\"'&", (Field("<svg onload=alert(1)>"), Field("W" * 64), Field("كلمة")))

SIGN_IN = SignInPage(
    csrf="c5rf",
    action="sign-in?grant=8a1f",
    identifier="",
    server_name="example.org",
    ways=_PASSWORD,
    client=ELEMENT,
    can_cancel=True,
)

PROVIDERS = tuple(
    ProviderCard(f"oidc-{name.lower()[:8]}", name, f"provider-icon?of={at}" if at % 2 else None)
    for at, name in enumerate(
        (
            "Example University",
            "Meridian Works",
            "Fieldstone",
            "Hexagon ID",
            "Association of Allotment Gardeners North",
            "Health Service staff",
            "صندوق الادخار",
        )
    )
)
WAYS = attrs.evolve(
    SIGN_IN,
    providers=PROVIDERS[:3],
    last_provider=PROVIDERS[1].provider_id,
)

AGAIN = attrs.evolve(
    SIGN_IN,
    identifier="@alice:example.org",
    again="@alice:example.org",
    other_account_url="sign-in?grant=8a1f&account=another",
)

LONG_NAMES = (PROVIDERS[4].name, PROVIDERS[6].name, LONG, "<b>\"'&")
NOT_ANEW = attrs.evolve(SIGN_IN, ways=Ways(), cannot_confirm=LONG_NAMES)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    SignInPage: {
        "plain": SIGN_IN,
        "with_passkey": attrs.evolve(SIGN_IN, offers_passkey=True, passkey='{"challenge": ""}'),
        "passkey_alone": attrs.evolve(
            SIGN_IN, ways=Ways(), offers_passkey=True, passkey='{"challenge": ""}'
        ),
        "wrong_passkey": attrs.evolve(
            SIGN_IN, offers_passkey=True, passkey="{}", error=SignInError.PASSKEY
        ),
        "late_passkey": attrs.evolve(
            SIGN_IN, offers_passkey=True, passkey="{}", error=SignInError.PASSKEY_LATE
        ),
        "with_sign_up": attrs.evolve(
            SIGN_IN, offers_sign_up=True, sign_up_url="register?grant=8a1f"
        ),
        "alone": attrs.evolve(
            SIGN_IN, client=None, can_cancel=False, ways=attrs.evolve(_PASSWORD, email=True)
        ),
        "long": attrs.evolve(
            SIGN_IN, client=UGLY, identifier=LONG_ID, server_name=LONG_ID.partition(":")[2]
        ),
        "rtl": attrs.evolve(SIGN_IN, client=ClientCard(RIGHT_TO_LEFT, "example.com")),
        "recovery": attrs.evolve(SIGN_IN, can_recover=True, recovery_url="recover?grant=8a1f"),
        "modules": attrs.evolve(
            SIGN_IN, ways=attrs.evolve(_PASSWORD, custom=(_OTP, _ODD), email=True, phone=True)
        ),
        "only_modules": attrs.evolve(SIGN_IN, ways=Ways(None, (_OTP,), phone=True)),
        "module_failed": attrs.evolve(
            SIGN_IN,
            ways=Ways(Way(PASSWORD, (PASSWORD_FIELD, Field("otp"))), (_OTP,)),
            failed=_OTP.type,
            identifier="alice",
            error=SignInError.WRONG_PASSWORD,
        ),
        "asked_for": attrs.evolve(SIGN_IN, identifier="alice", asked_for="@alice:example.org"),
        "again": AGAIN,
        "token": attrs.evolve(
            SIGN_IN, identifier="alice", error=SignInError.WRONG_PASSWORD, is_token=True
        ),
        "again_wrong": attrs.evolve(AGAIN, error=SignInError.WRONG_PASSWORD),
        "again_missing": attrs.evolve(AGAIN, error=SignInError.MISSING_FIELDS),
        "again_long": attrs.evolve(AGAIN, again=LONG_ID, identifier=LONG_ID, client=UGLY),
        "again_asked_for": attrs.evolve(
            AGAIN, asked_for="@alice:example.org", other_account_url=None
        ),
        "ways": WAYS,
        "one_way": attrs.evolve(WAYS, providers=PROVIDERS[:1], last_provider=None, client=None),
        "many_ways": attrs.evolve(
            WAYS, providers=PROVIDERS, last_provider=PROVIDERS[6].provider_id
        ),
        "long_ways": attrs.evolve(
            WAYS, providers=(ProviderCard("saml", LONG), ProviderCard("cas", LONG_ID, "icon"))
        ),
        "ways_wrong": attrs.evolve(WAYS, error=SignInError.WRONG_PASSWORD, identifier="alice"),
        "ways_off": attrs.evolve(WAYS, error=SignInError.PASSWORD_LOGIN_DISABLED),
        "ways_again": attrs.evolve(AGAIN, providers=PROVIDERS[:2]),
        "ways_again_linked": attrs.evolve(
            AGAIN,
            ways=Ways(),
            providers=(PROVIDERS[0], attrs.evolve(PROVIDERS[2], is_linked=True), *PROVIDERS[3:]),
        ),
        "code": attrs.evolve(SIGN_IN, offers_code=True),
        "code_alone": attrs.evolve(SIGN_IN, ways=Ways(), offers_code=True),
        "code_off": attrs.evolve(
            SIGN_IN, offers_code=True, error=SignInError.PASSWORD_LOGIN_DISABLED
        ),
        "brands": attrs.evolve(
            WAYS,
            providers=tuple(
                ProviderCard(f"oidc-{brand}", brand.capitalize(), brand=brand)
                for brand in (*BRANDS, "of nobody")
            ),
            last_provider=None,
        ),
        "six_ways": attrs.evolve(WAYS, providers=PROVIDERS[:6]),
        "ways_alone": attrs.evolve(WAYS, ways=Ways()),
        "ways_alone_again": attrs.evolve(
            AGAIN,
            error=SignInError.PASSWORD_LOGIN_DISABLED,
            providers=PROVIDERS[:2],
        ),
        "not_anew": attrs.evolve(NOT_ANEW, error=SignInError.PASSWORD_LOGIN_DISABLED),
        "not_anew_one": attrs.evolve(
            NOT_ANEW,
            error=SignInError.PASSWORD_LOGIN_DISABLED,
            again="@alice:example.org",
            client=None,
            cannot_confirm=LONG_NAMES[:1],
        ),
        "some_anew": attrs.evolve(AGAIN, providers=PROVIDERS[3:5], cannot_confirm=LONG_NAMES),
        "some_anew_one": attrs.evolve(AGAIN, cannot_confirm=LONG_NAMES[:1]),
        **{
            kind.value: attrs.evolve(
                SIGN_IN,
                error=kind,
                identifier="alice",
                retry_after=290,
                asked_for="@bob:example.org" if kind is SignInError.OTHER_ACCOUNT else None,
            )
            for kind in SignInError
        },
    },
}
