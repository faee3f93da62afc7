"""The sign-in page."""

from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.people import hinted
from synapse_nextgen_auth.accounts.sign_ins import last_provider
from synapse_nextgen_auth.accounts.ways import PASSWORD, Ways
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.passwords import TryLater
from synapse_nextgen_auth.homeserver.people.providers.listing import Provider
from synapse_nextgen_auth.oauth.legacy_sign_ins import LegacySignIn
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.web import answers, attempts, factors, grants, under_way
from synapse_nextgen_auth.web.attempts import OtherPassword
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.content import ClientCard, ProviderCard
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.pages.recovery import offer
from synapse_nextgen_auth.web.pages.sign_in import credentials
from synapse_nextgen_auth.web.pages.sign_in.credentials import PASSWORDS_OFF, Failure
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError, SignInPage
from synapse_nextgen_auth.web.under_way import Way
from synapse_nextgen_auth.web.visits import Visit

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.attempts import starts
    from synapse_nextgen_auth.accounts.attempts.starts import Start
    from synapse_nextgen_auth.accounts.factors.passkeys import ceremonies, challenges
    from synapse_nextgen_auth.store import passkeys as rows
    from synapse_nextgen_auth.web import device_grants, passkeys
    from synapse_nextgen_auth.web.pages.mailbox import sign_in as codes
    from synapse_nextgen_auth.web.pages.providers import ways as providers
else:
    codes, providers, device_grants, starts = late.files(
        "web.pages.mailbox.sign_in",
        "web.pages.providers.ways",
        "web.device_grants",
        "accounts.attempts.starts",
    )
    ceremonies, challenges, rows, passkeys = late.files(
        "accounts.factors.passkeys.ceremonies",
        "accounts.factors.passkeys.challenges",
        "store.passkeys",
        "web.passkeys",
    )

# What the button of a passkey sends.
_PASSKEY = "passkey"

_SOON = 5  # seconds


async def show(visit: Visit) -> Outgoing:
    """Ask for name and password, or say at once that nobody is let in by a password."""
    way = await under_way.way(visit)
    if way.is_to_choose:
        return answers.redirect(way.onward.accounts_url)
    hint = f"mxid:{way.account}" if way.account else way.onward.login_hint
    identifier = hinted(hint, server_name=visit.site.server_name)
    provider = await _straight_to(visit, way)
    if provider is not None:
        return providers.straight(visit, await _start(visit, way, provider), provider)
    return await _page(visit, way, identifier=identifier)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Check name and password; go on to where the person came from.

    Nobody is signed in who cannot go on there: the client may ask for another account.
    """
    site, way = visit.site, await under_way.way(visit)
    grant, client = way.onward.grant, way.onward.client
    if form.get("decision") == "cancel" and grant and client:
        return await grants.refuse(visit, grant, client, grants.declined(way.onward))
    if form.get("decision") == "cancel" and way.onward.device_grant_id:
        return await device_grants.decline(visit, way.onward.device_grant_id)
    if form.get("decision") == _PASSKEY:
        return await _take_passkey(visit, way, form)
    provider = _chosen(visit, form)
    if provider is not None and (provider.proves_afresh or not way.is_to_be_fresh):
        return providers.send(visit, await _start(visit, way, provider), provider)
    # Whoever proves again who they are is known: no form can say that it is somebody else.
    typed = way.again or form.get("identifier", "")
    login_type = form.get("login_type", PASSWORD)
    checked = await credentials.check(
        site, form, typed, login_type, address=visit.address, again=way.again is not None
    )
    if not isinstance(checked, Failure) and way.account not in {None, checked.user_id}:
        other = checked.user_id
        checked = Failure(SignInError.OTHER_ACCOUNT, 403, user_id=other, login_type=login_type)
    if isinstance(checked, Failure):
        return await _refuse(visit, way, typed, checked)
    proof = Proof(ProofKind.PASSWORD, site.now(), checked.user_id)
    if login_type != PASSWORD:
        proof = Proof(ProofKind.MODULE, site.now(), checked.user_id, provider=login_type)
    try:
        return await attempts.take(visit, way, proof, password_hash=checked.password_hash)
    except OtherPassword:
        return await _take_again(visit, way, proof, typed, Secret(form.get("password", "")))


async def _take_passkey(visit: Visit, way: Way, form: Form) -> Outgoing:
    """Take what a passkey proved: nobody types who they are."""
    party = passkeys.party_of(visit.site)
    if party is None:
        raise unknown_choice()
    try:
        use = await passkeys.check(
            visit, form, party, challenges.Ceremony.SIGN_IN, nameless=way.again is None
        )
    except passkeys.Unproven as unproven:
        if unproven.is_done:
            raise under_way.lost(Lost.CHANGED, way.onward.next_url) from None
        error = SignInError.PASSKEY_LATE if unproven.is_late else SignInError.PASSKEY
        attempts.note_refusal(visit, error.value, unproven.user_id)
        return await _page(visit, way, identifier="", failure=Failure(error, 403))
    user_id = use.passkey.user_id
    if way.account not in {None, user_id}:
        failure = Failure(SignInError.OTHER_ACCOUNT, 403, user_id=user_id)
        return await _refuse(visit, way, "", failure)
    proof = ceremonies.proof(use.passkey, use.used, now=visit.site.now())
    return await attempts.take_passkey(visit, way, proof, use)


async def _take_again(
    visit: Visit, way: Way, proof: Proof, typed: str, password: Secret
) -> Outgoing:
    """Take the password once more: another one was set, or it is kept in another way since (C255)."""
    user_id = proof.user_id or ""
    try:
        fits = await visit.site.people.passwords.fitting(user_id, password)
        if fits is not None:
            return await attempts.take(visit, way, proof, password_hash=fits)
        failure = Failure(SignInError.WRONG_PASSWORD, 403, user_id=user_id)
    except (OtherPassword, TryLater):
        failure = Failure(SignInError.BUSY, 503, _SOON, user_id)
    return await _refuse(visit, way, typed, failure)


async def _refuse(visit: Visit, way: Way, typed: str, failure: Failure) -> Outgoing:
    attempts.note_refusal(visit, failure.error.value, failure.user_id)
    return await _page(visit, way, identifier=typed, failure=failure)


async def _straight_to(visit: Visit, way: Way) -> Provider | None:
    """Return the provider that nobody is asked about: the client names it, or there is nothing else.

    Once: who comes back without a proof chooses, and may choose another way.
    """
    offered = [each.provider_id for each in _cards(visit, way)]
    is_sent = way.onward.grant is not None or way.onward.goes_on.kind is Kind.LEGACY
    if way.attempt is not None or way.is_another or not is_sent or not offered:
        return None
    known = visit.site.providers.known
    named = known.hinted(await _hint(visit, way))
    if named is not None and named.provider_id in offered:
        return named
    is_alone = len(offered) == 1 and not _ways(visit, way)
    return known.get(offered[0]) if is_alone and not await _offers_code(visit, way) else None


async def _hint(visit: Visit, way: Way) -> str | None:
    """Return which provider the client means: by a hint, or by the address that it sent people to."""
    if way.onward.grant is not None:
        return way.onward.grant.idp_hint
    login = await grants.find_legacy(visit, way.onward.goes_on.id or "")
    return login.provider if isinstance(login, LegacySignIn) else None


def _chosen(visit: Visit, form: Form) -> Provider | None:
    if not visit.site.providers.known.all():
        return None
    return providers.chosen(visit.site, form.get("decision"))


async def _start(visit: Visit, way: Way, provider: Provider) -> "Start":
    attempt = await attempts.begin(visit, way)
    return starts.Start(
        attempt.attempt_id,
        provider.provider_id,
        is_fresh=way.is_to_be_fresh,
        is_another=way.is_another,
    )


def _cards(visit: Visit, way: Way) -> tuple[ProviderCard, ...]:
    if not visit.site.providers.known.all():
        return ()
    return providers.cards(visit.site, proves_afresh=way.is_to_be_fresh)


def _cannot_confirm(visit: Visit, way: Way) -> tuple[str, ...]:
    if not way.is_to_be_fresh or not visit.site.providers.known.all():
        return ()
    return providers.cannot_confirm(visit.site)


async def _offers_code(visit: Visit, way: Way) -> bool:
    return visit.site.has_code_sign_in and await codes.is_offered(visit.site, way)


def _ways(visit: Visit, way: Way) -> Ways:
    """Return what can be typed; whoever proves again who they are may do so by what else is off."""
    passwords = visit.site.people.passwords
    return passwords.ways_again if way.again else passwords.ways


async def _offered(visit: Visit, way: Way) -> tuple[Ways, tuple[ProviderCard, ...]]:
    """Return what the page asks for: of somebody known not what their account cannot do."""
    ways, cards = _ways(visit, way), _cards(visit, way)
    if way.again is None:
        return ways, cards
    people, known = visit.site.people, visit.site.providers.known
    if cards:
        linked = await known.linked_to(way.again)
        cards = tuple(attrs.evolve(card, is_linked=card.provider_id in linked) for card in cards)
    if ways.password and known.all() and not await people.passwords.may_have_one(way.again):
        ways = attrs.evolve(ways, password=None)
    return ways, cards


async def _question(visit: Visit, way: Way) -> str:
    """Return what the browser asks its passkeys: for any of this site, or for those of who is known."""
    if not factors.are_on(visit.site):
        return ""
    party, has = passkeys.party_of(visit.site), []
    if party is not None and way.again is not None:
        found = await visit.site.homeserver.read(rows.list_for, way.again)
        has = [each for each in found if each.rp_id == party.rp_id]
    if party is None or (way.again is not None and not has):
        return ""
    return passkeys.question(visit, party, challenges.Ceremony.SIGN_IN, has=has)


async def _page(
    visit: Visit, way: Way, *, identifier: str, failure: Failure | None = None
) -> Outgoing:
    ways, cards = await _offered(visit, way)
    offers_code = await _offers_code(visit, way)
    passkey = await _question(visit, way)
    if failure is None and not ways and not cards and not offers_code and not passkey:
        failure = PASSWORDS_OFF
    retry = failure.retry_after if failure else None
    onward = way.onward
    page = SignInPage(
        csrf=visit.csrf,
        action=way.url,
        identifier=identifier[:255],
        server_name=visit.site.server_name,
        ways=ways,
        code_url=way.code_url,
        offers_code=offers_code,
        offers_passkey=bool(passkey),
        passkey=passkey,
        providers=cards,
        cannot_confirm=_cannot_confirm(visit, way),
        last_provider=last_provider(visit.sign_ins),
        client=_card(onward, visit.languages),
        can_cancel=onward.can_be_declined,
        asked_for=onward.asked_for,
        error=failure.error if failure else None,
        retry_after=retry,
        is_token=bool(failure and failure.is_token),
        failed=failure.login_type if failure else None,
        again=way.again,
        sign_up_url=onward.sign_up_url,
        # Whoever is known, or one account asked for, needs no other.
        offers_sign_up=visit.site.sign_ups.rules.is_open and not way.account,
        can_recover=offer.is_there(visit.site),
        recovery_url=onward.recovery_url,
        other_account_url=onward.accounts_url if way.again and not onward.asked_for else None,
    )
    return visit.answer(
        page,
        failure.status if failure else 200,
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
        headers=(("Retry-After", str(retry)),) if retry else (),
    )


def _card(onward: Onward, languages: tuple[str, ...]) -> ClientCard | None:
    if onward.client is None:
        return None
    redirect_uri = onward.grant.redirect_uri if onward.grant else None
    return ClientCard.of(onward.client, languages, redirect_uri=redirect_uri)
