"""Mails as a mail program shows them: on a narrow screen, and without loading anything."""

import attrs
import pytest

from synapse_nextgen_auth.accounts.mail.letters import SAMPLES, Letter
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.web.mails import Mails
from synapse_nextgen_auth.web.templates import shipped
from synapse_nextgen_auth.web.translations import Languages

LONG = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 6
NARROW = {"width": 320, "height": 600}


def long(sample):
    """Return a mail whose every text is as long as one may be."""
    texts = {
        field.name: f"https://example.com/{LONG}" if field.name == "url" else f"@{LONG}:example.com"
        for field in attrs.fields(type(sample))
        if isinstance(getattr(sample, field.name), str) and field.name != "code"
    }
    return attrs.evolve(sample, **texts)


@pytest.fixture
def page(browser):
    """Yield a page that remembers what it asked for."""
    context = browser.new_context(viewport=NARROW)
    page = context.new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_every_mail_fits_on_a_narrow_screen_and_loads_nothing(page, lang):
    """Whatever names and addresses are in it; what it would load tells somebody that it is read."""
    server_name = f"{LONG[:60]}.{LONG[:60]}.example"
    mails = Mails.of(Config(), Languages(shipped() / "languages"), server_name=server_name)
    for sample in SAMPLES:
        for mail in (sample, long(sample)):
            page.set_content(mails.write(Letter("a@example.com", lang, mail)).html)

            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], mail
            assert page.evaluate("document.documentElement.dir") == (
                "rtl" if lang == "ar" else "ltr"
            )
    assert page.asked == []
