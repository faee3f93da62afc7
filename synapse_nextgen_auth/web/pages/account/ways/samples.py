"""Samples of the pages about how an account is signed in to."""

import attrs

from synapse_nextgen_auth.accounts.management import Done, Place
from synapse_nextgen_auth.accounts.new_passwords import (
    Judgement,
    PasswordPolicy,
    PasswordProblem,
)
from synapse_nextgen_auth.web.pages.account.passkeys.samples import LOST, PHONE, STICK
from synapse_nextgen_auth.web.pages.account.samples import CARD, framed
from synapse_nextgen_auth.web.pages.account.ways.page import (
    Connectable,
    Connected,
    ConnectPage,
    DisconnectPage,
    OwnPasswordPage,
    RemovePasswordPage,
    TakenPage,
    WaysPage,
)
from synapse_nextgen_auth.web.pages.content import PageContent, ProviderCard
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

GITHUB = ProviderCard("oidc-github", "GitHub", brand="github")
COMPANY = ProviderCard("oidc-company", "Example Company", icon_url="provider-icon?of=oidc-company")
LONG_CARD = ProviderCard("oidc-long", LONG)
CONNECTED = Connected(GITHUB, "1024025", "account-provider-disconnect?id=8a1f")
LONG_CONNECTED = Connected(LONG_CARD, LONG, "account-provider-disconnect?id=8a20")
WAYS = WaysPage(
    **framed(Place.SIGN_IN),
    has_password=True,
    passwords_are_on=True,
    may_remove_password=True,
    password_url="account-password",  # noqa: S106 (a path)
    remove_password_url="account-password-remove",  # noqa: S106 (a path)
    connected=(CONNECTED,),
    connectable=(Connectable(COMPANY, "account-provider-connect?id=oidc-company"),),
    reset_url="account-identity-reset",
)
_DIALOG = {**CARD, "back_url": "account-sign-in"}
PASSWORD = OwnPasswordPage(
    **_DIALOG,
    action="account-password",
    localpart="alice",
    policy=PasswordPolicy(),
    has_password=True,
)
REMOVE = RemovePasswordPage(**_DIALOG, action="account-password-remove", may_go=True)
CONNECT = ConnectPage(
    **_DIALOG, action="account-provider-connect?id=oidc-company", provider=COMPANY
)
DISCONNECT = DisconnectPage(
    **_DIALOG,
    action="account-provider-disconnect?id=8a1f",
    connected=CONNECTED,
    may_go=True,
)
TAKEN = TakenPage(
    server_name="example.org",
    user_id="@alice:example.org",
    provider=COMPANY,
    back_url="account-sign-in",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    WaysPage: {
        "plain": WAYS,
        "password_only": attrs.evolve(
            WAYS, connected=(), connectable=(), may_remove_password=False, reset_url=None
        ),
        "no_password": attrs.evolve(WAYS, has_password=False, may_remove_password=False),
        "passwords_off": attrs.evolve(
            WAYS, has_password=False, passwords_are_on=False, may_remove_password=False
        ),
        "no_factor": attrs.evolve(WAYS, factors_url="account-factors"),
        "factors": attrs.evolve(WAYS, factors_url="account-factors", factors=2),
        "codes": attrs.evolve(
            WAYS,
            has_password=False,
            connected=(),
            codes_open_it=True,
            code_addresses=("alice@example.com", "alice.liddell@example.net"),
        ),
        "passkeys": attrs.evolve(
            WAYS, passkeys=(PHONE, STICK, LOST), add_passkey_url="account-passkey-add"
        ),
        "first_passkey": attrs.evolve(WAYS, add_passkey_url="account-passkey-add"),
        "gone": attrs.evolve(
            WAYS, connected=(CONNECTED, attrs.evolve(LONG_CONNECTED, is_configured=False))
        ),
        "long": attrs.evolve(
            WAYS,
            user_id=LONG_ID,
            connected=(LONG_CONNECTED,),
            connectable=(Connectable(LONG_CARD, "account-provider-connect?id=oidc-long"),),
            codes_open_it=True,
            code_addresses=(f"{LONG[:64]}@example.com",),
        ),
        **{
            each.value: attrs.evolve(WAYS, done=each)
            for each in (
                Done.PASSWORD_CHANGED,
                Done.PASSWORD_CHANGED_AND_SIGNED_OUT,
                Done.PASSWORD_REMOVED,
                Done.CONNECTED,
                Done.DISCONNECTED,
                Done.PASSKEY_ADDED,
                Done.PASSKEY_REMOVED,
                Done.FACTOR_REMOVED,
            )
        },
    },
    OwnPasswordPage: {
        "change": PASSWORD,
        "first": attrs.evolve(PASSWORD, has_password=False),
        "impossible": attrs.evolve(PASSWORD, is_possible=False),
        "other_account": attrs.evolve(PASSWORD, is_other_account=True, signs_out=False),
        "busy": attrs.evolve(PASSWORD, retry_after=5),
        "long": attrs.evolve(
            PASSWORD,
            user_id=LONG_ID,
            localpart=LONG,
            policy=PasswordPolicy(minimum_length=12, digit=True, symbol=True),
            judgement=Judgement((PasswordProblem.TOO_SHORT,), minimum_length=12),
        ),
    },
    RemovePasswordPage: {
        "plain": REMOVE,
        "last": attrs.evolve(REMOVE, may_go=False),
        "long": attrs.evolve(REMOVE, user_id=LONG_ID),
    },
    ConnectPage: {
        "plain": CONNECT,
        "long": attrs.evolve(CONNECT, provider=LONG_CARD, user_id=LONG_ID),
    },
    DisconnectPage: {
        "plain": DISCONNECT,
        "last": attrs.evolve(DISCONNECT, may_go=False),
        "long": attrs.evolve(DISCONNECT, connected=LONG_CONNECTED, user_id=LONG_ID),
    },
    TakenPage: {
        "plain": TAKEN,
        "long": attrs.evolve(TAKEN, provider=LONG_CARD, user_id=LONG_ID, server_name=LONG),
    },
}
