"""Back to the client: every kind of redirect is really followed under our own policies."""

import pytest

from support.client_site import ClientSite
from support.oauth import web_client

MODES = ["query", "fragment", "form_post"]
APP = "com.example.client:/callback"


def native(uri):
    return web_client(application_type="native", redirect_uris=[uri])


def confidential(**changes):
    return web_client(token_endpoint_auth_method="client_secret_post", **changes)


@pytest.fixture
def loopback_site(request):
    with ClientSite(host=request.param) as site:
        yield site


@pytest.mark.parametrize("mode", MODES)
def test_c202_https_redirects_are_followed(tab, client, user, https_site, mode):
    """An https client gets its answer after the consent POST, in every response mode."""
    parameters, verifier = client.request(response_mode=mode)

    told = tab.let_in(parameters, user)

    assert told["state"] == parameters["state"]
    assert tab.heading == "Welcome back"
    assert https_site.visits_of("/callback")[-1].method == (
        "POST" if mode == "form_post" else "GET"
    )
    assert client.redeem(told["code"], verifier).status_code == 200


@pytest.mark.parametrize("loopback_site", ["localhost", "127.0.0.1", "[::1]"], indirect=True)
@pytest.mark.parametrize("mode", MODES)
def test_c202_loopback_redirects_are_followed(tab, server, user, loopback_site, mode):
    """A native client listens on whatever port it got; the policy lets the browser go there."""
    client = server.client(native(f"http://{loopback_site.host}/callback"))
    redirect_uri = loopback_site.url("/callback")
    parameters, verifier = client.request(redirect_uri=redirect_uri, response_mode=mode)

    told = tab.let_in(parameters, user)

    assert tab.heading == "Welcome back"
    redeemed = client.redeem(told["code"], verifier, redirect_uri=redirect_uri)
    assert redeemed.status_code == 200, redeemed.text


@pytest.mark.parametrize("mode", ["query", None])
def test_c202_custom_scheme_redirects_are_followed(tab, server, user, mode):
    """The browser asks the system for the app; nothing can be posted to an app."""
    client = server.client(native(APP))
    parameters, verifier = client.request(response_mode=mode)

    told = tab.let_in(parameters, user)

    assert client.redeem(told["code"], verifier).status_code == 200


@pytest.mark.parametrize("uri", ["https://client.example.com/callback", APP])
@pytest.mark.parametrize("page", ["sign-in", "consent"])
def test_c202_cancelling_leads_back_too(tab, server, user, uri, page):
    """A person who says no arrives at the client as well, which learns of it."""
    client = server.client(native(uri))
    parameters, _ = client.request()
    tab.authorize(parameters)
    if page == "consent":
        tab.sign_in(user)

    told = tab.leave("Cancel", uri)

    assert told["error"] == "access_denied"
    assert told["state"] == parameters["state"]


def test_c202_a_remembered_consent_leads_from_the_password_straight_back(tab, server, user):
    """The redirects after the sign-in POST end at the client: its policy has to allow that."""
    client = server.client(confidential())
    parameters, _ = client.request(scope="openid")
    tab.let_in(parameters, user)
    tab.page.context.clear_cookies()
    tab.authorize(parameters)
    tab.fill_in(user)

    told = tab.leave("Sign in", client.redirect_uri)

    assert told["code"]
    assert tab.heading == "Welcome back"


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_c202_a_client_with_a_server_may_send_people_on(tab, server, user, https_site, mode):
    """Sign-in proxies take the answer on one host and show their pages on another."""
    https_site.redirect("/proxy/callback", "https://other.example.com/inside")
    client = server.client(
        confidential(redirect_uris=["https://client.example.com/proxy/callback"])
    )
    parameters, _ = client.request(scope="openid", response_mode=mode)
    tab.authorize(parameters)
    tab.sign_in(user)

    tab.ready_button("Continue").click()
    tab.page.wait_for_url("https://other.example.com/inside")

    assert tab.heading == "Welcome back"


def test_form_post_without_javascript_takes_one_more_button(open_tab, client, user, https_site):
    """The answer waits behind a button."""
    tab = open_tab(java_script_enabled=False)
    parameters, verifier = client.request(response_mode="form_post")
    tab.authorize(parameters)
    tab.sign_in(user)
    tab.press("Continue")
    before = len(https_site.visits_of("/callback"))

    assert tab.heading == "Back to the application"
    assert len(https_site.visits_of("/callback")) == before
    told = tab.leave("Continue", client.redirect_uri)
    assert client.redeem(told["code"], verifier).status_code == 200


def test_back_from_the_client_of_a_form_post_is_no_trap(tab, client, user, https_site):
    """Going back does not send the answer a second time."""
    parameters, _ = client.request(response_mode="form_post")
    tab.let_in(parameters, user)
    tab.page.wait_for_load_state()
    before = len(https_site.visits_of("/callback"))

    tab.page.go_back()
    tab.page.wait_for_load_state()
    tab.page.wait_for_timeout(300)

    assert len(https_site.visits_of("/callback")) == before
