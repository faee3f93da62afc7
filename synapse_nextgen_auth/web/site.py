"""What endpoints and pages stand on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.legacy_login import LegacyLoginRules
from synapse_nextgen_auth.accounts.sign_ins import FRESH, BrowserLifetimes
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.oauth import uris
from synapse_nextgen_auth.oauth.metadata import Abilities, Endpoints
from synapse_nextgen_auth.oauth.sessions import SessionLifetimes
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.api import Homeserver
    from synapse_nextgen_auth.homeserver.auth.application_services import ApplicationServices
    from synapse_nextgen_auth.homeserver.auth.token_check import TokenCheck
    from synapse_nextgen_auth.homeserver.clients.registered import Clients
    from synapse_nextgen_auth.homeserver.devices.matrix_devices import Devices
    from synapse_nextgen_auth.homeserver.extensions import OtherModules
    from synapse_nextgen_auth.homeserver.limits import Limiter
    from synapse_nextgen_auth.homeserver.mail import Mailer
    from synapse_nextgen_auth.homeserver.mail_limits import MailLimits
    from synapse_nextgen_auth.homeserver.people.accounts import People
    from synapse_nextgen_auth.homeserver.people.availability import Names
    from synapse_nextgen_auth.homeserver.people.captchas import Captchas
    from synapse_nextgen_auth.homeserver.people.deactivation import Deactivation
    from synapse_nextgen_auth.homeserver.people.invitations import Invites
    from synapse_nextgen_auth.homeserver.people.login_tokens import LoginTokens
    from synapse_nextgen_auth.homeserver.people.mailboxes import Mailboxes
    from synapse_nextgen_auth.homeserver.people.new_passwords import NewPasswords
    from synapse_nextgen_auth.homeserver.people.password_changes import PasswordChanges
    from synapse_nextgen_auth.homeserver.people.phones import Phones
    from synapse_nextgen_auth.homeserver.people.profiles import Profiles
    from synapse_nextgen_auth.homeserver.people.providers import arrival_cookie
    from synapse_nextgen_auth.homeserver.people.providers.arrival_cookie import ArrivalCookie
    from synapse_nextgen_auth.homeserver.people.providers.icons import Icons
    from synapse_nextgen_auth.homeserver.people.providers.listing import Providers
    from synapse_nextgen_auth.homeserver.people.providers.new_accounts import NewAccounts
    from synapse_nextgen_auth.homeserver.people.reading import Reading
    from synapse_nextgen_auth.homeserver.people.recoveries import Recoveries
    from synapse_nextgen_auth.homeserver.people.second_factors import SecondFactors
    from synapse_nextgen_auth.homeserver.people.sign_in_codes import SignInCodes
    from synapse_nextgen_auth.homeserver.people.sign_ups.demands import SignUpRules
    from synapse_nextgen_auth.homeserver.people.sign_ups.new_people import NewPeople
    from synapse_nextgen_auth.homeserver.people.sign_ups.sessions import Sessions
    from synapse_nextgen_auth.homeserver.people.threepids import Threepids
    from synapse_nextgen_auth.homeserver.places import Places
    from synapse_nextgen_auth.homeserver.polls import Polls
    from synapse_nextgen_auth.homeserver.rotations import Rotations
    from synapse_nextgen_auth.homeserver.signing import Signing
    from synapse_nextgen_auth.oauth.resources import Resources
    from synapse_nextgen_auth.web import browser, choices, link_cookie
    from synapse_nextgen_auth.web.browser import Cookies
    from synapse_nextgen_auth.web.choices import ChoiceCookie
    from synapse_nextgen_auth.web.link_cookie import LinkCookie
    from synapse_nextgen_auth.web.templates import Templates
else:
    arrival_cookie, browser, choices, link_cookie = late.files(
        "homeserver.people.providers.arrival_cookie",
        "web.browser",
        "web.choices",
        "web.link_cookie",
    )


@frozen
class Issuer:
    """Who we are to clients: where and what, as `document` says it (RFC 8414), and what proves it."""

    endpoints: Endpoints
    abilities: Abilities
    document: Callable[[], bytes]
    keys: Keyring
    signing: Signing

    @property
    def identifier(self) -> str:
        """The URL that stands for us in tokens and answers (`iss`)."""
        return self.endpoints.issuer


@frozen
class Lifetimes:
    """How long sessions of clients live, how long browsers stay signed in, and a proof is fresh."""

    sessions: SessionLifetimes
    browsers: BrowserLifetimes
    fresh: int = FRESH


@frozen
class ProviderSide:
    """The identity providers of Synapse's configuration, and what is needed around them."""

    known: Providers
    icons: Icons
    new_accounts: NewAccounts


@frozen
class SignUpSide:
    """What this server asks of new people, what they have completed of it, and their accounts."""

    rules: SignUpRules
    sessions: Sessions
    people: NewPeople
    captchas: Captchas
    names: Names
    phones: Phones


@frozen
class Rates:
    """How often somebody may begin what costs us something; `polls` is for each device alone."""

    registrations: Limiter
    authorizations: Limiter
    attempts: Limiter
    device_requests: Limiter
    recoveries: MailLimits
    email_codes: MailLimits
    factor_codes: MailLimits
    wrong_passkeys: Limiter
    sign_up_messages: MailLimits
    polls: Polls


@frozen
class Site:
    """One homeserver's authorization server, ready to answer."""

    homeserver: Homeserver
    config: Config
    issuer: Issuer
    clients: Clients
    people: People
    new_passwords: NewPasswords
    password_changes: PasswordChanges
    recoveries: Recoveries
    invitations: Invites
    login_tokens: LoginTokens
    legacy: LegacyLoginRules
    providers: ProviderSide
    sign_ups: SignUpSide
    devices: Devices
    token_check: TokenCheck
    application_services: ApplicationServices
    lifetimes: Lifetimes
    rates: Rates
    templates: Templates
    mailer: Mailer
    mailboxes: Mailboxes
    sign_in_codes: SignInCodes
    profiles: Profiles
    threepids: Threepids
    deactivation: Deactivation
    places: Places
    reading: Reading
    other_modules: OtherModules
    second_factors: SecondFactors
    rotations: Rotations
    resources: Resources
    # Where browsers believe us to be, as they write it; and how our cookie looks there.
    origin: str = attrs.field(init=False)
    cookies: Cookies = attrs.field(init=False)
    arrival_cookie: ArrivalCookie = attrs.field(init=False)
    link_cookie: LinkCookie = attrs.field(init=False)
    invitation_cookie: LinkCookie = attrs.field(init=False)
    choice_cookie: ChoiceCookie = attrs.field(init=False)

    @origin.default
    def _origin(self) -> str:
        return uris.origin(self.issuer.identifier)

    @cookies.default
    def _cookies(self) -> Cookies:
        is_https = self.origin.startswith("https:")
        return late.made(lambda: browser.Cookies(is_https=is_https))

    @arrival_cookie.default
    def _arrival_cookie(self) -> ArrivalCookie:
        return late.made(lambda: arrival_cookie.ArrivalCookie(is_https=self.cookies.is_https))

    @link_cookie.default
    def _link_cookie(self) -> LinkCookie:
        return late.made(lambda: link_cookie.LinkCookie(is_https=self.cookies.is_https))

    @invitation_cookie.default
    def _invitation_cookie(self) -> LinkCookie:
        return late.made(
            lambda: link_cookie.LinkCookie(is_https=self.cookies.is_https, label="invitation")
        )

    @choice_cookie.default
    def _choice_cookie(self) -> ChoiceCookie:
        return late.made(lambda: choices.ChoiceCookie(is_https=self.cookies.is_https))

    @property
    def arrive_url(self) -> str:
        """Where people come back to from a provider."""
        return f"{self.issuer.identifier}arrive"

    @property
    def has_code_sign_in(self) -> bool:
        """Whether anybody signs in by a code that a mail brings."""
        return self.config.sign_in.email_codes and self.sign_in_codes.is_on

    @property
    def server_name(self) -> str:
        """The homeserver's name, as it stands in Matrix ids."""
        return self.homeserver.server_name

    def now(self) -> int:
        """Return the time in seconds since the epoch."""
        return self.homeserver.now()
