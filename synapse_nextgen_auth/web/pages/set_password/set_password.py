"""The page of a link with which the owner of an account sets its password.

The first look takes the secret out of the address and into a cookie (C258), and no look changes
anything: mail scanners open what they find (C254). Only the press spends the link.
"""

import attrs

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.links import Link
from synapse_nextgen_auth.accounts.mail.letters import PasswordSet
from synapse_nextgen_auth.flows import attempts as attempt_flows
from synapse_nextgen_auth.flows import links as flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.links import NewPassword
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.homeserver.people.passwords import TryLater
from synapse_nextgen_auth.secret import Purpose as KeyPurpose
from synapse_nextgen_auth.secret import Secret, digest
from synapse_nextgen_auth.store import links
from synapse_nextgen_auth.web import answers, attempts, factors, under_way
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.link_cookie import secret_in
from synapse_nextgen_auth.web.pages.message.error import PageError, not_admitted, unknown_choice
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.pages.recovery import offer
from synapse_nextgen_auth.web.pages.set_password.page import (
    LinkGonePage,
    PasswordSetPage,
    SetPasswordPage,
)
from synapse_nextgen_auth.web.under_way import Way
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit) -> Outgoing:
    """Take the link out of the address; then ask for the password, whoever is signed in."""
    secret = secret_in(visit.parameters.get("link"))
    if secret is not None:
        return answers.redirect("set-password", visit.site.link_cookie.write(secret))
    link = await _find(visit)
    if link is None or not _is_good(visit, link):
        return _gone(visit, link)
    proven = await _proven(visit, link)
    if isinstance(proven, Outgoing):
        return proven
    return await _page(visit, link, proven)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Set the password, end what the former one let in, and sign its owner in.

    Where the account has a second factor, that is proven before anything is set: whoever reads the
    mailbox alone changes nothing.
    """
    site, link = visit.site, await _find(visit)
    if form.get("decision") not in {"set", "prove"}:
        raise unknown_choice()
    if link is None or not _is_good(visit, link) or not site.password_changes.are_possible:
        return _gone(visit, link)
    proven = await _proven(visit, link)
    if isinstance(proven, Outgoing):
        return proven
    if form.get("decision") == "prove":
        return await _prove(visit, link)
    if proven is None and await _has_factor(visit, link):
        return await _page(visit, link, status=403)
    return await _take(visit, link, proven, form)


async def _take(visit: Visit, link: Link, proven: Attempt | None, form: Form) -> Outgoing:
    """Look at the password that was typed, and set it."""
    site, signs_out = visit.site, form.get("sign_out") is not None
    # Nothing that the form says names the account; the page that was looked at may have.
    if form.get("account") != link.user_id:
        return await _page(visit, link, proven, signs_out=signs_out, status=409)
    await _check(visit, link)
    password = Secret(form.get("password", ""))
    try:
        judgement = await site.new_passwords.judge(password, await _words(visit, link))
    except TryLater as later:
        wait = later.retry_after
        return await _page(visit, link, proven, signs_out=signs_out, retry_after=wait, status=503)
    if not judgement.is_fine:
        of = (visit, link, proven)
        return await _page(*of, signs_out=signs_out, judgement=judgement, status=400)
    onward, attempt = await _waiting(visit, link)
    if proven is not None:
        onward, attempt = await under_way.onward_of(visit, proven), None
    if signs_out:
        await site.devices.expect_to_remove()
    if not await _set(visit, link, password, signs_out=signs_out):
        await _check(visit, link)
        return _gone(visit, attrs.evolve(link, used_at=site.now()))
    way = Way(onward, Purpose.RECOVER, link.user_id, attempt)
    return (await _go_on(visit, way, proven, signs_out=signs_out)).having(
        site.link_cookie.write(None)
    )


async def _has_factor(visit: Visit, link: Link) -> bool:
    """Say whether the account has a second factor that it is asked for."""
    demand = await factors.demand_of(visit.site, link.user_id)
    return (await factors.second_of(visit.site, link.user_id, demand)).held.is_any


async def _prove(visit: Visit, link: Link) -> Outgoing:
    """Lead to the page that asks for the second factor; the link waits meanwhile."""
    onward, _ = await _waiting(visit, link)
    way = Way(onward, Purpose.RECOVER, link.user_id)
    sealed = visit.site.issuer.keys.seal(KeyPurpose.STAGE, link.digest.encode("ascii"))
    proof = Proof(ProofKind.LINK, visit.site.now(), link.user_id)
    return await attempts.begin_waiting(visit, way, proof, Stage.NEW_PASSWORD, sealed)


async def _proven(visit: Visit, link: Link) -> Attempt | Outgoing | None:
    """Return the attempt of this browser in which the factor was proven for this very link.

    Or where its person is by now; nothing where the address names none.
    """
    if (attempt_id := visit.parameters.get("attempt")) is None:
        return None
    attempt = await under_way.find(visit, attempt_id)
    sealed = attempt.answered.get(Stage.NEW_PASSWORD.value, "")
    plain = visit.site.issuer.keys.unseal(KeyPurpose.STAGE, sealed) if sealed else None
    if attempt.user_id != link.user_id or plain != link.digest.encode("ascii"):
        raise under_way.lost(Lost.UNKNOWN, None)
    stage = await attempts.next_of(visit, attempt, asks_modules=False)
    return attempt if stage is Stage.NEW_PASSWORD else await attempts.go_on(visit, attempt)


async def _set(visit: Visit, link: Link, password: Secret, *, signs_out: bool) -> bool:
    """Spend the link and set the password; False when somebody else was first.

    What remains to do then is written down as well, and done even if this request dies of it.
    """
    site = visit.site
    mails = [
        visit.letter(address, PasswordSet(link.user_id))
        for address in (await site.people.emails(link.user_id) if site.mailer.is_configured else ())
    ]
    new = NewPassword(
        hash=await site.password_changes.hash(password),
        sign_out=signs_out,
        mails=mails,
        address=visit.address,
    )
    done = await site.homeserver.run(flows.set_password, link, new, now=site.now())
    if done is not None and done.sign_out is not None:
        await site.devices.sign_out(done.sign_out, done.entry_id)
    return done is not None


async def _go_on(visit: Visit, way: Way, proven: Attempt | None, *, signs_out: bool) -> Outgoing:
    """Sign the owner in where passwords do that, and go on to where they came from.

    What was proven before the password was set counts: with the former one all attempts are over.
    """
    site, user_id = visit.site, way.account or ""
    if not attempts.policy(site, Purpose.RECOVER).passwords or site.config.drain:
        return visit.answer(PasswordSetPage(user_id, site.server_name, signed_out=signs_out))
    if proven is not None:
        return await attempts.take_several(visit, way, proven.proven)
    return await attempts.take(visit, way, Proof(ProofKind.LINK, site.now(), user_id))


async def _waiting(visit: Visit, link: Link) -> tuple[Onward, Attempt | None]:
    """Return what waits for the owner, if this is the browser in which they asked for the link."""
    home = Onward.to_account()
    if link.attempt_id is None:
        return home, None
    found = await visit.site.homeserver.read(
        attempt_flows.find, link.attempt_id, browser=visit.binding, now=visit.site.now()
    )
    if not isinstance(found, Attempt):
        return home, None
    try:
        onward = await under_way.onward_of(visit, found)
    except PageError:
        return home, None  # it is over; the password is set all the same
    is_for_them = onward.asked_for in {None, link.user_id}
    return (onward, found) if is_for_them else (home, None)


async def _find(visit: Visit) -> Link | None:
    """Return the link that this browser has, if there is one, good or not."""
    secret = visit.link
    if secret is None:
        return None
    link = await visit.site.homeserver.read(links.get, digest(secret.reveal()))
    if link is None or link.address is None:
        return link
    # Whoever reads that mailbox may have nothing to do with the account any more.
    is_theirs = await visit.site.people.has_email(link.user_id, link.address)
    return link if is_theirs else None


def _is_good(visit: Visit, link: Link) -> bool:
    return link.is_good(visit.site.now())


async def _check(visit: Visit, link: Link) -> None:
    try:
        await visit.site.people.admit(link.user_id, Intent.SET_PASSWORD)
    except NotAdmitted as refused:
        raise not_admitted(refused.why) from None


async def _words(visit: Visit, link: Link) -> tuple[str, ...]:
    """Return the words about the person, which no password of theirs should be made of."""
    name, _ = await visit.site.people.profile(link.user_id)
    emails = await visit.site.people.emails(link.user_id)
    return tuple(filter(None, (link.user_id, name, *emails)))


async def _page(
    visit: Visit,
    link: Link,
    proven: Attempt | None = None,
    *,
    status: int = 200,
    signs_out: bool = True,
    **said: object,
) -> Outgoing:
    retry = said.get("retry_after")
    # The form may end at the application that waits, where nobody is asked about it once more (C202).
    onward, _ = await _waiting(visit, link)
    page = SetPasswordPage(
        csrf=visit.csrf,
        user_id=link.user_id,
        localpart=link.user_id[1:].partition(":")[0],
        server_name=visit.site.server_name,
        policy=visit.site.new_passwords.policy,
        signs_out=signs_out,
        signed_in_as=visit.user_id if visit.user_id != link.user_id else None,
        needs_factor=proven is None and await _has_factor(visit, link),
        action=attempts.url_of_stage(proven, Stage.NEW_PASSWORD) if proven else "set-password",
        **said,  # type: ignore[arg-type]
    )
    return visit.answer(
        page,
        status,
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
        headers=(("Retry-After", str(retry)),) if retry else (),
    )


def _gone(visit: Visit, link: Link | None) -> Outgoing:
    """Say that the link is good no more; whether there ever was such a one is nobody's business."""
    page = LinkGonePage(
        visit.site.server_name,
        was_used=link is not None and link.used_at is not None,
        recovery_url=offer.url(visit.site, Onward()),
    )
    return visit.answer(page, 410, headers=(visit.site.link_cookie.write(None),))
