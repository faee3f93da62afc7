"""A sign-up on its way through the browser, from page to page.

The page of each stage shows it, checks what comes back, and hands over to `completed` or `skipped`.
Which stage is next is for `accounts/attempts/sign_ups.py`; when nothing is missing any more,
`new_account.py` makes the account, and its person goes on to where they came from.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from synapse_nextgen_auth.accounts.attempts import hints, sign_ups
from synapse_nextgen_auth.accounts.attempts.attempt import (
    LIFETIME,
    Attempt,
    Purpose,
)
from synapse_nextgen_auth.accounts.attempts.sign_ups import (
    SKIPPED,
    TOKEN,
    TYPES,
    Answer,
    Person,
    Progress,
)
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.flows import attempts as attempt_flows
from synapse_nextgen_auth.flows import sign_up as flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.sign_ups.new_people import (
    NotMade,
    Trouble,
)
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.web import answers, attempts, device_grants, grants, under_way
from synapse_nextgen_auth.web.new_account import begun, refuse_while_made, register
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.sign_up import SignUp, sealed
from synapse_nextgen_auth.web.visits import Visit


async def find(visit: Visit, stage: Stage) -> SignUp | Outgoing:
    """Return the sign-up whose `stage` this page is, or where its person is by now.

    So it is with the history, another tab and a second press: each leads to what is missing. The first
    page may be seen again at any time, and says so where nobody gets an account any more. Stops where
    this browser has no such attempt.
    """
    attempt = await under_way.find(visit, visit.parameters.get("attempt") or "")
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
        raise under_way.lost(Lost.UNKNOWN, None)
    onward = await under_way.onward_of(visit, attempt)
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
        raise under_way.lost(Lost.CHANGED, onward.next_url)  # its account is being made
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
    attempt = attempt.answering(stage.value, sealed(visit, sign_up.answers[stage]))
    is_last = sign_up.next is Stage.REGISTER
    if is_last:
        refuse_while_made(visit, sign_up)
        attempt = attempt.answering(Stage.REGISTER.value, begun(visit, sign_up.claimed))
    if is_new:
        await site.homeserver.run(attempt_flows.begin, attempt)
    elif not await site.homeserver.run(flows.change, former, attempt):
        raise under_way.lost(Lost.CHANGED, sign_up.onward.next_url)
    sign_up = attrs.evolve(sign_up, attempt=attempt)
    if not is_last:
        return answers.redirect(sign_up.url(sign_up.next))
    return await register(visit, sign_up)
