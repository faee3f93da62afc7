"""The section `factors`."""

from synapse_nextgen_auth.accounts.factors.demands import Rule, Strong
from synapse_nextgen_auth.accounts.factors.policy import Entry, LegacyLogins
from synapse_nextgen_auth.config.kinds.factors import AccountRule, StrongSignIns
from synapse_nextgen_auth.config.kinds.lists import ListOf
from synapse_nextgen_auth.config.kinds.numbers import Duration
from synapse_nextgen_auth.config.kinds.places import Origin
from synapse_nextgen_auth.config.kinds.words import Choice, Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Factors:
    """Second factors: what people prove beside their password."""

    policy: Rule = option(
        Choice(Rule),
        default=Rule.OFF,
        about="Whether people have second factors: `off` (nobody can set one up), `optional` (people may"
        " set them up, and are asked for them from then on) or `required` (nobody goes on without)."
        " Whoever has one is asked for it unless this is `off` and nobody has another rule. See"
        " [who needs a second factor](../setup/second-factors.md).",
        example="optional",
        label="second factors",
    )
    passkey_origins: tuple[str, ...] = option(
        ListOf(Origin(), "origins"),
        default=(),
        about="Other addresses (`https://` and a host) whose pages may use the passkeys that were made"
        " at the host of `public_baseurl`: browsers ask that host for this list (Related Origin"
        " Requests)."
        " See [passkeys](../topics/passkeys.md#when-the-address-changes).",
        example='["https://chat.example.com"]',
        label="related origins",
    )
    email_codes: bool = option(
        Switch("on", "off"),
        default=False,
        about="Whether a code that goes to an e-mail address of the account may be a second factor: the"
        " weakest, as mailboxes are often open to whoever has a password, and anybody reads mails on the"
        " way who runs a mail server. Its owner turns it on for one address. It never counts beside"
        " something else that came by mail."
        " See [codes by e-mail](../topics/factors.md#codes-by-e-mail).",
        example="true",
        label="factors by e-mail",
    )
    admins: Rule = option(
        Choice(Rule),
        default=Rule.OFF,
        about="The same for the administrators of this server, where it is stricter than `policy`."
        " It holds from the moment on at which somebody becomes one: where it is `required` they are"
        " given no `grace_period`.",
        example="required",
        label="factors of admins",
    )
    accounts: tuple[Entry, ...] = option(
        ListOf(AccountRule(), "rules"),
        default=(),
        about="Rules for some accounts: each has `rule`, and `users`, a list of Matrix ids or"
        " usernames, or `matching`, a regular expression that fits the whole Matrix id. Of all rules for"
        " an account the strictest holds.",
        example="""\
- users: [anna, "@ben:example.com"]
  rule: required
- matching: '@.*-ext:example\\.com'
  rule: required""",
        label="factors of accounts",
    )
    grace_period: int = option(
        Duration(may_be_zero=True, longest="1y"),
        default=0,
        about="How long an account that must have a second factor may do without one. It begins when its"
        " owner is first told, at a sign-in. Administrators have it only where `policy` or `accounts`"
        " asks them for one, and not `admins`. `0s`: they set one up before they go on.",
        example="14d",
        label="factors, grace",
    )
    remember_for: int = option(
        Duration(may_be_zero=True, longest="1y"),
        default=0,
        about="How long a browser is not asked for a second factor at sign-in, once somebody proved one"
        " there and ticked that it need not ask again. Whoever has that browser and knows the password"
        " gets in. `0s`: no browser is remembered.",
        example="30d",
        label="factors, remembered",
    )
    lost_wait: int = option(
        Duration(may_be_zero=True, shortest="1d", longest="90d"),
        default=0,
        about="How long somebody waits who has lost every second factor, and asks on the page that"
        " wants one to have them removed. The owner of the account is told at once and again before the"
        " end, in every way there is, and can stop it. `0s`: nobody can ask, and whoever lost everything"
        " turns to you."
        " See [when everything is lost](../topics/factors.md#when-everything-is-lost).",
        example="7d",
        label="lost factors, wait",
    )
    lost_by_mail: bool = option(
        Switch("helped", "not helped"),
        default=False,
        about="Whether that is also for somebody who proved nothing but that they read the mailbox of"
        " the account: by a link that sets a password, or a code that signs in. Whoever reads the"
        " mailbox then gets into the account after the waiting time, unless its owner sees a notice"
        " elsewhere.",
        example="true",
        label="lost, by mail alone",
    )
    lost_admins: bool = option(
        Switch("helped", "not helped"),
        default=False,
        about="Whether that is also for the administrators of this server.",
        example="true",
        label="lost, admins",
    )
    providers: frozenset[Strong] = option(
        StrongSignIns(),
        default=frozenset(),
        about="By the `idp_id` of an identity provider: what it says, in `amr` or `acr` of its ID token,"
        " or as the context of a SAML assertion, of a sign-in that is two factors by itself, so that"
        " nobody is asked for another one. A provider that says nothing of the kind is one factor.",
        example='{keycloak: [mfa, "https://refeds.org/profile/mfa"]}',
        label="two by a provider",
    )
    legacy_logins: LegacyLogins = option(
        Choice(LegacyLogins),
        default=LegacyLogins.REFUSE,
        about="What becomes of somebody who signs in in an application the old way, with a password or a"
        " token that is typed into it, where their account has a second factor or must have one:"
        " `refuse` (the application says that they sign in in the browser), `warn` (they get in, and the"
        " owner of the account is told), `allow` (they get in). Sessions that are there already stay.",
        example="warn",
        label="factors, old clients",
    )
