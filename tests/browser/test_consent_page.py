"""Letting a client in, as people do it and as they are tricked into it."""

from urllib.parse import urlsplit

from playwright.sync_api import expect

from support.oauth import ADMIN, API, DEVICE, device_id, web_client


def whose(server, client, told, verifier):
    """Return the account that a code opens."""
    tokens = client.redeem(told["code"], verifier).json()
    return server.whoami(tokens["access_token"]).json()["user_id"]


def test_c175_a_public_client_asks_every_time(tab, client, user):
    """Having been let in before is no reason to be let in again, even without a new device."""
    parameters, _ = client.request()
    tab.let_in(parameters, user)

    for again in (parameters, client.request()[0], client.request(scope="openid")[0]):
        tab.authorize(again)
        assert tab.path == "consent"
        expect(tab.button("Continue")).to_be_visible()


def test_consent_says_who_may_do_what_as_whom(tab, client, user):
    """The page names the client, its host, the account, the powers and where the answer goes."""
    parameters, _ = client.request()
    tab.authorize(parameters)
    tab.sign_in(user)

    expect(tab.page.locator("main")).to_match_aria_snapshot(
        f"""
        - heading "Allow access to your account?" [level=1]
        - paragraph: Test client
        - paragraph:
          - link "client.example.com"
        - paragraph: wants to use your account
        - paragraph: "{user.user_id}"
        - region "It will be able to":
          - list:
            - listitem:
              - strong: Use your whole account
        - term: "Next you go to:"
        - definition: client.example.com
        - button "Continue"
        - button "Use another account"
        - button "Cancel"
        """
    )


def test_another_account_can_be_used(tab, server, client, user, sqlite_homeserver):
    """The code is for the account that signed in last."""
    other = sqlite_homeserver.new_user()
    parameters, verifier = client.request()
    tab.authorize(parameters)
    tab.sign_in(user)
    tab.press("Use another account")
    tab.choose("Use another account")
    tab.sign_in(other)

    assert other.user_id in tab.text
    assert user.user_id not in tab.text
    told = tab.leave("Continue", client.redirect_uri)
    assert whose(server, client, told, verifier) == other.user_id


def test_administration_is_marked_and_only_for_administrators(
    tab, server, client, user, sqlite_homeserver
):
    """The scope is a red box for an administrator, and a page with a way out for anybody else."""
    admin = sqlite_homeserver.new_user(admin=True)
    parameters, verifier = client.request(scope=f"{API} {DEVICE}{device_id()} {ADMIN}")
    tab.authorize(parameters)
    tab.sign_in(user)
    assert tab.heading == "Only an administrator can allow this"
    tab.press("Use another account")
    tab.choose("Use another account")
    tab.sign_in(admin)

    expect(tab.page.locator(".notice-danger")).to_contain_text("It wants to administer localhost")
    expect(tab.button("Continue")).to_have_class("button button-danger")
    told = tab.leave("Continue", client.redirect_uri)
    assert whose(server, client, told, verifier) == admin.user_id


def test_c310_taking_the_place_of_a_device_is_said(tab, client, user, sqlite_homeserver):
    """Whose device it is, and that it is signed out."""
    taken = device_id()
    sqlite_homeserver.login(user, device_id=taken, initial_device_display_name="Old telephone")
    parameters, _ = client.request(scope=f"{API} {DEVICE}{taken}")
    tab.authorize(parameters)
    tab.sign_in(user)

    notice = tab.page.locator(".notice-warning")
    expect(notice).to_contain_text("This replaces a device")
    expect(notice).to_contain_text("Old telephone")


def test_c037_a_double_click_lets_in_once(tab, client, user, https_site):
    """Two clicks, one answer, and the browser is at the client."""
    parameters, verifier = client.request()
    tab.authorize(parameters)
    tab.sign_in(user)

    tab.ready_button("Continue").dblclick()
    tab.page.wait_for_url(lambda url: url.startswith(client.redirect_uri))

    (code,) = codes(https_site, parameters)
    assert client.redeem(code, verifier).status_code == 200


def test_c037_a_double_click_without_scripts_gives_one_code_at_most(
    open_tab, client, user, https_site
):
    """Nothing holds the second click back: it replaces the first, or comes too late and says so."""
    tab = open_tab(java_script_enabled=False)
    parameters, verifier = client.request()
    tab.authorize(parameters)
    tab.sign_in(user)
    done = tab.page.get_by_text("This is already done")

    tab.ready_button("Continue").dblclick()
    expect(done.or_(tab.page.get_by_text("Welcome back")).first).to_be_visible()

    given = codes(https_site, parameters)
    assert len(given) == 1 or (not given and done.is_visible())
    assert all(client.redeem(code, verifier).status_code == 200 for code in given)


def codes(site, parameters):
    """Return the codes that came back for this request."""
    told = [visit.parameters for visit in site.visits_of("/callback")]
    return [answer["code"] for answer in told if answer.get("state") == parameters["state"]]


def test_c037_a_second_press_while_the_first_is_under_way_changes_nothing(
    tab, client, user, https_site
):
    """However slow the server is, the first press is the one that counts."""
    parameters, verifier = client.request()
    tab.authorize(parameters)
    tab.sign_in(user)
    expect(tab.button("Continue")).to_be_enabled()
    posts = []
    tab.page.on("request", lambda request: posts.append(request) if request.post_data else None)

    tab.page.evaluate("""() => {
        const button = document.querySelector("button[value=approve]");
        button.click();
        setTimeout(() => button.click(), 5);
    }""")
    tab.page.wait_for_url(lambda url: url.startswith(client.redirect_uri))

    assert len(posts) == 1
    told = https_site.visits_of("/callback")[-1].parameters
    assert client.redeem(told["code"], verifier).status_code == 200


def test_a_page_that_opened_an_app_works_again_after_a_while(tab, server, user):
    """An app that could not be opened leaves the page where it was; its buttons rest, then work."""
    client = server.client(
        web_client(application_type="native", redirect_uris=["com.example.client:/callback"])
    )
    parameters, _ = client.request()
    tab.authorize(parameters)
    tab.sign_in(user)
    with tab.page.expect_request("com.example.client:/callback*"):
        tab.ready_button("Continue").click()

    assert tab.button("Cancel").get_attribute("aria-disabled") == "true"
    # Not with the mouse: Chromium asks whether to open the app, and that keeps it from the page.
    with tab.page.expect_navigation():
        tab.ready_button("Cancel").dispatch_event("click")
    assert tab.heading == "This is already done"


def test_c038_two_tabs_and_two_clients_do_not_mix(open_tab, server, user):
    """Interleaved in one browser, each client gets its own code and its own state."""
    clients = [server.client(web_client(client_name=name)) for name in ("One", "Two")]
    asked = [client.request() for client in clients]
    first = open_tab()
    tabs = [first, open_tab(beside=first)]
    for tab, (parameters, _) in zip(tabs, asked, strict=True):
        tab.authorize(parameters)
    first.sign_in(user)
    tabs[1].authorize(asked[1][0])

    answers = [tab.leave("Continue", clients[0].redirect_uri) for tab in reversed(tabs)][::-1]

    assert [told["state"] for told in answers] == [p["state"] for p, _ in asked]
    crossed = clients[0].redeem(answers[1]["code"], asked[1][1])
    assert crossed.json()["error"] == "invalid_grant"
    for client, told, (_, verifier) in zip(clients, answers, asked, strict=True):
        assert client.redeem(told["code"], verifier).status_code == 200


def test_c039_an_expired_request_says_so(tab, client, user, sqlite_homeserver):
    """Half an hour later the page is friendly and gives nothing out, by GET or by POST."""
    parameters, _ = client.request()
    tab.authorize(parameters)
    tab.sign_in(user)
    grant = urlsplit(tab.page.url).query.removeprefix("grant=")
    sqlite_homeserver.query(
        "UPDATE nextgen_grants SET expires_at = created_at - 1 WHERE grant_id = ?", grant
    )

    tab.press("Continue")
    after_post = tab.heading
    tab.open(f"consent?grant={grant}")

    assert after_post == tab.heading == "This took too long"
    codes = sqlite_homeserver.query(
        "SELECT code_digest FROM nextgen_grants WHERE grant_id = ?", grant
    )
    assert codes == [(None,)]


def test_c163_a_consent_page_asks_no_third_party(tab, server, user):
    """A client's logo, terms and policy are not fetched: nobody learns who looks at them."""
    uris = {
        name: f"https://client.example.com/{name}"
        for name in ("logo_uri", "tos_uri", "policy_uri", "client_uri")
    }
    client = server.client(web_client(**uris))
    hosts = set()
    tab.page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    tab.authorize(client.request()[0])
    tab.sign_in(user)
    tab.page.wait_for_load_state("networkidle")

    assert tab.path == "consent"
    assert hosts == {urlsplit(server.base_url).netloc}
    links = tab.page.locator("main").get_by_role("link").all()
    assert len(links) >= 3
    for link in links:
        expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


def test_c178_a_page_that_opened_ours_loses_hold_of_it(open_tab, client, client_site, user):
    """`window.opener` is null and the opener cannot move our window or see where it goes."""
    tab = open_tab()
    parameters, _ = client.request()
    tab.authorize(parameters)
    tab.sign_in(user)
    evil = open_tab(beside=tab)
    evil.page.goto(client_site.page("/evil", "<!doctype html><title>Evil</title>"))

    with evil.page.expect_popup() as opened:
        evil.page.evaluate("url => { window.ours = open(url) }", tab.page.url)
    ours = opened.value
    ours.wait_for_load_state()

    assert ours.locator("h1").inner_text() == "Allow access to your account?"
    assert ours.evaluate("window.opener") is None
    assert evil.page.evaluate("window.ours.closed")


def test_c178_the_second_half_of_a_double_click_approves_nothing(tab, client, user):
    """Half a second passes after the page came into view before its main button works."""
    parameters, _ = client.request()
    # What a click by a person does at once, before anybody could read the page.
    tab.page.add_init_script(
        """addEventListener("load", () => {
            const approve = document.querySelector("button[value=approve]");
            approve?.click();
            window.early = approve?.getAttribute("aria-disabled");
        });"""
    )
    tab.authorize(parameters)
    tab.fill_in(user)
    tab.button("Sign in").click(no_wait_after=True)
    tab.page.wait_for_url("**/consent?*")

    assert tab.page.evaluate("window.early") == "true"
    assert tab.path == "consent"
    expect(tab.button("Continue")).to_be_enabled(timeout=60_000)
    assert tab.leave("Continue", client.redirect_uri)["code"]
