"""The start page."""

from support.pages import read
from synapse_nextgen_auth.web.pages.home.page import HomePage
from synapse_nextgen_auth.web.pages.home.samples import SAMPLES


def test_signing_out_is_a_form():
    """Nobody is signed out by a link or an image (C185)."""
    html = read(SAMPLES[HomePage]["signed_in"])

    assert html.all("form")[0]["action"] == "sign-out"
    assert [link["href"] for link in html.all("a")] == ["account", "accounts"]


def test_the_start_page_is_not_called_as_the_account_is():
    """Two tabs with one title are told apart by nobody."""
    html = read(SAMPLES[HomePage]["signed_in"])

    assert html.text("title").startswith("You are signed in")
