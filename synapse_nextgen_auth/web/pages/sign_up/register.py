"""The first page of a sign-up: the name of the account, and what opens it."""

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import LIFETIME, Purpose
from synapse_nextgen_auth.accounts.attempts.sign_ups import TOKEN, TYPES, Person, Progress
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.accounts.invitations import Invitation
from synapse_nextgen_auth.accounts.new_names import as_localpart
from synapse_nextgen_auth.accounts.new_passwords import FINE, Judgement
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.passwords import TryLater
from synapse_nextgen_auth.homeserver.people.sign_ups.new_people import NotMade, Trouble
from synapse_nextgen_auth.homeserver.people.sign_ups.sessions import StageFailed
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.web import attempts, grants, invitations, sign_ups
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.new_account import refuse_while_made
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.pages.providers import ways as providers
from synapse_nextgen_auth.web.pages.sign_up.page import (
    DisplayNameProblem,
    InvitationCard,
    NameProblem,
    SignUpPage,
    TokenProblem,
)
from synapse_nextgen_auth.web.sign_up import SignUp, is_second_press, second_press
from synapse_nextgen_auth.web.under_way import Way
from synapse_nextgen_auth.web.visits import Visit

_MOST_LETTERS = 256  # of a display name, as Synapse has it
_OF_THE_NAME = {
    Trouble.NAME_INVALID: NameProblem.INVALID,
    Trouble.NAME_TAKEN: NameProblem.TAKEN,
    Trouble.NAME_RESERVED: NameProblem.RESERVED,
    Trouble.NAME_OF_INVITATION: NameProblem.OF_INVITATION,
}
_STATUS = {
    Trouble.TOO_OFTEN: 429,
    Trouble.REFUSED: 403,
    Trouble.FULL: 503,
    Trouble.BUSY: 503,
    Trouble.BEGUN: 409,
}


@frozen
class _First:
    """Where this page stands: what its person is about to do, and the attempt once there is one."""

    onward: Onward
    sign_up: SignUp | None = None

    @property
    def url(self) -> str:
        if self.sign_up is not None:
            return self.sign_up.url(Stage.ACCOUNT)
        return self.onward.sign_up_url


@frozen
class _Typed:
    """What stands in the fields, and what is wrong with it."""

    localpart: str = ""
    display_name: str = ""
    token: str = attrs.field(default="", repr=False)
    name_problem: NameProblem | None = None
    display_name_problem: DisplayNameProblem | None = None
    judgement: Judgement = FINE
    token_problem: TokenProblem | None = None
    token_wait: int | None = None
    trouble: NotMade | None = None
    free: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        found = (
            self.name_problem,
            self.display_name_problem,
            self.token_problem,
            self.trouble,
        )
        return self.judgement.is_fine and all(each is None for each in found)


async def show(visit: Visit) -> Outgoing:
    """Ask for name and password, or say that nobody gets an account here."""
    if (arrived := invitations.arrive(visit)) is not None:
        return arrived
    first = await _find(visit)
    if isinstance(first, Outgoing):
        return first
    if first.sign_up is None:
        token = visit.parameters.get("token") or ""
        invitation = await visit.site.invitations.find(token) if token else None
        if invitation is not None and await visit.site.invitations.is_over(invitation):
            # Nobody fills in the whole page for nothing.
            typed = _Typed(token=token, token_problem=TokenProblem.WRONG)
            return _page(visit, first, typed)
        # Of a short one that nobody sent, no look says whether it is there.
        if invitation is not None and (held := await _held(visit, _Typed(token=token))) is not None:
            return _page(visit, first, held)
        name = invitation.username or "" if invitation else ""
        return _page(visit, first, _Typed(name, token=token), invitation)
    person = first.sign_up.person
    typed = _Typed(person.localpart, person.display_name or "")
    trouble = sign_ups.trouble(visit, first.sign_up)
    invitation = await _invitation(visit, first, "")
    typed = await _with_free(visit, _after(typed, trouble), invitation)
    return _page(visit, first, typed, invitation)


async def _with_free(visit: Visit, typed: _Typed, invitation: Invitation | None = None) -> _Typed:
    """Name a few that are free instead of one that is taken, for whoever has no scripts.

    Not to somebody whose invitation is for one name: they need another invitation.
    """
    if typed.name_problem is not NameProblem.TAKEN or (invitation and invitation.username):
        return typed
    return attrs.evolve(typed, free=await visit.site.sign_ups.names.suggest(typed.localpart))


def _after(typed: _Typed, trouble: NotMade | None) -> _Typed:
    """Say at its field what kept the account from being made, where it is about one."""
    if trouble is None:
        return typed
    if trouble.why in _OF_THE_NAME:
        return attrs.evolve(typed, name_problem=_OF_THE_NAME[trouble.why])
    if trouble.why is Trouble.TOKEN_WRONG:
        return attrs.evolve(typed, token_problem=TokenProblem.WRONG)
    return attrs.evolve(typed, trouble=trouble)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Begin the sign-up; nothing is kept of one that cannot go on."""
    first = await _find(visit)
    if isinstance(first, Outgoing):
        return first
    site, decision = visit.site, form.get("decision")
    if decision == "cancel":
        return await sign_ups.cancel(visit, first.onward, first.sign_up)
    provider = providers.chosen(site, decision)
    if provider is not None and provider.provider_id in site.sign_ups.rules.providers:
        attempt = await attempts.begin(visit, Way(first.onward, Purpose.SIGN_IN, None))
        return providers.send(visit, Start(attempt.attempt_id, provider.provider_id), provider)
    if decision != "create":
        raise unknown_choice()
    if first.sign_up is not None and first.sign_up.claimed is not None:
        return await _finish(visit, first, first.sign_up, form)
    if not _is_possible(visit, first):
        return _page(visit, first, _Typed())
    await attempts.check_rate(visit)
    typed = await _read(visit, first, form)
    if not typed.is_fine:
        if first.sign_up is None and await is_second_press(visit, typed.localpart):
            raise second_press(first.onward)
        if first.sign_up is not None and (done := await _done_meanwhile(visit)) is not None:
            return done
        invitation = await _invitation(visit, first, typed.token)
        return _page(visit, first, await _with_free(visit, typed, invitation), invitation)
    return await _take(visit, first, typed, form.get("password"))


async def _done_meanwhile(visit: Visit) -> Outgoing | None:
    """Answer a second press whose name the first one took while this one was read (C246)."""
    again = await _find(visit)
    if isinstance(again, Outgoing):
        return again
    if again.sign_up is not None:
        refuse_while_made(visit, again.sign_up)
    return None


async def _finish(visit: Visit, first: _First, sign_up: SignUp, form: Form) -> Outgoing:
    """Go on with an account that is made, or nearly: its person gets no other beside it."""
    person = sign_up.person
    if as_localpart(form.get("username", "")) != person.localpart or form.get("password"):
        typed = _Typed(person.localpart, person.display_name or "", trouble=NotMade(Trouble.BEGUN))
        return _page(visit, first, typed)
    return await sign_ups.changed(visit, sign_up, person)


async def _invitation(visit: Visit, first: _First, token: str) -> Invitation | None:
    """Return the invitation that was typed, or the one that the sign-up has already."""
    if not token and first.sign_up is not None:
        return await invitations.of(visit, first.sign_up)
    return await visit.site.invitations.find(token) if token else None


async def _read(visit: Visit, first: _First, form: Form) -> _Typed:
    """Read the form, and look at everything in it, so that all is said at once."""
    site = visit.site
    localpart = as_localpart(form.get("username", ""))
    name = form.get("display_name", "").strip() if site.sign_ups.rules.asks_display_name else ""
    typed = _Typed(localpart, name, form.get("token", "").strip())
    try:
        await site.sign_ups.people.check_rate(visit.address)
        typed = attrs.evolve(
            typed,
            name_problem=await _name_problem(visit, first, typed),
            display_name_problem=DisplayNameProblem.TOO_LONG if len(name) > _MOST_LETTERS else None,
            judgement=await _judge(visit, first, typed, form.get("password")),
            token_problem=await _token_problem(visit, first, typed.token),
        )
        return await _with_wait(visit, typed)
    except NotMade as trouble:
        return attrs.evolve(typed, trouble=trouble)
    except TryLater as later:
        return attrs.evolve(typed, trouble=NotMade(Trouble.BUSY, later.retry_after))


async def _name_problem(visit: Visit, first: _First, typed: _Typed) -> NameProblem | None:
    localpart = typed.localpart
    if not localpart:
        return NameProblem.MISSING
    invitation = await _invitation(visit, first, typed.token)
    if invitation is not None and invitation.username not in {None, localpart}:
        return NameProblem.OF_INVITATION
    trouble = await visit.site.sign_ups.people.name_trouble(localpart)
    return None if trouble is None else _OF_THE_NAME[trouble]


async def _judge(visit: Visit, first: _First, typed: _Typed, password: str | None) -> Judgement:
    """Judge the password; one that was chosen before stays where none is typed."""
    if password is None and first.sign_up is not None:
        return FINE
    known = (typed.localpart, typed.display_name)
    return await visit.site.new_passwords.judge(Secret(password or ""), known)


async def _token_problem(visit: Visit, first: _First, token: str) -> TokenProblem | None:
    demands = visit.site.sign_ups.rules.demands
    if not demands.asks_token:
        return None
    if not token:
        is_there = first.sign_up is not None and TOKEN in first.sign_up.results
        return TokenProblem.MISSING if demands.needs_token and not is_there else None
    if first.sign_up is not None and first.sign_up.results.get(TOKEN) == token:
        return None
    if visit.binding is not None:
        # Whoever went back to the first page holds it already.
        await visit.site.sign_ups.sessions.free(visit.binding, token)
    is_good = await visit.site.sign_ups.people.token_is_good(token, address=visit.address)
    return None if is_good else TokenProblem.WRONG


async def _with_wait(visit: Visit, typed: _Typed) -> _Typed:
    """Say of a token that is not good whether it is because somebody else is on the way with it."""
    if typed.token_problem is not TokenProblem.WRONG:
        return typed
    return await _held(visit, typed) or typed


async def _held(visit: Visit, typed: _Typed) -> _Typed | None:
    """Say that somebody is on the way with a token, `None` where nobody else is."""
    site = visit.site
    found = await site.invitations.on_the_way(typed.token, browser=visit.binding)
    if found is None:
        return None
    wait = None if found.until is None else max(1, found.until - site.now())
    return attrs.evolve(typed, token_problem=TokenProblem.HELD, token_wait=wait)


async def _take(visit: Visit, first: _First, typed: _Typed, password: str | None) -> Outgoing:
    """Let Synapse hold what is completed, hash the password, and go on."""
    side, former = visit.site.sign_ups, first.sign_up
    seen = {"user_agent": visit.user_agent, "address": visit.address}
    params = {"username": typed.localpart}
    try:
        session = await _session(visit, former, typed, params)
    except StageFailed:
        refused = attrs.evolve(typed, token_problem=TokenProblem.WRONG)
        return _page(visit, first, await _with_wait(visit, refused))
    await side.sessions.seen(session, **seen)
    invitation = await _invitation(visit, first, typed.token)
    if invitation is not None and (proven := invitations.proven(visit, invitation)) is not None:
        # Its mail brought the person: no code shows more than that.
        await side.sessions.complete(session, TYPES[Stage.EMAIL], result=proven)
    kept = former.person.password_hash if former else ""
    person = Person(
        localpart=typed.localpart,
        password_hash=await side.people.hash(password) if password else kept,
        session=session,
        display_name=typed.display_name or None,
    )
    if former is not None:
        return await sign_ups.changed(visit, former, person)
    return await sign_ups.begin(visit, first.onward, person)


async def _session(
    visit: Visit, former: SignUp | None, typed: _Typed, params: dict[str, str]
) -> str:
    """Return Synapse's session; one has one token, so for another token there is another one."""
    sessions, rules = visit.site.sign_ups.sessions, visit.site.sign_ups.rules
    token = typed.token if rules.demands.asks_token else ""
    if former is not None and (not token or former.results.get(TOKEN) == token):
        return former.session
    session = await (sessions.again(former.session, params) if former else sessions.begin(params))
    if token:
        await sessions.check_token(
            session,
            token,
            browser=visit.visitor.digest,
            expires_at=former.attempt.expires_at if former else visit.site.now() + LIFETIME,
            address=visit.address,
        )
    if former is not None:
        await sessions.give_back(former.session)
    return session


async def _find(visit: Visit) -> _First | Outgoing:
    if visit.parameters.get("attempt") is not None:
        sign_up = await sign_ups.find(visit, Stage.ACCOUNT)
        if isinstance(sign_up, Outgoing):
            return sign_up
        return _First(sign_up.onward, sign_up)
    return _First(await grants.onward(visit, Onward.of(visit.parameters)))


def _is_open(visit: Visit, first: _First) -> bool:
    """Say whether people get accounts with a password; who has begun before a drain gets theirs."""
    rules = visit.site.sign_ups.rules
    return rules.by_password if first.sign_up is None else rules.may_finish


def _is_possible(visit: Visit, first: _First) -> bool:
    return _is_open(visit, first) and bool(visit.site.sign_ups.rules.demands.open)


def _page(
    visit: Visit, first: _First, typed: _Typed, invitation: Invitation | None = None
) -> Outgoing:
    site, onward, rules = visit.site, first.onward, visit.site.sign_ups.rules
    demands, is_possible = rules.demands, _is_possible(visit, first)
    progress = first.sign_up.progress if first.sign_up else Progress(demands)
    trouble = typed.trouble
    page = SignUpPage(
        csrf=visit.csrf,
        action=first.url,
        server_name=site.server_name,
        sign_in_url=onward.accounts_url if visit.sign_ins else onward.sign_in_url,
        by_password=is_possible,
        is_impossible=_is_open(visit, first) and not is_possible,
        step=progress.step(Stage.ACCOUNT) if is_possible else None,
        localpart=typed.localpart[:255],
        display_name=typed.display_name[:_MOST_LETTERS],
        asks_display_name=rules.asks_display_name,
        has_password=first.sign_up is not None,
        asks_token=demands.asks_token,
        needs_token=demands.needs_token,
        token=typed.token[:255],
        invitation=InvitationCard.of(
            invitation,
            came_by_mail=invitation is not None and invitations.came_by_mail(visit, invitation),
        ),
        name_problem=typed.name_problem,
        free=typed.free,
        display_name_problem=typed.display_name_problem,
        judgement=None if typed.judgement.is_fine else typed.judgement,
        policy=site.new_passwords.policy,
        token_problem=typed.token_problem,
        token_wait=typed.token_wait,
        trouble=trouble.why if trouble else None,
        retry_after=trouble.retry_after if trouble else None,
        providers=tuple(
            each for each in providers.cards(site) if each.provider_id in rules.providers
        ),
        client=sign_ups.client_card(visit, onward),
        can_cancel=onward.can_be_declined,
    )
    retry = trouble.retry_after if trouble else None
    status = 200 if typed.is_fine else _STATUS.get(trouble.why, 400) if trouble else 400
    return visit.answer(
        page,
        status,
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
        headers=(("Retry-After", str(retry)),) if retry else (),
    )
