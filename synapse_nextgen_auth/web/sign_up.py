"""A sign-up as its pages know it: its answers, how far it is, and where each of its pages is."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import attrs

from synapse_nextgen_auth.accounts.attempts import sign_ups
from synapse_nextgen_auth.accounts.attempts.attempt import (
    LIFETIME,
    Attempt,
    Purpose,
)
from synapse_nextgen_auth.accounts.attempts.sign_ups import (
    Answer,
    Person,
    Progress,
    Step,
)
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.homeserver.people.sign_ups.new_people import (
    Claimed,
)
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import attempts as rows
from synapse_nextgen_auth.web import under_way
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.visits import Visit

# The page of each stage that has one, below the issuer; what has none is not asked on pages.
PAGES: dict[Stage, str] = {
    Stage.ACCOUNT: "register",
    Stage.CAPTCHA: "register-captcha",
    Stage.EMAIL: "register-email",
    Stage.MSISDN: "register-phone",
    Stage.TERMS: "register-terms",
}

# Within so long (seconds) who sends the first page for the same name once more has pressed twice.
_TWICE = 120


@frozen
class SignUp:
    """An attempt to sign up, its answers, and how far it is.

    `results` is what was completed as Synapse has it, by its names for the stages.
    """

    attempt: Attempt
    onward: Onward
    person: Person
    answers: Mapping[Stage, Answer] = attrs.field(repr=False)
    results: Mapping[str, Any] = attrs.field(repr=False)
    progress: Progress

    @property
    def session(self) -> str:
        """Synapse's session that holds what was completed."""
        return self.person.session

    def url(self, stage: Stage) -> str:
        """Return the page of a stage, relative."""
        return url_of(stage, self.attempt)

    def step(self, stage: Stage) -> Step:
        """Return which of how many pages this is."""
        return self.progress.step(stage)

    def may_skip(self, stage: Stage) -> bool:
        """Say whether its person may go on without this stage."""
        return self.progress.may_skip(stage)

    @property
    def claimed(self) -> Claimed | None:
        """The account that is made for it and no other; `None` before that is settled."""
        begun = self.answers.get(Stage.REGISTER)
        user_id = None if begun is None else begun.get("user_id")
        return None if begun is None or user_id is None else Claimed(user_id, begun["token"])

    @property
    def next(self) -> Stage:
        """The stage that is to be gone through now; `REGISTER` when nothing is missing."""
        missing = self.progress.asked.stages
        return missing[0] if missing else Stage.REGISTER


def url_of(stage: Stage, attempt: Attempt) -> str:
    """Return the page of a stage of this attempt, relative."""
    return f"{PAGES[stage]}?{urlencode({'attempt': attempt.attempt_id})}"


async def is_second_press(visit: Visit, localpart: str, *, but: str | None = None) -> bool:
    """Say whether the same browser has just sent the first page for the same account.

    `but` is the attempt of this press.
    """
    site = visit.site
    if visit.binding is None:
        return False
    found = await site.homeserver.read(
        rows.list_begun,
        visit.binding,
        Purpose.SIGN_UP,
        expires_after=site.now() + LIFETIME - _TWICE,
    )
    for each in found:
        answered = sign_ups.unseal_all(site.issuer.keys, each.answered)
        is_made = each.user_id is not None or Stage.REGISTER in answered
        person = answered.get(Stage.ACCOUNT, {})
        if each.attempt_id != but and is_made and person.get("localpart") == localpart:
            return True
    return False


def second_press(onward: Onward) -> PageError:
    """Lead to where the first press leads."""
    return under_way.lost(Lost.ENDED, onward.next_url)


def sealed(visit: Visit, answer: Answer) -> str:
    """Return an answer as it is kept with the attempt."""
    return sign_ups.seal(visit.site.issuer.keys, answer)
