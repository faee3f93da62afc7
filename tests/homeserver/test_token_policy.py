"""What a personal token may open is up to the operator: `personal_tokens.scopes`, `scopes_of_admins`.

On this homeserver people give reading, sending and encryption, administrators the whole account and the
administration of the server, as MSC4484 has it.
"""

import html
import re

import pytest

from support.admin_api import MAS_ADMIN, AdminApi, scope
from support.commands import Operator
from support.oauth import ADMIN, API, DEVICE, Browser, device_id
from support.personal_tokens import A_BOT, A_TOKEN, make_token, token_links
from synapse_nextgen_auth.oauth.scopes.permissions import READ, SEND, SET_PROFILE

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

SENTENCE = "On this server a token may do no more than what stands here."


@pytest.fixture
def homeserver(public_homeserver):
    return public_homeserver


def offered(page):
    """Return what the form asks."""
    return set(re.findall(r'name="(may_[a-z_]+)"', page.text))


def test_the_form_has_what_may_be_given(homeserver, server, browser):
    page = browser.get(server.url("account-token-add"))
    assert offered(page) == {"may_read", "may_send", "may_encrypt"}
    assert SENTENCE not in page.text
    of_admin = Browser.of(server, homeserver.new_user(admin=True))
    page = of_admin.get(server.url("account-token-add"))

    assert {"may_whole", "may_profile", "may_look_after"} < offered(page)
    assert not {"may_manage_accounts", "may_administer"} & offered(page)


@pytest.mark.parametrize("field", ["may_whole", "may_profile", "may_look_after", "may_administer"])
def test_c311_a_forged_form_is_refused(homeserver, server, browser, user, field):
    """With a sentence, and the form as it may be sent; nothing was made."""
    browser.get(server.url("account-token-add"))
    page = browser.submit(decision="make", **{**A_TOKEN, "device": "new", field: "on"})

    assert page.status_code == 403
    assert SENTENCE in html.unescape(page.text)
    assert offered(page) == {"may_read", "may_send", "may_encrypt"}
    assert "ngp_" not in page.text
    assert not homeserver.query("SELECT 1 FROM nextgen_sessions WHERE user_id = ?", user.user_id)


def test_c311_of_administrators_the_power_that_is_withheld_is_refused(homeserver, server):
    browser = Browser.of(server, homeserver.new_user(admin=True))
    browser.get(server.url("account-token-add"))
    page = browser.submit(decision="make", **{**A_BOT, "may_manage_accounts": "on"})

    assert page.status_code == 403
    assert SENTENCE in html.unescape(page.text)
    assert make_token(browser, **A_BOT).startswith("ngp_")


def test_one_that_opens_more_stays_good_and_is_renewed_with_less(homeserver, server, browser, user):
    """Whoever runs the server makes one of any kind; its owner makes it another, as they may."""
    wide = Operator.of(homeserver).ask(
        "tokens issue", user=user.user_id, name="Bot", scopes=[f"{READ} {SET_PROFILE}"]
    )["token"]
    assert server.whoami(wide).status_code == 200
    (url,) = token_links(browser)
    page = browser.get(server.url(url))
    assert SENTENCE in html.unescape(page.text)
    assert re.search(r'name="may_read"[^>]* checked', page.text)
    assert offered(page) == {"may_read", "may_send", "may_encrypt"}
    refused = browser.submit(decision="make", **A_TOKEN, may_profile="on")
    assert refused.status_code == 403
    assert server.whoami(wide).status_code == 200
    narrow = make_token(browser, at=url)

    assert server.whoami(wide).status_code == 401
    profile = f"/_matrix/client/v3/profile/{user.user_id}/displayname"
    body = {"displayname": "Bot"}
    assert server.api("PUT", profile, narrow, json=body).status_code == 403
    assert server.api("GET", profile, narrow).status_code == 200


def test_an_application_password_opens_as_much(server, browser, user):
    """Nothing that cannot be given is chosen in the form."""
    page = browser.get(server.url("account-token-add?id=password"))
    assert offered(page) == {"may_read", "may_send", "may_encrypt"}
    assert not re.search(r'name="may_[a-z]+"[^>]* checked', page.text)
    assert SENTENCE not in page.text
    token = make_token(
        browser,
        at="account-token-add?id=password",
        **{**A_TOKEN, "device": "new", "may_send": "on"},
    )
    identifier = {"type": "m.id.user", "user": user.localpart}
    body = {"type": "m.login.password", "identifier": identifier, "password": token}
    answer = server.api("POST", "/_matrix/client/v3/login", None, json=body)

    assert answer.json()["access_token"] == token
    assert server.api("POST", "/_matrix/client/v3/createRoom", token, json={}).status_code == 403


def test_c311_an_administrator_makes_for_others_what_administrators_may(homeserver, server, user):
    """With the admin API: the account's own rule is about what it makes itself. So is another value."""
    admin = homeserver.new_user(admin=True)
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=f"{scope()} {ADMIN}")
    api = AdminApi.of(server, tokens["access_token"])
    homeserver.login(user)
    ulid = api.get("compat-sessions", **{"page[last]": 1, "count": "false"})["data"][0]
    body = {"actor_user_id": ulid["attributes"]["user_id"], "human_name": "Bridge"}
    device = f"{DEVICE}{device_id()}"
    made = api.do("POST", "personal-sessions", {**body, "scope": f"{API} {device}"}, status=201)
    assert server.whoami(made["attributes"]["access_token"]).json()["user_id"] == user.user_id
    for power in (MAS_ADMIN, f"{API} {device} {ADMIN}"):
        said = api.refused("POST", "personal-sessions", 403, json={**body, "scope": power})
        assert "personal_tokens.scopes_of_admins has no urn:" in said
    # As a configuration of before had it.
    homeserver.query(
        "UPDATE nextgen_sessions SET scope = ? WHERE scope = ?",
        f"{API} {MAS_ADMIN} {device}",
        f"{API} {device}",
    )
    path = f"personal-sessions/{made['id']}"
    said = api.refused("POST", f"{path}/regenerate", 403, json={})
    assert f"has no {MAS_ADMIN}" in said
    assert server.whoami(made["attributes"]["access_token"]).status_code == 200
    assert (
        SEND
        in api.do("POST", "personal-sessions", {**body, "scope": SEND}, status=201)["attributes"][
            "scope"
        ]
    )
