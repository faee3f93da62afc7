"""No fragment of the authorization URL reaches the client's page: browsers carry it over redirects."""

from urllib.parse import urlencode

import pytest

from support.oauth import web_client

PLANTED = "#access_token=planted&state=planted"


def arrive(tab, parameters):
    """Follow a link to us with a fragment."""
    tab.open(f"authorize?{urlencode(parameters)}{PLANTED}")


@pytest.fixture
def remembered(tab, server, user):
    """Return a client to which the person agreed before: redirects alone lead back to it."""
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    tab.let_in(client.request(scope="openid")[0], user)
    return client


@pytest.mark.parametrize("prompt", ["none", None])
def test_redirects_alone_carry_no_older_fragment(tab, remembered, prompt):
    """From our endpoint straight to the client, and over the consent page that is left out."""
    parameters, _ = remembered.request(scope="openid", prompt=prompt)

    arrive(tab, parameters)

    assert tab.heading == "Welcome back"
    assert "code=" in tab.page.url
    assert tab.page.evaluate("location.hash") == ""


def test_an_error_carries_no_older_fragment(tab, remembered):
    """What a client reads from its fragment may not be what somebody else's link put there."""
    parameters, _ = remembered.request(scope="openid email", prompt="none")

    arrive(tab, parameters)

    assert "error=consent_required" in tab.page.url
    assert tab.page.evaluate("location.hash") == ""


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_pages_between_carry_no_older_fragment(tab, client, user, mode):
    """Over the sign-in and the consent page."""
    parameters, _ = client.request(response_mode=mode)
    arrive(tab, parameters)
    tab.sign_in(user)

    told = tab.leave("Continue", parameters["redirect_uri"])

    assert told["state"] == parameters["state"]
    assert tab.page.evaluate("location.hash") == ""


def test_in_fragment_mode_there_is_ours_and_no_other(tab, client, user):
    """The answer takes the place of what was planted."""
    parameters, _ = client.request(response_mode="fragment")
    arrive(tab, parameters)
    tab.sign_in(user)

    told = tab.leave("Continue", parameters["redirect_uri"])

    assert told["state"] == parameters["state"]
    assert "planted" not in tab.page.evaluate("location.hash")


def test_the_browser_does_carry_fragments_over(tab, https_site, server, user):
    """What the tests above would see without our empty one."""
    https_site.redirect("/through", "https://client.example.com/callback?code=x")

    tab.page.goto(f"https://client.example.com/through{PLANTED}")

    assert tab.page.evaluate("location.hash") == PLANTED
