"""`drain: true`: whoever is signed in stays so and notices nothing; nobody newly signs in."""

import re

import attrs
import pytest
import requests

from support import newcomers
from support.admin_api import AdminApi
from support.markdown import DOCS, fences
from support.oauth import Browser, Server, web_client
from support.personal_tokens import A_TOKEN, make_token
from support.public import SECRET, SERVICE_ACCOUNT
from support.step_up import gets_a_second_factor
from support.synapse import Homeserver
from support.television import METADATA, Television, let_in
from support.waiting import eventually

TOLD = "access_denied"
PROGRAM = {
    "client_id": "backup",
    "client_secret": SECRET,
    "redirect_uris": [],
    "token_endpoint_auth_method": "client_secret_post",
    "grant_types": ["client_credentials"],
    "service_account": SERVICE_ACCOUNT,
    "scope": "urn:matrix:client:api:*",
}
PASSWORD = "seven brave otters juggle"


@attrs.frozen
class Drained:
    """A homeserver that drains, and what began before."""

    homeserver: Homeserver
    server: Server
    user: object
    client: object
    tokens: dict
    browser: Browser
    before: dict
    under_way: Browser
    signing_up: Browser
    waiting: Television
    admin: AdminApi
    personal_session: str


@pytest.fixture(scope="module")
def drained(tmp_path_factory, make_database):
    directory = tmp_path_factory.mktemp("drain")
    config = {"enable_registration": True, "enable_registration_without_verification": True}
    database = make_database("sqlite", directory)
    factors = {"factors": {"policy": "optional"}, "clients": [PROGRAM]}
    with Homeserver(directory, database, module=factors, config=config) as homeserver:
        server, user = Server(homeserver.base_url), homeserver.new_user()
        client, browser = server.client(), Browser(server)
        tokens = client.sign_in(user.localpart, user.password, browser=browser)
        under_way = Browser(server)
        under_way.authorize(client.request()[0])
        signing_up = Browser(server)
        signing_up.get(server.url("register"))
        waiting = Television.begin(server)
        before = discovery(server)
        homeserver.register_user(SERVICE_ACCOUNT)
        admin = admin_of(homeserver, server)
        (own,) = admin.get("personal-sessions")["data"]
        homeserver.module = {"drain": True, **factors}
        homeserver.restart()
        yield Drained(
            homeserver,
            server,
            user,
            client,
            tokens,
            browser,
            before,
            under_way,
            signing_up,
            waiting,
            admin,
            own["id"],
        )


def admin_of(homeserver, server):
    """Return the admin API for the personal token of an administrator."""
    browser = Browser.of(server, homeserver.new_user(admin=True))
    return AdminApi.of(server, make_token(browser, may_manage_accounts="on"))


def discovery(server):
    well_known = requests.get(f"{server.base_url}/.well-known/matrix/client", timeout=30)
    return server.metadata(), well_known.text


def test_c293_a_second_factor_locks_nobody_out(drained):
    """No page asks for it: they get in with what they have, and hear of it."""
    homeserver, user = drained.homeserver, drained.homeserver.new_user()
    gets_a_second_factor(homeserver, user)

    assert drained.server.whoami(homeserver.login(user)["access_token"]).status_code == 200
    (told,) = homeserver.query(
        "SELECT detail FROM nextgen_events WHERE user_id = ? AND kind = 'factor_skipped'",
        user.user_id,
    )
    assert tuple(told) == ("m.login.password",)
    said = "factors.legacy_logins counts as warn"
    assert eventually(lambda: said in homeserver.log_text())


def refusals(drained):
    return drained.homeserver.log_text().count(f"{TOLD}: This server takes no new sign-ins here")


def test_sessions_go_on(drained):
    """Access tokens, refreshes, the account page, a new window of the same browser."""
    renewed = drained.client.refresh(drained.tokens["refresh_token"])
    page = drained.browser.get(drained.server.url("account"))

    assert drained.server.whoami(drained.tokens["access_token"]).status_code == 200
    assert renewed.status_code == 200
    assert page.status_code == 200
    assert drained.user.user_id in page.text


def test_programs_of_the_configuration_go_on(drained):
    """They are the operator's, who drains: also where their session is a new one."""
    server = drained.server

    def ask():
        form = {"grant_type": "client_credentials", "client_id": "backup", "client_secret": SECRET}
        answer = server.post("token", form)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    first = ask()
    assert server.whoami(first).json()["user_id"] == f"@{SERVICE_ACCOUNT}:localhost"
    server.revoke(token=first, client_id="backup", client_secret=SECRET)
    assert server.whoami(first).status_code == 401
    assert server.whoami(ask()).status_code == 200


def test_a_session_can_be_revoked(drained):
    tokens = drained.tokens
    answer = drained.server.revoke(token="nothing of ours")

    assert answer.status_code == 200
    assert drained.server.whoami(tokens["access_token"]).status_code == 200


def test_discovery_is_as_ever(drained):
    """Clients that are signed in go by it; but nobody is told that people sign up here."""
    metadata, well_known = discovery(drained.server)
    before, well_known_before = drained.before

    assert "create" in before["prompt_values_supported"]
    assert well_known == well_known_before
    assert metadata == before | {
        "prompt_values_supported": [
            each for each in before["prompt_values_supported"] if each != "create"
        ]
    }


@pytest.mark.parametrize("metadata", [web_client(), web_client(client_name="New one")])
def test_no_client_registers(drained, metadata):
    """A known one neither: Element Web registers before each sign-in.

    After any error of that it goes on to `/login` (element-web e615bd0, src/Login.ts, `getFlows`).
    """
    before = refusals(drained)
    answer = drained.server.register(metadata)

    assert (answer.status_code, answer.json()["error"]) == (403, TOLD)
    assert "no new sign-ins" in answer.json()["error_description"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert refusals(drained) == before + 1


def test_the_page_says_why(drained):
    """To somebody who is signed in in this browser, and to somebody who is not."""
    before = refusals(drained)
    for browser in (Browser(drained.server), drained.browser):
        page = browser.authorize(drained.client.request()[0])

        assert page.status_code == 403
        assert "New sign-ins are paused here" in page.text
        assert "you stay signed in" in page.text
        assert "<form" not in page.text
    assert refusals(drained) == before + 2


def test_a_client_that_shows_no_page_hears_it(drained):
    parameters, _ = drained.client.request(prompt="none")

    answer = drained.browser.answer(drained.browser.authorize(parameters))

    assert answer["error"] == TOLD
    assert answer["state"] == parameters["state"]


def test_a_mistake_of_the_client_is_still_one(drained):
    page = Browser(drained.server).authorize(drained.client.request(client_id="nobody")[0])

    assert page.status_code == 400


def test_nobody_makes_a_personal_token(drained):
    """It would outlive the module; those that were made go on."""
    browser, server = drained.browser, drained.server
    page = browser.get(server.url("account-token-add"))
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    forged = browser.http.post(
        server.url("account-token-add"),
        data={**A_TOKEN, "decision": "make", "csrf": csrf[1] if csrf else proof_of(browser)},
        timeout=30,
    )

    assert page.url == server.url("account-tokens")
    assert "you cannot make personal tokens" in page.text
    assert "ngp_" not in forged.text
    assert drained.homeserver.query("SELECT COUNT(*) FROM nextgen_personal_tokens") == [(1,)]
    path = f"personal-sessions/{drained.personal_session}/regenerate"
    assert "switched off" in drained.admin.refused("POST", path, 403, json={})


def proof_of(browser):
    """Return what proves a form to be of this browser."""
    page = browser.get(browser.server.url(""))
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def test_what_is_left_can_be_counted(drained):
    """With the statement of the page: so many sessions, of so many accounts, of which client."""
    page = DOCS / "setup" / "removal.md"
    (statement,) = [text for _, text in fences(page) if text.startswith("SELECT")]

    found = {row[0]: row[1:] for row in drained.homeserver.query(statement.rstrip(";\n"))}

    sessions, accounts, metadata = found[drained.client.id]
    assert (sessions, accounts) == (1, 1)
    assert "Test client" in metadata


def test_no_device_begins(drained):
    """Neither with a code to type nor with one to scan; clients see that before they offer it."""
    base = drained.server.base_url
    form = {"client_id": drained.waiting.client.id, "scope": drained.waiting.scope}
    answer = drained.server.post("device-authorization", form)
    spot = requests.post(
        f"{base}/_matrix/client/unstable/org.matrix.msc4108/rendezvous", data=b"a", timeout=30
    )
    features = requests.get(f"{base}/_matrix/client/versions", timeout=30).json()

    assert (answer.status_code, answer.json()["error"]) == (403, TOLD)
    assert spot.status_code == 404
    assert not features["unstable_features"].get("org.matrix.msc4108")
    assert METADATA["grant_types"][0] in drained.server.metadata()["grant_types_supported"]


def test_who_was_about_to_sign_in_gets_there(drained):
    """Nobody loses what they have begun, in a browser or on a device."""
    user = drained.homeserver.new_user()
    page = drained.under_way.sign_in(user.localpart, user.password)
    assert 'value="approve"' in page.text
    answer = drained.under_way.answer(drained.under_way.submit(decision="approve"))

    assert answer["code"]
    let_in(Browser(drained.server), drained.waiting, user)
    assert drained.waiting.poll().status_code == 200


def test_the_legacy_sign_in_is_open(drained):
    """It is where clients go now."""
    assert drained.homeserver.login(drained.homeserver.new_user())["access_token"]


def test_nobody_newly_signs_up(drained):
    """The page says so, offers to sign in, and takes no form that somebody had open."""
    browser = Browser(drained.server)
    page = browser.get(drained.server.url("register"))
    sent = drained.signing_up.submit(username="late", password=PASSWORD, decision="create")

    for each in (page, sent):
        assert "No new accounts here" in each.text
        assert 'name="password"' not in each.text
    assert 'href="register' not in Browser(drained.server).get(drained.server.url("sign-in")).text
    assert drained.homeserver.query("SELECT 1 FROM users WHERE name = '@late:localhost'") == []


def test_who_was_about_to_sign_up_gets_there(drained):
    """Also whoever has to see the first page again, to choose another name for instance."""
    browser = Browser(drained.server)
    attempt = newcomers.sign_up(drained.homeserver, browser)
    browser.get(drained.server.url(f"register?attempt={attempt}"))
    page = browser.submit(username="punctual", password=PASSWORD, decision="create")

    assert page.status_code == 200
    assert drained.homeserver.query("SELECT 1 FROM users WHERE name = '@punctual:localhost'")
