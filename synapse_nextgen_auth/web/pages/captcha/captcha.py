"""The page of a sign-up that tells people from programs."""

from synapse_nextgen_auth.accounts import captchas
from synapse_nextgen_auth.accounts.attempts.sign_ups import CAPTCHA
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.captcha_kinds import CaptchaKind
from synapse_nextgen_auth.accounts.captchas import CaptchaTrouble, Challenge
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.sign_ups.sessions import StageFailed
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.web import attempts, sign_ups
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.captcha.page import CaptchaPage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.sign_up import SignUp
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit) -> Outgoing:
    """Ask; a look writes nothing."""
    sign_up = await sign_ups.find(visit, Stage.CAPTCHA)
    return sign_up if isinstance(sign_up, Outgoing) else _page(visit, sign_up)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Take an answer, work that was done, or a wait that is over."""
    sign_up = await sign_ups.find(visit, Stage.CAPTCHA)
    if isinstance(sign_up, Outgoing):
        return sign_up
    decision = form.get("decision")
    if decision == "cancel":
        return await sign_ups.cancel(visit, sign_up.onward, sign_up)
    if decision != "continue":
        raise unknown_choice()
    await attempts.check_rate(visit)
    kind, challenge = _kind(visit), _read(visit, sign_up, form)
    service = kind.service
    response = form.get(service.field) if service else None
    if service is not None and (response or challenge is None):
        trouble = await _ask(visit, sign_up, response or "")
        # Synapse's own checker has written it down.
        result = None if kind is CaptchaKind.RECAPTCHA else True
    else:
        trouble, result = _refuse(visit, form, challenge), True
    if trouble is None:
        return await sign_ups.completed(visit, sign_up, Stage.CAPTCHA, {}, result=result)
    if trouble is CaptchaTrouble.TOO_SOON and service is not None:
        # Whoever sees the widget has not done what it asks for; of the others the time goes on.
        trouble = CaptchaTrouble.MISSING
    kept = challenge if trouble in _GOES_ON else None
    return _page(visit, sign_up, trouble, kept)


_GOES_ON = {CaptchaTrouble.TOO_SOON, CaptchaTrouble.MISSING}


async def _ask(visit: Visit, sign_up: SignUp, response: str) -> CaptchaTrouble | None:
    async def synapses(given: str) -> bool:
        sessions = visit.site.sign_ups.sessions
        try:
            await sessions.check(
                sign_up.session, CAPTCHA, {"response": given}, address=visit.address
            )
        except StageFailed:
            return False
        return True

    return await visit.site.sign_ups.captchas.refuse(
        response, address=visit.address, synapses=synapses
    )


def _refuse(visit: Visit, form: Form, challenge: Challenge | None) -> CaptchaTrouble | None:
    """Say why neither work nor a wait is enough."""
    if challenge is None:
        return CaptchaTrouble.FAILED
    now = visit.site.now()
    if challenge.has_expired(now):
        return CaptchaTrouble.EXPIRED
    solution = form.get("solution")
    if solution and _kind(visit) is CaptchaKind.PROOF_OF_WORK:
        return None if challenge.is_solved(solution) else CaptchaTrouble.FAILED
    is_over = not challenge.waits(now, wait=visit.site.sign_ups.captchas.wait)
    return None if is_over else CaptchaTrouble.TOO_SOON


def _read(visit: Visit, sign_up: SignUp, form: Form) -> Challenge | None:
    """Return the challenge that the page had, if it may be worked or waited on."""
    if not visit.site.sign_ups.captchas.may_wait:
        return None
    keys, attempt_id = visit.site.issuer.keys, sign_up.attempt.attempt_id
    return captchas.read(keys, attempt_id, form.get("challenge") or "")


def _kind(visit: Visit) -> CaptchaKind:
    # Without one of ours it is Synapse that asks for it.
    return visit.site.sign_ups.captchas.kind or CaptchaKind.RECAPTCHA


def _page(
    visit: Visit,
    sign_up: SignUp,
    trouble: CaptchaTrouble | None = None,
    challenge: Challenge | None = None,
) -> Outgoing:
    site, onward = visit.site, sign_up.onward
    ours, now = site.sign_ups.captchas, site.now()
    if ours.may_wait and challenge is None:
        keys, attempt_id = site.issuer.keys, sign_up.attempt.attempt_id
        challenge = captchas.issue(keys, attempt_id, salt=random_id(), work=ours.work, now=now)
    if challenge:
        visit.reader.ends(challenge.issued_at + captchas.LIFETIME)
    page = CaptchaPage(
        csrf=visit.csrf,
        action=sign_up.url(Stage.CAPTCHA),
        server_name=site.server_name,
        step=sign_up.step(Stage.CAPTCHA),
        kind=_kind(visit),
        site_key=ours.site_key,
        challenge=challenge,
        wait=challenge.waits(now, wait=ours.wait) if challenge else 0,
        trouble=trouble,
    )
    unanswered = trouble is CaptchaTrouble.UNANSWERED
    return visit.answer(
        page,
        503 if unanswered else 400 if trouble else 200,
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
        headers=(("Retry-After", "30"),) if unanswered else (),
    )
