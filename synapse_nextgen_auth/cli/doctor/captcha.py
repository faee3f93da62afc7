"""The service of the captcha: whether it is reached, and takes the secret that is configured.

It is asked about an answer that nobody gave, as the server asks it about one that somebody did.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

from synapse_nextgen_auth.accounts import captchas as rules
from synapse_nextgen_auth.accounts.captcha_kinds import CaptchaKind
from synapse_nextgen_auth.cli.doctor.asking import Unreachable, ask, to_host
from synapse_nextgen_auth.cli.doctor.findings import Finding, problem, well
from synapse_nextgen_auth.cli.doctor.patient import Patient
from synapse_nextgen_auth.homeserver.people.captchas import SITEVERIFY
from synapse_nextgen_auth.records import frozen

_FORM = "application/x-www-form-urlencoded"
_NOBODYS = "an-answer-that-nobody-gave"


@frozen
class _Service:
    """Where one is asked, with what, and the options that say so."""

    url: str
    form: dict[str, str]
    option: str


def look(patient: Patient) -> Iterator[Finding]:
    """Ask the service; a captcha that needs none, or none at all, is well."""
    service = _service(patient)
    if service is None:
        yield well("no captcha is configured that a service checks")
        return
    body = urlencode({**service.form, "response": _NOBODYS}).encode("ascii")
    try:
        answer = ask(
            to_host(service.url),
            service.url,
            method="POST",
            headers={"Content-Type": _FORM},
            body=body,
        )
    except Unreachable as stop:
        yield problem(f"the service is not reached: {stop.what}", service.option, stop.fix)
        return
    said = answer.json
    if not isinstance(said, dict) or answer.status >= 500:
        yield problem(
            f"the service says {answer.status}, and no JSON",
            service.url,
            "Is this address its siteverify?",
        )
        return
    complaint = rules.judge(said, host="").complaint
    if complaint is None:
        yield well("the service of the captcha takes our secret", service.url)
        return
    yield problem(
        f"the service does not take what is configured: {complaint}",
        service.option,
        "Copy the site key and the secret from the service once more: nobody can sign up until then.",
    )


def _service(patient: Patient) -> _Service | None:
    options, settings = patient.config.captcha, patient.hs_config.captcha
    if options.kind in SITEVERIFY and options.secret is not None:
        form = {"secret": options.secret.reveal()}
        if options.kind is CaptchaKind.HCAPTCHA:
            form["sitekey"] = options.site_key or ""
        return _Service(options.siteverify or SITEVERIFY[options.kind], form, "captcha.secret")
    is_synapses = options.kind is CaptchaKind.RECAPTCHA or (
        options.kind is None and settings.enable_registration_captcha
    )
    if not is_synapses or not settings.recaptcha_private_key:
        return None
    return _Service(
        str(settings.recaptcha_siteverify_api),
        {"secret": str(settings.recaptcha_private_key)},
        "recaptcha_private_key",
    )
