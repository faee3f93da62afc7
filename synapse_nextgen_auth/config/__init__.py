"""What the operator may set, read once into one frozen record; every mistake is reported at once.

The options are fields of the records, a file for each section: `docs/reference/configuration.md` is
generated from them, so it cannot drift.
"""

from collections.abc import Mapping

import attrs

from synapse_nextgen_auth.config.authorization import Authorization
from synapse_nextgen_auth.config.client_registration import Registration
from synapse_nextgen_auth.config.consent import Consent
from synapse_nextgen_auth.config.device_grants import POLLS, DeviceGrants
from synapse_nextgen_auth.config.events import Events
from synapse_nextgen_auth.config.options import duration, option, said
from synapse_nextgen_auth.config.reader import MIN_SECRET_BYTES, ConfigProblems, Reader
from synapse_nextgen_auth.config.sessions import Sessions
from synapse_nextgen_auth.config.tokens import Tokens
from synapse_nextgen_auth.oauth.grant_types import GRANT_TYPES, GrantType
from synapse_nextgen_auth.oauth.static_clients import StaticClient
from synapse_nextgen_auth.secret import Secret

_NONE: frozenset[str] = frozenset()

__all__ = [
    "MIN_SECRET_BYTES",
    "SECTIONS",
    "Authorization",
    "Config",
    "ConfigProblems",
    "Consent",
    "DeviceGrants",
    "Events",
    "Registration",
    "Sessions",
    "Tokens",
    "duration",
    "read",
    "said",
]


@attrs.frozen
class Config:
    """The options of the module."""

    enabled: bool = option(
        True,
        "Set to `false` to switch the module off and keep its sessions: nobody signs in here, and"
        " clients that did are told to wait, so that they keep their keys."
        " See [removal](../setup/removal.md).",
        example="false",
    )
    secret: Secret | None = option(
        None,
        "The secret that all keys of this module are derived from, 32 bytes or more."
        " Not set: Synapse's `macaroon_secret_key`.",
        example='"a long random string of at least 32 characters"',
    )
    secret_path: str | None = option(
        None,
        "A file that holds `secret`, instead of writing it here. White space around it is dropped.",
        example="/etc/matrix-synapse/nextgen-auth.secret",
    )
    previous_secrets: tuple[Secret, ...] = option(
        (),
        "Former values of `secret` that are still accepted, so that changing it logs nobody out."
        " Coming from the default, put Synapse's `macaroon_secret_key` here.",
        example='["the secret before this one, 32 characters or more"]',
    )
    tokens: Tokens = attrs.field(factory=Tokens)
    sessions: Sessions = attrs.field(factory=Sessions)
    consent: Consent = attrs.field(factory=Consent)
    authorization: Authorization = attrs.field(factory=Authorization)
    client_registration: Registration = attrs.field(factory=Registration)
    device_grants: DeviceGrants = attrs.field(factory=DeviceGrants)
    events: Events = attrs.field(factory=Events)
    clients: tuple[StaticClient, ...] = option(
        (),
        "Clients that need not register: each entry takes `client_id`, `client_name`, `client_uri`,"
        " `redirect_uris` and the other fields of RFC 7591, and `client_secret` or"
        " `client_secret_path` or `jwks` for those that have one."
        " See [clients](../topics/clients.md#clients-in-the-configuration).",
        example="""\
- client_id: grafana
  client_name: Grafana
  redirect_uris: ["https://grafana.example.com/login/generic_oauth"]
  client_secret_path: /etc/matrix-synapse/grafana.secret""",
    )
    pkce_exempt: frozenset[str] = option(
        _NONE,
        "Ids of static clients with a secret or a key that cannot do PKCE. They are let through"
        " without it as long as they do not ask for the Matrix API.",
        example='["grafana"]',
    )
    drain: bool = option(
        False,
        "Set to `true` to let nobody newly sign in here, while everybody who did goes on."
        " See [removal](../setup/removal.md).",
        example="true",
    )


SECTIONS: dict[str, type] = {
    "tokens": Tokens,
    "sessions": Sessions,
    "consent": Consent,
    "authorization": Authorization,
    "client_registration": Registration,
    "device_grants": DeviceGrants,
    "events": Events,
}


def is_off(raw: object) -> bool:
    """Say whether the operator switched the module off, whatever else is wrong with the options."""
    return isinstance(raw, Mapping) and raw.get("enabled") is False


_PATHS = tuple(
    f"{section}.{field.name}" if section else field.name
    for section, kind in {"": Config, **SECTIONS}.items()
    for field in attrs.fields(kind)
)


def read(raw: object) -> Config:
    """Read the operator's options; raise `ConfigProblems` with all that is wrong.

    Every option has a default: an empty mapping is a complete configuration.
    """
    reader = Reader([], _PATHS)
    values = reader.mapping(raw if raw is not None else {}, "")
    reader.refuse_unknown(values, Config, "")
    config = Config(
        enabled=reader.boolean(values, "enabled", True),
        drain=reader.boolean(values, "drain", False),
        secret=reader.secret(values, "secret"),
        secret_path=reader.text(values, "secret_path"),
        previous_secrets=reader.listed(values, "previous_secrets", reader.a_secret),
        clients=reader.listed(values, "clients", reader.a_client),
        pkce_exempt=frozenset(reader.listed(values, "pkce_exempt", reader.a_text)),
        **{name: reader.section(values, name, kind) for name, kind in SECTIONS.items()},
    )
    config = _with_secret_of_file(reader, config)
    _check_polling(reader, config.device_grants, values.get("device_grants"))
    _check_clients(reader, config)
    if reader.problems:
        raise ConfigProblems(reader.problems)
    return config


def _with_secret_of_file(reader: Reader, config: Config) -> Config:
    if config.secret_path is None:
        return config
    if config.secret is not None:
        reader.say("secret_path", "set either secret or secret_path, not both")
        return config
    before = len(reader.problems)
    text = reader.file(config.secret_path, "secret_path")
    if len(reader.problems) > before:
        return config
    return attrs.evolve(config, secret=reader.a_secret(text, "secret_path"))


def _check_polling(reader: Reader, grants: DeviceGrants, written: object) -> None:
    """Refuse an interval with which a device asks too seldom, or never, while its code lives."""
    longest = grants.lifetime // POLLS
    if not grants.enabled or grants.interval <= longest or not isinstance(written, Mapping):
        return
    is_short = written.get("interval") is None or not longest
    if any(other.startswith("device_grants.") for other, _ in reader.problems):
        return  # one of the two may be the default only because the other value was no good
    interval = said(grants.interval, written.get("interval"))
    lifetime = said(grants.lifetime, written.get("lifetime"))
    expected = (
        f"at least {duration(grants.interval * POLLS)}"
        if is_short
        else f"at most {duration(longest)}"
    )
    reader.say(
        f"device_grants.{'lifetime' if is_short else 'interval'}",
        f"with an interval of {interval} and a lifetime of {lifetime} a device can ask for its tokens"
        f" less than {POLLS} times, or never; expected {expected}",
    )


def is_enabled(config: Config, kind: GrantType) -> bool:
    """Say whether a grant type is switched on; one without an option is always."""
    return kind.option is None or bool(getattr(config, kind.option).enabled)


def _check_clients(reader: Reader, config: Config) -> None:
    clients = [written.client for written in config.clients]
    ids = [client.client_id for client in clients]
    for n, client_id in enumerate(ids):
        if client_id in ids[:n]:
            reader.say(f"clients[{n}].client_id", f"{client_id} is there twice")
    for n, client in enumerate(clients):
        if client.client_id in config.pkce_exempt and client.is_public:
            reader.say(
                f"clients[{n}]",
                "is in pkce_exempt but has neither secret nor key; only PKCE protects it",
            )
    for n, client in enumerate(clients):
        for kind in GRANT_TYPES:
            if kind.name in client.grant_types and not is_enabled(config, kind):
                reader.say(f"clients[{n}]", f"has {kind.name}, and {kind.option}.enabled is false")
    if any(path.startswith("clients") for path, _ in reader.problems):
        return  # the client that is meant may be one of the broken ones
    for client_id in sorted(config.pkce_exempt - set(ids)):
        reader.say("pkce_exempt", f"{client_id} is not among clients")
