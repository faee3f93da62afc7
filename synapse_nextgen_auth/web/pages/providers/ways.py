"""The providers on the sign-in page, and the way to one."""

from urllib.parse import quote

from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.providers.listing import Provider
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.pages.content import ProviderCard
from synapse_nextgen_auth.web.pages.providers.page import ToProviderPage
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

# What the button of a provider decides, before its id.
DECISION = "provider:"


def cards(site: Site, *, proves_afresh: bool = False) -> tuple[ProviderCard, ...]:
    """Return every provider that can do what is needed, as the sign-in page shows it."""
    return tuple(
        ProviderCard(
            provider_id=each.provider_id,
            name=each.name,
            icon_url=(
                f"provider-icon?of={quote(each.provider_id)}"
                if site.providers.icons.has(each.provider_id)
                else None
            ),
            brand=each.brand,
        )
        for each in site.providers.known.all()
        if each.proves_afresh or not proves_afresh
    )


def cannot_confirm(site: Site) -> tuple[str, ...]:
    """Return the names of the providers that are not offered for a fresh sign-in."""
    return tuple(each.name for each in site.providers.known.all() if not each.proves_afresh)


def chosen(site: Site, decision: str | None) -> Provider | None:
    """Return the provider whose button was pressed."""
    if decision is None or not decision.startswith(DECISION):
        return None
    return site.providers.known.get(decision.removeprefix(DECISION))


def url(site: Site, start: Start) -> str:
    """Return where the way to a provider begins: Synapse's endpoint, on the process that it is for."""
    back = quote(start.url(site.issuer.keys, site.arrive_url), safe="")
    base = site.homeserver.public_baseurl.rstrip("/")
    path = f"/_matrix/client/v3/login/sso/redirect/{quote(start.provider_id)}"
    return f"{base}{path}?redirectUrl={back}"


def send(visit: Visit, start: Start, provider: Provider) -> Outgoing:
    """Answer a form: go on by a page, for no policy knows where a provider sends people."""
    page = ToProviderPage(provider.name, url(visit.site, start), visit.site.server_name)
    return visit.answer(page)


def straight(visit: Visit, start: Start, provider: Provider) -> Outgoing:
    """Answer a look: go on at once, unless a form of ours led to it (C202)."""
    if visit.comes_from_here:
        return send(visit, start, provider)
    return answers.redirect(url(visit.site, start))
