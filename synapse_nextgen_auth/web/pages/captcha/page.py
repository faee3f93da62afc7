"""What the page says that tells people from programs."""

from typing import ClassVar

from synapse_nextgen_auth.accounts.attempts.sign_ups import Step
from synapse_nextgen_auth.accounts.captcha_kinds import CaptchaKind
from synapse_nextgen_auth.accounts.captchas import (
    CaptchaTrouble,
    Challenge,
)
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.loads import WORKS, Loads
from synapse_nextgen_auth.web.pages.content import PageContent

_HCAPTCHA = ("https://hcaptcha.com", "https://*.hcaptcha.com")
# What each of them says that its widget needs: support.google.com/recaptcha, docs.hcaptcha.com,
# developers.cloudflare.com/turnstile/reference/content-security-policy.
LOADS = {
    CaptchaKind.RECAPTCHA: Loads(
        scripts=("https://www.recaptcha.net/recaptcha/", "https://www.gstatic.com/recaptcha/"),
        frames=("https://www.recaptcha.net/recaptcha/",),
        connections=("https://www.recaptcha.net/recaptcha/",),
        tells_origin=True,
    ),
    CaptchaKind.HCAPTCHA: Loads(
        scripts=_HCAPTCHA,
        styles=_HCAPTCHA,
        frames=_HCAPTCHA,
        connections=_HCAPTCHA,
        tells_origin=True,
    ),
    CaptchaKind.TURNSTILE: Loads(
        scripts=("https://challenges.cloudflare.com",),
        frames=("https://challenges.cloudflare.com",),
        tells_origin=True,
    ),
    CaptchaKind.PROOF_OF_WORK: WORKS,
}


@frozen
class CaptchaPage(PageContent):
    """Ask for what a program does not do, one sign-up at a time.

    `challenge` is there where somebody works or waits, `wait` are the seconds that are left of that;
    `site_key` where a service asks.
    """

    template: ClassVar[str] = "pages/captcha.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    step: Step
    kind: CaptchaKind
    site_key: str = ""
    challenge: Challenge | None = None
    wait: int = 0
    trouble: CaptchaTrouble | None = None

    @property
    def loads(self) -> Loads:
        """What the service needs, and where there is none, what our own work needs."""
        return LOADS[self.kind]
