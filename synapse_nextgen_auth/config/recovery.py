"""The section `recovery`."""

from synapse_nextgen_auth.config.kinds.numbers import Duration
from synapse_nextgen_auth.config.kinds.words import Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen

_DAY = 24 * 3600


@frozen
class Recovery:
    """What people do who cannot sign in."""

    enabled: bool = option(
        Switch("where mails are sent", "off"),
        default=True,
        about='Whether the sign-in page offers "Forgot your password?". It does so only where it can'
        " work: Synapse sends mail (`email`), and passwords sign in and can be changed"
        " (`password_config`). How long its links live is Synapse's `email.validation_token_lifetime`."
        " See [recovery](../topics/recovery.md).",
        example="false",
        label="forgotten passwords",
    )
    link_lifetime: int = option(
        Duration(longest="30d"),
        default=_DAY,
        about="How long a link lives that an administrator makes with the command"
        " [`set-password-link`](cli.md#set-password-link), where it does not say `--for`.",
        example="4h",
        label="set-password links",
    )
