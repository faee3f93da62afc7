"""The landing page, and signing out."""

from synapse_nextgen_auth.flows import sign_in
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.home.page import HomePage, SignedOutPage
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit) -> Outgoing:
    """Say who is signed in here."""
    return visit.answer(
        HomePage(
            csrf=visit.csrf,
            server_name=visit.site.server_name,
            user_id=visit.user_id,
            sign_in_url="sign-in",
            sign_out_url="sign-out",
            devices_url="account",
            accounts_url="accounts",
            others=tuple(e.user_id for e in visit.sign_ins if e.user_id != visit.user_id),
        )
    )


async def sign_out(visit: Visit, form: Form) -> Outgoing:
    """Sign one account or all out of this browser, in the database and not only in its cookie (C185)."""
    site, secrets = visit.site, tuple(visit.visitor.secrets)
    # The present one also where it ran out meanwhile: its person means what they approved there, too.
    meant = secrets if form.get("decision") == "sign-out-all" else secrets[:1]
    await site.homeserver.run(sign_in.sign_out, meant, now=site.now(), address=visit.address)
    cookie = site.cookies.write(
        visit.visitor.without(meant), max_age=site.lifetimes.browsers.absolute
    )
    page = SignedOutPage(server_name=site.server_name, sign_in_url="sign-in")
    return visit.answer(page, headers=(cookie,))
