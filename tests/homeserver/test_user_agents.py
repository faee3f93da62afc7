"""A session knows what the application said of itself when it began, and tells nobody yet."""

import requests

from support.oauth import Browser, Server
from support.television import DEVICE_CODE, Television, let_in

LONG = "Application/1 " + "x" * 300


def tokens(server, user_agent, **form):
    """Ask for tokens as an application that says this of itself."""
    answer = requests.post(
        server.url("token"), data=form, headers={"User-Agent": user_agent}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def redeemed(server, user, user_agent):
    """Sign in with a code; return the client and its tokens."""
    client = server.client()
    parameters, verifier = client.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    who = {"client_id": client.id, "redirect_uri": client.redirect_uri}
    return client, tokens(server, user_agent, **form, **who)


def kept(homeserver, user):
    """Return what the sessions of an account know, the newest first."""
    sql = "SELECT user_agent FROM nextgen_sessions WHERE user_id = ? ORDER BY created_at DESC"
    return [text for (text,) in homeserver.query(sql, user.user_id)]


def test_a_session_keeps_what_its_application_said_of_itself(homeserver):
    """At its first token request; later ones do not change it."""
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client, held = redeemed(server, user, "Element X/1.2 (iPhone)")
    form = {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
    tokens(server, "Another/2", client_id=client.id, **form)

    assert kept(homeserver, user) == ["Element X/1.2 (iPhone)"]


def test_a_device_without_a_browser_too(homeserver):
    """Whoever collects the session, not the browser that allowed it."""
    server, user = Server(homeserver.base_url), homeserver.new_user()
    television = Television.begin(server)
    let_in(Browser(server), television, user)
    form = {"grant_type": DEVICE_CODE, "device_code": television.answer["device_code"]}
    tokens(server, "Television/3", client_id=television.client.id, **form)

    assert kept(homeserver, user) == ["Television/3"]


def test_no_more_is_kept_than_a_page_could_show(homeserver):
    """A long one is cut, an empty one is none, and none of it is logged by us."""
    server, user, other = (
        Server(homeserver.base_url),
        homeserver.new_user(),
        homeserver.new_user(),
    )
    since = len(homeserver.log_text())
    redeemed(server, user, LONG)
    redeemed(server, other, "")

    lines = homeserver.log_text()[since:].splitlines()
    assert kept(homeserver, user) == [LONG[:255]]
    assert kept(homeserver, other) == [None]
    assert [
        line for line in lines if "Application/1" in line and "synapse.access" not in line
    ] == []
