"""The landing page, and signing out."""

from synapse_nextgen_auth.flows import sign_in as flow
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.store import browsers
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.pages import visitors
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.views import (
    HomePage,
    SignedOutPage,
)


async def show(site: Site, incoming: Incoming) -> Outgoing:
    """Say who is signed in here."""
    visitor = await visitors.greet(site, incoming)
    html = site.templates.render(
        HomePage(
            csrf=visitors.csrf(site, visitor),
            server_name=site.server_name,
            user_id=visitor.user_id,
            sign_in_url="sign-in",
            sign_out_url="sign-out",
            devices_url="account",
        )
    )
    return visitors.with_cookie(site, visitor, answers.page(200, html))


async def sign_out(site: Site, incoming: Incoming) -> Outgoing:
    """Sign this browser out, in the database and not only in its cookie (C185)."""
    visitor = await visitors.greet(site, incoming)
    visitors.read_form(site, incoming, visitor)
    # Also one whose sign-in ran out meanwhile: its person means what they approved there, too.
    browser = visitor.browser or await site.homeserver.read(browsers.get, visitor.digest)
    if browser is not None:
        await site.homeserver.run(flow.sign_out, browser, now=site.now(), address=incoming.address)
    html = site.templates.render(SignedOutPage(server_name=site.server_name, sign_in_url="sign-in"))
    return answers.page(200, html)
