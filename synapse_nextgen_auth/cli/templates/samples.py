"""Example data for every page and mail: those that each page's tests are made with."""

from synapse_nextgen_auth.accounts.mail import letters
from synapse_nextgen_auth.accounts.mail.letters import Mail
from synapse_nextgen_auth.web.pages.captcha.page import CaptchaPage
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.records import PAGES
from synapse_nextgen_auth.web.pages.samples import samples_of


def pages() -> dict[str, dict[str, PageContent]]:
    """Return the states of every page, by its template and what they are called."""
    found = {page.template: samples_of(page) for page in PAGES}
    return dict(sorted(found.items()))


def mails() -> dict[str, list[Mail]]:
    """Return the mails of every kind, by their templates."""
    found: dict[str, list[Mail]] = {}
    for each in letters.SAMPLES:
        found.setdefault(f"emails/{each.template}", []).append(each)
    return dict(sorted(found.items()))


def scripts_of(page: PageContent) -> tuple[str, ...]:
    """Return what a page loads from elsewhere: that of a captcha's service."""
    service = page.kind.service if isinstance(page, CaptchaPage) else None
    return (service.script,) if service else ()
