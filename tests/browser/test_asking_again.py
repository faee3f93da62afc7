"""Requests that come by a form, long answers, and answers that wait for a person's click."""

import html
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from support.chromium import parse
from support.oauth import API, DEVICE, device_id, web_client

BYE = "https://client.example.com/bye"
LONG = "\U0001f600" * 4096


def form(server, parameters, endpoint="authorize"):
    """Return a page of another site whose button sends an authorization request, or another one."""
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
        for name, value in parameters.items()
    )
    action = server.url(endpoint)
    return (
        f'<form method="post" action="{action}">{fields}<button class="button">Go</button></form>'
    )


@pytest.mark.parametrize("state", ["short", LONG], ids=["short", "long"])
@pytest.mark.parametrize("scripts", [True, False])
def test_a_form_of_another_site_finds_who_is_signed_in(  # noqa: PLR0917 (fixtures)
    open_tab, client, client_site, user, server, state, scripts
):
    """Its POST comes without our cookie; we ask again, by ourselves where scripts run."""
    tab = open_tab(java_script_enabled=scripts)
    tab.open("sign-in")
    tab.sign_in(user)
    parameters, _ = client.request(state=state)
    tab.page.goto(client_site.page("/form", form(server, parameters)))
    tab.page.get_by_text("Go", exact=True).click()
    if state == LONG and not scripts:
        assert tab.heading == "Continue to sign in"
        tab.press("Continue")
    expect(tab.page.locator("h1")).to_have_text("Allow access to your account?")

    assert user.user_id in tab.text
    tab.ready_button("Continue").click()
    if state == LONG and not scripts:
        expect(tab.page.locator("h1")).to_have_text("Back to the application")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_long_form_of_a_stranger_comes_to_the_sign_in_page(
    open_tab, client, client_site, user, server, scripts
):
    """A browser without a cookie gets one after one round, and does not go in circles."""
    tab = open_tab(java_script_enabled=scripts)
    parameters, _ = client.request(state=LONG)
    tab.page.goto(client_site.page("/form", form(server, parameters)))
    tab.page.get_by_text("Go", exact=True).click()
    if not scripts:
        tab.press("Continue")
    expect(tab.page.locator("h1")).to_have_text("Sign in")
    tab.sign_in(user)

    assert tab.heading == "Allow access to your account?"


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("kind", ["public", "confidential"])
@pytest.mark.parametrize("endpoint", ["authorize", "end-session"])
def test_c202_a_form_with_an_id_token_gets_back_to_its_client(  # noqa: PLR0917 (fixtures)
    open_tab, client_site, user, server, endpoint, kind, scripts
):
    """Our page that asks again lets its own form end where the client waits, whatever the answer is."""
    method = "client_secret_post" if kind == "confidential" else "none"
    client = server.client(
        web_client(post_logout_redirect_uris=[BYE], token_endpoint_auth_method=method)
    )
    secret = {"client_secret": client.registered["client_secret"]} if method != "none" else {}
    tab = open_tab(java_script_enabled=scripts)
    parameters, verifier = client.request(scope=f"openid {API} {DEVICE}{device_id()}")
    told = tab.let_in(parameters, user)
    redeemed = client.redeem(told["code"], verifier, **secret)
    hint = {"id_token_hint": redeemed.json()["id_token"], "state": "s"}
    if endpoint == "authorize":
        asked, back = {**client.request(prompt="none")[0], **hint}, client.redirect_uri
    else:
        asked, back = {**hint, "post_logout_redirect_uri": BYE}, BYE
    tab.page.goto(client_site.page("/form", form(server, asked, endpoint)))

    with tab.page.expect_request(lambda request: request.url.startswith(back)) as sent:
        tab.page.get_by_text("Go", exact=True).click()
        if not scripts:
            tab.button("Continue").click()
    tab.page.wait_for_url(f"{back}*")

    assert parse(urlsplit(sent.value.url).query)["state"] == "s"
    assert tab.heading == "Welcome back"


def test_a_long_answer_goes_on_by_itself(tab, client, user):
    """In the fragment it never leaves the browser, however long it is."""
    parameters, verifier = client.request(state="%" * 4096, response_mode="fragment")
    tab.open("sign-in")
    tab.sign_in(user)
    tab.authorize(parameters)

    told = tab.leave("Continue", parameters["redirect_uri"])

    assert told["state"] == parameters["state"]
    assert client.redeem(told["code"], verifier).status_code == 200


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
@pytest.mark.parametrize("scripts", [True, False])
def test_an_error_waits_for_a_click_of_a_stranger(open_tab, client, https_site, mode, scripts):
    """Nothing goes to the client by itself; the button carries the answer."""
    tab = open_tab(java_script_enabled=scripts)
    parameters, _ = client.request(prompt="none", response_mode=mode)
    before = len(https_site.visits)

    assert tab.authorize(parameters) == 400
    assert tab.heading == "You are not signed in here"
    tab.page.wait_for_load_state()
    assert len(https_site.visits) == before
    told = tab.leave("Go to client.example.com", parameters["redirect_uri"])
    assert told["error"] == "login_required"
    assert told["state"] == parameters["state"]
    assert tab.heading == "Welcome back"
