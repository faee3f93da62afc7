"""The section `captcha`."""

import attrs

from synapse_nextgen_auth.accounts.captcha_kinds import CaptchaKind
from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.numbers import Duration, WholeNumber
from synapse_nextgen_auth.config.kinds.places import Url
from synapse_nextgen_auth.config.kinds.words import Choice, SecretText, Switch, Text
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.config.problems import Problems
from synapse_nextgen_auth.config.secret_files import content
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret


@frozen
class Captcha:
    """What tells people from programs where somebody signs up on the pages of this module."""

    kind: CaptchaKind | None = option(
        Optional(Choice(CaptchaKind), unset="as Synapse has it"),
        default=None,
        about="Which: that of a service, or `proof_of_work`, which needs no third party."
        " Not set: reCAPTCHA where Synapse's `enable_registration_captcha` asks for it, with the keys"
        " that stand there, otherwise none. See [captchas](../topics/captcha.md).",
        example="proof_of_work",
        label="captcha",
    )
    site_key: str | None = option(
        Optional(Text()),
        default=None,
        about="What hCaptcha or Turnstile know this site by; everybody may read it.",
        example='"10000000-ffff-ffff-ffff-000000000001"',
        label="captcha, site key",
    )
    secret: Secret | None = option(
        Optional(SecretText()),
        default=None,
        about="The secret that the service gave with it.",
        example='"the secret of the service, 32 characters or more"',
        label="captcha, secret",
    )
    secret_path: str | None = option(
        Optional(Text()),
        default=None,
        about="A file that holds `secret`, instead of writing it here.",
        example="/etc/matrix-synapse/captcha.secret",
        label="captcha, secret in",
    )
    siteverify: str | None = option(
        Optional(Url(), unset="of the service"),
        default=None,
        about="Where answers are verified, if not at the service's own address.",
        example="https://captcha.example.com/siteverify",
        label="captcha, verified at",
    )
    work: int = option(
        WholeNumber("bits", most=26, least=8),
        default=20,
        about="How much work a `proof_of_work` is: 2 to the power of this many hashes on average. One"
        " more is twice as long.",
        example="18",
        label="captcha, work",
    )
    wait: int = option(
        Duration("10m"),
        default=20,
        about="How long somebody without scripts waits instead of working.",
        example="1m",
        label="captcha, wait",
    )
    allow_wait: bool = option(
        Switch("allowed", "not for a service's"),
        default=False,
        about="Set to `true` to let people without scripts wait instead of the captcha of a service."
        " Programs can wait, too. With `proof_of_work` they always may.",
        example="true",
        label="captcha, wait instead",
    )


def check_captcha(captcha: Captcha, problems: Problems) -> Captcha:
    """Say what a kind lacks, and return the section with the secret of its file."""
    if captcha.secret is not None and captcha.secret_path is not None:
        problems.say("captcha.secret_path", "set either captcha.secret or secret_path, not both")
    elif captcha.secret_path is not None:
        try:
            text = content(captcha.secret_path)
        except OAuthError as error:
            problems.say("captcha.secret_path", error.description)
        else:
            read = SecretText().read(text, "captcha.secret_path", problems)
            captcha = attrs.evolve(captcha, secret=read)
    needs = captcha.kind in {CaptchaKind.HCAPTCHA, CaptchaKind.TURNSTILE}
    if problems.are_at("captcha") or not needs or captcha.kind is None:
        return captcha
    for name in ("site_key", "secret"):
        if getattr(captcha, name) is None:
            problems.say(f"captcha.{name}", f"{captcha.kind.value} needs one")
    return captcha
