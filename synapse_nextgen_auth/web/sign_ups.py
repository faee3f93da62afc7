"""A sign-up on its way through the browser: what its pages share, and its end.

The page of each stage shows it, checks what comes back, and hands over to `completed` or `skipped`.
Which stage is next is for `accounts/attempts/sign_ups.py`; when nothing is missing any more, the account
is made and its person goes on to where they came from.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import attrs

from synapse_nextgen_auth.accounts.attempts import hints, sign_ups
from synapse_nextgen_auth.accounts.attempts.attempt import (
    LIFETIME,
    Attempt,
    Proof,
    ProofKind,
    Purpose,
)
from synapse_nextgen_auth.accounts.attempts.sign_ups import (
    SKIPPED,
    TOKEN,
    TYPES,
    Answer,
    Person,
    Progress,
    Step,
)
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.outbox import AddEmailPusher
from synapse_nextgen_auth.flows import attempts as attempt_flows
from synapse_nextgen_auth.flows import sign_up as flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.sign_up import Unclaimed
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.sign_ups.new_people import (
    OF_THE_ADDRESS,
    OF_THE_NAME,
    Claimed,
    NotMade,
    Trouble,
)
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.store import attempts as rows
from synapse_nextgen_auth.store.token_holds import Hold
from synapse_nextgen_auth.web import answers, attempts, device_grants, grants
from synapse_nextgen_auth.web.pages.content import ClientCard
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

# For so long (seconds) one request that makes the account keeps others of the same attempt from it.
_MAKING = 30
# Within so long (seconds) who sends the first page for the same name once more has pressed twice.
_TWICE = 120


@attrs.frozen
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


async def find(visit: Visit, stage: Stage) -> SignUp | Outgoing:
    """Return the sign-up whose `stage` this page is, or where its person is by now.

    So it is with the history, another tab and a second press: each leads to what is missing. The first
    page may be seen again at any time, and says so where nobody gets an account any more. Stops where
    this browser has no such attempt.
    """
    attempt = await attempts.find(visit, visit.parameters.get("attempt") or "")
    if attempt.user_id is not None:
        # The account is made, and another module asks something of it.
        return answers.redirect(attempts.stage_url(attempt))
    sign_up = await read(visit, attempt)
    if sign_up.claimed is None and not visit.site.sign_ups.rules.may_finish:
        return sign_up if stage is Stage.ACCOUNT else answers.redirect(sign_up.url(Stage.ACCOUNT))
    if stage in {Stage.ACCOUNT, sign_up.next}:
        return sign_up
    # Nothing is missing, and yet there is no account: whoever made it died over it.
    here = Stage.ACCOUNT if sign_up.next is Stage.REGISTER else sign_up.next
    return answers.redirect(sign_up.url(here))


async def read(visit: Visit, attempt: Attempt) -> SignUp:
    """Return the sign-up that an open attempt of this browser is; stop where it is none."""
    found = sign_ups.unseal_all(visit.site.issuer.keys, attempt.answered)
    if attempt.purpose is not Purpose.SIGN_UP or Stage.ACCOUNT not in found:
        raise attempts.lost(Lost.UNKNOWN, None)
    onward = await attempts.onward_of(visit, attempt)
    person = Person(**found[Stage.ACCOUNT])
    results = await visit.site.sign_ups.sessions.completed(person.session)
    return _sign_up(visit, attempt, onward, person, found, results)


async def begin(visit: Visit, onward: Onward, person: Person) -> Outgoing:
    """Begin an attempt with what the first page was told, and go on."""
    site, now = visit.site, visit.site.now()
    attempt = Attempt(
        attempt_id=random_id(),
        browser=visit.visitor.digest,
        purpose=Purpose.SIGN_UP,
        onward=onward.goes_on.kind,
        onward_id=onward.goes_on.id,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    attempt = hints.keep(attempt, site.issuer.keys, onward.hint)
    results = await site.sign_ups.sessions.completed(person.session)
    answered = {Stage.ACCOUNT: attrs.asdict(person)}
    sign_up = _sign_up(visit, attempt, onward, person, answered, results)
    return await _go_on(visit, sign_up, Stage.ACCOUNT, is_new=True)


async def changed(visit: Visit, sign_up: SignUp, person: Person) -> Outgoing:
    """Take what the first page was told when it was seen again, and go on."""
    answered = {**sign_up.answers, Stage.ACCOUNT: attrs.asdict(person)}
    results = await visit.site.sign_ups.sessions.completed(person.session)
    onward, attempt = sign_up.onward, sign_up.attempt
    sign_up = _sign_up(visit, attempt, onward, person, answered, results)
    return await _go_on(visit, sign_up, Stage.ACCOUNT)


async def completed(
    visit: Visit, sign_up: SignUp, stage: Stage, answer: Answer, *, result: Any = None
) -> Outgoing:
    """Go on after a stage; `answer` is kept sealed with the attempt.

    `result` is what Synapse is told of it, as the checker of that stage would have; without one it was
    told before, by `sessions.check`.
    """
    sessions = visit.site.sign_ups.sessions
    if result is not None:
        await sessions.complete(sign_up.session, TYPES[stage], result=result)
    await sessions.seen(sign_up.session, user_agent=visit.user_agent, address=visit.address)
    return await _take(visit, sign_up, stage, answer)


async def skipped(visit: Visit, sign_up: SignUp, stage: Stage) -> Outgoing:
    """Go on without a stage; where it may not be skipped, to its page again."""
    if not sign_up.may_skip(stage):
        return answers.redirect(sign_up.url(stage))
    return await _take(visit, sign_up, stage, SKIPPED)


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
    return attempts.lost(Lost.ENDED, onward.next_url)


def trouble(visit: Visit, sign_up: SignUp) -> NotMade | None:
    """Return why no account came of it at the last press, if that is not done with."""
    sealed = sign_up.attempt.answered.get(sign_ups.TROUBLE)
    found = sign_ups.unseal(visit.site.issuer.keys, sealed)
    return None if found is None else NotMade(Trouble(found["why"]), found["retry_after"])


def client_card(visit: Visit, onward: Onward) -> ClientCard | None:
    """Return the application that waits, as the pages show it."""
    if onward.client is None:
        return None
    redirect_uri = onward.grant.redirect_uri if onward.grant else None
    return ClientCard.of(onward.client, visit.languages, redirect_uri=redirect_uri)


async def cancel(visit: Visit, onward: Onward, sign_up: SignUp | None = None) -> Outgoing:
    """Go no further: the application that waits hears that nobody let it in."""
    if sign_up is not None and (
        sign_up.claimed is not None
        or not await visit.site.homeserver.run(
            flows.cancel, sign_up.attempt, session=sign_up.session, now=visit.site.now()
        )
    ):
        raise attempts.lost(Lost.CHANGED, onward.next_url)  # its account is being made
    if onward.device_grant_id:
        return await device_grants.decline(visit, onward.device_grant_id)
    if onward.grant is None or onward.client is None:
        return answers.redirect("./")
    cancelled = OAuthError("access_denied", "The person did not create an account")
    return await grants.refuse(visit, onward.grant, onward.client, cancelled)


async def _take(visit: Visit, sign_up: SignUp, stage: Stage, answer: Answer) -> Outgoing:
    answered = {**sign_up.answers, stage: answer}
    results = await visit.site.sign_ups.sessions.completed(sign_up.session)
    onward, person = sign_up.onward, sign_up.person
    return await _go_on(
        visit, _sign_up(visit, sign_up.attempt, onward, person, answered, results), stage
    )


def _sign_up(
    visit: Visit,
    attempt: Attempt,
    onward: Onward,
    person: Person,
    answered: Mapping[Stage, Answer],
    results: Mapping[str, Any],
) -> SignUp:
    version = visit.site.providers.new_accounts.terms_version
    results = sign_ups.counting(results, answered, terms_version=version)
    completed = frozenset(results)
    passed = sign_ups.skipped(answered) | ({TOKEN} - completed)
    progress = Progress(visit.site.sign_ups.rules.demands, completed, passed)
    return SignUp(attempt, onward, person, answered, results, progress)


async def _go_on(visit: Visit, sign_up: SignUp, stage: Stage, *, is_new: bool = False) -> Outgoing:
    """Write down what was answered, and go to the next page; make the account after the last one."""
    site, former = visit.site, sign_up.attempt
    attempt = former.without_answer(sign_ups.TROUBLE, former.answered.get(sign_ups.TROUBLE, ""))
    attempt = attempt.answering(stage.value, _sealed(visit, sign_up.answers[stage]))
    is_last = sign_up.next is Stage.REGISTER
    if is_last:
        _refuse_while_made(visit, sign_up)
        attempt = attempt.answering(Stage.REGISTER.value, _begun(visit, sign_up.claimed))
    if is_new:
        await site.homeserver.run(attempt_flows.begin, attempt)
    elif not await site.homeserver.run(flows.change, former, attempt):
        raise attempts.lost(Lost.CHANGED, sign_up.onward.next_url)
    sign_up = attrs.evolve(sign_up, attempt=attempt)
    if not is_last:
        return answers.redirect(sign_up.url(sign_up.next))
    return await _register(visit, sign_up)


def _refuse_while_made(visit: Visit, sign_up: SignUp) -> None:
    """Stop where another request is about to make the account: modules are asked once."""
    begun = sign_up.answers.get(Stage.REGISTER)
    if begun is not None and visit.site.now() < begun["at"] + _MAKING:
        raise attempts.lost(Lost.CHANGED, sign_up.onward.next_url)


class _Claim:
    """The claim of one request on the account that it makes; `attempt` as it was written last."""

    def __init__(self, visit: Visit, sign_up: SignUp) -> None:
        self._visit = visit
        self._sign_up = sign_up
        self._has_token = TOKEN in sign_up.results
        self.attempt = sign_up.attempt
        self.claimed = sign_up.claimed

    async def take(self, user_id: str) -> None:
        """Let this attempt have the account and no other, and count its token for it."""
        before, run = self.claimed, self._visit.site.homeserver.run
        token = before.token if before else self._sign_up.results.get(TOKEN)
        claimed = Claimed(user_id, token)
        taken = _having(self.attempt, _begun(self._visit, claimed))
        why = await run(
            flows.claim,
            self.attempt,
            taken,
            session=self._sign_up.session,
            has_token=before is None and self._has_token,
        )
        if why is Unclaimed.NO_TOKEN:
            raise NotMade(Trouble.TOKEN_WRONG)
        if why is not None:
            raise attempts.lost(Lost.CHANGED, self._sign_up.onward.next_url)
        self.attempt, self.claimed = taken, claimed

    async def leave(self) -> None:
        """Let this attempt have another account: there is none of the name that it claimed."""
        left = _having(self.attempt, _begun(self._visit, None))
        held = Hold(self._sign_up.session, self.attempt.browser, self.attempt.expires_at)
        token = self.claimed.token if self.claimed else None
        await self._visit.site.homeserver.run(flows.disclaim, self.attempt, left, held, token)
        self.attempt, self.claimed = left, None

    async def pause(self) -> None:
        """Let the person try again at once; where an account may be there, for that one alone."""
        again = _not_made(self.attempt)
        if self.claimed is not None:
            again = _having(self.attempt, _begun(self._visit, self.claimed, at=0))
        await self._visit.site.homeserver.run(flows.change, self.attempt, again)


async def _register(visit: Visit, sign_up: SignUp) -> Outgoing:
    """Make the account, sign its person in, and go on to where they came from."""
    site, claim = visit.site, _Claim(visit, sign_up)
    try:
        user_id = await site.sign_ups.people.make(
            sign_up.person,
            sign_up.progress.demands,
            claim,
            counting=frozenset(sign_up.results),
            address=visit.address,
        )
    except NotMade as trouble:
        return await _explain(visit, sign_up, claim, trouble)
    except Exception:
        await claim.pause()
        raise
    attempt = claim.attempt
    proof = Proof(ProofKind.PASSWORD, site.now(), user_id)
    has_email = sign_ups.EMAIL in sign_up.results and site.sign_ups.rules.adds_pushers
    made = flows.Made(user_id, (AddEmailPusher(user_id),) if has_email else ())
    try:
        return await attempts.take_by(visit, attempt, proof, flows.settle, attempt, proof, made)
    except PageError:
        # It may not sign in yet, until somebody approves it for instance: there is nothing to repeat.
        await site.homeserver.run(flows.close, attempt, made, now=site.now())
        raise


async def _explain(visit: Visit, sign_up: SignUp, claim: _Claim, trouble: NotMade) -> Outgoing:
    """Lead back to the first page, which says why no account came of it."""
    site, attempt = visit.site, claim.attempt
    why = {"why": trouble.why.value, "retry_after": trouble.retry_after}
    if claim.claimed is not None:
        if trouble.why in OF_THE_NAME:
            # Either somebody else has it by now, or its person has set another password since.
            ended = attrs.evolve(attempt, ended_at=site.now())
            await site.homeserver.run(flows.change, attempt, ended)
            raise attempts.lost(Lost.ENDED, sign_up.onward.next_url)
        again = _having(attempt, _begun(visit, claim.claimed, at=0))
        again = again.answering(sign_ups.TROUBLE, _sealed(visit, why))
        await site.homeserver.run(flows.change, attempt, again)
        return answers.redirect(sign_up.url(Stage.ACCOUNT))
    is_taken, name = trouble.why is Trouble.NAME_TAKEN, sign_up.person.localpart
    if is_taken and await is_second_press(visit, name, but=attempt.attempt_id):
        session, now = sign_up.session, site.now()
        await site.homeserver.run(flows.cancel, attempt, session=session, now=now)
        raise second_press(sign_up.onward)
    again = _not_made(attempt).answering(sign_ups.TROUBLE, _sealed(visit, why))
    if trouble.why in OF_THE_ADDRESS:
        for stage in (Stage.EMAIL, Stage.MSISDN):
            again = again.without_answer(stage.value, again.answered.get(stage.value, ""))
        await site.homeserver.run(flows.forget_addresses, attempt, again, session=sign_up.session)
    else:
        await site.homeserver.run(flows.change, attempt, again)
    return answers.redirect(sign_up.url(Stage.ACCOUNT))


def _begun(visit: Visit, claimed: Claimed | None, *, at: int | None = None) -> str:
    """Return the sealed answer that says since when the account is being made, and which one.

    No two are the same, so that of two requests one knows that it is not its own any more.
    """
    answer: dict[str, Any] = {"at": visit.site.now() if at is None else at}
    if claimed is not None:
        answer |= {"user_id": claimed.user_id, "token": claimed.token}
    return _sealed(visit, answer)


def _having(attempt: Attempt, begun: str) -> Attempt:
    return attempt.answering(Stage.REGISTER.value, begun)


def _not_made(attempt: Attempt) -> Attempt:
    name = Stage.REGISTER.value
    return attempt.without_answer(name, attempt.answered[name])


def _sealed(visit: Visit, answer: Answer) -> str:
    return sign_ups.seal(visit.site.issuer.keys, answer)
