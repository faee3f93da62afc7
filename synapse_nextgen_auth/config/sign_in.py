"""The section `sign_in`."""

from synapse_nextgen_auth.config.kinds.words import Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class SignIn:
    """Ways to sign in beside those of Synapse's configuration."""

    email_codes: bool = option(
        Switch("on", "off"),
        default=False,
        about="Let people whose account has neither a password nor an identity provider sign in with a"
        " code that is sent to its address. Whoever reads that mailbox has the account then."
        " See [signing in by a code](../topics/mail.md#signing-in-by-a-code).",
        example="true",
        label="sign-in by a code",
    )
