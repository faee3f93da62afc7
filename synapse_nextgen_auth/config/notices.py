"""The section `notices`."""

from synapse_nextgen_auth.config.kinds.words import Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Notices:
    """What accounts are told of that happens to them, and how."""

    by_mail: bool = option(
        Switch("on", "off"),
        default=True,
        about="Send notices to every e-mail address of the account, where Synapse sends mails"
        " (its section `email`). See [notices](../topics/notices.md).",
        example="false",
        label="notices by mail",
    )
    in_matrix: bool = option(
        Switch("on", "off"),
        default=True,
        about="Send notices into the account's room for server notices, where Synapse has one"
        " (its section `server_notices`).",
        example="false",
        label="notices in Matrix",
    )
    new_device: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of a new device that signed in.",
        example="false",
        label="new devices",
    )
    password: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of a password that was set, changed or removed.",
        example="false",
        label="passwords",
    )
    addresses: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of an e-mail address or a phone number that was added"
        " or removed; the one that was removed is told, too.",
        example="false",
        label="addresses",
    )
    providers: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of an identity provider that was connected or"
        " disconnected.",
        example="false",
        label="identity providers",
    )
    factors: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of a second factor that was added or removed, of recovery"
        " codes that were made or used, and of somebody who had the password and guessed at codes.",
        example="false",
        label="changed factors",
    )
    reuse: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of a session that ended because one of its tokens or"
        " codes came back from a second place.",
        example="false",
        label="stolen tokens",
    )
    approvals: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of something dangerous that was approved for an app.",
        example="false",
        label="approvals",
    )
    personal_tokens: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of a personal token that was made, or is over soon.",
        example="false",
        label="new tokens",
    )
    downloads: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of a download of the account's data.",
        example="false",
        label="downloads",
    )
    deactivation: bool = option(
        Switch("told", "not told"),
        default=True,
        about="Whether accounts are told of the end of the account.",
        example="false",
        label="deactivations",
    )
    approval_questions: bool = option(
        Switch("shown", "not shown"),
        default=False,
        about="Whether what an app wants to do and its person has [to approve](../topics/approvals.md)"
        " is shown in the account's room for server notices, with a link to the page, so that they can"
        " answer from another device. Off, as most apps open that page themselves.",
        example="true",
        label="approvals that wait",
    )
    device_questions: bool = option(
        Switch("shown", "not shown"),
        default=False,
        about="Whether [a device without a browser](../topics/devices-without-a-browser.md) that says"
        " whose it is (`login_hint`) is shown in that account's room for server notices, with a link to"
        " the page that asks for the code. Off, because anybody may name an account: whoever does"
        " causes a message, at most one at a time.",
        example="true",
        label="devices that wait",
    )
