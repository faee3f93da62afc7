"""The sign-in page."""

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind
from synapse_nextgen_auth.accounts.people import MAX_PASSWORD, hinted, identify
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import PasswordsOff, TryLater, Wrong
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.web import attempts, grants
from synapse_nextgen_auth.web.attempts import Way
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError, SignInPage
from synapse_nextgen_auth.web.visits import Visit


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
    way = await attempts.way(visit)
    grant = way.onward.grant
    hint = f"mxid:{way.account}" if way.account else grant.login_hint if grant else None
    identifier = hinted(hint, server_name=visit.site.server_name)
    closed = None if visit.site.people.passwords_enabled else _PASSWORDS_OFF
    return _page(visit, way, identifier=identifier, failure=closed)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Check name and password; go on to where the person came from.

    Nobody is signed in who cannot go on there: the client may ask for another account.
    """
    site, way = visit.site, await attempts.way(visit)
    grant, client = way.onward.grant, way.onward.client
    if form.get("decision") == "cancel" and grant and client:
        cancelled = OAuthError("access_denied", "The person did not sign in")
        return await grants.refuse(visit, grant, client, cancelled)
    # Whoever proves again who they are is known: no form can say that it is somebody else.
    typed = way.again or form.get("identifier", "")
    checked = await _check(visit, typed, Secret(form.get("password", "")))
    if not isinstance(checked, Failure) and way.account not in {None, checked}:
        checked = Failure(SignInError.OTHER_ACCOUNT, 403, user_id=checked)
    if isinstance(checked, Failure):
        attempts.note_refusal(visit, checked.error.value, checked.user_id)
        return _page(visit, way, identifier=typed, failure=checked)
    proof = Proof(ProofKind.PASSWORD, site.now(), checked)
    return await attempts.take(visit, way, proof)


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


def _page(visit: Visit, way: Way, *, identifier: str, failure: Failure | None = None) -> Outgoing:
    retry = failure.retry_after if failure else None
    onward = way.onward
    page = SignInPage(
        csrf=visit.csrf,
        action=way.url,
        identifier=identifier[:255],
        server_name=visit.site.server_name,
        client=_card(onward, visit.languages),
        asked_for=onward.asked_for,
        error=failure.error if failure else None,
        retry_after=retry,
        email_allowed=visit.site.people.emails_known,
        again=way.again,
        other_account_url=onward.other_account_url if way.again and not onward.asked_for else None,
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
