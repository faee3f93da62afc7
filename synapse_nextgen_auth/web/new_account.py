"""The end of a sign-up: the account is made by one request and once, or the first page says why not."""

from typing import Any

import attrs

from synapse_nextgen_auth.accounts.attempts import sign_ups
from synapse_nextgen_auth.accounts.attempts.attempt import (
    Attempt,
    Proof,
    ProofKind,
)
from synapse_nextgen_auth.accounts.attempts.sign_ups import (
    TOKEN,
)
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.works import AddEmailPusher
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
from synapse_nextgen_auth.store.token_holds import Hold
from synapse_nextgen_auth.web import answers, attempts, under_way
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.sign_up import SignUp, is_second_press, sealed, second_press
from synapse_nextgen_auth.web.visits import Visit

# For so long (seconds) one request that makes the account keeps others of the same attempt from it.
_MAKING = 30


def refuse_while_made(visit: Visit, sign_up: SignUp) -> None:
    """Stop where another request is about to make the account: modules are asked once."""
    making = sign_up.answers.get(Stage.REGISTER)
    if making is not None and visit.site.now() < making["at"] + _MAKING:
        raise under_way.lost(Lost.CHANGED, sign_up.onward.next_url)


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
        taken = _having(self.attempt, begun(self._visit, claimed))
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
            raise under_way.lost(Lost.CHANGED, self._sign_up.onward.next_url)
        self.attempt, self.claimed = taken, claimed

    async def leave(self) -> None:
        """Let this attempt have another account: there is none of the name that it claimed."""
        left = _having(self.attempt, begun(self._visit, None))
        held = Hold(self._sign_up.session, self.attempt.browser, self.attempt.expires_at)
        token = self.claimed.token if self.claimed else None
        await self._visit.site.homeserver.run(flows.disclaim, self.attempt, left, held, token)
        self.attempt, self.claimed = left, None

    async def pause(self) -> None:
        """Let the person try again at once; where an account may be there, for that one alone."""
        again = _not_made(self.attempt)
        if self.claimed is not None:
            again = _having(self.attempt, begun(self._visit, self.claimed, at=0))
        await self._visit.site.homeserver.run(flows.change, self.attempt, again)


async def register(visit: Visit, sign_up: SignUp) -> Outgoing:
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
            raise under_way.lost(Lost.ENDED, sign_up.onward.next_url)
        again = _having(attempt, begun(visit, claim.claimed, at=0))
        again = again.answering(sign_ups.TROUBLE, sealed(visit, why))
        await site.homeserver.run(flows.change, attempt, again)
        return answers.redirect(sign_up.url(Stage.ACCOUNT))
    is_taken, name = trouble.why is Trouble.NAME_TAKEN, sign_up.person.localpart
    if is_taken and await is_second_press(visit, name, but=attempt.attempt_id):
        session, now = sign_up.session, site.now()
        await site.homeserver.run(flows.cancel, attempt, session=session, now=now)
        raise second_press(sign_up.onward)
    again = _not_made(attempt).answering(sign_ups.TROUBLE, sealed(visit, why))
    if trouble.why in OF_THE_ADDRESS:
        for stage in (Stage.EMAIL, Stage.MSISDN):
            again = again.without_answer(stage.value, again.answered.get(stage.value, ""))
        await site.homeserver.run(flows.forget_addresses, attempt, again, session=sign_up.session)
    else:
        await site.homeserver.run(flows.change, attempt, again)
    return answers.redirect(sign_up.url(Stage.ACCOUNT))


def begun(visit: Visit, claimed: Claimed | None, *, at: int | None = None) -> str:
    """Return the sealed answer that says since when the account is being made, and which one.

    No two are the same, so that of two requests one knows that it is not its own any more.
    """
    answer: dict[str, Any] = {"at": visit.site.now() if at is None else at}
    if claimed is not None:
        answer |= {"user_id": claimed.user_id, "token": claimed.token}
    return sealed(visit, answer)


def _having(attempt: Attempt, begun: str) -> Attempt:
    return attempt.answering(Stage.REGISTER.value, begun)


def _not_made(attempt: Attempt) -> Attempt:
    name = Stage.REGISTER.value
    return attempt.without_answer(name, attempt.answered[name])
