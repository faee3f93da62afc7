"""The section `client_registration`."""

from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.lists import ListOf
from synapse_nextgen_auth.config.kinds.numbers import Duration, Number, WholeNumber
from synapse_nextgen_auth.config.kinds.places import Host
from synapse_nextgen_auth.config.kinds.words import Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Registration:
    """Whether and how clients register themselves (RFC 7591)."""

    enabled: bool = option(
        Switch("open", "closed"),
        default=True,
        about="Let clients register themselves. Without it only those that registered before and"
        " those listed under `clients` can sign people in.",
        example="false",
        label="client registration",
    )
    allow_loopback_web: bool | None = option(
        Optional(
            Switch("may register web addresses", "may not register web addresses"),
            unset="while this server is on loopback itself",
        ),
        default=None,
        about="Let web clients register addresses at `localhost`, `127.0.0.1` and `[::1]`, with http"
        " or https, for clients under development. Not set: only while this homeserver itself is"
        " on loopback.",
        example="true",
        label="clients on loopback",
    )
    public_hosts: tuple[str, ...] = option(
        ListOf(Host(), "hosts, domains and networks"),
        default=(),
        about="Hosts inside your network that clients may register as if they were on the internet:"
        " a"
        " host or domain with all that is below it, `.example` for what is below alone, an address,"
        " or a network. Names with two labels or more, like `chat.internal`, need it only if they are"
        " public suffixes. They all have to be https, and nothing is ever fetched from there.",
        example='["chat", ".corp.example", "192.168.0.0/16", "fd00::/8"]',
        label="hosts as if public",
    )
    allow_without_client_uri: bool = option(
        Switch("may register", "are refused"),
        default=False,
        about="Let clients register without `client_uri`, as ordinary OpenID Connect clients do. The"
        " host of the redirect URI stands for the client then, and people see that.",
        example="true",
        label="without client_uri",
    )
    allow_other_hosts: bool = option(
        Switch("may register", "are refused"),
        default=False,
        about="Let clients register redirect URIs at other hosts than that of their `client_uri`,"
        " and at any scheme of an app with a dot in it. People see the host that they are sent to.",
        example="true",
        label="other redirect hosts",
    )
    per_second: float = option(
        Number("each second of one network"),
        default=0.05,
        about="How many new registrations one network (an IPv4 address, or an IPv6 /64) may make in"
        " the long run: one every 20 seconds are 4,320 a day, or 71 MB of the largest."
        " Repeating a known registration is free.",
        example="0.01",
        label="registrations, rate",
    )
    burst: int = option(
        WholeNumber("at once of one network"),
        default=300,
        about="How many new registrations one network may make at once.",
        example="20",
        label="registrations, burst",
    )
    unused_lifetime: int = option(
        Duration(),
        default=30 * 86400,
        about="Forget a registration that has no session and was not used for this long. One that"
        " never began a sign-in goes after a day, with a secret or a key after a week."
        " The same public client gets the same `client_id` when it registers again.",
        example="7d",
        label="unused registrations",
    )
