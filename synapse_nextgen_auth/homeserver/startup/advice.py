"""Settings that work and that hardly anybody wants: what `check-config` warns of."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.accounts.captcha_kinds import CaptchaKind
from synapse_nextgen_auth.accounts.factors.demands import Rule
from synapse_nextgen_auth.accounts.hashes import Hashing
from synapse_nextgen_auth.accounts.legacy_login import Allowed
from synapse_nextgen_auth.config import Config, duration, said
from synapse_nextgen_auth.config.captcha import Captcha
from synapse_nextgen_auth.config.durations import seconds_of
from synapse_nextgen_auth.config.factors import Factors
from synapse_nextgen_auth.config.secret_files import is_path
from synapse_nextgen_auth.homeserver import mail
from synapse_nextgen_auth.homeserver.startup.lifetimes import effective_lifetimes
from synapse_nextgen_auth.homeserver.startup.settings import (
    Written,
    beside_config,
    is_sqlite,
    our_entries,
    ours_at,
    source_of_keys,
)
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN
from synapse_nextgen_auth.oauth.step_up import ADMIN_API
from synapse_nextgen_auth.records import frozen

# A code is for the moment between two requests (RFC 6749 section 4.1.2).
_LONGEST_CODE = 10 * 60
_LONGEST_ACCESS_TOKEN = 24 * 3600


def warnings(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return the settings that work and that hardly anybody wants, each with its path."""
    ours, written = ours_at(hs_config), Written.of(hs_config)
    return [
        *(text for text, known in beside_config(hs_config) if not known),
        *_keys(hs_config, config, ours),
        *_listeners(hs_config),
        *_relative_paths(hs_config, ours),
        *_lifetimes(hs_config, config),
        *(f"{ours}.config.{text}" for text in _of_no_use(config, written)),
        *(f"{ours}.config.{text}" for text in _mails(hs_config, config, written)),
        *(f"{ours}.config.{text}" for text in _questions(hs_config, config, written)),
        *(f"{ours}.config.{text}" for text in _ways_around(config)),
        *(f"{ours}.config.{text}" for text in _programs(config)),
        *(f"{ours}.config.{text}" for text in _lost_factors(hs_config, config)),
        *(f"{ours}.config.{text}" for text in _grace_period(config.factors)),
    ]


def _ways_around(config: Config) -> Iterator[str]:
    """Say which old ways in lead past what the admin API takes."""
    if all(each.path != ADMIN_API for each in config.step_up.requests):
        return
    options = config.legacy_login
    ways = {"password": options.password, "sso": options.sso, "jwt": options.jwt}
    still_open = [f"legacy_login.{name}" for name, how in ways.items() if how is not Allowed.NEVER]
    if still_open:
        yield (
            "step_up.requests protects admin_api from tokens of this module alone: an administrator who"
            f" signs in the old way ({', '.join(still_open)}) has a token of Synapse's own, which is"
            " asked for nothing. Set these to never, unless something of yours needs them."
        )


def _programs(config: Config) -> Iterator[str]:
    """Say which programs are administrators that nobody can prove anything for."""
    protected = [each for each in config.step_up.requests if each.path == ADMIN_API]
    is_of_age_alone = all(each.requirement.level == 1 for each in protected)
    for place, written in enumerate(config.clients):
        service = written.client.service
        if not protected or service is None or not service.scope.admin:
            continue
        if is_of_age_alone:
            yield (
                f"clients[{place}].scope has {ADMIN}, and step_up.requests protects admin_api: a program"
                " proves nothing anew, so it may do what administrators do only for that long after its"
                " session began. Let it do without that scope, or admin_api without a proof."
            )
        else:
            yield (
                f"clients[{place}].scope has {ADMIN}, and step_up.requests protects admin_api: a program"
                " proves no more than its secret, so it may never do what administrators do. Let it do"
                " without that scope, or admin_api without a proof."
            )


def _keys(hs_config: HomeServerConfig, config: Config, ours: str) -> Iterator[str]:
    source = source_of_keys(hs_config)
    if config.secret is None and not source.startswith("macaroon_secret_key"):
        yield (
            f"{ours}.config.secret_path is not set, nor is macaroon_secret_key: the keys of this module"
            f" come from {source}, and whoever changes that signs everybody out. Set secret_path to a"
            " file with a long random secret, best before people sign in: they have to sign in again,"
            " unless the text that the keys come from today stands in previous_secrets."
        )


def _listeners(hs_config: HomeServerConfig) -> Iterator[str]:
    serving = [
        (place, listener, listener.http_options)
        for place, listener in enumerate(hs_config.server.listeners)
        if listener.http_options is not None
        and any("client" in resource.names for resource in listener.http_options.resources)
    ]
    if not serving:
        yield (
            "listeners: none has the resource client, so nobody finds this module here. That is as it"
            " should be only where workers serve all clients."
        )
    is_https = hs_config.server.public_baseurl.startswith("https:")
    for place, listener, http in serving:
        if is_https and not listener.is_tls() and not http.x_forwarded:
            yield (
                f"listeners[{place}].x_forwarded is false and public_baseurl is https: behind a proxy"
                " everybody seems to come from the proxy, and shares its limits. Set it to true."
            )


def _relative_paths(hs_config: HomeServerConfig, ours: str) -> Iterator[str]:
    for database in hs_config.database.databases:
        file = str((database.config.get("args") or {}).get("database") or "")
        if is_sqlite(database) and not file.startswith(("file:", ":")):
            yield from _relative("database.args.database", file)
    for _, entry in our_entries(hs_config):
        options = entry.get("config")
        if not isinstance(options, Mapping):
            continue
        written = Written.of(hs_config).option
        for name in ("secret_path", "captcha.secret_path"):
            yield from _relative_secret(f"{ours}.config.{name}", written(name))
        for name in (
            "templates",
            "mail.templates",
            "passwords.breached_list",
            *(f"branding.{picture}" for picture in ("logo", "logo_dark", "favicon")),
        ):
            yield from _relative(f"{ours}.config.{name}", written(name))
        clients = options.get("clients")
        for place, client in enumerate(clients if isinstance(clients, list) else ()):
            if isinstance(client, Mapping):
                path = f"{ours}.config.clients[{place}].client_secret_path"
                yield from _relative_secret(path, client.get("client_secret_path"))


def _relative_secret(path: str, name: object) -> Iterator[str]:
    """Warn as `_relative` does, and repeat nothing that may be the secret itself (C225)."""
    if not isinstance(name, str) or is_path(name):
        yield from _relative(path, name)
    elif name and not Path(name).is_absolute():
        yield (
            f"{path} is no whole path, so it is looked for wherever Synapse is started, and here there"
            " is no such file. Write the whole path."
        )


def _relative(path: str, name: object) -> Iterator[str]:
    if isinstance(name, str) and name and not Path(name).is_absolute():
        yield (
            f"{path} is {name}, which is looked for wherever Synapse is started: here it would be"
            f" {Path(name).absolute()}. Write the whole path."
        )


@frozen
class _Lifetime:
    """A lifetime in force: where it is set, how it reads, and whether the operator wrote it."""

    path: str
    seconds: int | None
    words: str
    is_written: bool

    @classmethod
    def of(
        cls, written: Written, path: str, seconds: int | None, *, synapse: str = ""
    ) -> "_Lifetime":
        """Find a lifetime in the files: in our option, or in Synapse's that stands for it."""
        text, theirs = written.option(path), written.synapses.get(synapse)
        if theirs is not None and (text is None or seconds_of(text) != seconds):
            return cls(synapse, seconds, said(seconds, theirs), is_written=True)
        return cls(written.whole(path), seconds, said(seconds, text), is_written=text is not None)

    @property
    def name(self) -> str:
        """The path below `config`, for the second half of a sentence."""
        return self.path.rpartition(".config.")[2]


def _lifetimes(hs_config: HomeServerConfig, config: Config) -> Iterator[str]:
    """Yield which lifetimes do not fit each other, or what they are for.

    Only of what the operator wrote: with a default that does not count there is nothing to mend.
    """
    lifetimes, tokens, sessions = (
        effective_lifetimes(config, hs_config),
        config.tokens,
        config.sessions,
    )
    events, written = config.events, Written.of(hs_config)
    of = _Lifetime.of
    access_token = of(
        written,
        "tokens.access_token_lifetime",
        lifetimes.access_token,
        synapse="refreshable_access_token_lifetime",
    )
    code = of(written, "tokens.code_lifetime", tokens.code_lifetime)
    grace = of(written, "tokens.refresh_grace", tokens.refresh_grace)
    whole = of(written, "sessions.lifetime", lifetimes.absolute, synapse="session_lifetime")
    idle = of(written, "sessions.idle_lifetime", lifetimes.idle, synapse="refresh_token_lifetime")
    if lifetimes.access_token > _LONGEST_ACCESS_TOKEN and access_token.is_written:
        yield (
            f"{access_token.path} is {access_token.words}: that long a stolen token works. Clients"
            " refresh by themselves: 5m is enough."
        )
    if tokens.code_lifetime > _LONGEST_CODE:
        yield (
            f"{code.path} is {code.words}, and a code is redeemed in a"
            f" second. At most {duration(_LONGEST_CODE)} is recommended (RFC 6749 section 4.1.2)."
        )
    if tokens.refresh_grace > lifetimes.access_token and grace.is_written:
        yield (
            f"{grace.path} is {grace.words}, longer than an access token works"
            f" ({access_token.words}): a spent refresh token should not outlive it."
        )
    ends = [end for end in (idle, whole) if end.seconds is not None]
    first_end = min(ends, key=lambda end: end.seconds or 0, default=whole)
    pairs = (
        (of(written, "sessions.idle_lifetime", sessions.idle_lifetime), whole),
        (
            of(
                written,
                "sessions.idle_lifetime_without_device",
                sessions.idle_lifetime_without_device,
            ),
            first_end,
        ),
        (
            of(written, "sessions.browser_idle_lifetime", sessions.browser_idle_lifetime),
            of(written, "sessions.browser_lifetime", sessions.browser_lifetime),
        ),
        (access_token, whole),
        (
            of(written, "events.address_lifetime", events.address_lifetime),
            of(written, "events.lifetime", events.lifetime),
        ),
    )
    for one, other in pairs:
        if not one.is_written or one.seconds is None or other.seconds is None:
            continue
        if one.seconds > other.seconds:
            yield (
                f"{one.path} is {one.words}, longer than {other.name}, {other.words}: it never"
                " counts. Lower it, or raise the other."
            )


def _questions(hs_config: HomeServerConfig, config: Config, written: Written) -> Iterator[str]:
    notices = config.notices
    is_there = hs_config.servernotices.server_notices_mxid is not None
    questions = {
        "approval_questions": notices.approval_questions,
        "device_questions": notices.device_questions,
    }
    for name in [name for name, is_on in questions.items() if is_on]:
        if not is_there:
            yield (
                f"notices.{name} is true, and there is no section server_notices: nobody is shown any."
            )
        elif not notices.in_matrix:
            yield f"notices.{name} is true, and notices.in_matrix is false: nobody is shown any."
    if not is_there and notices.in_matrix and written.option("notices.in_matrix") is not None:
        yield "notices.in_matrix is true, and there is no section server_notices: none is sent there."


def _mails(hs_config: HomeServerConfig, config: Config, written: Written) -> Iterator[str]:
    if mail.is_configured(hs_config):
        return
    if config.sign_in.email_codes:
        yield (
            "sign_in.email_codes is true, and there is no section email: no mail is sent, so nobody"
            " signs in by a code."
        )
    if config.factors.email_codes:
        yield (
            "factors.email_codes is true, and there is no section email: no mail is sent, so it is"
            " nobody's second factor."
        )
    if config.mail.templates is not None:
        yield "mail.templates is set, and there is no section email: no mail is sent."
    if config.notices.by_mail and written.option("notices.by_mail") is not None:
        yield "notices.by_mail is true, and there is no section email: no mail is sent."


def _lost_factors(hs_config: HomeServerConfig, config: Config) -> Iterator[str]:
    options = config.factors
    if not options.lost_wait:
        for name in ("lost_by_mail", "lost_admins"):
            if getattr(options, name):
                yield f"factors.{name} is true, and factors.lost_wait is 0s: nobody can ask for that."
        return
    has_mail = mail.is_configured(hs_config)
    has_notices = hs_config.servernotices.server_notices_mxid is not None
    if not has_mail and not has_notices:
        yield (
            "factors.lost_wait is set, and there is neither a section email nor server_notices: no owner"
            " of an account could be told, so nobody can ask to have lost factors removed."
        )
    elif not has_mail:
        yield (
            "factors.lost_wait is set, and there is no section email: only accounts that have a device"
            " signed in are told, so nobody else can ask to have lost factors removed."
        )
    if options.lost_by_mail and not has_notices:
        yield (
            "factors.lost_by_mail is true, and there is no section server_notices: whoever reads the"
            " mailbox of an account gets the notices that would stop them. Set up server_notices."
        )


def _grace_period(options: Factors) -> Iterator[str]:
    rules = (options.policy, *(each.rule for each in options.accounts))
    if options.grace_period and options.admins is Rule.REQUIRED and Rule.REQUIRED not in rules:
        yield (
            "factors.grace_period is for nobody: factors.admins gives none, and nothing else is"
            " required, unless another module has a rule. To give administrators that time, name them in"
            " factors.accounts and leave factors.admins out."
        )


def _of_no_use(config: Config, written: Written) -> Iterator[str]:
    if config.passwords.hashing is not Hashing.ARGON2ID:
        for name in ("argon2_memory", "argon2_iterations", "argon2_parallelism"):
            if written.option(f"passwords.{name}") is not None:
                yield (
                    f"passwords.{name} is set, and passwords.hashing is not argon2id: Synapse's own"
                    " hashes need none of it."
                )
    if written.option("passwords.breached_on_failure") is not None and not (
        config.passwords.breached_list or config.passwords.breached_service
    ):
        yield (
            "passwords.breached_on_failure is set, and neither passwords.breached_list nor"
            " passwords.breached_service is: nothing is looked up that could fail."
        )
    yield from _captcha_of_no_use(config.captcha, written)
    for name in ("members_quota", "members_lifetime"):
        if written.option(f"invitations.{name}") is not None and not config.invitations.members:
            yield (
                f"invitations.{name} is set, and invitations.members is false: what you make yourself"
                " needs none of it."
            )
    registration = config.client_registration
    if registration.enabled:
        return
    for name in (
        "public_hosts",
        "allow_without_client_uri",
        "allow_other_hosts",
        "allow_loopback_web",
    ):
        if getattr(registration, name):
            yield (
                f"client_registration.{name} is set, and client_registration.enabled is false: clients"
                " of the configuration need none of it."
            )


def _captcha_of_no_use(captcha: Captcha, written: Written) -> Iterator[str]:
    works = captcha.kind is CaptchaKind.PROOF_OF_WORK
    asks_service = captcha.kind in {CaptchaKind.HCAPTCHA, CaptchaKind.TURNSTILE}
    needed = {
        "work": works,
        "wait": works or captcha.allow_wait,
        "site_key": asks_service,
        "secret": asks_service,
        "secret_path": asks_service,
        "siteverify": asks_service,
    }
    for name, is_needed in needed.items():
        if written.option(f"captcha.{name}") is not None and not is_needed:
            kinds = "proof_of_work" if name in {"work", "wait"} else "hcaptcha or turnstile"
            yield f"captcha.{name} is set, and captcha.kind is not {kinds}: it is of no use."
