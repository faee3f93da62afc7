"""Authenticator apps: they show codes that are made of a secret and the time (TOTP, RFC 6238).

What nearly every app can do, and no more: SHA-1, six digits, a new code every 30 seconds.
"""

import json
from urllib.parse import quote, urlencode

import attrs

from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret, random_letters, same

STEP = 30  # seconds
# As many steps the clock of a phone may be wrong, and its owner slow (RFC 6238 section 5.2).
WINDOW = 1
# Of one account. Each more is one more code that a guess may hit.
MOST = 5
# How long (seconds) a secret is shown before a code of it must have come back.
UNCONFIRMED_FOR = 900
# So many may wait for that at a time: tabs that were left open.
MOST_UNCONFIRMED = 3
LONGEST_NAME = 64
# 160 bits in base32, as RFC 4226 section 4 recommends.
_BASE32, _LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32


def draw() -> Secret:
    """Draw a secret, as apps take it."""
    return Secret(random_letters(_BASE32, _LETTERS))


@frozen
class App:
    """One row of authenticator apps; times in seconds since the epoch.

    `secret` is sealed. One that was never confirmed by a code is none yet. `last_step` is the time step
    of the last code that was taken: neither it nor one before it is taken again.
    """

    app_id: str
    user_id: str
    secret: str = attrs.field(repr=False)
    name: str
    made_at: int
    confirmed_at: int | None = None
    last_used_at: int | None = None
    last_step: int | None = None

    @classmethod
    def of(
        cls, keys: Keyring, secret: Secret, *, app_id: str, user_id: str, name: str, now: int
    ) -> "App":
        """Return one that was not confirmed yet."""
        return cls(app_id, user_id, _seal(keys, secret, app_id, user_id), name, now)

    def opened(self, keys: Keyring) -> Secret | None:
        """Return the secret; `None` where no key of ours fits any more, or it is another row's."""
        plain = keys.unseal(Purpose.TOTP, self.secret)
        if plain is None:
            return None
        app_id, user_id, secret = json.loads(plain)
        return Secret(secret) if (app_id, user_id) == (self.app_id, self.user_id) else None

    def resealed(self, keys: Keyring) -> str:
        """Return the secret as the present key seals it."""
        return keys.reseal(Purpose.TOTP, self.secret) or self.secret

    def awaits_code(self, now: int) -> bool:
        """Say whether it may still be confirmed."""
        return self.confirmed_at is None and abs(now - self.made_at) < UNCONFIRMED_FOR


def _seal(keys: Keyring, secret: Secret, app_id: str, user_id: str) -> str:
    # With whose it is: a row that somebody copied to another account opens nothing there.
    return keys.seal(Purpose.TOTP, json.dumps([app_id, user_id, secret.reveal()]).encode("utf-8"))


def matching_step(secret: Secret, typed: str, *, now: int) -> int | None:
    """Return the time step whose code this is, the latest if of several, in the window of now.

    Whether that step was used is for `is_unused`, and for the row.
    """
    from pyotp import TOTP  # noqa: PLC0415 (no start waits for it)

    totp, present = TOTP(secret.reveal()), now // STEP
    steps = range(max(0, present - WINDOW), present + WINDOW + 1)
    # All of them, whichever fits: the time that it takes says nothing.
    fitting = [step for step in steps if same(totp.generate_otp(step), typed)]
    return max(fitting, default=None)


def is_unused(step: int, last_step: int | None, *, now: int) -> bool:
    """Say whether no code of this step or a later one was taken (C289).

    One that lies further ahead than clocks differ was taken while a clock was wrong, and locks nobody
    out until then (C379).
    """
    return last_step is None or last_step < step or last_step > furthest(now)


def furthest(now: int) -> int:
    """Return the last step whose code another process may have taken by now."""
    return (now + SKEW) // STEP + WINDOW


def uri(secret: Secret, *, server_name: str, user_id: str) -> str:
    """Return what the picture says: the form that authenticator apps have agreed on."""
    label = f"{quote(server_name, safe='')}:{quote(user_id, safe='')}"
    query = urlencode({"secret": secret.reveal(), "issuer": server_name}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"


def in_groups(secret: Secret) -> str:
    """Return the secret for whoever types it into the app."""
    letters = secret.reveal()
    return " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def name_of(typed: str) -> str | None:
    """Return the name that somebody gave their app, in one line; `None` where it is too long."""
    name = " ".join("".join(each if each.isprintable() else " " for each in typed).split())
    return name if len(name) <= LONGEST_NAME else None
