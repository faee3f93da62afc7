"""A yes that is taken back before the client comes for it: codes and device grants between approval and
redemption, and what happens to the browser or the account meanwhile."""  # noqa: D205, D209

from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
import requests

from support.oauth import Browser, Client, Server
from support.synapse import User
from support.television import Television, let_in


@attrs.define
class Approved:
    """Somebody who let a client and a television in; neither has come for its tokens yet."""

    homeserver: object
    server: Server
    user: User
    admin: str
    browser: Browser
    client: Client
    code: str
    verifier: str
    tv: Television
    login_token: str

    @classmethod
    def by(cls, homeserver, server, admin):
        user, browser = homeserver.new_user(), Browser(server)
        tv = Television.begin(server)
        assert let_in(browser, tv, user).status_code == 200
        client = server.client()
        parameters, verifier = client.request()
        code = browser.let_in(parameters, user.localpart, user.password)["code"]
        # As a client of the old kind begins.
        browser.get(server.url("legacy-sign-in"), params={"redirectUrl": "http://localhost:40123/"})
        done = browser.submit(decision="approve")
        (token,) = parse_qs(urlsplit(done.headers["Location"]).query)["loginToken"]
        return cls(homeserver, server, user, admin, browser, client, code, verifier, tv, token)

    def log_in(self):
        return requests.post(
            f"{self.server.base_url}/_matrix/client/v3/login",
            json={"type": "m.login.token", "token": self.login_token},
            timeout=30,
        )

    def sign_in_again(self, user=None):
        user = user or self.user
        self.browser.get(self.server.url("sign-in"))
        page = self.browser.sign_in(user.localpart, user.password)
        assert page.status_code == 200, page.text

    def administer(self, **changes):
        path = f"/_synapse/admin/v2/users/{self.user.user_id}"
        answer = self.server.api("PUT", path, self.admin, json=changes)
        assert answer.ok, answer.text

    def assert_over(self):
        """Neither is good for anything, now or at a second try."""
        for _ in range(2):
            redeemed, polled = self.client.redeem(self.code, self.verifier), self.tv.poll()
            assert (redeemed.status_code, redeemed.json()["error"]) == (400, "invalid_grant")
            assert (polled.status_code, polled.json()["error"]) == (400, "access_denied")
            assert self.log_in().status_code == 403


def signs_out(approved):
    approved.browser.get(approved.server.url(""))
    assert "signed out" in approved.browser.submit().text


def signs_out_after_the_sign_in_ran_out(approved):
    approved.browser.get(approved.server.url(""))
    approved.homeserver.query(
        "UPDATE nextgen_browsers SET last_active_at = last_active_at - 99999999 WHERE user_id = ?",
        approved.user.user_id,
    )
    assert "signed out" in approved.browser.submit().text


def signs_out_and_in_again(approved):
    signs_out(approved)
    approved.sign_in_again()


def another_person_signs_in(approved):
    approved.sign_in_again(approved.homeserver.new_user())


def an_admin_changes_the_password(approved):
    approved.administer(password="another-password-1", logout_devices=False)


def an_admin_changes_the_password_and_logs_out(approved):
    approved.administer(password="another-password-1", logout_devices=True)


def the_person_changes_the_password(approved):
    user = approved.user
    token = approved.homeserver.login(user)["access_token"]
    proof = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": user.password,
    }
    body = {"new_password": "another-password-1", "logout_devices": False}
    path = "/_matrix/client/v3/account/password"
    asked = approved.server.api("POST", path, token, json=body)
    session = asked.json()["session"]
    body["auth"] = proof | {"session": session}
    assert approved.server.api("POST", path, token, json=body).ok


def is_locked(approved):
    approved.administer(locked=True)


def is_locked_for_a_while(approved):
    approved.administer(locked=True)
    approved.administer(locked=False)


def is_deactivated(approved):
    approved.administer(deactivated=True)


def logs_out_everywhere(approved):
    token = approved.homeserver.login(approved.user)["access_token"]
    assert approved.server.api("POST", "/_matrix/client/v3/logout/all", token, json={}).ok


@pytest.fixture
def approved(homeserver, server):
    admin = homeserver.new_user(admin=True)
    return Approved.by(homeserver, server, homeserver.login(admin)["access_token"])


@pytest.mark.parametrize(
    "happens",
    [
        signs_out,
        signs_out_after_the_sign_in_ran_out,
        signs_out_and_in_again,
        an_admin_changes_the_password,
        an_admin_changes_the_password_and_logs_out,
        the_person_changes_the_password,
        is_locked,
        is_locked_for_a_while,
        is_deactivated,
        logs_out_everywhere,
    ],
    ids=lambda happens: happens.__name__,
)
def test_c145_a_yes_that_was_taken_back_is_worth_nothing(approved, happens):
    """The code is `invalid_grant`, the device grant `access_denied`, and nothing brings them back."""
    happens(approved)

    approved.assert_over()
    rows = approved.homeserver.query(
        "SELECT COUNT(*) FROM nextgen_sessions WHERE user_id = ?", approved.user.user_id
    )
    assert rows == [(0,)]


def the_same_person_signs_in_again(approved):
    approved.sign_in_again()


def another_person_signs_in_and_out(approved):
    another_person_signs_in(approved)
    signs_out(approved)


@pytest.mark.parametrize(
    "happens",
    [
        the_same_person_signs_in_again,
        another_person_signs_in,
        another_person_signs_in_and_out,
    ],
    ids=lambda happens: happens.__name__,
)
def test_who_signs_in_there_takes_nothing_back(approved, happens):
    """In the same browser: perhaps a second client asked for a fresh sign-in, or for another one.

    Several accounts may be signed in in one browser, and each gives back only what it approved.
    """
    happens(approved)

    redeemed, polled = approved.client.redeem(approved.code, approved.verifier), approved.tv.poll()

    assert redeemed.status_code == 200, redeemed.text
    assert polled.status_code == 200, polled.text
    for answer in (redeemed, polled, approved.log_in()):
        token = answer.json()["access_token"]
        assert approved.server.whoami(token).json()["user_id"] == approved.user.user_id


def test_another_browser_takes_nothing_back(approved):
    """Signing in and out elsewhere is no business of this one."""
    other = Browser.of(approved.server, approved.user)
    other.get(approved.server.url(""))
    other.submit()

    assert approved.client.redeem(approved.code, approved.verifier).status_code == 200
    assert approved.tv.poll().status_code == 200
    assert approved.log_in().status_code == 200
