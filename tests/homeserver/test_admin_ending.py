"""The admin API beyond its model: ending many sessions, and shutting clients out."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.admin_api import AdminApi, scope
from support.oauth import API, Browser, web_client

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture
def admin(homeserver):
    return homeserver.new_user(admin=True)


@pytest.fixture
def api(server, admin):
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=scope())
    return AdminApi.of(server, tokens["access_token"])


def new_client(server, name):
    return server.client(web_client(client_name=name))


@pytest.fixture
def client(server, user):
    """A client of this test's own."""
    return new_client(server, f"Client of {user.localpart}")


def only(told):
    (one,) = told["data"]
    return one


def told_of(api, client):
    """Return what the API tells of a client."""
    told = api.get("oauth2-clients", **{"page[last]": 1000})["data"]
    return next(each for each in told if each["attributes"]["client_id"] == client.id)


def sign_in(homeserver, client, count=1):
    signed_in = []
    for _ in range(count):
        user = homeserver.new_user()
        signed_in.append((user, client.sign_in(user.localpart, user.password)))
    return signed_in


def end(api, status=200, body=None, **filters):
    answer = api.ask(
        "POST",
        "sessions/end",
        params={f"filter[{name.replace('_', '-')}]": value for name, value in filters.items()},
        json=body,
    )
    assert answer.status_code == status, answer.text
    return answer.json()


def test_sessions_of_a_filter_end_some_at_a_time(homeserver, server, api, client):
    """After a look at how many that are; the devices go, and whoever asks stays signed in."""
    people = sign_in(homeserver, client, 3)
    ((_, others),) = sign_in(homeserver, server.client())
    its = told_of(api, client)["id"]
    filters = {"client": its, "has_device": "true"}

    assert end(api, body={"dry_run": True}, **filters) == {"matching": 3, "ended": 0, "left": 3}
    living = api.get("sessions", **{"filter[client]": its, "filter[status]": "active"})
    assert living["meta"] == {"count": 3}
    assert end(api, body={"limit": 2}, **filters) == {"matching": 3, "ended": 2, "left": 1}
    assert end(api, **filters) == {"matching": 1, "ended": 1, "left": 0}
    assert end(api, **filters) == {"matching": 0, "ended": 0, "left": 0}
    for user, tokens in people:
        assert server.whoami(tokens["access_token"]).status_code == 401
        assert not homeserver.query(
            "SELECT 1 FROM devices WHERE user_id = ? AND hidden = ?", user.user_id, False
        )
    assert server.whoami(others["access_token"]).status_code == 200
    assert api.get("version")


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"scope": API},
        {"created_after": "2000-01-01T00:00:00Z"},
        {"last_active_before": "2200-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_everything_ends_only_where_that_is_said(homeserver, api, client, filters):
    """Also where times leave nothing out; a look refuses as well."""
    sign_in(homeserver, client)
    for body in ({}, {"dry_run": True}, {"all": False}):
        assert '"all": true' in end(api, 400, body, **filters)["errors"][0]["title"]
    looked = end(api, body={"dry_run": True, "all": True}, **filters)

    assert looked["matching"] >= 2
    assert looked["ended"] == 0


def test_a_filter_that_nobody_knows_ends_nothing(homeserver, server, api, client):
    """A word that is misspelt would mean everything."""
    ((_, tokens),) = sign_in(homeserver, client)
    assert "filter[clint]" in end(api, 400, {"all": True}, clint="x")["errors"][0]["title"]
    api.refused("POST", "sessions/end", 400, json={"everything": True})
    api.refused("POST", "sessions/end", 400, json={"limit": 0, "all": True})
    api.refused("POST", "sessions/end", 404, params={"filter[user]": "01ARZ3NDEKTSV4RRFFQ69G5FAV"})

    assert server.whoami(tokens["access_token"]).status_code == 200


def test_what_is_told_of_a_session(homeserver, api, client):
    ((user, tokens),) = sign_in(homeserver, client)
    its = told_of(api, client)["id"]
    session = only(api.get("sessions", **{"filter[client]": its}))
    said = session["attributes"]

    assert (said["matrix_id"], said["kind"], said["client_id"]) == (user.user_id, "oauth2", its)
    assert said["device_id"] in tokens["scope"]
    assert said["began_by"] == "authorization_code"
    assert api.get(f"sessions/{session['id']}")["data"]["attributes"]["matrix_id"] == user.user_id
    for filters in ({"kind": "personal"}, {"address": "203.0.113.77"}, {"has-device": "false"}):
        told = {f"filter[{name}]": value for name, value in filters.items()}
        assert api.get("sessions", **{"filter[client]": its}, **told)["data"] == []


def clients(api, name, **filters):
    said = {f"filter[{each.replace('_', '-')}]": value for each, value in filters.items()}
    return api.get("oauth2-clients", **{"filter[client-name]": name}, **said)["data"]


def test_clients_by_what_they_say_of_themselves(server, api):
    name = "Caf\u00e9 \u201cMatrix\u201d \\ 100%"
    mine = new_client(server, name)
    (told,) = clients(api, "CAF\u00c9 \u201cma")
    said = told["attributes"]

    assert (said["client_id"], said["client_name"]) == (mine.id, name)
    assert "authorization_code" in said["grant_types"]
    assert (said["is_static"], said["blocked_at"]) == (False, None)
    assert api.get(f"oauth2-clients/{told['id']}")["data"]["id"] == told["id"]
    for filters in (
        {"client_id": mine.id},
        {"client_kind": "dynamic"},
        {"has_active_sessions": "false"},
        {"grant_type": "authorization_code"},
        {"client_uri": "client.EXAMPLE"},
    ):
        assert len(clients(api, name, **filters)) == 1
    for filters in (
        {"client_id": "another"},
        {"client_kind": "static"},
        {"has_active_sessions": "true"},
        {"grant_type": "password"},
        {"client_uri": "nowhere.example"},
    ):
        assert clients(api, name, **filters) == []
    api.refused("GET", "oauth2-clients/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404)


def test_c170_a_client_that_is_blocked_is_shut_out(homeserver, server, api):
    """Its sessions end, nobody signs in to it, and registering the same once more does not help."""
    client = new_client(server, "Spam")
    ((user, tokens),) = sign_in(homeserver, client)
    its = f"oauth2-clients/{told_of(api, client)['id']}"
    blocked = api.do("POST", f"{its}/block", reason="it sends spam")

    assert blocked["attributes"]["blocked_at"] is not None
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert client.refresh(tokens["refresh_token"]).status_code == 401
    assert new_client(server, "Spam").id == client.id
    parameters, _ = client.request()
    refused = Browser.of(server, user).authorize(parameters)
    assert refused.status_code == 400
    assert "This application is blocked here" in refused.text
    assert "not registered" not in refused.text
    assert "already" in api.refused("POST", f"{its}/block", 409)
    assert api.get(its)["data"]["attributes"]["blocked_at"] is not None
    api.do("POST", f"{its}/unblock")
    assert "not blocked" in api.refused("POST", f"{its}/unblock", 409)
    assert client.sign_in(user.localpart, user.password)["access_token"]
    ((why,),) = homeserver.query(
        "SELECT detail FROM nextgen_events WHERE kind = 'admin_changed' AND detail LIKE ?",
        f'%"blockOAuth2Client%{client.id}%spam%',
    )
    assert json.loads(why)["did"] == "blockOAuth2Client"


def test_nobody_blocks_what_they_are_using(server, admin):
    client = new_client(server, "Console")
    tokens = client.sign_in(admin.localpart, admin.password, scope=scope())
    api = AdminApi.of(server, tokens["access_token"])

    assert "using" in api.refused("POST", f"oauth2-clients/{told_of(api, client)['id']}/block", 409)


def test_c170_a_block_that_broke_off_is_finished_by_asking_again(homeserver, server, api):
    """It was blocked, and something came between that and the end of its sessions."""
    client = new_client(server, "Half blocked")
    ((_, tokens),) = sign_in(homeserver, client)
    its = f"oauth2-clients/{told_of(api, client)['id']}"
    homeserver.query(
        "INSERT INTO nextgen_blocked_clients (client_id, blocked_at, blocked_by)"
        " VALUES (?, 1, '@root:localhost') RETURNING client_id",
        client.id,
    )
    assert server.whoami(tokens["access_token"]).status_code == 200
    api.do("POST", f"{its}/block")

    assert server.whoami(tokens["access_token"]).status_code == 401
    assert "already" in api.refused("POST", f"{its}/block", 409)


def test_no_filter_writes_a_line_of_the_log(homeserver, api):
    end(api, body={"dry_run": True}, address="x\n2026-11-28 FAKE LINE", has_device="false")
    end(api, body={"limit": 1}, address="x\n2026-11-28 FAKE LINE", has_device="false")

    assert "\n2026-11-28 FAKE LINE" not in homeserver.log_text()
    assert "2026-11-28 FAKE LINE" in homeserver.log_text()


def test_the_event_is_of_whoever_made_the_token(homeserver, server, api, admin, user):
    """One that speaks for another administrator is no mask."""
    other = homeserver.new_user(admin=True)
    ids = [
        api.get(f"users/by-username/{each.localpart}")["data"]["id"]
        for each in (other, user, admin)
    ]
    body = {"actor_user_id": ids[0], "human_name": "mask", "scope": "urn:mas:admin"}
    token = api.do("POST", "personal-sessions", body, status=201)["attributes"]["access_token"]
    mask = AdminApi.of(server, token)
    mask.do("POST", f"users/{ids[1]}/lock", reason="me")
    ((detail,),) = homeserver.query(
        "SELECT detail FROM nextgen_events WHERE user_id = ? AND kind = 'admin_changed'"
        " AND detail LIKE '%lockUser%'",
        admin.user_id,
    )

    assert json.loads(detail)["as"] == other.user_id
    assert f"{admin.user_id} did lockUser" in homeserver.log_text()
    for each in (ids[0], ids[2]):
        assert "yourself" in mask.refused("POST", f"users/{each}/lock", 400)
        mask.refused("POST", f"users/{each}/deactivate", 400)
    ((address,),) = homeserver.query(
        "SELECT address FROM nextgen_events WHERE user_id = ? AND kind = 'personal_token_made'",
        other.user_id,
    )
    assert address is None


def test_of_six_who_end_one_session_one_did(homeserver, server, api, admin, client):
    """And one event says so."""
    ((user, _),) = sign_in(homeserver, client)
    Browser.of(server, user)
    ulid = api.get(f"users/by-username/{user.localpart}")["data"]["id"]
    body = {"actor_user_id": ulid, "human_name": "x", "scope": "urn:nextgen-auth:read"}
    token = api.do("POST", "personal-sessions", body, status=201)["id"]
    session = only(api.get("oauth2-sessions", **{"filter[user]": ulid}))["id"]
    browsers = api.get("user-sessions", **{"filter[user]": ulid})["data"]
    for path, over in (
        (f"personal-sessions/{token}/revoke", 409),
        (f"oauth2-sessions/{session}/finish", 400),
        (f"user-sessions/{browsers[-1]['id']}/finish", 400),
    ):
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _, path=path: api.ask("POST", path), range(6)))
        assert sorted(each.status_code for each in answers) == [200, *[over] * 5]
        written = homeserver.query(
            "SELECT detail FROM nextgen_events WHERE user_id = ? AND kind = 'admin_changed'"
            " AND detail LIKE ?",
            admin.user_id,
            f"%{path.split('/')[1]}%",
        )
        did = [json.loads(each)["did"] for (each,) in written]
        assert len([each for each in did if not each.startswith("create")]) == 1


@pytest.fixture
def nothing_is_written(homeserver, admin):
    """Let no event be written of what an administrator does."""
    homeserver.query(
        "CREATE TRIGGER no_admin_events BEFORE INSERT ON nextgen_events"
        f" WHEN NEW.kind = 'admin_changed' AND NEW.user_id = '{admin.user_id}'"
        " BEGIN SELECT RAISE(ABORT, 'no event'); END"
    )
    yield
    homeserver.query("DROP TRIGGER no_admin_events")


def test_nothing_is_changed_of_which_nothing_is_written(
    homeserver, server, api, client, nothing_is_written
):
    """A change and its event are one transaction; where Synapse makes it, the event comes first."""
    ((user, tokens),) = sign_in(homeserver, client)
    browser = Browser.of(server, user)
    ulid = api.get(f"users/by-username/{user.localpart}")["data"]["id"]
    session = only(api.get("oauth2-sessions", **{"filter[user]": ulid}))["id"]
    new = homeserver.new_user().localpart + "x"
    token = {"actor_user_id": ulid, "human_name": "x", "scope": "urn:nextgen-auth:read"}
    email = {"user_id": ulid, "email": f"{user.localpart}@example.com"}
    for path, body in (
        ("users", {"username": new}),
        (f"users/{ulid}/lock", None),
        (f"users/{ulid}/set-admin", {"admin": True}),
        (f"users/{ulid}/deactivate", None),
        (f"users/{ulid}/set-password", {"password": "a new long password"}),
        (f"oauth2-sessions/{session}/finish", None),
        ("personal-sessions", token),
        ("user-emails", email),
        (f"oauth2-clients/{told_of(api, client)['id']}/block", None),
        (f"sessions/end?filter[user]={ulid}", None),
    ):
        assert "log" in api.refused("POST", path, 503, json=body)

    said = api.get(f"users/{ulid}")["data"]["attributes"]
    assert (said["locked_at"], said["deactivated_at"], said["admin"]) == (None, None, False)
    api.refused("GET", f"users/by-username/{new}", 404)
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert api.get("personal-sessions", **{"filter[actor_user]": ulid})["data"] == []
    assert api.get("user-emails", **{"filter[user]": ulid})["data"] == []
    assert told_of(api, client)["attributes"]["blocked_at"] is None
    assert 'name="password"' not in browser.get(server.url("account")).text
    assert Browser.of(server, user)
