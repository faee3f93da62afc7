"""Starting as the authorization server, or resting where the module is switched off."""

import logging
from typing import TYPE_CHECKING, Any

from synapse.module_api import ModuleApi

from synapse_nextgen_auth import config as configuration
from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.factors.policy import LegacyLogins
from synapse_nextgen_auth.assembly.kept import Kept
from synapse_nextgen_auth.assembly.outbox import begin_outbox
from synapse_nextgen_auth.assembly.rates import rendezvous_handler
from synapse_nextgen_auth.assembly.site import build, hashes
from synapse_nextgen_auth.config import Config, Languages, Passwords
from synapse_nextgen_auth.config.step_up import asks_nobody
from synapse_nextgen_auth.homeserver import raw_forms
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth import admin_refusal, checker
from synapse_nextgen_auth.homeserver.auth.farewells import Farewells
from synapse_nextgen_auth.homeserver.database import order_of_news, schema
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Devices
from synapse_nextgen_auth.homeserver.devices.watch import Watch
from synapse_nextgen_auth.homeserver.http import Tree
from synapse_nextgen_auth.homeserver.matrix import discovery, narrow_answers
from synapse_nextgen_auth.homeserver.matrix.legacy_login import SsoGate, SsoRedirect
from synapse_nextgen_auth.homeserver.matrix.old_doors import OldDoors
from synapse_nextgen_auth.homeserver.matrix.uia.gate import BrowserUiAuth
from synapse_nextgen_auth.homeserver.people import pasted_tokens, written_addresses
from synapse_nextgen_auth.homeserver.people.changed_by_synapse import ChangedBySynapse
from synapse_nextgen_auth.homeserver.people.closings import Closings
from synapse_nextgen_auth.homeserver.people.invitations import Invites
from synapse_nextgen_auth.homeserver.people.providers import announced
from synapse_nextgen_auth.homeserver.people.providers.logout import ProviderLogouts
from synapse_nextgen_auth.homeserver.startup import (
    internals,
    password_costs,
    patches,
    refusal,
    selfcheck,
    settings,
)
from synapse_nextgen_auth.late import Broken
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.store.migrations import SchemaRefused
from synapse_nextgen_auth.web import dispatch, series
from synapse_nextgen_auth.web.later import later
from synapse_nextgen_auth.web.routes import ROOTS
from synapse_nextgen_auth.web.site import (
    Site,
)

if TYPE_CHECKING:
    from synapse.http.server import HttpServer
    from synapse.server import HomeServer

    from synapse_nextgen_auth.flows import service_accounts
    from synapse_nextgen_auth.homeserver import places
    from synapse_nextgen_auth.homeserver.matrix import application_passwords
    from synapse_nextgen_auth.homeserver.people.providers import desk, redirect, seams
    from synapse_nextgen_auth.homeserver.people.providers.desk import Desk
    from synapse_nextgen_auth.homeserver.upkeep import housekeeping
    from synapse_nextgen_auth.web import browser, language_options, readers
    from synapse_nextgen_auth.web.brand import brand
    from synapse_nextgen_auth.web.brand.brand import Brand
    from synapse_nextgen_auth.web.own_templates import faults as own_templates
    from synapse_nextgen_auth.web.own_templates import mail_faults
    from synapse_nextgen_auth.web.pages.message import error
else:
    (
        service_accounts,
        places,
        application_passwords,
        redirect,
        desk,
        seams,
        housekeeping,
        language_options,
        mail_faults,
        brand,
        own_templates,
        browser,
        readers,
        error,
    ) = late.files(
        "flows.service_accounts",
        "homeserver.places",
        "homeserver.matrix.application_passwords",
        "homeserver.people.providers.redirect",
        "homeserver.people.providers.desk",
        "homeserver.people.providers.seams",
        "homeserver.upkeep.housekeeping",
        "web.language_options",
        "web.own_templates.mail_faults",
        "web.brand.brand",
        "web.own_templates.faults",
        "web.browser",
        "web.readers",
        "web.pages.message.error",
    )

logger = logging.getLogger(__name__)

# Seconds after which a process that answers does what whoever starts it need not wait for.
_BEGIN_AFTER = 1
# Seconds after which chores are tried again that could not begin.
_AGAIN_AFTER = 60
# Nobody upgrades what has just been started.
_KEEP_AFTER = 5
# Seconds after which a process that hears nothing of others looks again, or sooner: see `live.py`.
_DOUBTED_AFTER = 300
_legacy_login = later("pages.legacy_login.legacy_login")
_trouble = later("pages.providers.trouble")


def start(config: Config, api: ModuleApi, *, module: type) -> None:
    """Start as the authorization server; `module` is the class that homeserver.yaml names."""
    hs_config = api._hs.config  # noqa: SLF001 (the module API has no other way)
    tried = password_costs.look(config.passwords)
    own, own_problems = _brand(config)
    problems = [
        *selfcheck.listed_twice(hs_config, module),
        *selfcheck.config_problems(hs_config, config),
        *tried.problems,
        *(mail_faults.problems(config) if config.mail.templates or config.templates else ()),
        *(own_templates.problems(config) if config.templates is not None else ()),
        *(places.problems(config) if config.geoip.database is not None else ()),
        *(language_options.problems(config) if config.languages != Languages() else ()),
        *own_problems,
    ]
    if problems:
        refusal.refuse_start(problems)
    for text in (*selfcheck.warnings(), *tried.warnings):
        logger.warning("About this environment: %s", text)
    try:
        schema.prepare(api._hs)  # noqa: SLF001 (the module API has no other way)
    except SchemaRefused as refused:
        refusal.refuse_start([str(refused)])
    site = build(config, Homeserver(api), own)
    raw_forms.leave_alone(PREFIX)
    for root in ROOTS:
        if root.is_served(config):
            api.register_web_resource(root.path, Tree(dispatch.handler(site, root)))
    legacy_logins = config.factors.legacy_logins
    doors = OldDoors(
        site.homeserver,
        site.second_factors,
        legacy_logins.while_draining() if config.drain else legacy_logins,
        account_url=site.issuer.endpoints.url("account"),
    )
    discovery.announce(
        site.homeserver,
        site.issuer.endpoints,
        site.issuer.document,
        rendezvous_handler=rendezvous_handler(site),
        legacy=site.legacy,
        keys=site.issuer.keys,
        people=site.people,
        doors=doors,
        passwords=late.made(
            lambda: application_passwords.ApplicationPasswords(site.homeserver, site.token_check)
        ),
    )
    _take_arrivals(site)
    order_of_news.keep(site.homeserver.hs)
    checker.install(site.homeserver, site.token_check)
    site.homeserver.live.watch(every=min(site.lifetimes.sessions.access_token, _DOUBTED_AFTER))
    if any(each.client.application_service for each in config.clients):
        site.application_services.install()
    admin_refusal.install()
    written_addresses.install()
    narrow_answers.install(site.homeserver.hs)
    closings = Closings(site.homeserver, site.issuer.keys)
    # Before others who take part in these changes: what went wrong there is told all the same.
    changed = ChangedBySynapse(site.homeserver, site.issuer.keys, closings)
    changed.install()
    Watch(site.homeserver, site.devices).begin()
    closings.install()
    begin_outbox(site.homeserver, site.devices, closings, site, changed)
    site.people.hashes.install()
    pasted_tokens.install(site.homeserver)
    site.invitations.install()
    ProviderLogouts(site.homeserver, site.devices, config.providers.backchannel_logout).watch()
    Farewells(site.homeserver).watch()
    series.begin_at_zero(site.homeserver.metrics)
    BrowserUiAuth(
        site.homeserver,
        site.token_check,
        site.issuer.endpoints,
        confirm_legacy=site.legacy.confirms_here,
        doors=doors,
    )
    for change in patches.changes():
        logger.debug("In Synapse %s has ours %s: %s", change.name, change.how, change.ours)
    logger.info("synapse_nextgen_auth is the authorization server %s", site.issuer.identifier)
    if config.drain:
        logger.info("synapse_nextgen_auth takes no new sign-ins (drain: true)")
    reactor: Any = site.homeserver.hs.get_reactor()
    reactor.callLater(_KEEP_AFTER, reactor.callInThread, Kept().install().read)
    # In the next turn it listens.
    reactor.callLater(0, reactor.callLater, _BEGIN_AFTER, _go_on, site)


def _go_on(site: Site) -> None:
    """Begin the chores, and say what only shows once all modules are there."""
    if site.homeserver.hs.config.worker.run_background_tasks:
        _begin_chores(site)
    # Other modules, which may check passwords or say who needs a second factor, came after this one.
    _warn_of_factors(site)
    _warn_if_closed(site)


def _begin_chores(site: Site) -> None:
    """Begin them, or try again for as long as a file is not whole, as in the middle of an upgrade."""
    try:
        _keep_house(site)
    except Broken as broken:
        logger.error("The chores of this module have not begun, and are tried again: %s", broken)  # noqa: TRY400 (it says all)
        reactor: Any = site.homeserver.hs.get_reactor()
        reactor.callLater(_AGAIN_AFTER, _begin_chores, site)


def _brand(config: Config) -> "tuple[Brand | None, list[str]]":
    """Read the operator's brand, where there is one; whoever has none imports nothing for it."""
    if not config.branding.is_set:
        return None, []
    found = brand.read(config.branding, default=config.languages.default)
    for text in found.warnings:
        logger.warning("About the look of pages: %s", text)
    return found.brand, found.problems


def _keep_house(site: Site) -> None:
    config = site.config
    keeping = housekeeping.Keeping(
        events=config.events,
        browsers=site.lifetimes.browsers,
        unused_clients_after=config.client_registration.unused_lifetime,
        idle_without_device=site.lifetimes.sessions.idle_without_device,
        services=service_accounts.written(config.clients, site.homeserver.server_name),
    )
    housekeeping.Housekeeping(site.homeserver, site.issuer.signing, keeping).start()


def _take_arrivals(site: Site) -> None:
    """Let sign-ins through providers that began on our pages end there, on every process."""
    page_url, legacy = site.issuer.endpoints.url("legacy-sign-in"), None
    if site.legacy.through_us:
        legacy = SsoRedirect(site.legacy, page_url)
    gate = SsoGate(
        site.homeserver,
        site.legacy,
        lambda incoming: error.show(site, readers.Reader(site, incoming), _legacy_login.closed()),
        page_url=page_url,
        has_stages=lambda: bool(site.other_modules.stages) or site.second_factors.is_on,
    )
    known, taken = site.providers.known, late.made(lambda: _desk(site))
    ends = late.made(lambda: seams.Seams(known, taken, gate))

    def serve(hs: "HomeServer", http_server: "HttpServer") -> None:
        ends.install(hs)
        redirect.serve(hs, http_server, providers=known, desk=taken, legacy=legacy, gate=gate)

    announced.announce(site.homeserver.hs, known, serve)


def _desk(site: Site) -> "Desk":
    return desk.Desk(
        site.homeserver,
        site.issuer.keys,
        arrive_url=site.arrive_url,
        cookie=site.arrival_cookie,
        browser=lambda incoming: browser.binding_of(site.cookies.read(incoming)),
        show=lambda incoming, *what: _trouble.show(site, readers.Reader(site, incoming), *what),
    )


def rest(api: ModuleApi) -> None:
    """Let every endpoint say "later", and keep what must hold until the line is gone."""
    for root in ROOTS:
        if root.rests:
            api.register_web_resource(root.path, Tree(dispatch.resting(root)))
    hs = api._hs  # noqa: SLF001 (the module API has no other way)
    if problems := internals.problems():
        logger.warning(
            "What is changed meanwhile, a password for instance, ends nothing in the tables of this"
            " module: %s",
            problems[0],
        )
        return
    if not schema.is_ready(hs):
        logger.warning(
            "The tables of this module are not those of this release: what is changed meanwhile,"
            " a password for instance, ends nothing in them"
        )
        return
    for missing in selfcheck.packages_missing():
        logger.warning("%s Until then who needs it cannot sign in", missing)
    # Whoever changes a password because of a thief is rid of the thief when the module is on again.
    homeserver = Homeserver(api)
    order_of_news.keep(hs)
    devices = Devices(homeserver)
    Watch(homeserver, devices).begin()
    closings = Closings(homeserver, None)
    closings.install()
    begin_outbox(homeserver, devices, closings)
    # What is for one name or address alone does not become anybody's meanwhile.
    Invites(homeserver, configuration.Invitations()).install()
    # People go on signing in with the passwords they have.
    hashes(homeserver, Passwords()).install(change_kept=False)


def _warn_of_factors(site: Site) -> None:
    """Say what other modules decide that come after this one, or do not."""
    config = site.config
    if site.second_factors.is_on:
        if config.drain and config.factors.legacy_logins is LegacyLogins.REFUSE:
            logger.warning(
                "While this server drains, accounts with a second factor sign in without it in"
                " applications that ask for the password: factors.legacy_logins counts as warn"
            )
        return
    if (asked := asks_nobody(config.step_up, config.factors)) is not None:
        logger.warning(
            "step_up.requests: %s takes two factors, and nobody has two: no module says who needs"
            " them, and factors.policy is off",
            asked,
        )


def _warn_if_closed(site: Site) -> None:
    options = site.homeserver.hs.config.auth
    if options.password_enabled_for_login and options.password_localdb_enabled:
        return  # as nearly everywhere, and nothing more has to be looked at
    ways = site.people.passwords.ways or site.providers.known.all() or site.has_code_sign_in
    if not ways:
        why = settings.no_way_in(site.homeserver.hs.config)
        logger.warning("Nobody can sign in on the pages of this module: %s", why)
