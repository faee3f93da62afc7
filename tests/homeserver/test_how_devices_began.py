"""The list of devices, the page of each and the download say how it began."""

import json
import re

from support.oauth import API, DEVICE, Browser, device_id, web_client
from support.television import Television, let_in

BY_CODE = "by a code that was typed or scanned on another device"
OWN = "with a password or token of its own"


def said(browser, server, its_id):
    """Return what the page of a device says after "Signed in:", if it says that."""
    page = browser.get(server.url(f"account-device?id={its_id}"))
    assert "What is known of it" in page.text
    found = re.search(r"<dt>Signed in:</dt> <dd>([^<]+)</dd>", page.text)
    return found[1] if found else None


def in_list(browser, server, its_id):
    """Return what the row of a device says of it."""
    page = browser.get(server.url("account-devices"))
    (row,) = re.findall(
        rf'<li class="row-go">(?:(?!</li>).)*?id={its_id}".*?</li>', page.text, re.DOTALL
    )
    return " ".join(re.sub("<[^>]+>", " ", row).split())


def in_download(browser, server):
    """Return how the sessions in the download began, by device."""
    browser.get(server.url("account-data"))
    answer = browser.submit(decision="download")
    assert answer.status_code == 200, answer.text
    return {each["device_id"]: each["began_by"] for each in json.loads(answer.text)["sessions"]}


def test_in_the_browser(server, user, browser):
    """With a device or without one."""
    scope = f"{API} {DEVICE}{device_id()}"
    server.client().sign_in(user.localpart, user.password, scope=scope)
    website = server.client(web_client(client_name="Wiki"))
    website.sign_in(user.localpart, user.password, scope="openid")
    its_id = scope.rpartition(":")[2]
    listed = browser.get(server.url("account-devices"))
    (of_website,) = re.findall(r"account-device\?id=(~session[^\"]+)", listed.text)

    assert said(browser, server, its_id) == "in the browser"
    assert said(browser, server, of_website) == "in the browser"
    assert in_download(browser, server) == {
        its_id: "authorization_code",
        None: "authorization_code",
    }


def test_by_a_code(server, user, browser):
    """Typed on another device; the list says so as well."""
    television = Television.begin(server)
    let_in(Browser(server), television, user)
    assert television.poll().status_code == 200

    assert said(browser, server, television.device_id) == BY_CODE
    assert f"Signed in: {BY_CODE}" in in_list(browser, server, television.device_id)
    assert in_download(browser, server) == {television.device_id: "device_grant"}


def test_on_these_pages(server, browser):
    """This browser itself."""
    listed = browser.get(server.url("account-devices"))
    (here,) = re.findall(r"account-device\?id=(~browser[^\"]+)", listed.text)

    assert said(browser, server, here) == "on these pages"


def test_with_a_password(homeserver, server, user, browser):
    """As Synapse does it."""
    homeserver.login(user, device_id="LEGACY")

    assert said(browser, server, "LEGACY") == OWN
    assert "Signed in the old way" in in_list(browser, server, "LEGACY")


def test_what_only_synapses_rows_say(homeserver, server, user, browser):
    """A single sign-on whose provider named its session, an application service, or nothing at all."""
    for its_id in ("SSO", "OTHER", "BARE"):
        homeserver.login(user, device_id=its_id)
    homeserver.query(
        "INSERT INTO device_auth_providers VALUES (?, 'SSO', 'oidc-works', 'its session')",
        user.user_id,
    )
    homeserver.query(
        "DELETE FROM access_tokens WHERE user_id = ? AND device_id = 'BARE'", user.user_id
    )
    before = said(browser, server, "OTHER")
    homeserver.query("UPDATE users SET appservice_id = 'bridge' WHERE name = ?", user.user_id)

    assert before == OWN
    assert said(browser, server, "SSO") == "by single sign-on of the old kind"
    assert "Signed in: by single sign-on of the old kind" in in_list(browser, server, "SSO")
    assert said(browser, server, "OTHER") == f"by an application service, or {OWN}"
    assert said(browser, server, "BARE") is None


def test_before_anybody_noted_it(homeserver, server, user, browser):
    """Nothing that may be false is said of a session that began under an earlier release."""
    its_id = device_id()
    server.client().sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{its_id}")
    homeserver.query("UPDATE nextgen_sessions SET began_by = NULL WHERE user_id = ?", user.user_id)

    assert said(browser, server, its_id) == "in the browser or by a code"
    assert in_download(browser, server) == {its_id: None}
