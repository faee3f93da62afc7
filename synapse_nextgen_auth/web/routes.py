"""Every path of ours and what serves it; whatever is not here is a 404.

What each kind of path promises is in `kinds.py`, and `dispatch.py` keeps it.
"""

from synapse_nextgen_auth.accounts import commands
from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.matrix.rendezvous import PATH as RENDEZVOUS
from synapse_nextgen_auth.oauth.errors import DRAINING
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.oauth.tokens import bearer
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.endpoints import metadata
from synapse_nextgen_auth.web.endpoints.token import pipeline
from synapse_nextgen_auth.web.kinds import (
    AccountPage,
    AdminApi,
    AuthorizationEndpoint,
    Endpoint,
    Files,
    ForPeople,
    Page,
    RendezvousEndpoint,
    Root,
    ToIssuer,
    always,
    never,
)
from synapse_nextgen_auth.web.later import later

# What a server needs at once, or all the time, is imported above; these wait for the first who comes.
authorize = later("endpoints.authorize")
available = later("endpoints.available")
device_authorization = later("endpoints.device_authorization")
end_session = later("endpoints.end_session")
introspect = later("endpoints.introspect")
register_client = later("endpoints.register_client")
related_origins = later("endpoints.related_origins")
rendezvous = later("endpoints.rendezvous")
revoke = later("endpoints.revoke")
userinfo = later("endpoints.userinfo")
command = later("endpoints.command.command")
described = later("endpoints.admin.described")
email = later("pages.account.addresses.email")
phone_number = later("pages.account.addresses.phone_number")
remove = later("pages.account.addresses.remove")
admin_api = later("pages.admin_api.admin_api")
apps = later("pages.account.apps.apps")
deactivate = later("pages.account.closing.deactivate")
own_apps = later("pages.account.factors.apps")
own_codes = later("pages.account.factors.codes")
own_factors = later("pages.account.factors.factors")
own_lost = later("pages.account.factors.lost")
own_factor_mail = later("pages.account.factors.email")
data = later("pages.account.data.data")
device = later("pages.account.devices.device")
devices = later("pages.account.devices.devices")
several = later("pages.account.devices.several")
events = later("pages.account.events.events")
reset = later("pages.account.identity.reset")
invitations = later("pages.account.invitations.invitations")
overview = later("pages.account.overview.overview")
profile = later("pages.account.profile.profile")
passkeys = later("pages.account.passkeys.passkeys")
password = later("pages.account.ways.password")
providers = later("pages.account.ways.providers")
tokens = later("pages.account.tokens.tokens")
add_token = later("pages.account.tokens.add")
ways = later("pages.account.ways.ways")
accounts = later("pages.accounts.accounts")
approve = later("pages.approve.approve")
captcha = later("pages.captcha.captcha")
consent = later("pages.consent.consent")
grant = later("pages.device.grant")
link = later("pages.device.link")
enrol = later("pages.factor.enrol")
factor = later("pages.factor.factor")
home = later("pages.home.home")
language = later("pages.language.language")
legacy_login = later("pages.legacy_login.legacy_login")
ask_lost = later("pages.lost_factors.ask")
stop_lost = later("pages.lost_factors.stop")
mailbox_sign_in = later("pages.mailbox.sign_in")
mailbox_sign_up = later("pages.mailbox.sign_up")
phone = later("pages.phone.phone")
arrive = later("pages.providers.arrive")
icon = later("pages.providers.icon")
new_account = later("pages.providers.new_account")
recovery = later("pages.recovery.recovery")
set_password = later("pages.set_password.set_password")
sign_in = later("pages.sign_in.sign_in")
register = later("pages.sign_up.register")
terms = later("pages.sign_up.terms")
stage = later("pages.stage.stage")

_OF_CLIENTS = frozenset({"invalid_client", "unauthorized_client"})
_OF_SCOPES = frozenset({"invalid_scope"})
# What the rules of these paths may say, which are imported by who comes first: a test compares.
_OF_REQUESTS = frozenset(
    {
        *("access_denied", "account_selection_required", "consent_required", "login_required"),
        *("unknown_client", "blocked_client", "bad_redirect_uri", "unsupported_response_type"),
        "unmet_authentication_requirements",
        "invalid_target",
        *("request_not_supported", "request_uri_not_supported", "registration_not_supported"),
    }
)
_RATE_LIMITED = frozenset({"rate_limited"})
_DRAINING = frozenset({DRAINING.reason})
# Those that are counted: a slip of the keyboard is not.
_OF_LINKS = frozenset({"unknown", "too_many_tries"})

_DISCOVERY = Endpoint({"GET": metadata.metadata}, rests=False)

# Below the issuer.
ROUTES: dict[str, Endpoint | ForPeople | AdminApi] = {
    # Discovery
    "/.well-known/openid-configuration": _DISCOVERY,
    "/.well-known/oauth-authorization-server": _DISCOVERY,
    "/keys": Endpoint({"GET": metadata.keys}),
    # Protocol
    "/clients/register": Endpoint(
        {"POST": register_client.register},
        takes=None,
        refuses=_RATE_LIMITED
        | _DRAINING
        | {"access_denied", "invalid_client_metadata", "invalid_redirect_uri"},
    ),
    "/token": Endpoint(
        {"POST": pipeline.token}, refuses=_OF_CLIENTS | _OF_SCOPES | pipeline.REFUSES
    ),
    "/revoke": Endpoint({"POST": revoke.revoke}, refuses=_OF_CLIENTS | {"unsupported_token_type"}),
    "/device-authorization": Endpoint(
        {"POST": device_authorization.device_authorization},
        refuses=_OF_CLIENTS | _OF_SCOPES | _RATE_LIMITED | _DRAINING | {"invalid_target"},
    ),
    "/introspect": Endpoint({"POST": introspect.introspect}, refuses=_OF_CLIENTS),
    "/userinfo": Endpoint(
        {"GET": userinfo.userinfo, "POST": userinfo.userinfo},
        takes=None,
        refuses=bearer.REFUSES,
        challenge=userinfo.challenge,
    ),
    # For the operator's command line
    commands.PATH: Endpoint(
        {commands.METHOD: command.command},
        takes=commands.MEDIA_TYPE,
        refuses=frozenset(why.value for why in commands.Unproven),
        challenge=command.challenge,
        rests=False,
        for_websites=False,
    ),
    # For administrators' tools
    "/api/admin/v1/": AdminApi(
        reasons=frozenset({"invalid_request", "temporarily_unavailable", "access_denied"})
        | {bearer.INVALID_TOKEN, bearer.INSUFFICIENT_SCOPE}
        | {bearer.INSUFFICIENT_USER_AUTHENTICATION}
    ),
    "/api/spec.json": Endpoint({"GET": described.spec}, rests=False),
    # Pages
    "/authorize": AuthorizationEndpoint(
        authorize.authorize,
        refuses=_OF_CLIENTS | _OF_SCOPES | _RATE_LIMITED | _DRAINING | _OF_REQUESTS,
    ),
    "/end-session": AuthorizationEndpoint(end_session.end_session),
    "/": Page(show=home.show),
    "/api/doc/": Page(show=admin_api.show),
    "/sign-in": Page(show=sign_in.show, submit=sign_in.submit, refuses=_RATE_LIMITED),
    "/sign-in-email": Page(
        show=mailbox_sign_in.show_address,
        submit=mailbox_sign_in.submit_address,
        refuses=_RATE_LIMITED,
    ),
    "/sign-in-email-code": Page(
        show=mailbox_sign_in.show_code, submit=mailbox_sign_in.submit_code, refuses=_RATE_LIMITED
    ),
    "/register": Page(show=register.show, submit=register.submit, refuses=_RATE_LIMITED),
    "/register-available": Endpoint(
        {"GET": available.available},
        takes=None,
        refuses=_RATE_LIMITED | {"access_denied"},
        rests=False,
        for_websites=False,
    ),
    "/register-captcha": Page(show=captcha.show, submit=captcha.submit, refuses=_RATE_LIMITED),
    "/register-email": Page(
        show=mailbox_sign_up.show_address,
        submit=mailbox_sign_up.submit_address,
        refuses=_RATE_LIMITED,
    ),
    "/register-email-code": Page(
        show=mailbox_sign_up.show_code, submit=mailbox_sign_up.submit_code, refuses=_RATE_LIMITED
    ),
    "/register-phone": Page(show=phone.show_number, submit=phone.submit_number),
    "/register-phone-code": Page(show=phone.show_code, submit=phone.submit_code),
    "/register-terms": Page(show=terms.show, submit=terms.submit),
    "/recover": Page(show=recovery.show, submit=recovery.submit, refuses=_RATE_LIMITED),
    "/set-password": Page(show=set_password.show, submit=set_password.submit),
    "/language": Page(show=language.show, submit=language.submit),
    "/accounts": Page(show=accounts.show, submit=accounts.submit),
    "/arrive": Page(show=arrive.show),
    "/new-account": Page(show=new_account.show, submit=new_account.submit),
    "/provider-icon": Page(show=icon.show),
    "/stage": Page(show=stage.show, submit=stage.submit, refuses=_RATE_LIMITED),
    "/factor": Page(show=factor.show, submit=factor.submit, refuses=_RATE_LIMITED),
    "/factor-enrol": Page(show=enrol.show, submit=enrol.submit, refuses=_RATE_LIMITED),
    "/factor-lost": Page(show=ask_lost.show, submit=ask_lost.submit),
    "/factor-lost-cancel": Page(show=stop_lost.show, submit=stop_lost.submit),
    "/consent": Page(show=consent.show, submit=consent.submit),
    "/legacy-sign-in": Page(show=legacy_login.begin, refuses=_RATE_LIMITED),
    "/legacy-login": Page(show=legacy_login.show, submit=legacy_login.submit),
    "/sign-out": Page(submit=home.sign_out),
    "/link": Page(show=link.show, submit=link.submit, refuses=_OF_LINKS),
    "/device": Page(show=grant.show, submit=grant.submit),
    "/account": AccountPage(show=overview.show, onward=overview.onward),
    "/account-profile": AccountPage.at(Place.PROFILE, profile.show, profile.submit, fills_in=True),
    "/account-avatar": AccountPage.at(Place.AVATAR, profile.picture, receive=profile.take_picture),
    "/account-email": AccountPage.at(
        Place.EMAIL, email.show, email.submit, dangerous=always, refuses=_RATE_LIMITED
    ),
    "/account-email-code": AccountPage.at(
        Place.EMAIL_CODE, email.show_code, email.submit_code, refuses=_RATE_LIMITED
    ),
    "/account-phone": AccountPage.at(
        Place.PHONE, phone_number.show, phone_number.submit, dangerous=always, refuses=_RATE_LIMITED
    ),
    "/account-phone-code": AccountPage.at(
        Place.PHONE_CODE, phone_number.show_code, phone_number.submit_code, refuses=_RATE_LIMITED
    ),
    "/account-address-remove": AccountPage.at(
        Place.REMOVE_ADDRESS, remove.show, remove.submit, dangerous=always
    ),
    "/account-deactivate": AccountPage.at(
        Place.DEACTIVATE, deactivate.show, deactivate.submit, dangerous=always
    ),
    "/account-sign-in": AccountPage.at(Place.SIGN_IN, ways.show),
    "/account-password": AccountPage.at(
        Place.PASSWORD, password.show, password.submit, dangerous=always
    ),
    "/account-password-remove": AccountPage.at(
        Place.REMOVE_PASSWORD, password.ask_to_remove, password.remove, dangerous=always
    ),
    "/account-provider-connect": AccountPage.at(
        Place.CONNECT,
        providers.ask_to_connect,
        providers.connect,
        dangerous=always,
        refuses=_RATE_LIMITED,
    ),
    "/account-provider-disconnect": AccountPage.at(
        Place.DISCONNECT, providers.ask_to_disconnect, providers.disconnect, dangerous=always
    ),
    "/account-passkey-add": AccountPage.at(
        Place.ADD_PASSKEY, passkeys.ask_to_add, passkeys.add, dangerous=always
    ),
    "/account-passkey": AccountPage.at(
        Place.PASSKEY, passkeys.show, passkeys.rename, dangerous=always
    ),
    "/account-passkey-remove": AccountPage.at(
        Place.REMOVE_PASSKEY, passkeys.ask_to_remove, passkeys.remove, dangerous=always
    ),
    "/account-factors": AccountPage.at(Place.FACTORS, own_factors.show, own_factors.submit),
    "/account-factor-add": AccountPage.at(
        Place.ADD_FACTOR, own_apps.show_new, own_apps.add, dangerous=always
    ),
    "/account-factor": AccountPage.at(
        Place.FACTOR, own_apps.show, own_apps.rename, dangerous=always
    ),
    "/account-factor-remove": AccountPage.at(
        Place.REMOVE_FACTOR, own_apps.ask_to_remove, own_apps.remove, dangerous=always
    ),
    "/account-factor-lost": AccountPage.at(Place.LOST_FACTORS, own_lost.show, own_lost.submit),
    "/account-factor-mail": AccountPage.at(
        Place.FACTOR_MAIL,
        own_factor_mail.show,
        own_factor_mail.submit,
        dangerous=always,
        refuses=_RATE_LIMITED,
    ),
    "/account-recovery-codes": AccountPage.at(
        Place.RECOVERY_CODES, own_codes.show, own_codes.make, dangerous=always
    ),
    "/account-identity-reset": AccountPage.at(
        Place.RESET_IDENTITY, reset.show, reset.submit, dangerous=always
    ),
    "/account-devices": AccountPage.at(Place.DEVICES, devices.show),
    "/account-device": AccountPage.at(Place.DEVICE, device.show, device.rename),
    "/account-device-end": AccountPage.at(
        Place.END_DEVICE, device.ask_to_end, device.end, dangerous=always
    ),
    "/account-devices-end": AccountPage.at(
        Place.END_SEVERAL, several.ask_to_end, several.end, dangerous=always
    ),
    "/account-apps": AccountPage.at(Place.APPS, apps.show),
    "/account-app": AccountPage.at(Place.APP, apps.show_one),
    "/account-app-end": AccountPage.at(Place.END_APP, apps.ask_to_end, apps.end, dangerous=always),
    "/account-tokens": AccountPage.at(Place.TOKENS, tokens.show),
    "/account-token-add": AccountPage.at(
        Place.ADD_TOKEN, add_token.show, add_token.make, dangerous=always
    ),
    "/account-token-end": AccountPage.at(
        Place.END_TOKEN, tokens.ask_to_end, tokens.end, dangerous=always
    ),
    "/account-invitations": AccountPage.at(
        Place.INVITATIONS, invitations.show, invitations.submit, fills_in=True
    ),
    "/account-events": AccountPage.at(Place.EVENTS, events.show),
    "/account-data": AccountPage.at(Place.DATA, data.show, data.download, dangerous=never),
    "/approve": AccountPage(show=approve.show, submit=approve.submit, dangerous=always),
}

STATIC = "/static/"
RELATED_ORIGINS = "/.well-known/webauthn"
WELL_KNOWN = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")


def _are_others_listed(config: Config) -> bool:
    """Say whether other sites may use our passkeys; without, the path stays whoever's it is."""
    return bool(config.factors.passkey_origins)


def _do_devices_meet(config: Config) -> bool:
    return config.devices_meet


# On the host: what Synapse is to leave to us.
ROOTS: tuple[Root, ...] = (
    Root(PREFIX, {"": ToIssuer(), STATIC: Files(), **ROUTES}),
    # Where RFC 8414 section 3 looks for an issuer with a path.
    *(
        Root(
            path,
            {PREFIX: _DISCOVERY, f"{PREFIX}/": _DISCOVERY},
            counted_as=path,
            unknown=answers.NO_ISSUER,
        )
        for path in WELL_KNOWN
    ),
    Root(
        RELATED_ORIGINS,
        {
            path: Endpoint({"GET": related_origins.related_origins}, rests=False)
            for path in ("", "/")
        },
        is_served=_are_others_listed,
        counted_as=RELATED_ORIGINS,
    ),
    Root(
        RENDEZVOUS,
        {
            "/": RendezvousEndpoint(
                {"GET": rendezvous.get, "PUT": rendezvous.put, "DELETE": rendezvous.delete},
                reasons=_RATE_LIMITED | {"temporarily_unavailable"},
            )
        },
        is_served=_do_devices_meet,
        counted_as="/rendezvous",
        unknown=answers.NO_RENDEZVOUS,
    ),
)
