"""Where `m.login.sso` leads: clients that know no OAuth sign people in on the same pages (MSC3824)."""

import logging

import attrs

from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows import legacy_login
from synapse_nextgen_auth.flows.authorize import Refused
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.clients.redirects import destination
from synapse_nextgen_auth.oauth.errors import invalid_request
from synapse_nextgen_auth.oauth.legacy_sign_ins import (
    LIFETIME,
    LegacySignIn,
    read_action,
    read_url,
)
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.store import first_sessions, legacy_logins
from synapse_nextgen_auth.web import added, answers, grants
from synapse_nextgen_auth.web.admission import admit
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.legacy_login.page import LegacyLoginPage, Place
from synapse_nextgen_auth.web.pages.message.error import OF_REFUSED, PageError, unknown_choice
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.rates import authorization_wait
from synapse_nextgen_auth.web.visits import Visit

logger = logging.getLogger(__name__)

_SSO = "m.login.sso"


def closed() -> PageError:
    """Say that the operator closed this way."""
    return PageError(403, Message.LEGACY_CLOSED)


async def begin(visit: Visit) -> Outgoing:
    """Write down what the client asks for, and send the browser to what is missing.

    The URL comes from whoever made the link, so a person confirms it before anything goes there
    (C195).
    """
    if visit.site.legacy.is_closed(_SSO):
        raise closed()
    asked = visit.parameters
    url = None if asked.repeated else read_url(asked.get("redirectUrl"))
    if url is None:
        refusal = invalid_request("redirectUrl is missing, repeated, or nothing to go to")
        raise PageError(400, Message.BAD_REDIRECT_URL, refusal=refusal)
    wait = await authorization_wait(visit)
    if wait is not None:
        headers = (("Retry-After", str(wait)),)
        raise PageError(429, Message.TOO_MANY_REQUESTS, headers=headers)
    now = visit.site.now()
    login = LegacySignIn(
        login_id=random_id(),
        browser=visit.visitor.digest,
        redirect_url=url,
        provider=asked.get("idp"),
        action=read_action(asked.get("action")),
        begun_as=visit.sign_in.digest if visit.sign_in else None,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    await visit.site.homeserver.run(legacy_logins.add, login)
    return go_on(visit, login)


def go_on(visit: Visit, login: LegacySignIn) -> Outgoing:
    """Send the browser to what is missing."""
    onward = Onward.to(Kind.LEGACY, login.login_id)
    if visit.sign_in is not None:
        return answers.redirect(onward.next_url)
    return answers.redirect(onward.accounts_url if visit.sign_ins else onward.sign_in_url)


async def show(visit: Visit) -> Outgoing:
    """Ask the person, unless the operator trusts the client and the person signed in for it."""
    login = await _find(visit)
    if visit.sign_in is None:
        return go_on(visit, login)
    user_id = visit.sign_in.user_id
    await _check(visit, login, user_id)
    if await added.is_missing(visit):
        return answers.redirect(Onward.to(Kind.LEGACY, login.login_id).sign_in_url)
    tokens = visit.site.login_tokens
    is_for_it = login.was_begun_for(visit.sign_in.digest, signed_in_at=visit.sign_in.signed_in_at)
    if is_for_it and tokens.is_trusted(login.redirect_url):
        return await _let_in(visit, login, visit.sign_in)
    display_name, _picture = await visit.site.people.profile(user_id)
    place = destination(login.redirect_url)
    page = LegacyLoginPage(
        csrf=visit.csrf,
        action=f"legacy-login?login={login.login_id}",
        server_name=visit.site.server_name,
        user_id=user_id,
        destination=place,
        place=Place.of(place),
        display_name=display_name,
    )
    return visit.answer(page, goes_to=login.redirect_url, goes_further=True)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Do what the person decided."""
    login = await _find(visit)
    decision = form.get("decision")
    if decision == "cancel":
        if not await visit.site.homeserver.run(
            legacy_logins.decide, login.login_id, now=visit.site.now()
        ):
            raise PageError(409, Message.ALREADY_DONE)
        raise PageError(200, Message.DECLINED)
    if decision == "switch" or visit.sign_in is None:
        return answers.redirect(Onward.to(Kind.LEGACY, login.login_id).accounts_url)
    if decision != "approve":
        raise unknown_choice()
    await _check(visit, login, visit.sign_in.user_id)
    if await added.is_missing(visit):
        return answers.redirect(Onward.to(Kind.LEGACY, login.login_id).sign_in_url)
    return await _let_in(visit, login, visit.sign_in)


async def _find(visit: Visit) -> LegacySignIn:
    if visit.site.legacy.is_closed(_SSO):
        raise closed()  # since it began
    login = await grants.find_legacy(visit, visit.parameters.get("login") or "")
    if isinstance(login, Refused):
        status, message = OF_REFUSED[login]
        raise PageError(status, message)
    return login


async def _check(visit: Visit, login: LegacySignIn, user_id: str) -> None:
    """Stop where the account may not, or where the operator closed this way for it.

    Another account perhaps may: the client waits.
    """
    accounts_url = Onward.to(Kind.LEGACY, login.login_id).accounts_url
    await admit(visit.site, user_id, other_account_url=accounts_url)
    rules = visit.site.legacy
    if rules.depends(_SSO) and await visit.site.homeserver.read(first_sessions.has_one, user_id):
        raise attrs.evolve(
            closed(), forward_url=accounts_url, forward_label=ForwardLabel.OTHER_ACCOUNT
        )


async def _let_in(visit: Visit, login: LegacySignIn, sign_in: SignIn) -> Outgoing:
    """Give out a login token, once; a failure on the way leaves it to be tried again."""
    site, user_id = visit.site, sign_in.user_id
    if not await site.homeserver.run(
        legacy_login.agree,
        login,
        user_id=user_id,
        destination=destination(login.redirect_url),
        address=visit.address,
        now=site.now(),
    ):
        raise PageError(409, Message.ALREADY_DONE)
    try:
        provider, session = await site.homeserver.read(legacy_login.came_from, sign_in)
        token = await site.login_tokens.make(user_id, provider=provider, provider_session=session)
        is_given = await site.homeserver.run(
            legacy_login.give, login, sign_in, token, now=site.now()
        )
    except Exception:
        await site.homeserver.run(legacy_logins.reopen, login.login_id)
        raise
    if not is_given:  # signed out meanwhile
        return answers.redirect(Onward.to(Kind.LEGACY, login.login_id).accounts_url)
    logger.info("%s lets a client at %s in", user_id, logged(destination(login.redirect_url)))
    return answers.redirect(login.with_token(token))
