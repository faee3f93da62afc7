"""What must be true of the operator's settings before the module starts.

What must be true of Synapse is in `internals.py`.
"""

import importlib
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.captcha_kinds import CaptchaKind
from synapse_nextgen_auth.config import MIN_SECRET_BYTES, Config, duration, said
from synapse_nextgen_auth.config.problems import likely
from synapse_nextgen_auth.config.step_up import asks_nobody
from synapse_nextgen_auth.homeserver.people.providers.configured import configured
from synapse_nextgen_auth.homeserver.startup import (
    installation,
    internals,
    known_faults,
    read_later,
    settings,
    versions,
)
from synapse_nextgen_auth.homeserver.startup.lifetimes import (
    effective_lifetimes,
    synapses_idle_limit,
)
from synapse_nextgen_auth.oauth import uris
from synapse_nextgen_auth.oauth.loopback import is_loopback
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.oauth.sessions import least_idle, noted_every

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.startup import factor_names, registrations
    from synapse_nextgen_auth.oauth import resources
else:
    factor_names, registrations, resources = late.files(
        "homeserver.startup.factor_names", "homeserver.startup.registrations", "oauth.resources"
    )

# What is imported when it is first wanted, by the names of the packages: a start without is none.
LATER = {
    "argon2": "argon2-cffi",
    "email_validator": "email-validator",
    "jwt": "pyjwt",
    "maxminddb": "maxminddb",
    "publicsuffixlist": "publicsuffixlist",
    "zxcvbn": "zxcvbn",
}
_OPENID = "synapse.handlers.oidc"


def warnings() -> list[str]:
    """Return what the operator should know of the versions in this environment."""
    unknown = internals.too_new(internals.running())
    return [*([unknown] if unknown else []), *known_faults.warnings(), *installation.warnings()]


def listed_twice(hs_config: HomeServerConfig, module: type) -> list[str]:
    """Return what is wrong when the module stands in homeserver.yaml more than once."""
    if [loaded for loaded, _ in hs_config.modules.loaded_modules].count(module) < 2:
        return []
    return ["The module is there twice under modules; once is enough."]


def packages_missing() -> list[str]:
    """Return which packages went away that are imported when they are first wanted."""
    return [
        f"The package {package} is not installed."
        " Install synapse_nextgen_auth again, with what it needs."
        for module, package in LATER.items()
        if find_spec(module) is None
    ]


def config_problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return what is wrong with the settings in homeserver.yaml."""
    problems = [*packages_missing(), *read_later.problems(hs_config)]
    if section := versions.delegated_by(hs_config):
        problems.append(
            f"{section} is enabled: sign-in is delegated to another service."
            " Remove that section, or remove this module."
        )
    problems += _baseurl_problems(hs_config)
    if config.secret is None and len(hs_config.key.macaroon_secret_key) < MIN_SECRET_BYTES:
        problems.append(
            f"{settings.source_of_keys(hs_config)} is shorter than {MIN_SECRET_BYTES} bytes. Leave it"
            " and set a long random secret for this module instead."
        )
    problems += _idle_problems(hs_config, config)
    problems += _provider_problems(hs_config, config)
    problems += _service_problems(hs_config, config)
    if config.resource_servers:
        problems += _resource_problems(hs_config, config)
    if any(each.client.application_service for each in config.clients):
        problems += registrations.problems(hs_config, config)
    problems += _openid_problems(hs_config)
    problems += _captcha_problems(hs_config, config)
    if config.factors.accounts:
        problems += factor_names.problems(hs_config, config.factors.accounts)
    problems += settings.unusable(hs_config)
    problems += _step_up_problems(hs_config, config)
    return problems


def _step_up_problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return which requests take two factors where nobody has them, and no module could say so."""
    asked = asks_nobody(config.step_up, config.factors)
    if asked is None or any(map(_is_of_others, hs_config.modules.loaded_modules)):
        return []
    option = settings.Written.of(hs_config).whole("step_up.requests")
    return [f"{option}: {asked} takes two factors, and nobody has two while factors.policy is off"]


def _is_of_others(loaded: tuple[type, object]) -> bool:
    return loaded[0].__module__.partition(".")[0] != __name__.partition(".")[0]


def _openid_problems(hs_config: HomeServerConfig) -> list[str]:
    """Return what is missing of Synapse's OpenID Connect where no configuration loaded it yet.

    That is so where each provider has a mapping module of the operator's.
    """
    if not hs_config.oidc.oidc_enabled or _OPENID in sys.modules:
        return []
    importlib.import_module(_OPENID)
    return internals.problems()


def _idle_problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return which idle limits would end sessions that are in use, each by its own name."""
    access_token = effective_lifetimes(config, hs_config).access_token
    found = {
        "sessions.idle_lifetime": config.sessions.idle_lifetime,
        "refresh_token_lifetime": synapses_idle_limit(hs_config),
        "sessions.idle_lifetime_without_device": config.sessions.idle_lifetime_without_device,
    }
    written = settings.Written.of(hs_config)
    return [
        f"{written.whole(name) if '.' in name else name} is {said(idle, written.option(name))}, and"
        f" a session in use may look idle for {duration(access_token + noted_every(idle))}:"
        f" its access token works for {duration(access_token)}, and"
        f" uses are written down every {duration(noted_every(idle))}."
        f" Lower tokens.access_token_lifetime, or raise {written.whole(name) if '.' in name else name}:"
        f" at least {duration(least_idle(access_token))} would do."
        for name, idle in found.items()
        if idle is not None and idle < access_token + noted_every(idle)
    ]


def _captcha_problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return what Synapse's own checker lacks, which we let check a reCAPTCHA."""
    keys = hs_config.captcha
    has_keys = keys.recaptcha_public_key and keys.recaptcha_private_key
    if config.captcha.kind is not CaptchaKind.RECAPTCHA or has_keys:
        return []
    option = settings.Written.of(hs_config).whole("captcha.kind")
    return [f"{option} is recaptcha: set Synapse's recaptcha_public_key and recaptcha_private_key."]


def _provider_problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return which providers are trusted, or count as two factors, that nobody configured."""
    known = [each.provider_id for each in configured(hs_config)]
    named = {
        "providers.trusted_to_be_fresh": config.providers.trusted_to_be_fresh,
        "factors.providers": {each.provider for each in config.factors.providers},
    }
    problems = []
    for path, names in named.items():
        option = settings.Written.of(hs_config).whole(path)
        for name in sorted(names):
            if name.removeprefix("oidc-") in known:
                continue
            near = likely(name, known)
            there = ", ".join(known) or "none"
            hint = f"; did you mean {near}?" if near else f". There are: {there}"
            problems.append(f"{option} names {name}, and no provider has that idp_id{hint}")
    return problems


def _service_problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return which service accounts are of another server, where nobody is signed in by us."""
    server_name = hs_config.server.server_name
    written = settings.Written.of(hs_config)
    return [
        f"{written.whole(f'clients[{n}].service_account')} is {service.account}, which is not an"
        f" account of {server_name}"
        for n, service in enumerate(each.client.service for each in config.clients)
        if service is not None and service.is_foreign(server_name)
    ]


def _resource_problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return which services would stand for this server itself: nobody could ask for their tokens."""
    ours = resources.same_as(Endpoints.under(hs_config.server.public_baseurl).issuer)
    written = settings.Written.of(hs_config)
    return [
        f"{written.whole(f'resource_servers[{n}].resource')} is {each.resource}, the issuer of this"
        " server"
        for n, each in enumerate(config.resource_servers)
        if resources.same_as(each.resource) == ours
    ]


def _baseurl_problems(hs_config: HomeServerConfig) -> list[str]:
    url = hs_config.server.public_baseurl
    if hs_config.config_files and not settings.in_files(hs_config).get("public_baseurl"):
        return [
            "public_baseurl is not set. Set it to the address under which clients reach this"
            " homeserver, like https://matrix.example.com/"
        ]
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment:
        # Not repeated: beside a user there may be a password.
        return ["public_baseurl must have no user, query or fragment"]
    # A name in other letters is fine: `uris.origin` makes an A-label of it.
    reason = uris.refuse("".join(letter if letter.isascii() else "x" for letter in url))
    if reason:
        return [f"public_baseurl {url}: {reason}"]
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return []
    return [
        f"public_baseurl {url} must begin with https://, because people type passwords there."
        " Plain http is for localhost only."
    ]
