"""What is under way in a browser: which attempt a request is about, and where its person goes on."""

from urllib.parse import urlencode

from synapse_nextgen_auth.accounts.attempts import hints
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Purpose
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.sign_ins import of_account
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import grants
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.onward import ANOTHER, Onward
from synapse_nextgen_auth.web.visits import Visit

_OF_LOST = {
    Lost.UNKNOWN: (400, Message.REQUEST_EXPIRED),
    Lost.EXPIRED: (400, Message.REQUEST_EXPIRED),
    Lost.ENDED: (409, Message.ALREADY_DONE),
    Lost.CHANGED: (409, Message.ALREADY_DONE),
    Lost.SIGNED_OUT: (400, Message.REQUEST_EXPIRED),
    Lost.OTHER_ACCOUNT: (403, Message.OTHER_BROWSER),
}


@frozen
class Way:
    """What somebody on the sign-in page is about to do; `attempt` once they did something for it.

    `account` is the one account that may sign in: the one that proves again who it is, or the one
    that a client asks for. `is_to_choose` where accounts are signed in of which none is meant yet.
    """

    onward: Onward
    purpose: Purpose
    account: str | None
    attempt: Attempt | None = None
    is_another: bool = False
    is_to_choose: bool = False

    @property
    def again(self) -> str | None:
        """The account that proves again who it is: nobody types its name."""
        return self.account if self.purpose is Purpose.PROVE_AGAIN else None

    @property
    def is_to_be_fresh(self) -> bool:
        """Whether it does not count what somebody proved before: a provider must ask them anew.

        So it is where they prove again who they are, and where an application wants a fresh sign-in
        (`prompt=login`, `max_age`; OpenID Connect Core section 3.1.2.1), whoever is signed in here.
        """
        grant = self.onward.grant
        return self.again is not None or (grant is not None and grant.login_after is not None)

    @property
    def code_url(self) -> str:
        """The page that asks for the address to which a code goes, relative."""
        return self.url.replace("sign-in", "sign-in-email", 1)

    @property
    def url(self) -> str:
        """The sign-in page that goes on with it."""
        if self.attempt is not None:
            another = ANOTHER if self.is_another else {}
            return f"sign-in?{urlencode({'attempt': self.attempt.attempt_id, **another})}"
        return self.onward.other_account_url if self.is_another else self.onward.sign_in_url


async def way(visit: Visit) -> Way:
    """Return what the person is about to do, by ids of ours; stop when that cannot go on here."""
    is_another = visit.parameters.get("account") == ANOTHER["account"]
    if (attempt_id := visit.parameters.get("attempt")) is not None:
        attempt = await find(visit, attempt_id)
        if attempt.purpose is Purpose.SIGN_UP or not attempt.purpose.signs_in:
            # Its person proves nothing, but answers pages of its own.
            raise lost(Lost.UNKNOWN, None)
        onward = await onward_of(visit, attempt)
        account = onward.asked_for
        if attempt.purpose is Purpose.PROVE_AGAIN:
            account = attempt.user_id
            if of_account(visit.sign_ins, account or "") is None:
                # They were signed out since, and sign in with all that is asked of that.
                return Way(onward, Purpose.SIGN_IN, onward.asked_for, is_another=is_another)
        return Way(onward, attempt.purpose, account, attempt, is_another=is_another)
    onward = await grants.onward(visit, Onward.of(visit.parameters))
    if is_another:
        return Way(onward, Purpose.SIGN_IN, onward.asked_for, is_another=True)
    if onward.grant is not None:
        visit, _ = await grants.about(visit, onward.grant)
    elif onward.device is not None:
        visit, _ = await grants.about_device(visit, onward.device)
    if visit.sign_in is None:
        is_to_choose = bool(visit.sign_ins)
        return Way(onward, Purpose.SIGN_IN, onward.asked_for, is_to_choose=is_to_choose)
    if onward.goes_on.kind is Kind.HOME:  # people come to add an account
        return Way(onward, Purpose.SIGN_IN, None)
    return Way(onward, Purpose.PROVE_AGAIN, visit.sign_in.user_id)


async def onward_of(visit: Visit, attempt: Attempt) -> Onward:
    """Return where the person of an attempt goes on, and whose account that is meant to be."""
    hint = hints.kept(attempt, visit.site.issuer.keys)
    return await grants.onward(visit, Onward(attempt.goes_on, hint=hint))


async def find(visit: Visit, attempt_id: str) -> Attempt:
    """Return the open attempt that this browser began; stop otherwise."""
    site = visit.site
    found = await site.homeserver.read(
        flows.find, attempt_id, browser=_browser(visit), now=site.now()
    )
    if isinstance(found, Lost):
        raise lost(found, await whither(visit, attempt_id))
    visit.reader.ends(found.expires_at)
    return found


async def whither(visit: Visit, attempt_id: str) -> str | None:
    """Return the page of what an attempt of this browser was for, though it may have ended.

    So whoever presses twice, or comes back by the history, is where the first press led.
    """
    attempt = await visit.site.homeserver.read(flows.whither, attempt_id, browser=_browser(visit))
    if attempt is None:
        return None
    visit.reader.goes_on(attempt.goes_on)
    return Onward(attempt.goes_on, hint=hints.kept(attempt, visit.site.issuer.keys)).next_url


def _browser(visit: Visit) -> str | None:
    return None if visit.visitor.is_new else visit.visitor.digest


def lost(why: Lost, next_url: str | None) -> PageError:
    """Say that an attempt cannot go on here, and no more about it."""
    status, message = _OF_LOST[why]
    return PageError(status, message, forward_url=next_url)
