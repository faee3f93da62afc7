"""The landing page, and signing out."""

from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.flows import sign_in as flows
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth import end_session
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.end_session import Request
from synapse_nextgen_auth.oauth.grants.parameters import Parameters
from synapse_nextgen_auth.web import answers, lost_factors
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account.frame import Loss
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.home.page import HomePage, SignedOutPage
from synapse_nextgen_auth.web.pages.way_back import way_back
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit) -> Outgoing:
    """Say who is signed in here, and what their account is to be warned of."""
    loss = None
    if visit.user_id is not None and visit.site.config.factors.lost_wait:
        loss = await lost_factors.waiting(visit.site, visit.user_id)
    return visit.answer(
        HomePage(
            csrf=visit.csrf,
            server_name=visit.site.server_name,
            user_id=visit.user_id,
            sign_in_url="sign-in",
            sign_up_url="register" if visit.site.sign_ups.rules.is_open else None,
            sign_out_url="sign-out",
            devices_url="account",
            accounts_url="accounts",
            others=tuple(e.user_id for e in visit.sign_ins if e.user_id != visit.user_id),
            loss=Loss(loss.ready_at, Place.LOST_FACTORS.value) if loss else None,
        )
    )


async def sign_out(visit: Visit, form: Form) -> Outgoing:
    """Sign one account or all out of this browser, in the database and not only in its cookie (C185).

    Where an application asked for it, the browser goes back there, as far as that is registered.
    """
    site, decision = visit.site, form.get("decision")
    if decision == "stay":
        return answers.redirect("./")
    # Only where the page was about an application; no other form says where to go.
    request = end_session.read(Parameters(form if form.get("client_id") else {}))
    client_id = request.client_id
    client = await site.clients.find(client_id) if client_id else None
    refusal = end_session.refuse(request, client, None)
    if refusal is not None:
        raise refusal
    secrets, account = _meant(visit, form)
    gone = await site.homeserver.run(
        flows.sign_out, secrets, user_id=account, now=site.now(), address=visit.address
    )
    over = {each.digest for each in gone}
    cookie = site.cookies.write(
        visit.visitor.without(over), max_age=site.lifetimes.browsers.absolute
    )
    stays = any(each.digest not in over for each in visit.sign_ins)
    return signed_out(visit, request, client, goes_back=True, stays=stays).having(cookie)


def _meant(visit: Visit, form: Form) -> tuple[tuple[str, ...], str | None]:
    """Return the digests of the secrets that are over now, and of which account alone.

    Whom the form names, and nobody in their place where they left meanwhile. A sign-in that ran out
    counts as well: its person means what they approved there, too.
    """
    secrets = tuple(visit.visitor.secrets)
    if form.get("decision") == "sign-out-all":
        return secrets, None
    account = form.get("account")
    return (secrets[:1] if account is None else secrets), account


def signed_out(
    visit: Visit, request: Request, client: Client | None, *, goes_back: bool, stays: bool = False
) -> Outgoing:
    """Go back to the application that asked; say that nobody is signed in where it is not known.

    `goes_back` is false where nobody did anything here: then a link leads there, for anybody can
    register a client, and get ID tokens for it, and would have a redirector otherwise. `stays` says that
    others are signed in.
    """
    answer = end_session.answer(request)
    if answer is not None and client is not None and goes_back:
        return way_back.deliver(visit.site, visit.reader, answer, client)
    page = SignedOutPage(
        server_name=visit.site.server_name,
        sign_in_url="sign-in",
        stays=stays,
        forward_url=answer.location if answer and client else None,
        client=ClientCard.of(client, visit.languages, redirect_uri=request.redirect_uri)
        if client
        else None,
    )
    return visit.answer(page)
