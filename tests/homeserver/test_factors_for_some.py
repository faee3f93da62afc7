"""A server where some have second factors and the rest have none: nobody's stops being asked for."""

import pytest

from support.authenticator import App
from support.oauth import Browser, Server
from support.synapse import Homeserver

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

ADDING = ("account-factors", "account-factor-add", "account-passkey-add", "account-recovery-codes")


@pytest.fixture(scope="module")
def some(tmp_path_factory, make_database):
    """Yield a homeserver where administrators must have one, and nobody else may."""
    directory = tmp_path_factory.mktemp("homeserver-some")
    factors = {"policy": "off", "admins": "required"}
    with Homeserver(
        directory, make_database("sqlite", directory), module={"factors": factors}
    ) as homeserver:
        yield homeserver


@pytest.fixture
def server(some):
    return Server(some.base_url)


def typed_password(server, user):
    """Return a browser in which somebody typed the password of an account."""
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    return browser


def where(browser):
    return browser.page.url.rpartition("/")[2].partition("?")[0]


def is_administrator_no_more(some, server, user):
    """Take the flag from somebody, as another administrator does."""
    other = some.new_user()
    token = some.login(other)["access_token"]
    some.query("UPDATE users SET admin = 1 WHERE name = ?", other.user_id)
    path = f"/_synapse/admin/v1/users/{user.user_id}/admin"
    answer = server.api("PUT", path, token, json={"admin": False})
    assert answer.status_code == 200, answer.text


def legacy(some, user):
    request = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": user.password,
    }
    return Server(some.base_url).api("POST", "/_matrix/client/v3/login", "", json=request)


def administrator(some, server):
    """Return an administrator who set an app up to get in, their browser, and the app."""
    user = some.new_user(admin=True)
    browser = typed_password(server, user)
    assert where(browser) == "factor-enrol"
    browser.submit(decision="begin")
    app = App.on(browser.page)
    browser.submit(code=app.shows(), decision="confirm")
    browser.submit(decision="kept")
    return user, browser, app


def test_c293_whose_rule_is_off_sets_none_up(some, server):
    """Nobody is told that a code is asked for which is not; the pages are not there, nor a link."""
    user = some.new_user()
    browser = Browser.of(server, user)

    pages = {path: browser.get(server.url(path)).status_code for path in ADDING}
    ways, overview = browser.get(server.url("account-sign-in")), browser.get(server.url("account"))

    assert pages == dict.fromkeys(ADDING, 404)
    for page in (ways, overview):
        assert page.status_code == 200
        assert "account-factor" not in page.text
        assert "account-passkey" not in page.text


@pytest.mark.parametrize("path", ["account-factor-add", "account-passkey-add"])
def test_c293_a_form_from_when_they_might_sets_none_up(some, server, path):
    """Also one that was open since before the rule was another."""
    user, browser, _ = administrator(some, server)
    allowed = browser.get(server.url(path))
    is_administrator_no_more(some, server, user)

    refused = browser.submit(name="Phone", decision="begin")

    assert (allowed.status_code, where(browser)) == (200, path)
    assert refused.status_code == 404
    (count,) = some.query("SELECT COUNT(*) FROM nextgen_totp_apps WHERE user_id = ?", user.user_id)
    assert count == (1,)


def test_c293_what_somebody_has_is_asked_for_when_they_may_have_no_more(some, server):
    """Losing a right takes no factor away; it goes when its owner removes it."""
    user, _, app = administrator(some, server)
    is_administrator_no_more(some, server, user)
    browser = typed_password(server, user)
    asked, by_password = where(browser), legacy(some, user)

    browser.submit(code=app.shows(), decision="check")
    factors = browser.get(server.url("account-factors"))
    remove = factors.text.partition("account-factor-remove?id=")[2].partition('"')[0]
    adding = browser.get(server.url("account-factor-add")).status_code
    browser.get(server.url(f"account-factor-remove?id={remove}"))
    removed = browser.submit(decision="remove")
    after = typed_password(server, user)

    assert asked == "factor"
    assert by_password.status_code == 403
    assert "access_token" not in by_password.text
    assert factors.status_code == 200
    assert "You cannot set up another one" in factors.text
    assert "account-factor-add" not in factors.text
    assert adding == 404
    assert removed.status_code == 200
    assert "The app was removed" in removed.text
    assert where(after) != "factor"
    assert legacy(some, user).status_code == 200
