"""Greeting browsers: who they are, and refusing forms that are not theirs."""

from synapse_nextgen_auth.accounts.browsers import FRESH
from synapse_nextgen_auth.clock import is_recent
from synapse_nextgen_auth.flows import sign_in
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import browsers
from synapse_nextgen_auth.web import browser as rules
from synapse_nextgen_auth.web import forms
from synapse_nextgen_auth.web.browser import Visitor
from synapse_nextgen_auth.web.pages import onward
from synapse_nextgen_auth.web.pages.messages import Stop
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.views import (
    ForwardLabel,
    Message,
)


async def greet(site: Site, incoming: Incoming) -> Visitor:
    """Return who visits; a browser without a good cookie is new."""
    cookie = site.cookies.read(incoming)
    if cookie is None:
        return rules.fresh()
    now = site.now()
    browser = await site.homeserver.read(browsers.get, digest(cookie.reveal()))
    if browser is None or not browser.is_signed_in(now, site.lifetimes.browsers):
        return Visitor(cookie, is_new=False)
    if browser.is_from_the_future(now):
        browser = await site.homeserver.run(sign_in.set_right, browser, now=now)
    elif now - browser.last_active_at >= site.lifetimes.browsers.noted_every:
        await site.homeserver.run(browsers.touch, browser.digest, now=now)
    return Visitor(cookie, is_new=False, browser=browser)


def is_fresh(site: Site, visitor: Visitor) -> bool:
    """Say whether the person signed in so recently that they may do something dangerous."""
    browser = visitor.browser
    return browser is not None and is_recent(browser.signed_in_at, site.now(), within=FRESH)


def with_cookie(site: Site, visitor: Visitor, outgoing: Outgoing) -> Outgoing:
    """Give a new browser its cookie, until it is closed."""
    if not visitor.is_new:
        return outgoing
    return outgoing.having(site.cookies.write(visitor.cookie))


def csrf(site: Site, visitor: Visitor) -> str:
    """Return the value that the forms of a page must carry."""
    return rules.csrf(site.issuer.keys, visitor, now=site.now())


def read_form(site: Site, incoming: Incoming, visitor: Visitor) -> dict[str, str]:
    """Return what a person posted; stop unless it came from a form of ours in this browser."""
    form = forms.once(forms.parse(incoming.body))
    proven = rules.proves(site.issuer.keys, visitor, form.get("csrf"), now=site.now())
    if not proven or rules.is_from_elsewhere(incoming, site.origin):
        raise Stop(
            403,
            Message.BAD_CSRF,
            forward_url=onward.again(incoming),
            forward_label=ForwardLabel.TRY_AGAIN,
            refusal=OAuthError("invalid_request", "the form is not of this browser", 403),
        )
    return form
