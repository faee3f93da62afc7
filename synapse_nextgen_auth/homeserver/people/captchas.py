"""Asking a third party whether somebody is a person; who may work or wait instead is for the rules.

reCAPTCHA is checked by Synapse's own checker, with its own settings.
"""

import json
import logging
from collections.abc import Awaitable, Callable

from synapse_nextgen_auth.accounts import captchas as rules
from synapse_nextgen_auth.accounts.captcha_kinds import CaptchaKind
from synapse_nextgen_auth.accounts.captchas import CaptchaTrouble
from synapse_nextgen_auth.config import Captcha
from synapse_nextgen_auth.homeserver import services
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.services import Unanswered

NEEDS = ()

logger = logging.getLogger(__name__)

SITEVERIFY = {
    CaptchaKind.HCAPTCHA: "https://api.hcaptcha.com/siteverify",
    CaptchaKind.TURNSTILE: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
}
_PATIENCE = 10  # seconds
_LARGEST_ANSWER = 64 * 1024  # bytes
# Longer than any answer of a widget; hCaptcha's have some 2,000 letters, Turnstile's at most 2,048.
_LONGEST_RESPONSE = 8192


class Captchas:
    """The captcha of this server; `host` is where our pages are."""

    def __init__(self, homeserver: Homeserver, options: Captcha, *, host: str) -> None:
        self._hs = homeserver.hs
        self._captcha = options
        self._host = host
        settings = homeserver.hs.config.captcha
        self._is_synapses = bool(settings.enable_registration_captcha)
        self._synapses_key = str(settings.recaptcha_public_key or "")

    @property
    def kind(self) -> CaptchaKind | None:
        """Which one people meet, if any."""
        if self._captcha.kind is not None:
            return self._captcha.kind
        return CaptchaKind.RECAPTCHA if self._is_synapses else None

    @property
    def site_key(self) -> str:
        """What the service knows this site by."""
        of_synapse = self.kind is CaptchaKind.RECAPTCHA
        return self._synapses_key if of_synapse else self._captcha.site_key or ""

    @property
    def may_wait(self) -> bool:
        """Whether somebody may wait instead."""
        return self.kind is CaptchaKind.PROOF_OF_WORK or self._captcha.allow_wait

    @property
    def work(self) -> int:
        """How many hashes the work is, as a power of two."""
        return self._captcha.work

    @property
    def wait(self) -> int:
        """For how many seconds somebody waits instead."""
        return self._captcha.wait

    async def refuse(
        self, response: str, *, address: str, synapses: Callable[[str], Awaitable[bool]]
    ) -> CaptchaTrouble | None:
        """Say why an answer to the service's widget is not good enough.

        `synapses` asks Synapse's checker. A service that does not answer lets nobody in.
        """
        if not response:
            return CaptchaTrouble.MISSING
        if len(response) > _LONGEST_RESPONSE:
            return CaptchaTrouble.FAILED
        try:
            if self.kind is CaptchaKind.RECAPTCHA:
                passed = await self._by_synapse(response, synapses)
            else:
                passed = await self._by_service(response, address)
        except Unanswered as error:
            logger.warning("Could not verify a captcha of %s: %s", self._named, error.why)
            return CaptchaTrouble.UNANSWERED
        return None if passed else CaptchaTrouble.FAILED

    @property
    def _named(self) -> str:
        return self.kind.value if self.kind else ""

    async def _by_synapse(self, response: str, ask: Callable[[str], Awaitable[bool]]) -> bool:
        try:
            return await services.within(self._hs, _PATIENCE, ask, response)
        except Unanswered:
            raise
        except Exception as error:
            raise Unanswered(type(error).__name__) from error

    async def _by_service(self, response: str, address: str) -> bool:
        options: Captcha = self._captcha
        if options.kind is None or options.secret is None:
            raise Unanswered("no secret is configured")
        form = {"secret": options.secret.reveal(), "response": response, "remoteip": address}
        if options.kind is CaptchaKind.HCAPTCHA:
            form["sitekey"] = options.site_key or ""
        answered = await services.ask(
            self._hs,
            options.siteverify or SITEVERIFY[options.kind],
            form=form,
            patience=_PATIENCE,
            largest=_LARGEST_ANSWER,
        )
        try:
            said = json.loads(answered.body)
        except ValueError:
            raise Unanswered(f"it says {answered.status}, and no JSON") from None
        # Either of them answers 200 or 400 where it understood.
        if not isinstance(said, dict) or answered.status >= 500:
            raise Unanswered(f"it says {answered.status}")
        verdict = rules.judge(said, host=self._host)
        if verdict.complaint is not None:
            logger.warning("%s refused a captcha: %s", self._named, verdict.complaint)
        return verdict.passed
