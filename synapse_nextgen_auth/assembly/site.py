"""The parts of the site, put together."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.hashes import Costs
from synapse_nextgen_auth.accounts.legacy_login import LegacyLoginRules
from synapse_nextgen_auth.accounts.sign_ins import BrowserLifetimes
from synapse_nextgen_auth.assembly.clients import clients
from synapse_nextgen_auth.assembly.issuer import factor_policy, issuer_of, keyring
from synapse_nextgen_auth.assembly.rates import rates
from synapse_nextgen_auth.config import Config, Passwords
from synapse_nextgen_auth.config.personal_tokens import AtLogin
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.activity import Activity
from synapse_nextgen_auth.homeserver.auth.token_check import TokenCheck
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Devices
from synapse_nextgen_auth.homeserver.people.accounts import People
from synapse_nextgen_auth.homeserver.people.deactivation import Deactivation
from synapse_nextgen_auth.homeserver.people.hashing import PasswordHashes
from synapse_nextgen_auth.homeserver.people.invitations import Invites
from synapse_nextgen_auth.homeserver.people.providers.listing import Providers
from synapse_nextgen_auth.homeserver.people.sign_ups.demands import SignUpRules
from synapse_nextgen_auth.homeserver.rotations import Rotations
from synapse_nextgen_auth.homeserver.startup.lifetimes import effective_lifetimes
from synapse_nextgen_auth.oauth import uris
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.oauth.step_up import StepUp
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.web import mail_texts
from synapse_nextgen_auth.web.site import (
    Lifetimes,
    ProviderSide,
    SignUpSide,
    Site,
)
from synapse_nextgen_auth.web.sources import Sources
from synapse_nextgen_auth.web.templates import Templates
from synapse_nextgen_auth.web.translations import Languages

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.attempts import sign_ups
    from synapse_nextgen_auth.homeserver import extensions
    from synapse_nextgen_auth.homeserver import mail as mailing
    from synapse_nextgen_auth.homeserver import places as places_file
    from synapse_nextgen_auth.homeserver.auth import application_services
    from synapse_nextgen_auth.homeserver.mail import Mailer
    from synapse_nextgen_auth.homeserver.people import (
        availability,
        captchas,
        login_tokens,
        mailboxes,
        new_passwords,
        password_changes,
        phones,
        profiles,
        reading,
        recoveries,
        second_factors,
        sign_in_codes,
        threepids,
    )
    from synapse_nextgen_auth.homeserver.people.providers import icons, new_accounts
    from synapse_nextgen_auth.homeserver.people.sign_ups import new_people
    from synapse_nextgen_auth.homeserver.people.sign_ups import sessions as sign_up_sessions
    from synapse_nextgen_auth.oauth import resources
    from synapse_nextgen_auth.web import mails, sign_up
    from synapse_nextgen_auth.web.brand.brand import Brand
else:
    (
        application_services,
        extensions,
        mailing,
        availability,
        captchas,
        login_tokens,
        mailboxes,
        new_passwords,
        password_changes,
        phones,
        profiles,
        reading,
        icons,
        new_accounts,
        recoveries,
        second_factors,
        sign_in_codes,
        new_people,
        sign_up_sessions,
        threepids,
        places_file,
        mails,
        sign_up,
        sign_ups,
        resources,
    ) = late.files(
        "homeserver.auth.application_services",
        "homeserver.extensions",
        "homeserver.mail",
        "homeserver.people.availability",
        "homeserver.people.captchas",
        "homeserver.people.login_tokens",
        "homeserver.people.mailboxes",
        "homeserver.people.new_passwords",
        "homeserver.people.password_changes",
        "homeserver.people.phones",
        "homeserver.people.profiles",
        "homeserver.people.reading",
        "homeserver.people.providers.icons",
        "homeserver.people.providers.new_accounts",
        "homeserver.people.recoveries",
        "homeserver.people.second_factors",
        "homeserver.people.sign_in_codes",
        "homeserver.people.sign_ups.new_people",
        "homeserver.people.sign_ups.sessions",
        "homeserver.people.threepids",
        "homeserver.places",
        "web.mails",
        "web.sign_up",
        "accounts.attempts.sign_ups",
        "oauth.resources",
    )


def build(config: Config, homeserver: Homeserver, brand: "Brand | None" = None) -> Site:
    """Put the parts together; nothing is patched or served yet."""
    hs_config = homeserver.hs.config
    keys = keyring(config, hs_config)
    endpoints = Endpoints.under(homeserver.public_baseurl)
    own = Path(config.templates) if config.templates is not None else None
    templates = Templates(urlsplit(endpoints.issuer).path, own=own, brand=brand)
    texts = mail_texts.of(config)
    sign_up_rules = SignUpRules(
        homeserver.hs,
        pages=lambda: frozenset(sign_up.PAGES),
        also=lambda: frozenset({sign_ups.CAPTCHA} if config.captcha.kind else ()),
        is_closed=config.drain,
    )
    other_modules = late.made(lambda: extensions.OtherModules(homeserver))
    homeserver.when_happened(
        lambda events: other_modules.hear(events),  # noqa: PLW0108 (made late)
        first=lambda: other_modules.hear,
    )
    issuer = issuer_of(
        config,
        homeserver,
        keys,
        endpoints,
        languages=templates.languages.tags,
        sign_up=sign_up_rules.is_open,
        has_rules=lambda: other_modules.have_factor_rules,
    )
    lifetimes = effective_lifetimes(config, hs_config)
    people = People(homeserver, hashes(homeserver, config.passwords))
    changes = late.made(lambda: password_changes.PasswordChanges(homeserver))
    providers = Providers(homeserver.hs, trusted_to_be_fresh=config.providers.trusted_to_be_fresh)
    sessions = config.sessions
    addresses = late.made(lambda: threepids.Threepids(homeserver))
    mailer = late.made(lambda: _mailer(texts, homeserver, keys, templates.languages, brand))
    boxes = late.made(lambda: mailboxes.Mailboxes(homeserver))
    return Site(
        homeserver=homeserver,
        config=config,
        issuer=issuer,
        clients=clients(config, homeserver, issuer),
        people=people,
        new_passwords=late.made(lambda: new_passwords.NewPasswords(homeserver, config.passwords)),
        password_changes=changes,
        recoveries=late.made(
            lambda: recoveries.Recoveries(
                homeserver, people, changes, keys, page_url=endpoints.url("set-password")
            )
        ),
        invitations=Invites(homeserver, config.invitations),
        login_tokens=late.made(lambda: login_tokens.LoginTokens(homeserver)),
        legacy=_legacy_login(config),
        providers=ProviderSide(
            known=providers,
            icons=late.made(lambda: icons.Icons(homeserver.hs, providers)),
            new_accounts=late.made(lambda: new_accounts.NewAccounts(homeserver)),
        ),
        sign_ups=_sign_ups(config, homeserver, endpoints, sign_up_rules),
        devices=Devices(homeserver),
        token_check=TokenCheck(
            homeserver,
            people,
            keys,
            lifetimes,
            Activity(homeserver, lifetimes),
            step_up=StepUp(config.step_up.requests) if config.step_up.requests else None,
        ),
        application_services=late.made(
            lambda: application_services.ApplicationServices(
                homeserver, keys, (each.client for each in config.clients)
            )
        ),
        lifetimes=Lifetimes(
            sessions=lifetimes,
            browsers=BrowserLifetimes(sessions.browser_idle_lifetime, sessions.browser_lifetime),
            fresh=config.account.fresh_for,
        ),
        rates=rates(config, homeserver, keys),
        templates=templates,
        mailer=mailer,
        mailboxes=boxes,
        places=late.made(lambda: places_file.Places(config.geoip.database)),
        reading=late.made(
            lambda: reading.Reading(homeserver, config.languages, templates.languages.tags)
        ),
        sign_in_codes=late.made(
            lambda: sign_in_codes.SignInCodes(
                is_wanted=config.sign_in.email_codes,
                keys=keys,
                people=people,
                providers=providers,
                mailboxes=boxes,
                mailer=mailer,
            )
        ),
        profiles=late.made(lambda: profiles.Profiles(homeserver, people)),
        threepids=addresses,
        deactivation=Deactivation(homeserver, addresses),
        other_modules=other_modules,
        second_factors=late.made(
            lambda: second_factors.SecondFactors(homeserver, factor_policy(config), other_modules)
        ),
        rotations=Rotations(homeserver),
        resources=late.made(lambda: resources.Resources(endpoints.issuer, config.resource_servers)),
    )


def hashes(homeserver: Homeserver, options: Passwords) -> PasswordHashes:
    """Return how passwords are kept."""
    costs = Costs(options.argon2_memory, options.argon2_iterations, options.argon2_parallelism)
    return PasswordHashes(homeserver, hashing=options.hashing, costs=costs)


def _mailer(
    texts: Sources,
    homeserver: Homeserver,
    keys: Keyring,
    languages: Languages,
    brand: "Brand | None",
) -> "Mailer":
    written = mails.Mails(texts, languages, server_name=homeserver.server_name, brand=brand)
    return mailing.Mailer(homeserver, keys, written.write)


def _sign_ups(
    config: Config, homeserver: Homeserver, endpoints: Endpoints, rules: SignUpRules
) -> SignUpSide:
    path = urlsplit(endpoints.url("register")).path
    sessions = late.made(lambda: sign_up_sessions.Sessions(homeserver, path))
    host = urlsplit(uris.origin(endpoints.issuer)).hostname or ""
    return SignUpSide(
        rules=rules,
        sessions=sessions,
        people=late.made(lambda: new_people.NewPeople(homeserver, sessions)),
        names=late.made(lambda: availability.Names(homeserver)),
        phones=late.made(lambda: phones.Phones(homeserver)),
        captchas=late.made(lambda: captchas.Captchas(homeserver, config.captcha, host=host)),
    )


def _legacy_login(config: Config) -> LegacyLoginRules:
    options = config.legacy_login
    return LegacyLoginRules(
        password=options.password,
        sso=options.sso,
        jwt=options.jwt,
        prefer_oauth=options.prefer_oauth and not config.drain,
        # Who leaves us leads people the ways that Synapse has.
        through_us=not config.drain,
        confirms_here=options.confirm_in_browser and not config.drain,
        takes_tokens=config.personal_tokens.at_login is not AtLogin.REFUSED,
        offers_tokens=config.personal_tokens.at_login is AtLogin.OFFERED,
    )
