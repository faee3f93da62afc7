"""The page that asks somebody whom a provider let in for the name of their account."""

import attrs

from synapse_nextgen_auth.accounts.attempts import extras as sealed_extras
from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.flows import arrive
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.providers.new_accounts import (
    OF_THE_NAME,
    Chosen,
    NameProblem,
)
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest, same
from synapse_nextgen_auth.web import answers, attempts, device_grants, grants, under_way
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.pages.providers import trouble
from synapse_nextgen_auth.web.pages.providers.page import NewAccountPage, OfferedEmail
from synapse_nextgen_auth.web.visits import Visit

_STATUS = {NameProblem.TOO_OFTEN: 429, NameProblem.REFUSED: 403}


@frozen
class _Stage:
    """The attempt, whom it is about, and where it goes on.

    `shown` says which newcomer it is, to the form: somebody else may come back to the same attempt in
    another tab. `problem` says why the name that was given cannot be had, so that they choose one.
    """

    attempt: Attempt
    newcomer: Newcomer
    onward: Onward
    shown: str
    problem: NameProblem | None = None


async def show(visit: Visit) -> Outgoing:
    """Ask, with what the provider suggests filled in."""
    stage = await _find(visit)
    if stage is None:
        return _over(visit)
    return _page(visit, stage, _suggested(stage.newcomer), error=stage.problem)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Make the account, and sign the person in to it."""
    stage = await _find(visit)
    if stage is None:
        return _over(visit)
    decision, onward = form.get("decision"), stage.onward
    if decision == "cancel":
        if onward.device_grant_id:
            return await device_grants.decline(visit, onward.device_grant_id)
        if onward.grant is None or onward.client is None:
            return answers.redirect("./")
        cancelled = OAuthError("access_denied", "The person did not create an account")
        return await grants.refuse(visit, onward.grant, onward.client, cancelled)
    if decision != "create":
        raise unknown_choice()
    is_another = not same(form.get("newcomer", ""), stage.shown)
    if is_another or (stage.problem is not None and "username" not in form):
        problem = None if is_another else stage.problem
        chosen = _suggested(stage.newcomer)
        return _page(visit, stage, chosen, error=problem, is_another=is_another)
    return await _make(visit, stage, form)


async def _make(visit: Visit, stage: _Stage, form: Form) -> Outgoing:
    site, newcomer = visit.site, stage.newcomer
    chosen = _chosen(newcomer, form, terms=site.providers.new_accounts.terms_version)
    if newcomer.must_choose and not chosen.localpart:
        return _page(visit, stage, chosen, error=NameProblem.MISSING)
    if site.providers.new_accounts.terms_url and not chosen.accepts_terms:
        return _page(visit, stage, chosen, terms_missing=True)
    made = await site.providers.new_accounts.make(
        newcomer, chosen, user_agent=visit.user_agent, address=visit.address
    )
    if isinstance(made, NameProblem):
        if made in OF_THE_NAME:
            stage = attrs.evolve(stage, newcomer=attrs.evolve(newcomer, must_choose=True))
        return _page(visit, stage, chosen, error=made)
    proof = arrive.proof_of(newcomer.provider, newcomer.statement, made, now=site.now())
    extras = sealed_extras.seal(site.issuer.keys, made, newcomer.extras)
    settled = (stage.attempt, newcomer, arrive.Made(made, extras))
    return await attempts.take_by(visit, stage.attempt, proof, arrive.settle, *settled)


def _suggested(newcomer: Newcomer) -> Chosen:
    return Chosen(
        newcomer.localpart or "",
        use_display_name=True,
        use_picture=True,
        emails=newcomer.emails,
    )


def _chosen(newcomer: Newcomer, form: Form, *, terms: str | None) -> Chosen:
    """Read the form; where nobody is asked, everything is taken over, as Synapse does."""
    is_asked = newcomer.must_choose
    ticked = (
        email
        for place, email in enumerate(newcomer.emails, 1)
        if not is_asked or form.get(f"use_email_{place}")
    )
    # As people type it: with the sign before it and the server behind it, or in capitals.
    typed = form.get("username", "").strip().removeprefix("@").partition(":")[0].lower()
    return Chosen(
        localpart=typed if is_asked else newcomer.localpart or "",
        use_display_name=not is_asked or bool(form.get("use_display_name")),
        use_picture=not is_asked or bool(form.get("use_picture")),
        emails=tuple(ticked),
        # Which ones: those that they were shown may have been replaced since.
        accepts_terms=terms is not None and form.get("accept_terms") == terms,
    )


async def _find(visit: Visit) -> _Stage | None:
    attempt = await under_way.find(visit, visit.parameters.get("attempt") or "")
    sealed = attempt.answered.get(arrive.NEWCOMER)
    newcomer = Newcomer.unseal(visit.site.issuer.keys, sealed) if sealed else None
    if newcomer is None:
        return None
    onward = await under_way.onward_of(visit, attempt)
    problem = await visit.site.providers.new_accounts.given_problem(newcomer)
    if problem is not None:
        newcomer = attrs.evolve(newcomer, must_choose=True)
    return _Stage(attempt, newcomer, onward, digest(sealed or ""), problem)


def _over(visit: Visit) -> Outgoing:
    attempt_id = visit.parameters.get("attempt") or ""
    return trouble.show(visit.site, visit.reader, Trouble.OVER, Start(attempt_id, ""))


def _page(
    visit: Visit,
    stage: _Stage,
    chosen: Chosen,
    *,
    error: NameProblem | None = None,
    terms_missing: bool = False,
    is_another: bool = False,
) -> Outgoing:
    site, newcomer, onward = visit.site, stage.newcomer, stage.onward
    provider = site.providers.known.get(newcomer.provider)
    grant = onward.grant
    page = NewAccountPage(
        csrf=visit.csrf,
        action=f"new-account?attempt={stage.attempt.attempt_id}",
        server_name=site.server_name,
        provider_name=provider.name if provider else newcomer.provider,
        localpart=chosen.localpart[:255],
        must_choose=newcomer.must_choose,
        display_name=newcomer.display_name,
        emails=tuple(OfferedEmail(each, each in chosen.emails) for each in newcomer.emails),
        has_picture=newcomer.picture is not None,
        uses_display_name=chosen.use_display_name,
        uses_picture=chosen.use_picture,
        terms_url=site.providers.new_accounts.terms_url,
        terms_version=site.providers.new_accounts.terms_version,
        terms_name=site.providers.new_accounts.terms_name,
        terms_missing=terms_missing,
        shown=stage.shown,
        is_another=is_another,
        error=error,
        client=ClientCard.of(
            onward.client, visit.languages, redirect_uri=grant.redirect_uri if grant else None
        )
        if onward.client
        else None,
    )
    return visit.answer(
        page,
        409 if is_another else 400 if terms_missing else _STATUS.get(error, 400) if error else 200,
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
    )
