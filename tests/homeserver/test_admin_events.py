"""The admin API beyond its model: what happened, what waits, how much there is, lost second factors."""

import json
import time

import pytest

from support.admin_api import AdminApi, scope
from support.authenticator import add_app
from support.oauth import Browser, web_client

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture
def api(homeserver, server):
    admin = homeserver.new_user(admin=True)
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=scope())
    return AdminApi.of(server, tokens["access_token"])


@pytest.fixture
def ulid(api, user):
    return api.get(f"users/by-username/{user.localpart}")["data"]["id"]


def test_what_happened_to_an_account(homeserver, server, api, user, ulid):
    """In order, by kind and by time."""
    client = server.client()
    client.sign_in(user.localpart, user.password)
    told = api.get("events", **{"filter[user]": ulid})
    kinds = [each["attributes"]["kind"] for each in told["data"]]

    assert told["meta"]["count"] == len(kinds)
    assert {"signed_in", "consented", "session_begun"} <= set(kinds)
    assert {each["attributes"]["matrix_id"] for each in told["data"]} == {user.user_id}
    assert {each["attributes"]["user_id"] for each in told["data"]} == {ulid}
    begun = api.get("events", **{"filter[user]": ulid, "filter[kind]": "session_begun"})["data"]
    assert [each["attributes"]["client_id"] for each in begun] == [client.id]
    page = api.get("events", **{"filter[user]": ulid, "page[first]": 1})
    second = api.get(page["links"]["next"].partition("/v1/")[2])
    assert [page["data"][0]["id"], second["data"][0]["id"]] == [
        each["id"] for each in told["data"][:2]
    ]
    one = api.get(f"events/{begun[0]['id']}")["data"]["attributes"]
    assert one == begun[0]["attributes"]
    assert homeserver.query(
        "SELECT 1 FROM nextgen_sessions WHERE session_id = ?", one["session_id"]
    )
    api.refused("GET", "events/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404)
    future = {"filter[created-after]": "2200-01-01T00:00:00Z"}
    assert api.get("events", **future)["data"] == []
    api.refused("GET", "events", 400, params={"filter[kind]": "everything"})
    nobody = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    from_2016 = {"filter[user]": ulid, "page[after]": nobody}
    assert api.get("events", **from_2016)["data"] == told["data"]


def let_settle(homeserver, user, *, by):
    """Let what happened to an account just now be so many seconds ago."""
    homeserver.query(
        "UPDATE nextgen_events SET happened_at = happened_at - ? WHERE user_id = ?"
        " AND happened_at > ? RETURNING 1",
        by,
        user.user_id,
        int(time.time()) - 40,
    )


def test_what_happened_is_taken_away_line_by_line(homeserver, server, api, user, ulid):
    """Part after part, and later what happened since; what is still coming in waits."""
    server.client().sign_in(user.localpart, user.password)
    assert api.ask("GET", "events/export", params={"filter[user]": ulid}).text == ""
    let_settle(homeserver, user, by=9000)
    filters = {"filter[user]": ulid}
    whole = api.ask("GET", "events/export", params=filters)
    lines = [json.loads(each) for each in whole.text.splitlines()]
    parts, answer = [], api.ask("GET", "events/export", params=filters | {"limit": 2})
    while True:
        parts += [json.loads(each) for each in answer.text.splitlines()]
        if "next" not in answer.links:
            break
        answer = api.ask("GET", answer.links["next"]["url"].partition("/v1/")[2])

    assert parts == lines
    assert len(lines) >= 3
    assert whole.headers["Content-Type"] == "application/x-ndjson"
    later = filters | {"after": lines[-1]["id"]}
    assert api.ask("GET", "events/export", params=later).text == ""
    server.client().sign_in(user.localpart, user.password)
    let_settle(homeserver, user, by=60)
    assert "session_begun" in api.ask("GET", "events/export", params=later).text
    api.refused("GET", "events/export", 400, params={"limit": 0})


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029"])
def test_nothing_within_a_line_of_the_export_is_the_end_of_one(homeserver, api, user, ulid, end):
    """Readers of lines differ in what they take for an end; only what JSON lines mean is one."""
    why = f"É{end}a phone of {user.localpart}"
    api.do("POST", f"users/{ulid}/lock", reason=why)
    ((user_id,),) = homeserver.query(
        "UPDATE nextgen_events SET happened_at = happened_at - 60 WHERE kind = 'admin_changed'"
        " AND detail LIKE ? RETURNING user_id",
        f"%a phone of {user.localpart}%",
    )
    admin = api.get(f"users/by-username/{user_id[1:].partition(':')[0]}")["data"]["id"]
    whole = api.ask("GET", "events/export", params={"filter[user]": admin}).text

    assert whole.splitlines() == whole.strip("\n").split("\n")
    assert any(json.loads(json.loads(each)["detail"])["why"] == why for each in whole.splitlines())


def test_what_waits_is_listed_and_cancelled(server, api, user, ulid):
    """Nobody can answer it afterwards."""
    client = server.client(web_client(client_name=f"Waits for {user.localpart}"))
    parameters, _ = client.request()
    browser = Browser.of(server, user)
    page = browser.authorize(parameters)
    assert page.status_code == 200
    waiting = api.get("pending-grants", **{"page[last]": 1000})["data"]
    mine = [each for each in waiting if each["attributes"]["client_id"] == client.id]

    assert [each["attributes"]["kind"] for each in mine] == ["code"]
    assert mine[0]["attributes"]["approved_at"] is None
    link = mine[0]["links"]["self"].partition("/v1/")[2]
    assert api.get(link)["data"]["attributes"] == mine[0]["attributes"]
    path = f"pending-grants/{mine[0]['id']}/cancel"
    assert api.do("POST", path, status=204) is None
    assert "wait" in api.refused("GET", link, 404)
    assert "wait" in api.refused("POST", path, 409)
    assert api.get("pending-grants", **{"filter[user]": ulid})["data"] == []
    api.refused("POST", "pending-grants/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel", 404)


def test_how_much_there_is(server, api, user):
    before = api.get("statistics")
    server.client().sign_in(user.localpart, user.password)
    after = api.get("statistics")

    assert after["oauth2_sessions"] == before["oauth2_sessions"] + 1
    assert after["active_last_month"] >= after["active_last_week"] >= after["active_last_day"] >= 1
    assert after["events_last_day"]["session_begun"] >= 1
    assert after["dynamic_clients"] >= 1


def test_c298_lost_second_factors_are_taken_away(factor_homeserver, factor_server):
    """It is written down by whom, and why."""
    homeserver, server = factor_homeserver, factor_server
    admin, user = homeserver.new_user(admin=True), homeserver.new_user()
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=scope())
    api = AdminApi.of(server, tokens["access_token"])
    ulid = api.get(f"users/by-username/{user.localpart}")["data"]["id"]
    assert "no second factor" in api.refused("POST", f"users/{ulid}/reset-factors", 409)
    add_app(Browser.of(server, user))
    api.do("POST", f"users/{ulid}/reset-factors", status=204, reason="a lost phone")

    ((detail,),) = homeserver.query(
        "SELECT detail FROM nextgen_events WHERE user_id = ? AND kind = 'factors_reset'",
        user.user_id,
    )
    assert detail.endswith(": a lost phone")
    assert api.refused("POST", f"users/{ulid}/reset-factors", 409)


def test_a_cursor_of_another_list_is_none(server, api, user, ulid):
    """It begins with a time, too, and would lead somewhere."""
    server.client().sign_in(user.localpart, user.password)
    session = api.get("oauth2-sessions", **{"filter[user]": ulid})["data"][0]["id"]
    for path in ("events", "sessions", "user-sessions", "oauth2-clients", "pending-grants"):
        for end in ("after", "before"):
            query = {f"page[{end}]": session}
            assert "no cursor" in api.refused("GET", path, 400, params=query), path
    assert "no cursor" in api.refused("GET", "events/export", 400, params={"after": session})
    assert api.get("oauth2-sessions", **{"page[before]": session})["links"]


def test_programs_in_a_browser_may_follow_the_export(api):
    """The header that says where it goes on is one that scripts may read."""
    exposed = api.ask("GET", "events/export").headers["Access-Control-Expose-Headers"]

    assert "Link" in exposed.split(", ")
