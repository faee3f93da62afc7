"""A HEAD reads, wherever it is sent and whatever a GET would do there (RFC 9110 section 9.2.1)."""

import pytest
import requests

from support.oauth import API, DEVICE, Browser, device_id, web_client
from support.rows import tables
from support.waiting import eventually
from synapse_nextgen_auth.web.kinds import ForPeople
from synapse_nextgen_auth.web.routes import ROUTES

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


def use(homeserver, server):
    """Use a fresh token, wait until that is noted, and return whose it is.

    Uses are noted in batches: when this one is, so is every earlier one.
    """
    user = homeserver.new_user()
    scope = f"openid {API} {DEVICE}{device_id()}"
    token = server.client().sign_in(user.localpart, user.password, scope=scope)["access_token"]
    assert server.api("GET", "/_synapse/client/auth/userinfo", token).status_code == 200
    confirmed = "SELECT confirmed_generation FROM nextgen_sessions WHERE user_id = ?"
    assert eventually(lambda: homeserver.query(confirmed, user.user_id) == [(1,)])
    return user.user_id


def everything(homeserver):
    """Return every row of ours, as text so that rows of any shape can be put in order."""
    ours = [table for table in tables() if table.startswith("nextgen_")] + ["nextgen_signing_keys"]
    return {table: sorted(map(repr, homeserver.query(f"SELECT * FROM {table}"))) for table in ours}


@pytest.fixture
def remembered(homeserver, server):
    """Return a signed-in browser and the query of a grant to which its person agreed before."""
    user = homeserver.new_user()
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    browser = Browser(server)
    first, _ = client.request(scope="openid")
    browser.let_in(first, user.localpart, user.password)
    again, _ = client.request(scope="openid", prompt="login")
    query = browser.authorize(again).url.partition("?")[2]
    grant_id = query.removeprefix("grant=")
    # As if the sign-in that it asks for had just happened, in another tab.
    homeserver.query("UPDATE nextgen_grants SET login_after = NULL WHERE grant_id = ?", grant_id)
    # So long ago that a GET would note the visit.
    homeserver.query(
        "UPDATE nextgen_browsers SET last_active_at = last_active_at - 86400 WHERE user_id = ?",
        user.user_id,
    )
    return browser, query


def test_no_head_changes_anything(homeserver, server, remembered):
    """On every path, with everything that a GET there would act upon, and from a stranger.

    The remembered consent would give out a code, the visit would be noted, a stranger would get a
    cookie, the token would be confirmed.
    """
    browser, grant = remembered
    user = homeserver.new_user()
    parameters, _ = server.client().request()
    scope = f"openid {API} {DEVICE}{device_id()}"
    tokens = server.client().sign_in(user.localpart, user.password, scope=scope)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    use(homeserver, server)
    before = everything(homeserver)
    answers = []
    for path in ROUTES:
        url = server.issuer.rstrip("/") + path
        for http in (browser.http, requests):
            for query in ("", grant, requests.compat.urlencode(parameters)):
                answer = http.head(
                    url, params=query, headers=headers, allow_redirects=False, timeout=30
                )
                answers.append((path, answer))

    session = "SELECT confirmed_generation FROM nextgen_sessions WHERE user_id = ?"
    assert everything(homeserver) == before
    use(homeserver, server)
    assert homeserver.query(session, user.user_id) == [(0,)]
    for path, answer in answers:
        assert not {"Set-Cookie", "Location"} & set(answer.headers), path
        assert answer.content == b""
        if isinstance(ROUTES[path], ForPeople):
            assert answer.status_code == 405, path
            assert answer.headers["Allow"] == ", ".join(ROUTES[path].methods)


def test_the_same_as_get_gives_the_code(server, remembered):
    """What the HEAD above must not do: the consent page is left out where it is remembered."""
    browser, grant = remembered
    answer = browser.http.get(server.url(f"consent?{grant}"), allow_redirects=False, timeout=30)

    assert "code" in browser.answer(answer)


@pytest.mark.parametrize("path", [".well-known/openid-configuration", "keys", "userinfo"])
def test_what_only_reads_has_a_head(homeserver, server, path):
    """With the status and the headers of the GET, and no body."""
    user = homeserver.new_user()
    scope = f"openid {API} {DEVICE}{device_id()}"
    token = server.client().sign_in(user.localpart, user.password, scope=scope)["access_token"]
    head = server.api("HEAD", f"/_synapse/client/auth/{path}", token)
    get = server.api("GET", f"/_synapse/client/auth/{path}", token)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
