"""The section `client_registration`."""

import attrs

from synapse_nextgen_auth.config.options import option


@attrs.frozen
class Registration:
    """Whether and how clients register themselves (RFC 7591)."""

    enabled: bool = option(
        True,
        "Let clients register themselves. Without it only those that registered before and those"
        " listed under `clients` can sign people in.",
        example="false",
    )
    allow_loopback_web: bool | None = option(
        None,
        "Let web clients register `http://localhost`, `http://127.0.0.1` and `http://[::1]`"
        " addresses, for clients under development. Not set: only while this homeserver itself is"
        " on loopback.",
        example="true",
    )
    per_second: float = option(
        0.05,
        "How many new registrations one network (an IPv4 address, or an IPv6 /64) may make in the"
        " long run: one every 20 seconds are 4,320 a day, or 71 MB of the largest."
        " Repeating a known registration is free.",
        example="0.01",
    )
    burst: int = option(
        300,
        "How many new registrations one network may make at once.",
        example="20",
    )
    unused_lifetime: int = option(
        30 * 86400,
        "Forget a registration that has no session and was not used for this long. One that never"
        " began a sign-in goes after a day, with a secret or a key after a week."
        " The same public client gets the same `client_id` when it registers again.",
        example="7d",
        unit="duration",
    )
