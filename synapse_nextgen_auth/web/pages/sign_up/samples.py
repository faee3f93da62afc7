"""Samples of the pages of a sign-up."""

import attrs

from synapse_nextgen_auth.accounts.attempts.sign_ups import Step
from synapse_nextgen_auth.accounts.new_passwords import (
    Judgement,
    PasswordHint,
    PasswordPolicy,
    PasswordProblem,
    Strength,
)
from synapse_nextgen_auth.homeserver.people.sign_ups.new_people import Trouble
from synapse_nextgen_auth.web.pages.content import PageContent, ProviderCard
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, RIGHT_TO_LEFT, UGLY
from synapse_nextgen_auth.web.pages.sign_up.page import (
    DisplayNameProblem,
    InvitationCard,
    NameProblem,
    SignUpPage,
    SignUpTermsPage,
    TokenProblem,
)

FIRST = SignUpPage(
    csrf="c5rf",
    action="register?grant=8a1f",
    server_name="example.org",
    sign_in_url="sign-in?grant=8a1f",
    step=Step(1, 3),
    client=ELEMENT,
    can_cancel=True,
)
WORKS = (ProviderCard("oidc-works", "The Works"), ProviderCard("cas", LONG_ID, "icon"))
WITH_TOKEN = attrs.evolve(FIRST, asks_token=True, needs_token=True)
CLOSED = attrs.evolve(FIRST, by_password=False, step=None)
POLICY = PasswordPolicy(12, digit=True, symbol=True, uppercase=True, lowercase=True)
_WEAK = Strength(1, PasswordHint.COMMON)
TERMS = SignUpTermsPage(
    csrf="c5rf",
    action="register-terms?attempt=8a1f",
    server_name="example.org",
    step=Step(2, 2),
    terms_url="/_matrix/consent?v=1.0",
    version="1.0",
    user_id="@alice:example.org",
    client=ELEMENT,
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    SignUpPage: {
        "plain": FIRST,
        "alone": attrs.evolve(FIRST, step=None, client=None, can_cancel=False),
        "token": attrs.evolve(WITH_TOKEN, token="s3cret"),  # noqa: S106 (a sample)
        "invited": attrs.evolve(
            WITH_TOKEN, invitation=InvitationCard("@bob:example.org", "Come and join us!", "alice")
        ),
        "invited_by_mail": attrs.evolve(
            WITH_TOKEN, invitation=InvitationCard(email="alice@example.org")
        ),
        "invited_by_nobody": attrs.evolve(WITH_TOKEN, invitation=InvitationCard()),
        "invited_long": attrs.evolve(WITH_TOKEN, invitation=InvitationCard(LONG_ID, LONG, LONG)),
        "token_optional": attrs.evolve(FIRST, asks_token=True),
        "kept": attrs.evolve(FIRST, has_password=True, localpart="alice"),
        "taken": attrs.evolve(
            FIRST,
            localpart="alice",
            name_problem=NameProblem.TAKEN,
            free=("alice7", "alice42", LONG[:120]),
        ),
        "fixed_name": attrs.evolve(FIRST, asks_display_name=False),
        "providers": attrs.evolve(FIRST, providers=WORKS),
        "only_providers": attrs.evolve(CLOSED, providers=WORKS),
        "closed": CLOSED,
        "closed_alone": attrs.evolve(CLOSED, client=None, can_cancel=False),
        "impossible": attrs.evolve(CLOSED, is_impossible=True),
        "everything": attrs.evolve(
            WITH_TOKEN,
            name_problem=NameProblem.TAKEN,
            display_name_problem=DisplayNameProblem.TOO_LONG,
            judgement=Judgement((PasswordProblem.MISSING,)),
            token_problem=TokenProblem.WRONG,
        ),
        "long": attrs.evolve(
            WITH_TOKEN,
            client=UGLY,
            localpart=LONG,
            display_name=LONG,
            token=LONG,
            server_name=LONG_ID.partition(":")[2],
            name_problem=NameProblem.INVALID,
        ),
        "rtl": attrs.evolve(FIRST, display_name=RIGHT_TO_LEFT),
        **{
            f"name_{kind.value}": attrs.evolve(FIRST, localpart="alice", name_problem=kind)
            for kind in NameProblem
        },
        "policy": attrs.evolve(FIRST, policy=POLICY),
        "policy_violated": attrs.evolve(
            FIRST, policy=POLICY, judgement=Judgement(tuple(PasswordProblem), _WEAK, 12)
        ),
        **{
            f"hint_{hint.value}": attrs.evolve(
                FIRST, judgement=Judgement((PasswordProblem.TOO_WEAK,), Strength(1, hint))
            )
            for hint in PasswordHint
        },
        **{
            f"token_{kind.value}": attrs.evolve(WITH_TOKEN, token_problem=kind)
            for kind in TokenProblem
        },
        "token_held_for": attrs.evolve(
            WITH_TOKEN, token_problem=TokenProblem.HELD, token_wait=3540
        ),
        **{
            f"trouble_{kind.value}": attrs.evolve(
                FIRST, localpart="alice", has_password=True, trouble=kind, retry_after=290
            )
            for kind in Trouble
        },
    },
    SignUpTermsPage: {
        "plain": TERMS,
        "missing": attrs.evolve(TERMS, is_missing=True),
        "alone": attrs.evolve(TERMS, client=None),
        "named": attrs.evolve(TERMS, terms_name="Privacy Policy"),
        "long_name": attrs.evolve(TERMS, terms_name=LONG),
        "long": attrs.evolve(
            TERMS, client=UGLY, user_id=LONG_ID, server_name=LONG_ID.partition(":")[2]
        ),
        "rtl": attrs.evolve(TERMS, user_id=f"@{RIGHT_TO_LEFT}:example.org"),
    },
}
