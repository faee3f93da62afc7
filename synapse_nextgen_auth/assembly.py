"""Putting the parts together, once the ground is known to be what they need."""

import logging
from typing import Any
from urllib.parse import urlsplit

import attrs
from synapse.config.homeserver import HomeServerConfig
from synapse.module_api import ModuleApi

from synapse_nextgen_auth import config as configuration
from synapse_nextgen_auth.accounts.attempts.sign_ups import CAPTCHA
from synapse_nextgen_auth.accounts.hashes import Costs
from synapse_nextgen_auth.accounts.legacy_login import LegacyLoginRules
from synapse_nextgen_auth.accounts.management import Action
from synapse_nextgen_auth.accounts.outbox import (
    AddEmailPusher,
    Ask,
    EndQuestion,
    JoinRoom,
    Recover,
    RemovePushers,
    SendMail,
    SendNotice,
    SendSignInCode,
    ShowQuestion,
    SignOutDevices,
    Tell,
)
from synapse_nextgen_auth.accounts.sign_ins import BrowserLifetimes
from synapse_nextgen_auth.config import Config, Passwords, Registration
from synapse_nextgen_auth.homeserver import places
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth import admin_refusal, checker
from synapse_nextgen_auth.homeserver.auth.activity import Activity
from synapse_nextgen_auth.homeserver.auth.farewells import Farewells
from synapse_nextgen_auth.homeserver.auth.token_check import TokenCheck
from synapse_nextgen_auth.homeserver.clients.known_clients import KnownClients
from synapse_nextgen_auth.homeserver.clients.registered import Clients
from synapse_nextgen_auth.homeserver.database import schema
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Devices
from synapse_nextgen_auth.homeserver.devices.pushers import Pushers
from synapse_nextgen_auth.homeserver.extensions import OtherModules
from synapse_nextgen_auth.homeserver.http import Tree
from synapse_nextgen_auth.homeserver.limits import Limited, Limiter
from synapse_nextgen_auth.homeserver.mail import Mailer
from synapse_nextgen_auth.homeserver.mail_limits import MailLimits, Shares
from synapse_nextgen_auth.homeserver.matrix import discovery
from synapse_nextgen_auth.homeserver.matrix.legacy_login import SsoGate, SsoRedirect
from synapse_nextgen_auth.homeserver.matrix.rendezvous import RendezvousHandler
from synapse_nextgen_auth.homeserver.matrix.rendezvous import Room as MeetingRoom
from synapse_nextgen_auth.homeserver.matrix.uia.gate import BrowserUiAuth
from synapse_nextgen_auth.homeserver.notices import Notices, Sources
from synapse_nextgen_auth.homeserver.notices_room import Room
from synapse_nextgen_auth.homeserver.outbox import Outbox
from synapse_nextgen_auth.homeserver.people.accounts import People
from synapse_nextgen_auth.homeserver.people.availability import Names
from synapse_nextgen_auth.homeserver.people.captchas import Captchas
from synapse_nextgen_auth.homeserver.people.deactivation import Deactivation
from synapse_nextgen_auth.homeserver.people.hashing import PasswordHashes
from synapse_nextgen_auth.homeserver.people.invitations import Invites
from synapse_nextgen_auth.homeserver.people.login_tokens import LoginTokens
from synapse_nextgen_auth.homeserver.people.mailboxes import Mailboxes
from synapse_nextgen_auth.homeserver.people.new_passwords import NewPasswords
from synapse_nextgen_auth.homeserver.people.password_changes import PasswordChanges
from synapse_nextgen_auth.homeserver.people.phones import Phones
from synapse_nextgen_auth.homeserver.people.profiles import Profiles
from synapse_nextgen_auth.homeserver.people.providers import redirect
from synapse_nextgen_auth.homeserver.people.providers.desk import Desk
from synapse_nextgen_auth.homeserver.people.providers.icons import Icons
from synapse_nextgen_auth.homeserver.people.providers.listing import Providers
from synapse_nextgen_auth.homeserver.people.providers.logout import ProviderLogouts
from synapse_nextgen_auth.homeserver.people.providers.new_accounts import NewAccounts
from synapse_nextgen_auth.homeserver.people.recoveries import Recoveries
from synapse_nextgen_auth.homeserver.people.sign_in_codes import SignInCodes
from synapse_nextgen_auth.homeserver.people.sign_ups.demands import SignUpRules
from synapse_nextgen_auth.homeserver.people.sign_ups.new_people import NewPeople
from synapse_nextgen_auth.homeserver.people.sign_ups.sessions import Sessions
from synapse_nextgen_auth.homeserver.people.threepids import Threepids
from synapse_nextgen_auth.homeserver.polls import Polls
from synapse_nextgen_auth.homeserver.questions import Questions
from synapse_nextgen_auth.homeserver.signing import Signing
from synapse_nextgen_auth.homeserver.startup import (
    internals,
    password_costs,
    patches,
    refusal,
    selfcheck,
    settings,
)
from synapse_nextgen_auth.homeserver.startup.lifetimes import effective_lifetimes
from synapse_nextgen_auth.homeserver.upkeep.housekeeping import Housekeeping
from synapse_nextgen_auth.oauth import metadata, uris
from synapse_nextgen_auth.oauth.clients import jwks
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.configured import StaticClient
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.clients.redirects import RedirectRules, rules_at
from synapse_nextgen_auth.oauth.clients.registration_rules import RegistrationRules
from synapse_nextgen_auth.oauth.grants.grant_types import GRANT_TYPES
from synapse_nextgen_auth.oauth.hosts import Listed
from synapse_nextgen_auth.oauth.metadata import Abilities, Endpoints
from synapse_nextgen_auth.oauth.rates import Rate
from synapse_nextgen_auth.oauth.rendezvous import LIFETIME, share
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store.migrations import SchemaRefused
from synapse_nextgen_auth.web import browser, dispatch, mails, series, sign_ups
from synapse_nextgen_auth.web.clients import hash_secret
from synapse_nextgen_auth.web.endpoints import rendezvous
from synapse_nextgen_auth.web.pages.legacy_login import legacy_login
from synapse_nextgen_auth.web.pages.message import error
from synapse_nextgen_auth.web.pages.providers import trouble
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.routes import ROOTS
from synapse_nextgen_auth.web.site import (
    Issuer,
    Lifetimes,
    ProviderSide,
    Rates,
    SignUpSide,
    Site,
)
from synapse_nextgen_auth.web.templates import Templates
from synapse_nextgen_auth.web.translations import Languages

logger = logging.getLogger(__name__)

# Mails with a code to sign in. Who guesses them has 864 tries a day at one address, from all networks
# together, of a million codes; and its owner has them by mail.
_SIGN_IN_CODES = Shares(
    network=Rate(1 / 60, 20), of_mailbox=Rate(1 / 900, 5), mailbox=Rate(1 / 600, 10)
)


def start(config: Config, api: ModuleApi, *, module: type) -> None:
    """Start as the authorization server; `module` is the class that homeserver.yaml names."""
    hs_config = api._hs.config  # noqa: SLF001 (the module API has no other way)
    tried = password_costs.look(config.passwords)
    problems = [
        *selfcheck.listed_twice(hs_config, module),
        *selfcheck.config_problems(hs_config, config),
        *tried.problems,
        *mails.problems(config),
        *places.problems(config),
    ]
    if problems:
        refusal.refuse_start(problems)
    for text in (*selfcheck.warnings(), *tried.warnings):
        logger.warning("About this environment: %s", text)
    try:
        schema.prepare(api._hs)  # noqa: SLF001 (the module API has no other way)
    except SchemaRefused as refused:
        refusal.refuse_start([str(refused)])
    site = build(config, Homeserver(api))
    for root in ROOTS:
        if root.is_served(config):
            api.register_web_resource(root.path, Tree(dispatch.handler(site, root)))
    discovery.announce(
        site.homeserver,
        site.issuer.endpoints,
        site.issuer.document,
        rendezvous_handler=_rendezvous_handler(site),
        legacy=site.legacy,
        keys=site.issuer.keys,
        people=site.people,
    )
    _take_arrivals(site)
    checker.install(site.homeserver, site.token_check)
    admin_refusal.install()
    site.devices.watch()
    begin_outbox(site.homeserver, site.devices, site)
    site.people.hashes.install()
    site.invitations.install()
    ProviderLogouts(site.homeserver, site.devices, config.providers.backchannel_logout).watch()
    Farewells(site.homeserver).watch()
    series.begin_at_zero(site.homeserver.metrics)
    BrowserUiAuth(
        site.homeserver,
        site.token_check,
        site.issuer.endpoints,
        confirm_legacy=site.legacy.confirms_here,
    )
    Housekeeping(
        site.homeserver,
        site.issuer.signing,
        events=config.events,
        browsers=site.lifetimes.browsers,
        unused_clients_after=config.client_registration.unused_lifetime,
        idle_without_device=site.lifetimes.sessions.idle_without_device,
    ).start()
    for change in patches.changes():
        logger.debug("In Synapse %s has ours %s: %s", change.name, change.how, change.ours)
    logger.info("synapse_nextgen_auth is the authorization server %s", site.issuer.identifier)
    if config.drain:
        logger.info("synapse_nextgen_auth takes no new sign-ins (drain: true)")
    # Other modules, which may check passwords, come after this one.
    reactor: Any = site.homeserver.hs.get_reactor()
    reactor.callLater(0, _warn_if_closed, site)


def _take_arrivals(site: Site) -> None:
    """Let sign-ins through providers that began on our pages end there, on every process."""
    desk = Desk(
        site.homeserver,
        site.issuer.keys,
        arrive_url=site.arrive_url,
        cookie=site.arrival_cookie,
        browser=lambda incoming: browser.binding_of(site.cookies.read(incoming)),
        show=lambda incoming, *what: trouble.show(site, Reader(site, incoming), *what),
    )
    page_url, legacy = site.issuer.endpoints.url("legacy-sign-in"), None
    if site.legacy.through_us:
        legacy = SsoRedirect(site.legacy, page_url)
    gate = SsoGate(
        site.homeserver,
        site.legacy,
        lambda incoming: error.show(site, Reader(site, incoming), legacy_login.closed()),
        page_url=page_url,
        has_stages=lambda: bool(site.other_modules.stages),
    )
    redirect.announce(site.homeserver.hs, site.providers.known, desk, legacy=legacy, gate=gate)


def rest(api: ModuleApi) -> None:
    """Let every endpoint say "later", and keep what must hold until the line is gone."""
    for root in ROOTS:
        if root.rests:
            api.register_web_resource(root.path, Tree(dispatch.resting(root)))
    hs = api._hs  # noqa: SLF001 (the module API has no other way)
    if internals.problems() or not schema.is_ready(hs):
        logger.warning(
            "The tables of this module are not those of this release: what is changed meanwhile,"
            " a password for instance, ends nothing in them"
        )
        return
    # Whoever changes a password because of a thief is rid of the thief when the module is on again.
    homeserver = Homeserver(api)
    devices = Devices(homeserver)
    devices.watch()
    begin_outbox(homeserver, devices)
    # What is for one name or address alone does not become anybody's meanwhile.
    Invites(homeserver, configuration.Invitations()).install()
    # People go on signing in with the passwords they have.
    _hashes(homeserver, Passwords()).install(change_kept=False)


def _hashes(homeserver: Homeserver, options: Passwords) -> PasswordHashes:
    costs = Costs(options.argon2_memory, options.argon2_iterations, options.argon2_parallelism)
    return PasswordHashes(homeserver, hashing=options.hashing, costs=costs)


def begin_outbox(homeserver: Homeserver, devices: Devices, site: Site | None = None) -> None:
    """Let the main process do what waits for it; without a `site` mails go on waiting."""
    outbox = Outbox(homeserver)
    pushers = Pushers(homeserver)
    outbox.does(RemovePushers, pushers.remove)
    outbox.does(AddEmailPusher, pushers.add_for_email)
    outbox.does(SignOutDevices, devices.finish_sign_out)
    if site is not None:
        outbox.does(SendMail, site.mailer.send)
        outbox.does(Recover, site.recoveries.answer)
        outbox.does(SendSignInCode, site.sign_in_codes.send)
        outbox.does(JoinRoom, site.invitations.join)
        outbox.does(Tell, site.notices.tell)
        outbox.does(SendNotice, site.notices.room.send)
        outbox.does(Ask, site.questions.show)
        outbox.does(ShowQuestion, site.questions.say)
        outbox.does(EndQuestion, site.questions.end)
        site.notices.begin(site.questions.told)
    outbox.start()


def _warn_if_closed(site: Site) -> None:
    ways = site.people.passwords.ways or site.providers.known.all() or site.sign_in_codes.is_on
    if not ways:
        why = settings.no_way_in(site.homeserver.hs.config)
        logger.warning("Nobody can sign in on the pages of this module: %s", why)


def build(config: Config, homeserver: Homeserver) -> Site:
    """Put the parts together; nothing is patched or served yet."""
    hs_config = homeserver.hs.config
    keys = keyring(config, hs_config)
    endpoints = Endpoints.under(homeserver.public_baseurl)
    templates = Templates(urlsplit(endpoints.issuer).path)
    sign_up_rules = SignUpRules(
        homeserver.hs,
        pages=sign_ups.PAGES,
        also=frozenset({CAPTCHA} if config.captcha.kind else ()),
        is_closed=config.drain,
    )
    issuer = _issuer(
        config,
        homeserver,
        keys,
        endpoints,
        languages=templates.languages.tags,
        sign_up=sign_up_rules.is_open,
    )
    lifetimes = effective_lifetimes(config, hs_config)
    people = People(homeserver, _hashes(homeserver, config.passwords))
    changes = PasswordChanges(homeserver)
    providers = Providers(homeserver.hs, trusted_to_be_fresh=config.providers.trusted_to_be_fresh)
    sessions, threepids = config.sessions, Threepids(homeserver)
    mailer, mailboxes = (
        _mailer(config, homeserver, keys, templates.languages),
        Mailboxes(homeserver),
    )
    known_places = places.Places(config.geoip.database)
    clients = Clients(
        homeserver,
        configured={written.client.client_id: _hashed(written) for written in config.clients},
        known=KnownClients(homeserver),
        registration_rules=RegistrationRules(
            grant_types=frozenset(issuer.abilities.grant_types),
            redirects=_redirect_rules(issuer.identifier, config.client_registration),
        ),
    )
    sources = Sources(people, clients, mailboxes, known_places, endpoints.url("account"))
    room = Room(homeserver, people, keys, mailer.write)
    return Site(
        homeserver=homeserver,
        config=config,
        issuer=issuer,
        clients=clients,
        people=people,
        new_passwords=NewPasswords(homeserver, config.passwords),
        password_changes=changes,
        recoveries=Recoveries(
            homeserver, people, changes, keys, page_url=endpoints.url("set-password")
        ),
        invitations=Invites(homeserver, config.invitations),
        login_tokens=LoginTokens(homeserver),
        legacy=_legacy_login(config),
        providers=ProviderSide(
            known=providers,
            icons=Icons(homeserver.hs, providers),
            new_accounts=NewAccounts(homeserver),
        ),
        sign_ups=_sign_ups(config, homeserver, endpoints, sign_up_rules),
        devices=Devices(homeserver),
        token_check=TokenCheck(
            homeserver, people, keys, lifetimes, Activity(homeserver, lifetimes)
        ),
        lifetimes=Lifetimes(
            sessions=lifetimes,
            browsers=BrowserLifetimes(sessions.browser_idle_lifetime, sessions.browser_lifetime),
            fresh=config.account.fresh_for,
        ),
        rates=Rates(
            registrations=Limiter(
                homeserver,
                Limited.CLIENT_REGISTRATION,
                Rate(config.client_registration.per_second, config.client_registration.burst),
                path="/clients/register",
                option="client_registration.burst",
            ),
            authorizations=Limiter(
                homeserver,
                Limited.AUTHORIZATION,
                Rate(config.authorization.per_second, config.authorization.burst),
                path="/authorize",
                option="authorization.burst",
            ),
            attempts=Limiter(
                homeserver,
                Limited.ATTEMPT,
                Rate(config.authorization.per_second, config.authorization.burst),
                path="/sign-in",
                option="authorization.burst",
            ),
            device_requests=Limiter(
                homeserver,
                Limited.DEVICE_AUTHORIZATION,
                Rate(config.device_grants.per_second, config.device_grants.burst),
                path="/device-authorization",
                option="device_grants.burst",
            ),
            recoveries=MailLimits(
                homeserver,
                keys,
                Shares.as_synapse(homeserver),
                kind=(Limited.RECOVERY, Limited.RECOVERY_SHARE, Limited.RECOVERY_MAILBOX),
                path="/recover",
            ),
            email_codes=MailLimits(
                homeserver,
                keys,
                _SIGN_IN_CODES,
                kind=(Limited.EMAIL_CODE, Limited.EMAIL_CODE_SHARE, Limited.EMAIL_CODE_ADDRESS),
                path="/sign-in-email",
                option="the share of a network or an address",
            ),
            sign_up_messages=MailLimits(
                homeserver,
                keys,
                Shares.as_synapse(homeserver),
                kind=(Limited.SIGN_UP_MESSAGE, Limited.SIGN_UP_SHARE, Limited.SIGN_UP_ADDRESS),
                path="/register",
            ),
            polls=Polls(homeserver),
        ),
        templates=templates,
        mailer=mailer,
        mailboxes=mailboxes,
        places=known_places,
        notices=Notices(homeserver, config, keys, sources, room),
        questions=Questions(homeserver, config, sources, room, endpoints),
        sign_in_codes=SignInCodes(
            is_wanted=config.sign_in.email_codes,
            keys=keys,
            people=people,
            providers=providers,
            mailboxes=mailboxes,
            mailer=mailer,
        ),
        profiles=Profiles(homeserver, people),
        threepids=threepids,
        deactivation=Deactivation(homeserver, threepids),
        other_modules=OtherModules(homeserver),
    )


def _mailer(config: Config, homeserver: Homeserver, keys: Keyring, languages: Languages) -> Mailer:
    written = mails.Mails.of(config, languages, server_name=homeserver.server_name)
    if homeserver.is_main:
        written.compile()
    return Mailer(homeserver, keys, written.write)


def _sign_ups(
    config: Config, homeserver: Homeserver, endpoints: Endpoints, rules: SignUpRules
) -> SignUpSide:
    sessions = Sessions(homeserver, urlsplit(endpoints.url("register")).path)
    return SignUpSide(
        rules=rules,
        sessions=sessions,
        people=NewPeople(homeserver, sessions),
        names=Names(homeserver),
        phones=Phones(homeserver),
        captchas=Captchas(
            homeserver, config.captcha, host=urlsplit(uris.origin(endpoints.issuer)).hostname or ""
        ),
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
    )


def _issuer(
    config: Config,
    homeserver: Homeserver,
    keys: Keyring,
    endpoints: Endpoints,
    *,
    languages: tuple[str, ...],
    sign_up: bool,
) -> Issuer:
    abilities = Abilities(
        grant_types=_grant_types(config),
        auth_methods=tuple(method.value for method in AuthMethod),
        signing_algorithms=jwks.ALGORITHMS,
        registration=config.client_registration.enabled,
        account_actions=tuple(action.value for action in Action),
        languages=languages,
        sign_up=sign_up,
    )
    return Issuer(
        endpoints=endpoints,
        abilities=abilities,
        document=metadata.encode(metadata.document(endpoints, abilities)),
        keys=keys,
        signing=Signing(homeserver, keys),
    )


def _redirect_rules(issuer: str, options: Registration) -> RedirectRules:
    return attrs.evolve(
        rules_at(issuer, allow_loopback_web=options.allow_loopback_web),
        listed=Listed.of(options.public_hosts),
        allow_without_client_uri=options.allow_without_client_uri,
        allow_other_hosts=options.allow_other_hosts,
    )


def _rendezvous_handler(site: Site) -> RendezvousHandler | None:
    """Return where devices meet for a QR code, if they may."""
    options = site.config.device_grants
    if not rendezvous.is_offered(site.config):
        return None
    rate = share(Rate(options.per_second, options.burst), lifetime=max(options.lifetime, LIFETIME))
    limiter = Limiter(
        site.homeserver,
        Limited.RENDEZVOUS,
        rate,
        path="/rendezvous",
        option="device_grants.burst or the share of a network",
    )
    return RendezvousHandler(
        site.homeserver, limiter, options.lifetime, MeetingRoom(site.homeserver)
    )


def keyring(config: Config, hs_config: HomeServerConfig) -> Keyring:
    """Return the keys: from the module's secret, else from Synapse's `macaroon_secret_key`."""
    master = (
        config.secret.reveal().encode("utf-8")
        if config.secret
        else hs_config.key.macaroon_secret_key
    )
    return Keyring.of(master, [old.reveal().encode("utf-8") for old in config.previous_secrets])


def _grant_types(config: Config) -> tuple[str, ...]:
    return tuple(kind.name for kind in GRANT_TYPES if configuration.is_enabled(config, kind))


def _hashed(written: StaticClient) -> Client:
    """Forget the secret of a configured client as soon as it can be checked without."""
    if written.secret is None:
        return written.client
    return attrs.evolve(written.client, secret_hash=hash_secret(written.secret))
