"""The section `mail`."""

from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.words import Text
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Mail:
    """What mails say; who sends them is in Synapse's own section `email`."""

    templates: str | None = option(
        Optional(Text(), "our own"),
        default=None,
        about="A directory with templates of yours: a file in it takes the place of ours with the same"
        " name. They are all tried when the server starts, so an edit wants a restart."
        " See [mail](../topics/mail.md#words-of-your-own).",
        example="/etc/matrix-synapse/nextgen-auth-mails",
        label="templates of mails",
    )
