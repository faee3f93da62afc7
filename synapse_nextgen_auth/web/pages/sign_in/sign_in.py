"""The sign-in page."""

import logging

import attrs

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.people import MAX_PASSWORD, hinted, identify
from synapse_nextgen_auth.accounts.sign_ins import SignIn, of_account
from synapse_nextgen_auth.flows import sign_in
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import (
    NotAdmitted,
    PasswordsOff,
    TryLater,
    Wrong,
)
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.secret import Secret, digest, random_id, random_token
from synapse_nextgen_auth.web import answers, grants
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.message.error import not_admitted, refuse_if_gone
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError, SignInPage
from synapse_nextgen_auth.web.visits import Visit

# The filters that operators gave to fail2ban name it (docs/topics/security.md).
logger = logging.getLogger("synapse_nextgen_auth.web.pages.sign_in")

# How somebody signed in who knows a password (RFC 8176).
AMR_PASSWORD = "pwd"  # noqa: S105


@attrs.frozen
class Failure:
    """Why the form comes back; `retry_after` in seconds, `user_id` whose account it is if known."""

    error: SignInError
    status: int
    retry_after: int | None = None
    user_id: str | None = None


_PASSWORDS_OFF = Failure(SignInError.PASSWORD_LOGIN_DISABLED, 403)


async def show(visit: Visit) -> Outgoing:
    """Ask for name and password, or say at once that nobody is let in by a password."""
    onward = await grants.onward(visit)
    hint = onward.grant.login_hint if onward.grant else None
    if onward.asked_for is not None:
        hint = f"mxid:{onward.asked_for}"
    identifier = hinted(hint, server_name=visit.site.server_name)
    closed = None if visit.site.people.passwords_enabled else _PASSWORDS_OFF
    return _page(visit, onward, identifier=identifier, failure=closed)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Check name and password; go on to where the person came from.

    Nobody is signed in who cannot go on there: the client may ask for another account.
    """
    site, onward = visit.site, await grants.onward(visit)
    if form.get("decision") == "cancel" and onward.grant and onward.client:
        cancelled = OAuthError("access_denied", "The person did not sign in")
        return await grants.refuse(visit, onward.grant, onward.client, cancelled)
    typed = form.get("identifier", "")
    checked = await _check(visit, typed, Secret(form.get("password", "")))
    if isinstance(checked, Failure):
        _note(visit, checked.error.value, checked.user_id)
        return _page(visit, onward, identifier=typed, failure=checked)
    if onward.asked_for not in {None, checked}:
        other = Failure(SignInError.OTHER_ACCOUNT, 403)
        _note(visit, other.error.value, checked)
        return _page(visit, onward, identifier=typed, failure=other)
    try:
        await site.people.admit(checked, Intent.SIGN_IN)
    except NotAdmitted as refused:
        _note(visit, refused.why.value, checked)
        raise not_admitted(refused.why, other_account_url=onward.sign_in_url) from None
    return await _begin(visit, onward, checked)


def _note(visit: Visit, reason: str, user_id: str | None) -> None:
    """Count a sign-in that did not work, and write it down; what was typed is not repeated.

    fail2ban reads this line (docs/topics/security.md): the address comes first, as it is one word.
    """
    visit.site.homeserver.metrics.sign_in(reason)
    logger.info(
        "Refused a sign-in from %s: %s, account %s",
        logged(visit.address, 64),
        reason,
        logged(user_id, 255),
    )


async def _check(visit: Visit, typed: str, password: Secret) -> str | Failure:
    site = visit.site
    if not typed.strip() or not password.reveal():
        return Failure(SignInError.MISSING_FIELDS, 400)
    if len(password.reveal().encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
        return Failure(SignInError.TOO_LONG, 400)
    identifier = identify(typed, server_name=site.server_name)
    if identifier is None:
        return Failure(SignInError.WRONG_PASSWORD, 403)
    try:
        return await site.people.check_password(identifier, password, address=visit.address)
    except Wrong as wrong:
        if wrong.user_id is not None:
            site.people.failures.note(wrong.user_id, visit.address)
        return Failure(SignInError.WRONG_PASSWORD, 403, user_id=wrong.user_id)
    except TryLater as later:
        error = SignInError.BUSY if later.busy else SignInError.TOO_MANY_ATTEMPTS
        return Failure(error, 503 if later.busy else 429, later.retry_after)
    except PasswordsOff:
        return _PASSWORDS_OFF


async def _begin(visit: Visit, onward: Onward, user_id: str) -> Outgoing:
    site = visit.site
    secret, now = random_token(), site.now()
    cookie, forgotten = visit.visitor.with_sign_in(secret, user_id)
    new = SignIn(
        digest(secret.reveal()), user_id, now, now, sign_in_id=random_id(), amr=AMR_PASSWORD
    )
    place = sign_in.Place(
        binding=visit.visitor.digest,
        renews=of_account(visit.sign_ins, user_id),
        forgets=forgotten,
        grant_id=onward.grant_id,
        address=visit.address,
    )
    await site.homeserver.run(sign_in.sign_in, new, place)
    await refuse_if_gone(site, user_id)
    site.homeserver.metrics.sign_in("ok")
    logger.info("%s signed in from %s", user_id, logged(visit.address, 64))
    return answers.redirect(
        onward.next_url, site.cookies.write(cookie, max_age=site.lifetimes.browsers.absolute)
    )


def _page(
    visit: Visit,
    onward: Onward,
    *,
    identifier: str,
    failure: Failure | None = None,
) -> Outgoing:
    retry = failure.retry_after if failure else None
    page = SignInPage(
        csrf=visit.csrf,
        action=onward.sign_in_url,
        identifier=identifier[:255],
        server_name=visit.site.server_name,
        client=_card(onward, visit.languages),
        asked_for=onward.asked_for,
        error=failure.error if failure else None,
        retry_after=retry,
        email_allowed=visit.site.people.emails_known,
    )
    return visit.answer(
        page,
        failure.status if failure else 200,
        goes_to=onward.grant.redirect_uri if onward.grant else None,
        goes_further=onward.client is not None and not onward.client.is_public,
        keeps_opener=onward.approval_id is not None,
        headers=(("Retry-After", str(retry)),) if retry else (),
    )


def _card(onward: Onward, languages: tuple[str, ...]) -> ClientCard | None:
    if onward.client is None:
        return None
    redirect_uri = onward.grant.redirect_uri if onward.grant else None
    return ClientCard.of(onward.client, languages, redirect_uri=redirect_uri)
