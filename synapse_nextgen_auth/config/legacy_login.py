"""The section `legacy_login`."""

from synapse_nextgen_auth.accounts.legacy_login import Allowed
from synapse_nextgen_auth.config.kinds.words import Choice, Switch
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class LegacyLogin:
    """The ways in that are older than this module, for applications that know nothing else."""

    prefer_oauth: bool = option(
        Switch("told that ours is better", "not told of ours"),
        default=True,
        about="Tell applications that know both that the browser is the better way in"
        " (`oauth_aware_preferred`). Some then hide their password form.",
        example="false",
        label="legacy clients",
    )
    password: Allowed = option(
        Choice(Allowed),
        default=Allowed.ALWAYS,
        about="Whether applications may sign people in with a password that is typed into them"
        " (`m.login.password`, and the types of password providers). `until_first_session` closes it for"
        " each account from its first session of an application that signed in here on; `never` closes"
        " it for everybody.",
        example="until_first_session",
        label="password in clients",
    )
    sso: Allowed = option(
        Choice(Allowed),
        default=Allowed.ALWAYS,
        about="Whether applications may sign people in through `m.login.sso`, or by its older name"
        " `m.login.cas`, which leads to our pages too but ends with full access. The values mean what"
        " they mean for `legacy_login.password`.",
        example="never",
        label="m.login.sso",
    )
    jwt: Allowed = option(
        Choice(Allowed),
        default=Allowed.ALWAYS,
        about="Whether applications may sign people in with a JSON Web Token, where Synapse's"
        " `jwt_config` is on. The values mean what they mean for `legacy_login.password`.",
        example="never",
        label="login by JWT",
    )
    confirm_in_browser: bool = option(
        Switch("asks in the browser", "asks as Synapse does"),
        default=False,
        about="Whether applications that signed in the old way confirm what is dangerous, like deleting"
        " a device, [on a page of ours](../topics/approvals.md#legacy-sessions) instead of with a"
        " password that is typed into them (User-Interactive Authentication). Everybody who is to"
        " confirm something then must be able to sign in in the browser. They are asked each time:"
        " Synapse's `ui_auth.session_timeout` is ignored.",
        example="true",
        label="legacy approvals",
    )
