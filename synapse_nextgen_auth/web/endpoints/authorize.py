"""The authorization endpoint (RFC 6749 section 3.1): checks the request and begins the grant."""

import logging
from urllib.parse import urlencode

from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.accounts.factors.levels import Strictness
from synapse_nextgen_auth.accounts.people import meant
from synapse_nextgen_auth.flows import authorize as authorization
from synapse_nextgen_auth.flows.authorize import Step
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import DRAINING, OAuthError, invalid_request
from synapse_nextgen_auth.oauth.grants.authorization import Grant, ResponseMode
from synapse_nextgen_auth.oauth.grants.authorization_answer import failure
from synapse_nextgen_auth.oauth.grants.authorization_request import (
    Displayed,
    Redirected,
    Request,
    find_target,
    read_request,
)
from synapse_nextgen_auth.oauth.grants.parameters import Parameters
from synapse_nextgen_auth.oauth.tokens.id_token import Hint
from synapse_nextgen_auth.oauth.wording import logged, logged_uri
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.web import answers, grants, visits
from synapse_nextgen_auth.web.asked import Asked, lost_its_cookie, pack, read
from synapse_nextgen_auth.web.pages import onward
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.message.error import OF_PROBLEM, PageError
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.pages.way_back import way_back
from synapse_nextgen_auth.web.pages.way_back.page import AskAgainPage
from synapse_nextgen_auth.web.rates import authorization_wait
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

logger = logging.getLogger(__name__)

# Seconds a person has to sign in and decide; the row goes a quarter of an hour later.
GRANT_LIFETIME = 1800
_LONGEST_ID = 255


async def authorize(site: Site, incoming: Incoming, reader: Reader) -> Outgoing:
    """Begin a grant and send the browser to its first page, or refuse in the right place."""
    asked = read(incoming, reader)
    parameters = asked.parameters
    reader.asked_in(parameters.get("ui_locales"))
    client_id = parameters.get("client_id")
    client = await site.clients.find(client_id)
    is_blocked = client is None and await site.clients.is_blocked(client_id)
    try:
        target = find_target(parameters, client, is_blocked=is_blocked)
    except Displayed as refusal:
        _note(site, incoming, parameters, refusal.problem.value, refusal.problem.value)
        raise PageError(400, OF_PROBLEM[refusal.problem], detail=refusal.detail) from refusal
    assert client is not None, "find_target found out"  # noqa: S101
    try:
        request = read_request(
            parameters,
            client,
            target,
            pkce_optional=client.client_id in site.config.pkce_exempt,
            resources=site.resources,
        )
        if lost_its_cookie(site, incoming, asked):
            return _ask_again(site, asked, client)
        _refuse_new(site, incoming, parameters, request)
        return await _begin(await visits.greet(site, incoming, reader), incoming, client, request)
    except Redirected as refusal:
        return await _refuse(site, incoming, asked, client, refusal)


def _ask_again(site: Site, asked: Asked, client: Client) -> Outgoing:
    """Let the browser ask again, with its cookie: by a redirect, or by a form if that is too long.

    By a form too, where an ID token would come into an address that its client kept it out of. The
    answer to that form may lead back to the client at once.
    """
    location = f"authorize?{urlencode(asked.parameters.values)}"
    has_token = asked.parameters.get("id_token_hint") is not None
    if len(location) <= answers.MAX_LOCATION and not has_token:
        return answers.redirect(location)
    packed = pack(asked.parameters)
    redirect_uri = asked.parameters.get("redirect_uri")
    shown = ClientCard.of(client, asked.reader.languages, redirect_uri=redirect_uri)
    page = AskAgainPage("authorize", packed, site.server_name, shown)
    return asked.reader.answer(page, goes_to=redirect_uri, goes_further=not client.is_public)


async def _refuse(
    site: Site, incoming: Incoming, asked: Asked, client: Client, refusal: Redirected
) -> Outgoing:
    """Tell the client; where nobody is signed in, only if the person goes there (RFC 9700 4.11.2).

    Anybody can register a client here, and would have a redirector to any place otherwise.
    """
    if refusal.error.code != "temporarily_unavailable":  # the limit counted it
        error = refusal.error
        _note(site, incoming, asked.parameters, error.reason or error.code, str(error))
    answer = failure(refusal.target, refusal.error, issuer=site.issuer.identifier)
    if site.clients.is_configured(client):
        return way_back.deliver(site, asked.reader, answer, client)
    # What is repeated would not survive being asked again.
    if lost_its_cookie(site, incoming, asked) and not asked.parameters.repeated:
        return _ask_again(site, asked, client)
    if not (await visits.greet(site, incoming, asked.reader)).sign_ins:
        return way_back.offer(site, asked.reader, answer, client)
    return way_back.deliver(site, asked.reader, answer, client)


def _note(site: Site, incoming: Incoming, asked: Parameters, reason: str, told: str) -> None:
    """Count a refusal, and write down who asked for what; a query may hold anything."""
    site.homeserver.metrics.refusal("/authorize", reason)
    logger.info(
        "Refused an authorization of client %s to %s from %s: %s",
        logged(asked.get("client_id")),
        logged_uri(asked.get("redirect_uri")),
        logged(incoming.address, 64),
        told,
    )


def _refuse_new(site: Site, incoming: Incoming, asked: Parameters, request: Request) -> None:
    """Stop where nobody newly signs in: the person reads why, a client that shows no page hears it."""
    if not site.config.drain:
        return
    if request.is_silent:
        raise Redirected(DRAINING, request.target)
    _note(site, incoming, asked, DRAINING.reason, str(DRAINING))
    raise PageError(403, Message.DRAINING)


async def _begin(visit: Visit, incoming: Incoming, client: Client, request: Request) -> Outgoing:
    site = visit.site
    await _check_room(visit, incoming, request)
    asked_for = await _asked_for(site, client, request)
    grant = _grant(visit, client, request, asked_for=asked_for, now=site.now())
    _check_subject(site, request, asked_for)
    if request.is_silent:
        return await _answer_silently(visit, client, grant, request)
    await site.homeserver.run(authorization.request, grant)
    site.homeserver.metrics.grant("requested")
    if request.wants_new_account and grant.user_id is None:
        sign_up = Onward.to(Kind.GRANT, grant.grant_id).sign_up_url
        return visits.with_cookie(visit, answers.redirect(sign_up))
    return visits.with_cookie(visit, await grants.go_on(visit, grant, client))


async def _check_room(visit: Visit, incoming: Incoming, request: Request) -> None:
    """Stop when a network begins more grants than many people would: each is a row (C154)."""
    wait = await authorization_wait(visit)
    if wait is None:
        return
    if request.is_silent:
        busy = OAuthError("temporarily_unavailable", "Too many requests, wait a while")
        raise Redirected(busy, request.target)
    raise PageError(
        429,
        Message.TOO_MANY_REQUESTS,
        forward_url=onward.again(incoming) if incoming.query else None,
        forward_label=ForwardLabel.TRY_AGAIN,
        headers=(("Retry-After", str(wait)),),
    )


async def _asked_for(site: Site, client: Client, request: Request) -> Hint | None:
    """Return the one account that may answer, from `id_token_hint`; `None` where any may.

    What cannot be read is refused: whoever is signed in might not be whom the client means. What
    cannot be proven any more gets no answer from a browser that is signed in: it would tell who is.
    """
    if request.id_token_hint is None:
        return None
    hint = await site.issuer.signing.hinted(
        request.id_token_hint, issuer=site.issuer.identifier, audience=client.client_id
    )
    if hint is None:
        mistake = invalid_request("id_token_hint is no ID token of this server for this client")
        raise Redirected(mistake, request.target)
    if request.is_silent and not hint.is_proven:
        raise Redirected(OAuthError("login_required", "The person must sign in"), request.target)
    return hint


async def _answer_silently(
    visit: Visit, client: Client, grant: Grant, request: Request
) -> Outgoing:
    """Answer `prompt=none` at once; a code only for what its person agreed to before (C021).

    Whom they did not let in learns nothing of how they signed in: consent is looked at first.

    Where a hint names somebody and there is no code, the error is one and the same: by a hint after
    the other any site could find out who is signed in here (C029). An ID token is no such hint: it is
    of somebody who let the client in.
    """
    named = meant(grant.login_hint, server_name=visit.site.server_name)
    if len(visit.sign_ins) > 1 and grant.user_id is None and named is None:
        several = OAuthError("account_selection_required", "Several accounts are signed in")
        raise Redirected(several, request.target)
    is_proven = grant.user_id is not None and request.claims.sub is None
    must_sign_in = OAuthError("login_required", "The person must sign in")
    visit, step = await grants.about(visit, grant)
    is_agreed = step is Step.CONSENT and await grants.is_agreed(visit, grant, client)
    is_a_guess = (named is not None or request.claims.sub is not None) and not is_proven
    if step is not Step.CONSENT or (is_a_guess and not is_agreed):
        raise Redirected(must_sign_in, request.target)
    if not is_agreed:
        raise Redirected(OAuthError("consent_required", "Consent is needed"), request.target)
    visit, step = await grants.on_its_way(visit, grant)
    if step is not Step.CONSENT:
        raise Redirected(must_sign_in, request.target)
    await visit.site.homeserver.run(authorization.request, grant)
    try:
        return await grants.approve(visit, grant, client)
    except PageError as stop:
        declined = OAuthError("access_denied", "The server refused the sign-in")
        raise Redirected(declined, request.target) from stop


def _check_subject(site: Site, request: Request, asked_for: Hint | None) -> None:
    """Stop where nobody here is who the client asks for by `sub` (OpenID Connect Core 3.1.2.2)."""
    sub = request.claims.sub
    if sub is None:
        return
    is_ours = sub.startswith("@") and sub.partition(":")[2] == site.server_name
    if not is_ours or len(sub) > _LONGEST_ID or (asked_for and asked_for.user_id != sub):
        raise Redirected(
            OAuthError("login_required", "The person is somebody else"), request.target
        )


def _grant(
    visit: Visit, client: Client, request: Request, *, asked_for: Hint | None, now: int
) -> Grant:
    asked = _asked_of_acr(request)
    must_sign_in = asked_for is not None and not asked_for.is_proven
    return Grant(
        grant_id=random_id(),
        browser=visit.visitor.digest,
        client_id=client.client_id,
        redirect_uri=request.target.redirect_uri,
        scope=request.scope.text,
        resource_scope=request.resource_scope,
        state=request.target.state,
        response_mode=ResponseMode(request.target.response_mode),
        nonce=request.nonce,
        code_challenge=request.code_challenge,
        prompt=" ".join(sorted(prompt.value for prompt in request.prompts)) or None,
        login_hint=request.login_hint,
        idp_hint=request.idp_hint,
        ui_locales=request.ui_locales,
        acr_values=" ".join(asked.values) or None,
        acr_strictness=None if asked.strictness is Strictness.KNOWN else asked.strictness.value,
        login_after=now + 1 if must_sign_in else request.login_after(now),
        created_at=now,
        expires_at=now + GRANT_LIFETIME,
        user_id=asked_for.user_id if asked_for else request.claims.sub,
    )


def _asked_of_acr(request: Request) -> levels.Asked:
    """Return what is asked of how the person proves it; of two ways to say that, the stricter one."""
    claims = request.claims
    if claims.acr and claims.is_acr_essential:
        return levels.Asked(claims.acr, Strictness.ESSENTIAL)
    if request.acr_values is not None or not claims.acr:
        return levels.read(request.acr_values)
    return levels.Asked(claims.acr, Strictness.VOLUNTARY)
