"""Samples of the pages by which people show that they read a mailbox."""

import attrs

from synapse_nextgen_auth.accounts.attempts.sign_ups import Step
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.mailbox.page import (
    AddressCodePage,
    AddressPage,
    AddressProblem,
    CodeProblem,
)
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, UGLY

ADDRESS = AddressPage(
    csrf="c5rf",
    action="register-email?attempt=8a1f",
    server_name="example.org",
    step=Step(2, 4),
    client=ELEMENT,
)
CODE = AddressCodePage(
    csrf="c5rf",
    action="register-email-code?attempt=8a1f",
    server_name="example.org",
    address="alice.liddell@example.com",
    address_url="register-email?attempt=8a1f",
    minutes=10,
    wait=40,
    step=Step(2, 4),
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    AddressPage: {
        "plain": ADDRESS,
        "optional": attrs.evolve(ADDRESS, may_skip=True, can_cancel=True),
        "alone": attrs.evolve(ADDRESS, step=None, client=None),
        "sign_in": attrs.evolve(ADDRESS, step=None, sign_in_url="sign-in?grant=8a1f"),
        "long": attrs.evolve(
            ADDRESS,
            address=LONG,
            server_name=LONG_ID.partition(":")[2],
            client=UGLY,
            problem=AddressProblem.INVALID,
        ),
        **{
            kind.value: attrs.evolve(
                ADDRESS,
                address="alice@example.com",
                problem=kind,
                retry_after=90 if "too" in kind.value else None,
            )
            for kind in AddressProblem
        },
    },
    AddressCodePage: {
        "plain": CODE,
        "later": attrs.evolve(CODE, wait=0, client=ELEMENT, can_cancel=True),
        "optional": attrs.evolve(CODE, may_skip=True, can_cancel=True),
        "alone": attrs.evolve(CODE, step=None, minutes=1),
        "sign_in": attrs.evolve(CODE, step=None, sign_in_url="sign-in?grant=8a1f"),
        "refused": attrs.evolve(CODE, is_refused=True),
        "long": attrs.evolve(
            CODE,
            address=f"{LONG[:64]}@{LONG[:60]}.{LONG[:60]}.example",
            server_name=LONG_ID.partition(":")[2],
            client=UGLY,
        ),
        **{
            kind.value: attrs.evolve(
                CODE, problem=kind, retry_after=90 if kind is CodeProblem.TOO_OFTEN else None
            )
            for kind in CodeProblem
        },
    },
}
