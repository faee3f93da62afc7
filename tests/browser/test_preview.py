"""A preview in a browser: a page stays until somebody presses something."""

import pytest
from playwright.sync_api import expect

from support.previews import previewing
from synapse_nextgen_auth.cli.templates.operators import Operators
from synapse_nextgen_auth.config import Config


@pytest.fixture(scope="module")
def preview():
    """Yield the address of a preview of our own templates."""
    with previewing(Operators(Config())) as ask:
        yield ask.url


def test_a_check_that_is_done_stays_to_be_looked_at(tab, preview):
    """Its page sends itself on the server; whoever presses the button sees what a preview says."""
    page, sent = tab.page, []
    page.on("response", lambda answer: sent.append((answer.request.method, answer.status)))
    page.goto(f"{preview}/pages/captcha/work")
    # Whoever asks the page something counts as somebody who does something there.
    tab.until(lambda: ("POST", 204) in sent)

    expect(page.locator("[data-done]")).to_be_visible()
    assert tab.heading == "Are you a person?"
    assert sent.count(("POST", 204)) == 1
    tab.page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading")).to_have_text("Nothing was sent")


@pytest.mark.parametrize("name", ["form_post/plain", "way_back/plain", "ask_again/plain"])
def test_a_page_that_goes_on_by_itself_stays(tab, preview, name):
    tab.page.goto(f"{preview}/pages/{name}")
    heading = tab.heading
    tab.page.wait_for_timeout(500)

    assert tab.page.url == f"{preview}/pages/{name}"
    assert tab.heading == heading
