"""The landing page, and signing out."""

from synapse_nextgen_auth.flows import sign_in
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.store import browsers
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
        )
    )


async def sign_out(visit: Visit, _form: Form) -> Outgoing:
    """Sign this browser out, in the database and not only in its cookie (C185)."""
    site = visit.site
    # Also one whose sign-in ran out meanwhile: its person means what they approved there, too.
    browser = visit.browser or await site.homeserver.read(browsers.get, visit.visitor.digest)
    if browser is not None:
        await site.homeserver.run(sign_in.sign_out, browser, now=site.now(), address=visit.address)
    return visit.answer(SignedOutPage(server_name=site.server_name, sign_in_url="sign-in"))
