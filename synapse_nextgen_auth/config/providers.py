"""The section `providers`."""

import enum

from synapse_nextgen_auth.config.kinds.lists import SetOf
from synapse_nextgen_auth.config.kinds.words import Choice, Text
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


class ProviderLogout(enum.Enum):
    """What becomes of the sessions that began in a sign-in which its provider ends."""

    SOFT = "soft"
    IGNORE = "ignore"
    DELETE = "delete"


@frozen
class ProviderOptions:
    """The identity providers that Synapse's configuration names."""

    trusted_to_be_fresh: frozenset[str] = option(
        SetOf(Text(), "ids of providers"),
        default=frozenset(),
        about="Providers (`idp_id`) of which a sign-in counts as a fresh one where an application, or"
        " one of our pages, asks people to prove anew who they are, though they do not say when that"
        " was. Without this, a provider that only speaks OAuth 2.0 (no `openid` among its `scopes`) is"
        " not offered there, and one that leaves `auth_time` out of its ID tokens proves nothing there."
        " Whoever sits at a browser that is signed in there can then do what takes a fresh sign-in: the"
        " provider is asked to let them prove it anew (`prompt=login`), but that stands in an address"
        " which they can change, and nobody hears whether it did.",
        example="[github]",
        label="trusted to be fresh",
    )
    backchannel_logout: ProviderLogout = option(
        Choice(ProviderLogout),
        default=ProviderLogout.SOFT,
        about="What becomes of the sessions of applications that began in a sign-in which its provider"
        " ends (OpenID Connect Back-Channel Logout; `backchannel_logout_enabled` in `oidc_providers`)."
        " `soft` ends them and keeps devices and their keys, so that people sign in again and go on;"
        " `delete` deletes the devices too; `ignore` lets the sessions go on. The browser is signed out"
        " in any case.",
        example="delete",
        label="provider's logout",
    )
