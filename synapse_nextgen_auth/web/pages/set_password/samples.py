"""Samples of the pages behind a link."""

import attrs

from synapse_nextgen_auth.accounts.new_passwords import (
    Judgement,
    PasswordHint,
    PasswordPolicy,
    PasswordProblem,
    Strength,
)
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG_ID
from synapse_nextgen_auth.web.pages.set_password.page import (
    LinkGonePage,
    PasswordSetPage,
    SetPasswordPage,
)

_PLAIN = SetPasswordPage(
    csrf="c5rf",
    user_id="@alice:example.org",
    localpart="alice",
    server_name="example.org",
    policy=PasswordPolicy(),
)
_STRICT = PasswordPolicy(minimum_length=15, digit=True, symbol=True, uppercase=True, lowercase=True)
_WEAK = Judgement((PasswordProblem.TOO_WEAK,), Strength(1, PasswordHint.COMMON))

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    SetPasswordPage: {
        "plain": _PLAIN,
        "factor_first": attrs.evolve(_PLAIN, needs_factor=True),
        "factor_proven": attrs.evolve(_PLAIN, action="set-password?attempt=8a1f"),
        "policy": attrs.evolve(_PLAIN, policy=_STRICT),
        "somebody_else": attrs.evolve(_PLAIN, signed_in_as="@bob:example.org"),
        "long": attrs.evolve(_PLAIN, user_id=LONG_ID, signed_in_as=LONG_ID),
        "weak": attrs.evolve(_PLAIN, judgement=_WEAK, signs_out=False),
        "all_wrong": attrs.evolve(
            _PLAIN,
            policy=_STRICT,
            judgement=Judgement(tuple(PasswordProblem), Strength(0), minimum_length=15),
        ),
        "busy": attrs.evolve(_PLAIN, retry_after=5),
    },
    PasswordSetPage: {
        "plain": PasswordSetPage("@alice:example.org", "example.org", signed_out=True),
        "kept": PasswordSetPage(LONG_ID, "example.org", signed_out=False),
    },
    LinkGonePage: {
        "plain": LinkGonePage("example.org"),
        "used": LinkGonePage("example.org", was_used=True),
        "recovery": LinkGonePage("<b>\"'&", recovery_url="recover"),
    },
}
