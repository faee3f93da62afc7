"""What the operator may set, read once into one frozen record; every mistake is reported at once.

The options are fields of the records below: `docs/reference/configuration.md` is generated from
them, so it cannot drift.
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs

from synapse_nextgen_auth.oauth.clients import DEVICE_CODE
from synapse_nextgen_auth.oauth.device_grants import LONGEST_LIFE
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.static_clients import StaticClient, read_static
from synapse_nextgen_auth.secret import Secret

T = TypeVar("T")

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_DURATION = re.compile(r"([0-9]{1,9})([smhdwy])")
_LONGEST = "100y"
MIN_SECRET_BYTES = 32


class ConfigProblems(Exception):
    """Everything that is wrong with the operator's options: (path, what is wrong) pairs."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{path}: {text}" for path, text in problems))
        self.problems = problems


_NONE: frozenset[str] = frozenset()


def _option(
    default: Any,
    about: str,
    *,
    example: str,
    unit: str = "",
    may_be_zero: bool = False,
    longest: str = "",
) -> Any:
    """Declare an option with its place in the reference."""
    metadata = {
        "about": about,
        "example": example,
        "unit": unit,
        "may_be_zero": may_be_zero,
        "longest": longest,
    }
    if isinstance(default, (list, dict)):
        raise TypeError("use an immutable default")
    return attrs.field(default=default, metadata=metadata)


@attrs.frozen
class Tokens:
    """How long tokens and codes live.

    Durations are in seconds once read.
    """

    access_token_lifetime: int | None = _option(
        None,
        "How long an access token works. Not set: Synapse's `refreshable_access_token_lifetime`"
        " where that is set, else 5 minutes.",
        example="10m",
        unit="duration",
    )
    refresh_grace: int = _option(
        30,
        "For how long after a refresh the previous refresh token still answers with the current"
        " pair although that was used already. While the new pair is unused it does in any case.",
        example="1m",
        unit="duration",
        may_be_zero=True,
    )
    code_lifetime: int = _option(
        120,
        "How long an authorization code may be redeemed after the person agreed.",
        example="60s",
        unit="duration",
    )


@attrs.frozen
class Sessions:
    """How long clients and browsers stay signed in."""

    idle_lifetime: int | None = _option(
        None,
        "End a session whose client did not show up for this long; its device and keys stay."
        " Synapse's `refresh_token_lifetime` counts too: the shorter one wins. It must be longer"
        " than an access token lives plus a tenth of this limit, or plus five minutes if that is"
        " less: for 5-minute tokens 6m, for one-hour tokens 65m. Otherwise sessions in use would"
        " end, and the module does not start.",
        example="90d",
        unit="duration",
    )
    idle_lifetime_without_device: int | None = _option(
        None,
        "End a session without a Matrix device, such as a website's, whose client neither refreshed"
        " nor used it for this long. Where `idle_lifetime` is shorter, that counts. Not set: 30"
        " days, or a little more than the lifetime of access tokens where that is longer. It must be"
        " longer than an access token lives plus a tenth of this limit, or plus five minutes if that"
        " is less: for 5-minute tokens 6m, for one-hour tokens 65m.",
        example="7d",
        unit="duration",
    )
    lifetime: int | None = _option(
        None,
        "End every session this long after it began; its device and keys stay."
        " Synapse's `session_lifetime` counts too: the shorter one wins.",
        example="1y",
        unit="duration",
    )
    browser_idle_lifetime: int = _option(
        14 * 86400,
        "Sign a browser out after this long without a visit to our pages.",
        example="1d",
        unit="duration",
    )
    browser_lifetime: int = _option(
        90 * 86400,
        "Sign a browser out this long after it signed in.",
        example="30d",
        unit="duration",
    )
    max_devices: int | None = _option(
        None,
        "How many devices an account may have when a client asks for one more, legacy ones"
        " included. The page says so and leads to the list; no device is ever signed out for it."
        " However many clients ask at once, on all workers: no device comes in above the limit.",
        example="20",
    )


@attrs.frozen
class Consent:
    """When the consent page may be left out."""

    remember_for: int = _option(
        30 * 86400,
        "How long a consent is remembered for the same account, client and scope."
        " Only clients that prove who they are (with a secret or a key) profit from it, and a new"
        " device always asks. `0s` asks every time.",
        example="0s",
        unit="duration",
        may_be_zero=True,
    )


@attrs.frozen
class Authorization:
    """How many people may come to sign in at once."""

    per_second: float = _option(
        2.0,
        "How many authorization requests one network (an IPv4 address, or an IPv6 /64) may begin in"
        " the long run. Many people may be behind one address: 2 a second are 7,200 an hour."
        " Whoever is signed in does not count there, but may begin as many of their own.",
        example="10",
    )
    burst: int = _option(
        1000,
        "How many authorization requests one network, or one account, may begin at once.",
        example="5000",
    )


@attrs.frozen
class Registration:
    """Whether and how clients register themselves (RFC 7591)."""

    enabled: bool = _option(
        True,
        "Let clients register themselves. Without it only those that registered before and those"
        " listed under `clients` can sign people in.",
        example="false",
    )
    allow_loopback_web: bool | None = _option(
        None,
        "Let web clients register `http://localhost`, `http://127.0.0.1` and `http://[::1]`"
        " addresses, for clients under development. Not set: only while this homeserver itself is"
        " on loopback.",
        example="true",
    )
    per_second: float = _option(
        0.05,
        "How many new registrations one network (an IPv4 address, or an IPv6 /64) may make in the"
        " long run: one every 20 seconds are 4,320 a day, or 71 MB of the largest."
        " Repeating a known registration is free.",
        example="0.01",
    )
    burst: int = _option(
        300,
        "How many new registrations one network may make at once.",
        example="20",
    )
    unused_lifetime: int = _option(
        30 * 86400,
        "Forget a registration that has no session and was not used for this long. One that never"
        " began a sign-in goes after a day, with a secret or a key after a week."
        " The same public client gets the same `client_id` when it registers again.",
        example="7d",
        unit="duration",
    )


@attrs.frozen
class DeviceGrants:
    """Signing in on devices without a browser (RFC 8628)."""

    enabled: bool = _option(
        True,
        "Let clients use the device authorization grant. Without it it is nowhere advertised and"
        " refused everywhere.",
        example="false",
    )
    lifetime: int = _option(
        900,
        "How long a person has to enter the code and agree.",
        example="10m",
        unit="duration",
        longest=f"{LONGEST_LIFE // 60}m",
    )
    interval: int = _option(
        5,
        "How long a device waits between two polls.",
        example="10s",
        unit="duration",
    )
    per_second: float = _option(
        0.5,
        "How many device grants, and as many rendezvous (QR codes), one network (an IPv4"
        " address, or an IPv6 /64) may begin in the long run.",
        example="0.1",
    )
    burst: int = _option(
        100,
        "How many of them one network may begin at once.",
        example="20",
    )


@attrs.frozen
class Events:
    """How long it is known what happened to an account."""

    lifetime: int = _option(
        180 * 86400,
        "How long events are kept: sign-ins, consents, sessions that began or ended.",
        example="1y",
        unit="duration",
    )
    address_lifetime: int = _option(
        28 * 86400,
        "How long network addresses are kept: of events, and of the last refresh of a session."
        " The default is that of Synapse's `user_ips_max_age`. The counters"
        " of the limits keep theirs for a day at most, and device grants for a day after they"
        " expired.",
        example="7d",
        unit="duration",
    )


@attrs.frozen
class Config:
    """The options of the module."""

    enabled: bool = _option(
        True,
        "Set to `false` to keep the line in `homeserver.yaml` and do nothing.",
        example="false",
    )
    secret: Secret | None = _option(
        None,
        "The secret that all keys of this module are derived from, 32 bytes or more."
        " Not set: Synapse's `macaroon_secret_key`.",
        example='"a long random string of at least 32 characters"',
    )
    secret_path: str | None = _option(
        None,
        "A file that holds `secret`, instead of writing it here. White space around it is dropped.",
        example="/etc/matrix-synapse/nextgen-auth.secret",
    )
    previous_secrets: tuple[Secret, ...] = _option(
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
    clients: tuple[StaticClient, ...] = _option(
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
    pkce_exempt: frozenset[str] = _option(
        _NONE,
        "Ids of static clients with a secret or a key that cannot do PKCE. They are let through"
        " without it as long as they do not ask for the Matrix API.",
        example='["grafana"]',
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


def read(raw: object) -> Config:
    """Read the operator's options; raise `ConfigProblems` with all that is wrong.

    Every option has a default: an empty mapping is a complete configuration.
    """
    reader = _Reader([])
    values = reader.mapping(raw if raw is not None else {}, "")
    reader.refuse_unknown(values, Config, "")
    config = Config(
        enabled=reader.boolean(values, "enabled", True),
        secret=reader.secret(values, "secret"),
        secret_path=reader.text(values, "secret_path"),
        previous_secrets=reader.listed(values, "previous_secrets", reader.a_secret),
        clients=reader.listed(values, "clients", reader.a_client),
        pkce_exempt=frozenset(reader.listed(values, "pkce_exempt", reader.a_text)),
        **{name: reader.section(values, name, kind) for name, kind in SECTIONS.items()},
    )
    config = reader.with_secret_of_file(config)
    reader.check_clients(config)
    if reader.problems:
        raise ConfigProblems(reader.problems)
    return config


@attrs.frozen
class _Reader:
    """Turns raw values into typed ones and collects what is wrong with them."""

    problems: list[tuple[str, str]]

    def say(self, path: str, text: str) -> None:
        self.problems.append((path, text))

    def mapping(self, raw: object, path: str) -> Mapping[str, object]:
        if isinstance(raw, Mapping):
            return raw
        self.say(path or "config", f"expected options by name, got {_kind(raw)}")
        return {}

    def refuse_unknown(self, values: Mapping[str, object], kind: type, path: str) -> None:
        known = [field.name for field in attrs.fields(kind)]
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                self.say(_join(path, name), f"unknown option; {hint}")

    def section(self, values: Mapping[str, object], name: str, kind: type) -> Any:
        raw = values.get(name)
        options = self.mapping({} if raw is None else raw, name)
        self.refuse_unknown(options, kind, name)
        read = {
            field.name: self.option(options[field.name], field, _join(name, field.name))
            for field in attrs.fields(kind)
            if options.get(field.name) is not None
        }
        return kind(**{key: value for key, value in read.items() if value is not None})

    def option(self, raw: object, field: "attrs.Attribute[Any]", path: str) -> object:
        if field.metadata["unit"] == "duration":
            return self.duration(
                raw,
                path,
                may_be_zero=field.metadata["may_be_zero"],
                longest=field.metadata["longest"] or _LONGEST,
            )
        if isinstance(field.default, bool) or field.name.startswith("allow_"):
            return self.typed(raw, bool, "true or false", path)
        number = self.typed(raw, (int, float), "a number", path)
        if number is not None and not 0 < number < math.inf:
            self.say(path, f"expected a finite number above 0, got {raw}")
            return None
        if field.type in {int, int | None} and isinstance(number, float):
            self.say(path, f"expected a whole number, got {raw}")
            return None
        return number

    def duration(self, raw: object, path: str, *, may_be_zero: bool, longest: str) -> int | None:
        seconds = _seconds(raw)
        if seconds is not None:
            if seconds <= (_seconds(longest) or 0) and (seconds or may_be_zero):
                return seconds
            limit = f"at most {longest}" if seconds else "more than 0s"
            self.say(path, f"expected {limit}, got {raw}")
            return None
        # A bare number would be milliseconds elsewhere in homeserver.yaml and seconds elsewhere in
        # OAuth, so it is refused instead of guessed.
        hint = "with its unit, like 300s, 5m, 24h or 90d"
        self.say(path, f"expected a duration {hint}, got {_shown(raw)}")
        return None

    def typed(self, raw: object, kind: Any, expected: str, path: str) -> Any:
        if isinstance(raw, kind) and not (kind is not bool and isinstance(raw, bool)):
            return raw
        self.say(path, f"expected {expected}, got {_shown(raw)}")
        return None

    def boolean(self, values: Mapping[str, object], name: str, default: bool) -> bool:  # noqa: FBT001
        if values.get(name) is None:
            return default
        return bool(self.typed(values[name], bool, "true or false", name))

    def text(self, values: Mapping[str, object], name: str) -> str | None:
        raw = values.get(name)
        return None if raw is None else self.a_text(raw, name)

    def secret(self, values: Mapping[str, object], name: str) -> Secret | None:
        raw = values.get(name)
        return None if raw is None else self.a_secret(raw, name)

    def a_text(self, raw: object, path: str) -> str | None:
        if isinstance(raw, str) and raw.strip():
            return raw
        self.say(path, f"expected a text, got {_kind(raw)}")
        return None

    def a_secret(self, raw: object, path: str) -> Secret | None:
        # What was given instead of a secret may be the secret, so it is not repeated.
        if not isinstance(raw, str):
            self.say(path, f"expected a text in quotes, got {_kind(raw)}")
            return None
        if len(raw.encode("utf-8", "surrogatepass")) < MIN_SECRET_BYTES:
            self.say(path, f"is shorter than {MIN_SECRET_BYTES} bytes; use a long random string")
            return None
        return Secret(raw)

    def a_client(self, raw: object, path: str) -> StaticClient | None:
        try:
            return read_static(raw, read_file=lambda name: self.file(name, path))
        except OAuthError as error:
            self.say(path, error.detail or error.description)
            return None

    def listed(
        self, values: Mapping[str, object], name: str, read: Callable[[object, str], T | None]
    ) -> tuple[T, ...]:
        raw = values.get(name)
        if raw is None:
            return ()
        if not isinstance(raw, (list, tuple)):
            self.say(name, f"expected a list, got {_kind(raw)}")
            return ()
        items = [read(item, f"{name}[{n}]") for n, item in enumerate(raw)]
        return tuple(item for item in items if item is not None)

    def file(self, name: str, path: str) -> str:
        try:
            return Path(name).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            self.say(path, f"cannot read {name}: {reason}")
            return ""

    def with_secret_of_file(self, config: Config) -> Config:
        if config.secret_path is None:
            return config
        if config.secret is not None:
            self.say("secret_path", "set either secret or secret_path, not both")
            return config
        before = len(self.problems)
        text = self.file(config.secret_path, "secret_path")
        if len(self.problems) > before:
            return config
        return attrs.evolve(config, secret=self.a_secret(text, "secret_path"))

    def check_clients(self, config: Config) -> None:
        clients = [written.client for written in config.clients]
        ids = [client.client_id for client in clients]
        for n, client_id in enumerate(ids):
            if client_id in ids[:n]:
                self.say(f"clients[{n}].client_id", f"{client_id} is there twice")
        for n, client in enumerate(clients):
            if client.client_id in config.pkce_exempt and client.is_public:
                self.say(
                    f"clients[{n}]",
                    "is in pkce_exempt but has neither secret nor key; only PKCE protects it",
                )
        for n, client in enumerate(clients):
            if not config.device_grants.enabled and DEVICE_CODE in client.grant_types:
                self.say(f"clients[{n}]", f"has {DEVICE_CODE}, and device_grants.enabled is false")
        if any(path.startswith("clients") for path, _ in self.problems):
            return  # the client that is meant may be one of the broken ones
        for client_id in sorted(config.pkce_exempt - set(ids)):
            self.say("pkce_exempt", f"{client_id} is not among clients")


def _seconds(raw: object) -> int | None:
    match = _DURATION.fullmatch(raw) if isinstance(raw, str) else None
    return int(match[1]) * _UNITS[match[2]] if match else None


def duration(seconds: int | None) -> str:
    """Return a duration in the largest unit that fits it exactly, as the options take it."""
    if seconds is None:
        return "no limit"
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _kind(raw: object) -> str:
    if raw is None:
        return "nothing"
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false"}
    names |= {int: "a number", float: "a number"}
    return names.get(type(raw), type(raw).__name__)


def _shown(raw: object) -> str:
    return repr(raw)[:80] if isinstance(raw, (str, int, float, bool)) else _kind(raw)
