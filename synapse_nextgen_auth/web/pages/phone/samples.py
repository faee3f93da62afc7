"""Samples of the pages that ask for a phone number."""

import attrs

from synapse_nextgen_auth.accounts.attempts.sign_ups import Step
from synapse_nextgen_auth.accounts.phones import PhoneTrouble
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.phone.page import PhoneCodePage, PhonePage
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, UGLY

PHONE = PhonePage(
    csrf="1.x",
    action="register-phone?attempt=x",
    server_name="example.org",
    step=Step(3, 4),
    can_cancel=True,
    client=ELEMENT,
)
CODE = PhoneCodePage(
    csrf="1.x",
    action="register-phone-code?attempt=x",
    server_name="example.org",
    step=Step(3, 4),
    number="+4915123456789",
    phone_url="register-phone?attempt=x",
    can_cancel=True,
    client=ELEMENT,
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    PhonePage: {
        "plain": PHONE,
        "optional": attrs.evolve(PHONE, may_skip=True, client=None),
        **{
            trouble.value: attrs.evolve(PHONE, number="+49 151", trouble=trouble)
            for trouble in PhoneTrouble
        },
        "wait": attrs.evolve(PHONE, trouble=PhoneTrouble.TOO_OFTEN, retry_after=90),
        "long": attrs.evolve(PHONE, number=LONG, server_name=LONG, client=UGLY),
    },
    PhoneCodePage: {
        "plain": CODE,
        "optional": attrs.evolve(CODE, may_skip=True, client=None),
        **{trouble.value: attrs.evolve(CODE, trouble=trouble) for trouble in PhoneTrouble},
        "long": attrs.evolve(CODE, number=LONG, server_name=LONG, client=UGLY),
    },
}
