"""What is kept of a passkey, and for which site its browser uses it."""

import attrs

from synapse_nextgen_auth.records import frozen

MAX_NAME = 64  # letters
# Longer than any device makes them (WebAuthn section 4, "credential id": at most 1023 bytes).
MAX_ID = 1400


@frozen
class Passkey:
    """One row of passkeys; times in seconds since the epoch.

    `credential_id`, `user_handle` and `public_key` (COSE, RFC 9052) are base64url. `sign_count` is what
    its device said last; many always say 0. `may_sync` says that its owner's other devices may have
    it, too, `is_synced` that they had it when it was last used. `is_verified`: its device asks who its
    owner is, and browsers find it without a name. `transports` are hints for the browser, separated by
    spaces. `rp_id` is the site that it was made for: a browser uses it for no other. What is so or not
    is 1 or 0, as every database has it.
    """

    credential_id: str
    user_id: str
    user_handle: str
    rp_id: str
    public_key: str
    name: str
    made_at: int
    sign_count: int = 0
    may_sync: int = attrs.field(default=0, converter=int)
    is_synced: int = attrs.field(default=0, converter=int)
    is_verified: int = attrs.field(default=0, converter=int)
    transports: str = ""
    aaguid: str | None = None
    last_used_at: int | None = None


@frozen(kw_only=True)
class RelyingParty:
    """This site, as browsers know it: the domain that passkeys are made for, and our pages' origins.

    An origin is written as browsers do: scheme, host, and a port where it is not the usual one.
    """

    rp_id: str
    origins: tuple[str, ...]
    name: str
