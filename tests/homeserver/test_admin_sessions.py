"""The admin API's sessions: of applications, browsers and Synapse's own tokens."""

import pytest

from support.admin_api import AdminApi, scope
from support.oauth import API, Browser

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture
def admin(homeserver):
    return homeserver.new_user(admin=True)


@pytest.fixture
def api(server, admin):
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=scope())
    return AdminApi.of(server, tokens["access_token"])


def only(told):
    (one,) = told["data"]
    return one


def of_user(api, kind, ulid, **filters):
    """Return those of an account; the words of filters have dashes."""
    said = {f"filter[{name.replace('_', '-')}]": value for name, value in filters.items()}
    return api.get(kind, **{"filter[user]": ulid}, **said)


@pytest.fixture
def signed_in(homeserver, server, api):
    """Somebody who is signed in in a browser and with an application, and their ULID."""
    user = homeserver.new_user()
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password)
    everyone = api.get("oauth2-sessions", **{"page[last]": 50, "count": "false"})["data"]
    mine = [each for each in everyone if each["attributes"]["user_agent"] is not None]
    assert mine
    session = next(
        each for each in reversed(everyone) if tokens["scope"] == each["attributes"]["scope"]
    )
    return user, tokens, session["attributes"]["user_id"], client


def test_what_an_application_is_signed_in_to(api, server, signed_in):
    """It is found by whatever it has in common with others, and counted."""
    user, tokens, ulid, client = signed_in
    server.whoami(tokens["access_token"])
    session = only(of_user(api, "oauth2-sessions", ulid))
    said = session["attributes"]

    assert session["type"] == "oauth2-session"
    assert (
        api.get(f"oauth2-sessions/{session['id']}")["data"]["attributes"]["scope"] == said["scope"]
    )
    assert (said["scope"], said["finished_at"]) == (tokens["scope"], None)
    assert said["last_active_ip"] == "127.0.0.1"
    assert API in said["scope"]
    for filters in (
        {"status": "active"},
        {"client": said["client_id"]},
        {"client_kind": "dynamic"},
        {"user_session": said["user_session_id"]},
        {"scope": API},
        {"created_after": "2020-01-01T00:00:00Z", "created_before": "2100-01-01T00:00:00Z"},
    ):
        assert only(of_user(api, "oauth2-sessions", ulid, **filters))["id"] == session["id"]
    for filters in (
        {"status": "finished"},
        {"client_kind": "static"},
        {"scope": "email"},
        {"created_before": "2020-01-01T00:00:00Z"},
        {"last_active_after": "2100-01-01T00:00:00Z"},
    ):
        assert of_user(api, "oauth2-sessions", ulid, **filters)["data"] == []
    assert of_user(api, "oauth2-sessions", ulid)["meta"]["count"] == 1
    assert client.id
    assert user


def test_c121_a_finished_session_is_over_everywhere_with_its_device(
    homeserver, api, server, signed_in
):
    user, tokens, ulid, _ = signed_in
    session = only(of_user(api, "oauth2-sessions", ulid))
    path = f"oauth2-sessions/{session['id']}"
    done = api.do("POST", f"{path}/finish", reason="lost")

    assert done["attributes"]["finished_at"] is not None
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert not homeserver.query(
        "SELECT 1 FROM devices WHERE user_id = ? AND hidden = ?", user.user_id, False
    )
    assert "already" in api.refused("POST", f"{path}/finish", 400)
    assert only(of_user(api, "oauth2-sessions", ulid, status="finished"))["id"] == session["id"]
    assert of_user(api, "oauth2-sessions", ulid, status="active")["meta"]["count"] == 0
    ((detail,),) = homeserver.query(
        "SELECT detail FROM nextgen_events WHERE kind = 'admin_changed' AND detail LIKE ?",
        f"%{session['id']}%",
    )
    assert "finishOAuth2Session" in detail
    assert '"why": "lost"' in detail
    assert user.user_id in detail


def test_a_browser_is_signed_out_and_what_it_let_in_goes_on(api, server, signed_in):
    user, tokens, ulid, _ = signed_in
    browser = Browser.of(server, user)
    before = of_user(api, "user-sessions", ulid, status="active")["data"]
    last = before[-1]

    assert {"user-session"} == {each["type"] for each in before}
    assert len(before) == 2
    assert api.get(f"user-sessions/{last['id']}")["data"]["attributes"]["user_id"] == ulid
    assert api.do("POST", f"user-sessions/{last['id']}/finish")["attributes"]["finished_at"]
    assert "already" in api.refused("POST", f"user-sessions/{last['id']}/finish", 400)
    left = of_user(api, "user-sessions", ulid, status="active")["data"]
    assert [each["id"] for each in left] == [before[0]["id"]]
    assert len(of_user(api, "user-sessions", ulid)["data"]) == 2
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert browser


def test_what_synapse_signed_in_itself(homeserver, api, server, signed_in):
    """It is told of by its device, and ends with it."""
    user, _, ulid, _ = signed_in
    answer = homeserver.login(user)
    session = only(of_user(api, "compat-sessions", ulid))

    assert session["attributes"]["device_id"] == answer["device_id"]
    assert only(of_user(api, "compat-sessions", ulid, status="active"))["id"] == session["id"]
    assert of_user(api, "compat-sessions", ulid, status="finished")["data"] == []
    assert (
        of_user(api, "compat-sessions", ulid, created_before="2020-01-01T00:00:00Z")["data"] == []
    )
    found = of_user(api, "compat-sessions", ulid, created_after="2020-01-01T00:00:00Z")
    assert only(found)["id"] == session["id"]
    assert api.do("POST", f"compat-sessions/{session['id']}/finish")["attributes"]["finished_at"]
    assert server.whoami(answer["access_token"]).status_code == 401
    api.refused("GET", f"compat-sessions/{session['id']}", 404)
    api.refused("POST", f"compat-sessions/{session['id']}/finish", 404)


@pytest.mark.parametrize("kind", ["oauth2-sessions", "user-sessions", "compat-sessions"])
def test_pages_lead_through_all_of_them(homeserver, server, api, kind):
    """Both ways; ids and filters of nothing are refused, a cursor of what is gone goes by its time."""
    for _ in range(3):
        user = homeserver.new_user()
        server.client().sign_in(user.localpart, user.password)
        homeserver.login(user)
    forth, told = [], api.get(kind, **{"page[first]": 2})
    total = told["meta"]["count"]
    while True:
        forth += [each["id"] for each in told["data"]]
        if "next" not in told["links"]:
            break
        told = api.get(told["links"]["next"].partition("/v1/")[2])
    back, told = [], api.get(kind, **{"page[last]": 2, "count": "false"})
    while True:
        back = [each["id"] for each in told["data"]] + back
        if "prev" not in told["links"]:
            break
        told = api.get(told["links"]["prev"].partition("/v1/")[2])

    assert len(set(forth)) == len(forth) >= 3
    assert set(back) >= set(forth)
    assert abs(total - len(forth)) <= 1  # that of the browser may be gone meanwhile
    nobody = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    api.refused("GET", f"{kind}/{nobody}", 404)
    if kind == "compat-sessions":  # in the order in which Synapse numbers tokens
        assert "cursor" in api.refused("GET", kind, 400, params={"page[after]": nobody})
    else:
        assert (
            api.get(kind, **{"page[after]": nobody, "page[first]": 1})["data"][0]["id"] == forth[0]
        )
        assert api.get(kind, **{"page[before]": nobody})["data"] == []
    api.refused("GET", kind, 404, params={"filter[user]": nobody})
    api.refused("GET", kind, 400, params={"filter[user]": user.user_id})
    api.refused("GET", kind, 400, params={"filter[status]": "any"})
    api.refused("GET", kind, 400, params={"filter[created-before]": "yesterday"})
    assert "filter[user]" in api.refused("GET", kind, 400, params={"filter[usr]": nobody})


@pytest.mark.parametrize("bad", ["a b", "", "\u00fc", 'a"b'])
def test_c305_a_scope_that_nothing_can_have_is_refused(api, bad):
    api.refused("GET", "oauth2-sessions", 400, params={"filter[scope]": bad})
