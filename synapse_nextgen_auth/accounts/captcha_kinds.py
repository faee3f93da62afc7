"""What tells people from programs: the kinds that there are, and the services behind some of them."""

import enum

from synapse_nextgen_auth.records import frozen


class CaptchaKind(str, enum.Enum):
    """What tells people from programs; the value is what the operator writes."""

    RECAPTCHA = "recaptcha"
    HCAPTCHA = "hcaptcha"
    TURNSTILE = "turnstile"
    PROOF_OF_WORK = "proof_of_work"

    @property
    def service(self) -> "Service | None":
        """The third party that says it, if one does."""
        return _SERVICES.get(self)


@frozen
class Service:
    """A third party that asks: its name, its script, how its widget is found and where it answers."""

    name: str
    script: str
    css_class: str
    field: str


_SERVICES = {
    CaptchaKind.RECAPTCHA: Service(
        "reCAPTCHA",
        "https://www.recaptcha.net/recaptcha/api.js",
        "g-recaptcha",
        "g-recaptcha-response",
    ),
    CaptchaKind.HCAPTCHA: Service(
        "hCaptcha", "https://js.hcaptcha.com/1/api.js", "h-captcha", "h-captcha-response"
    ),
    CaptchaKind.TURNSTILE: Service(
        "Cloudflare Turnstile",
        "https://challenges.cloudflare.com/turnstile/v0/api.js",
        "cf-turnstile",
        "cf-turnstile-response",
    ),
}
