"""Samples of the page that tells people from programs."""

import attrs

from synapse_nextgen_auth.accounts.attempts.sign_ups import Step
from synapse_nextgen_auth.accounts.captcha_kinds import CaptchaKind
from synapse_nextgen_auth.accounts.captchas import CaptchaTrouble, Challenge
from synapse_nextgen_auth.web.pages.captcha.page import CaptchaPage
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG

CHALLENGE = Challenge(1_700_000_000, 8, "s" * 22, "p" * 43)

WORK = CaptchaPage(
    csrf="1.x",
    action="register-captcha?attempt=x",
    server_name="example.org",
    step=Step(2, 4),
    kind=CaptchaKind.PROOF_OF_WORK,
    challenge=CHALLENGE,
    wait=20,
)
SERVICE = attrs.evolve(WORK, kind=CaptchaKind.HCAPTCHA, challenge=None, wait=0, site_key="10-ff")

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    CaptchaPage: {
        "work": WORK,
        "over": attrs.evolve(WORK, wait=0),
        **{kind.value: attrs.evolve(SERVICE, kind=kind) for kind in CaptchaKind if kind.service},
        **{trouble.value: attrs.evolve(SERVICE, trouble=trouble) for trouble in CaptchaTrouble},
        "work_failed": attrs.evolve(WORK, trouble=CaptchaTrouble.FAILED),
        "work_too_soon": attrs.evolve(WORK, trouble=CaptchaTrouble.TOO_SOON, wait=1),
        "wait_instead": attrs.evolve(SERVICE, challenge=CHALLENGE, wait=20),
        "long": attrs.evolve(SERVICE, server_name=LONG, site_key=f'"><script>{LONG}'),
    }
}
