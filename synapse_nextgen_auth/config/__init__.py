"""What the operator may set, read once into one frozen record; every mistake is reported at once.

The options are fields of the records, a file for each section: `docs/reference/configuration.md` is
generated from them, so it cannot drift.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.config.account import Account
from synapse_nextgen_auth.config.authorization import Authorization
from synapse_nextgen_auth.config.branding import Branding, check_colours
from synapse_nextgen_auth.config.captcha import Captcha, check_captcha
from synapse_nextgen_auth.config.client_registration import Registration
from synapse_nextgen_auth.config.consent import Consent
from synapse_nextgen_auth.config.device_grants import DeviceGrants, check_polling
from synapse_nextgen_auth.config.durations import duration, said
from synapse_nextgen_auth.config.events import Events
from synapse_nextgen_auth.config.factors import Factors
from synapse_nextgen_auth.config.geoip import GeoIP
from synapse_nextgen_auth.config.invitations import Invitations
from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.lists import ListOf, SetOf
from synapse_nextgen_auth.config.kinds.places import ClientEntry, ResourceServerEntry
from synapse_nextgen_auth.config.kinds.words import MIN_SECRET_BYTES, SecretText, Switch, Text
from synapse_nextgen_auth.config.languages import Languages
from synapse_nextgen_auth.config.legacy_login import LegacyLogin
from synapse_nextgen_auth.config.mail import Mail
from synapse_nextgen_auth.config.notices import Notices
from synapse_nextgen_auth.config.options import Option, members_of, option, options_of, section
from synapse_nextgen_auth.config.passwords import Passwords, check_memory
from synapse_nextgen_auth.config.personal_tokens import PersonalTokens
from synapse_nextgen_auth.config.problems import ConfigProblems, Problems
from synapse_nextgen_auth.config.providers import ProviderLogout, ProviderOptions
from synapse_nextgen_auth.config.reader import Reader
from synapse_nextgen_auth.config.recovery import Recovery
from synapse_nextgen_auth.config.secret_files import content
from synapse_nextgen_auth.config.sessions import Sessions
from synapse_nextgen_auth.config.sign_in import SignIn
from synapse_nextgen_auth.config.step_up import StepUp
from synapse_nextgen_auth.config.tokens import Tokens
from synapse_nextgen_auth.oauth.clients.configured import StaticClient
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.grant_types import GRANT_TYPES, GrantType, refuse_client
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret

if TYPE_CHECKING:
    from synapse_nextgen_auth.config import resource_servers as resource_servers_file
    from synapse_nextgen_auth.oauth.resources import ResourceServer
else:
    resource_servers_file = late.file("config.resource_servers")

_NONE: frozenset[str] = frozenset()

__all__ = [
    "MIN_SECRET_BYTES",
    "OPTIONS",
    "SECTIONS",
    "Account",
    "Authorization",
    "Branding",
    "Captcha",
    "Config",
    "ConfigProblems",
    "Consent",
    "DeviceGrants",
    "Events",
    "Factors",
    "GeoIP",
    "Invitations",
    "Languages",
    "LegacyLogin",
    "Mail",
    "Notices",
    "Passwords",
    "PersonalTokens",
    "ProviderLogout",
    "ProviderOptions",
    "Recovery",
    "Registration",
    "Sessions",
    "SignIn",
    "StepUp",
    "Tokens",
    "as_far_as_right",
    "duration",
    "read",
    "said",
]


@frozen
class Config:
    """The options of the module."""

    enabled: bool = option(
        Switch("on", "off"),
        default=True,
        about="Set to `false` to switch the module off and keep its sessions: nobody signs in here,"
        " and clients that did are told to wait, so that they keep their keys."
        " See [removal](../setup/removal.md).",
        example="false",
        label="this module",
    )
    secret: Secret | None = option(
        Optional(SecretText()),
        default=None,
        about="The secret that all keys of this module are derived from, 32 bytes or more."
        " Not set: Synapse's `macaroon_secret_key`.",
        example='"a long random string of at least 32 characters"',
        label="keys derived from",
    )
    secret_path: str | None = option(
        Optional(Text()),
        default=None,
        about="A file that holds `secret`, instead of writing it here. White space around it is"
        " dropped.",
        example="/etc/matrix-synapse/nextgen-auth.secret",
        label="secret in the file",
    )
    previous_secrets: tuple[Secret, ...] = option(
        ListOf(
            SecretText(), f"texts of {MIN_SECRET_BYTES} bytes or more, in quotes", is_counted=True
        ),
        default=(),
        about="Former values of `secret` that are still accepted, so that changing it logs nobody"
        " out. Coming from the default, put Synapse's `macaroon_secret_key` here.",
        example='["the secret before this one, 32 characters or more"]',
        label="previous secrets",
    )
    templates: str | None = option(
        Optional(Text(), "our own"),
        default=None,
        about="A directory with templates and pictures of yours for pages and mails: a file in it takes"
        " the place of ours with the same name, and `extra.css` in `static/` is loaded after our style"
        " sheet. They are looked at when the server starts, so an edit wants a restart."
        " See [pages in your own look](../topics/templates.md).",
        example="/etc/matrix-synapse/nextgen-auth-templates",
        label="templates of yours",
    )
    tokens: Tokens = section(Tokens)
    sessions: Sessions = section(Sessions)
    consent: Consent = section(Consent)
    authorization: Authorization = section(Authorization)
    client_registration: Registration = section(Registration)
    device_grants: DeviceGrants = section(DeviceGrants)
    events: Events = section(Events)
    legacy_login: LegacyLogin = section(LegacyLogin)
    passwords: Passwords = section(Passwords)
    captcha: Captcha = section(Captcha)
    providers: ProviderOptions = section(ProviderOptions)
    sign_in: SignIn = section(SignIn)
    factors: Factors = section(Factors)
    step_up: StepUp = section(StepUp)
    mail: Mail = section(Mail)
    notices: Notices = section(Notices)
    branding: Branding = section(Branding)
    geoip: GeoIP = section(GeoIP)
    recovery: Recovery = section(Recovery)
    invitations: Invitations = section(Invitations)
    personal_tokens: PersonalTokens = section(PersonalTokens)
    account: Account = section(Account)
    languages: Languages = section(Languages)
    clients: tuple[StaticClient, ...] = option(
        ListOf(ClientEntry(), "clients"),
        default=(),
        about="Clients that need not register: each entry takes `client_id`, `client_name`,"
        " `client_uri`, `redirect_uris` and the other fields of RFC 7591, and `client_secret` or"
        " `client_secret_path` or `jwks` for those that have one; `service_account` and `scope` for"
        " those that are a program by themselves;"
        " `application_service` and `refuse_as_token` for [a bridge that signs in by a key]"
        "(../topics/application-services.md); `resource` for [the service]"
        "(../topics/resource-servers.md#getting-a-token) that its tokens are for where it names none."
        " See [clients](../topics/clients.md#clients-in-the-configuration).",
        example="""\
- client_id: grafana
  client_name: Grafana
  redirect_uris: ["https://grafana.example.com/login/generic_oauth"]
  client_secret_path: /etc/matrix-synapse/grafana.secret""",
        label="configured clients",
    )
    pkce_exempt: frozenset[str] = option(
        SetOf(Text(), "texts"),
        default=_NONE,
        about="Ids of static clients with a secret or a key that cannot do PKCE. They are let"
        " through without it as long as they do not ask for the Matrix API.",
        example='["grafana"]',
        label="exempt from PKCE",
    )
    resource_servers: "tuple[ResourceServer, ...]" = option(
        ListOf(ResourceServerEntry(), "services"),
        default=(),
        about="Services of others that take access tokens of this server, each for itself:"
        " `resource` (the URI that stands for it), `name`, `scopes` (each with a sentence for"
        " people), `token_format` (`jwt` or `opaque`), `token_lifetime`, `signing_alg` (`RS256` or"
        " `ES256`), and what it proves itself by where it introspects."
        " See [services that take our tokens](../topics/resource-servers.md).",
        example="""\
- resource: https://calendar.example.com/
  name: Calendar
  scopes:
    calendar.read: See your appointments
  client_id: calendar
  client_secret_path: /etc/matrix-synapse/calendar.secret""",
        label="services",
    )
    drain: bool = option(
        Switch("refused (drain: true)", "taken"),
        default=False,
        about="Set to `true` to let nobody newly sign in here, while everybody who did goes on."
        " See [removal](../setup/removal.md).",
        example="true",
        label="new sign-ins",
    )

    @property
    def devices_meet(self) -> bool:
        """Whether devices may meet here for a QR code: it leads to a device grant, so not without."""
        return self.device_grants.enabled and not self.drain


OPTIONS = tuple(options_of(Config))
SECTIONS = {name: member for name, member in members_of(Config) if not isinstance(member, Option)}
_PATHS = (*(option.path for option in OPTIONS), *SECTIONS)


def is_off(raw: object) -> bool:
    """Say whether the operator switched the module off, whatever else is wrong with the options."""
    return isinstance(raw, Mapping) and raw.get("enabled") is False


def read(raw: object) -> Config:
    """Read the operator's options; raise `ConfigProblems` with all that is wrong.

    Every option has a default: an empty mapping is a complete configuration.
    """
    problems = Problems()
    config = _with_secret_of_file(problems, Reader(problems, _PATHS).read(Config, raw))
    given: Mapping[str, object] = raw if isinstance(raw, Mapping) else {}
    written = given.get("device_grants")
    check_memory(config.passwords, problems)
    config = attrs.evolve(config, captcha=check_captcha(config.captcha, problems))
    check_polling(config.device_grants, written, problems)
    check_colours(given.get("branding"), problems)
    _check_clients(problems, config)
    _check_services(problems, config)
    if problems.found:
        raise ConfigProblems(problems.found)
    if config.resource_servers:
        servers = config.resource_servers
        clients = resource_servers_file.with_services(config.clients, servers)
        return attrs.evolve(config, clients=clients)
    return config


def as_far_as_right(raw: object) -> Config:
    """Return options that have mistakes, with the default of each that is wrong."""
    return Reader(Problems(), _PATHS).read(Config, raw)


def _with_secret_of_file(problems: Problems, config: Config) -> Config:
    if config.secret_path is None:
        return config
    if config.secret is not None:
        problems.say("secret_path", "set either secret or secret_path, not both")
        return config
    try:
        text = content(config.secret_path)
    except OAuthError as error:
        problems.say("secret_path", error.description)
        return config
    return attrs.evolve(config, secret=SecretText().read(text, "secret_path", problems))


def is_enabled(config: Config, kind: GrantType) -> bool:
    """Say whether a grant type is switched on; one without an option is, if anybody may have it."""
    if kind.the_operator_agrees:
        return any(kind.name in written.client.grant_types for written in config.clients)
    return kind.option is None or bool(getattr(config, kind.option).enabled)


def _refuse_grant_types(client: Client, config: Config) -> Iterator[str]:
    """Say for which of its grant types the token endpoint would always refuse the client."""
    granted, is_public = client.grant_types, client.is_public
    for kind in GRANT_TYPES:
        if kind.name not in granted:
            continue
        if not is_enabled(config, kind):
            yield f"has {kind.name}, and {kind.option}.enabled is false"
        if refuse_client(kind, granted=granted, is_public=is_public) is not None:
            yield f"has {kind.name}, which asks nobody, but neither secret nor key"


def _check_clients(problems: Problems, config: Config) -> None:
    clients = [written.client for written in config.clients]
    ids = [client.client_id for client in clients]
    for n, client_id in enumerate(ids):
        if client_id in ids[:n]:
            problems.say(f"clients[{n}].client_id", f"{client_id} is there twice")
    for n, client in enumerate(clients):
        if client.client_id in config.pkce_exempt and client.is_public:
            problems.say(
                f"clients[{n}]",
                "is in pkce_exempt but has neither secret nor key; only PKCE protects it",
            )
    for n, client in enumerate(clients):
        for text in _refuse_grant_types(client, config):
            problems.say(f"clients[{n}]", text)
    if problems.are_at("clients"):
        return  # the client that is meant may be one of the broken ones
    for client_id in sorted(config.pkce_exempt - set(ids)):
        problems.say("pkce_exempt", f"{client_id} is not among clients")


def _check_services(problems: Problems, config: Config) -> None:
    """Look at what clients say of services, and at what these say of each other."""
    servers = config.resource_servers
    if servers:
        ids = frozenset(written.client.client_id for written in config.clients)
        for path, text in resource_servers_file.wrong_together(servers, ids):
            problems.say(path, text)
    if problems.are_at("resource_servers") or problems.are_at("clients"):
        return  # the service that is meant may be one of the broken ones
    words = {word for server in servers for word in server.words}
    known = {server.resource for server in servers}
    for n, written in enumerate(config.clients):
        service, usual = written.client.service, written.client.resource
        for word in (service.words or "").split() if service else ():
            if word not in words:
                problems.say(f"clients[{n}]", f"scope has the unknown {quoted(word)}")
        if usual is not None and usual not in known:
            problems.say(f"clients[{n}]", f"resource {quoted(usual)} is not in resource_servers")
