"""What the admin API tells of people and changes: accounts, addresses, registration tokens, links.

Each answer is compared with the document that the server has of itself (`support.admin_api`).
"""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from support.admin_api import ROOT, AdminApi, scope
from support.oauth import Browser, Server

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture(scope="module")
def admin(homeserver):
    """Return the administrator that this file has."""
    return homeserver.new_user(admin=True)


@pytest.fixture(scope="module")
def api(homeserver, admin):
    server = Server(homeserver.base_url)
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=scope())
    return AdminApi.of(server, tokens["access_token"])


@pytest.fixture
def told(api, user):
    """Return what the API tells of the account of this test."""
    return api.get(f"users/by-username/{user.localpart}")["data"]


@pytest.fixture
def at(told):
    return f"users/{told['id']}"


def attributes(api, path):
    return api.get(path)["data"]["attributes"]


def ids(page):
    return [each["id"] for each in page["data"]]


def last_change(homeserver, admin):
    """Return what was last written down of the administrator."""
    ((detail,),) = homeserver.query(
        "SELECT detail FROM nextgen_events WHERE user_id = ? AND kind = 'admin_changed'"
        " ORDER BY happened_at DESC, event_id LIMIT 1",
        admin.user_id,
    )
    return json.loads(detail)


def in_days(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_account_is_told_by_its_name_and_its_id(api, user, told, at):
    """Under the same id each time."""
    assert told["attributes"]["username"] == user.localpart
    assert told["attributes"]["locked_at"] is None
    assert told["attributes"]["admin"] is False
    assert api.get(at)["data"]["id"] == told["id"]
    assert api.get(at.lower())["data"]["id"] == told["id"]
    api.refused("GET", f"users/{NOBODY}", 404)
    api.refused("GET", "users/not-an-id", 400)
    api.refused("GET", "users/by-username/nobody-at-all", 404)


def test_lists_are_read_from_both_ends(homeserver, api):
    """Page by page, forwards and backwards, everybody is there once."""
    mark = f"page{secrets.token_hex(4)}"
    names = sorted(f"{mark}{n}" for n in range(5))
    for name in names:
        homeserver.register_user(name)
    asked = {"filter[search]": mark.upper(), "page[first]": 2}
    first = api.get("users", **asked)
    second = api.get("users", **asked, **{"page[after]": ids(first)[-1]})
    last = api.get("users", **{"filter[search]": mark, "page[last]": 2})
    before = api.get(
        "users", **{"filter[search]": mark, "page[last]": 2, "page[before]": ids(last)[0]}
    )
    found = [each["attributes"]["username"] for each in first["data"] + second["data"]]

    assert found == names[:4]
    assert [each["attributes"]["username"] for each in last["data"]] == names[3:]
    assert [each["attributes"]["username"] for each in before["data"]] == names[1:3]
    assert first["meta"] == {"count": 5}
    assert first["data"][0]["meta"]["page"]["cursor"] == first["data"][0]["id"]
    assert "prev" not in first["links"]
    assert "next" not in last["links"]
    # Whoever follows the links reads the same.
    url = first["links"]["next"].partition(ROOT)[2]
    assert ids(api.ask("GET", url).json()) == ids(second)
    back = second["links"]["prev"].partition(ROOT)[2]
    assert ids(api.ask("GET", back).json()) == ids(first)


def test_counts(api, user):
    """They are left out, or all that is told, as is asked."""
    search = {"filter[search]": user.localpart}

    assert "meta" not in api.get("users", count="false", **search)
    only = api.get("users", count="only", **search)
    assert only["meta"]["count"] >= 1
    assert "data" not in only


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"filter[admn]": "true"}, "filter[admin]"),
        ({"filter[admin]": "yes"}, "true or false"),
        ({"filter[status]": "closed"}, "deactivated"),
        ({"page[first]": "0"}, "1 to"),
        ({"page[first]": "x"}, "whole number"),
        ({"page[first]": "1", "page[last]": "1"}, "not for both"),
        ({"page[after]": "x"}, "ULID"),
        ({"page[after]": NOBODY}, "no cursor"),
        ({"count": "maybe"}, "only"),
        ({"filter[active-oauth2-client]": "x"}, "ULID"),
        ({"reason": "x"}, "no parameter"),
        ([("filter[admin]", "true"), ("filter[admin]", "false")], "twice"),
    ],
)
def test_what_a_list_cannot_mean_is_refused(api, query, said):
    """It says what would be right, and lists nothing by accident."""
    assert said in api.refused("GET", "users", 400, params=query)


def test_filters_of_accounts(homeserver, api, admin, user):
    """Each finds those that it says, and no others."""
    client = Server(homeserver.base_url).client()
    client.sign_in(user.localpart, user.password)

    def found(**filters):
        query = {f"filter[{name}]": value for name, value in filters.items()}
        return [
            each["attributes"]["username"]
            for each in api.get("users", **query, **{"page[first]": 1000})["data"]
        ]

    assert admin.localpart in found(admin="true")
    assert user.localpart not in found(admin="true")
    assert user.localpart in found(status="active", admin="false")
    assert user.localpart in found(search=user.localpart, **{"has-active-oauth2-session": "true"})
    assert not found(search=user.localpart, **{"has-active-oauth2-session": "false"})
    assert not found(search=user.localpart, **{"has-active-compat-session": "true"})
    assert not found(search=user.localpart, **{"legacy-guest": "true"})
    homeserver.login(user)
    assert found(search=user.localpart, **{"has-active-compat-session": "true"})
    assert not found(search="%")
    assert not found(search="localhost")


def test_accounts_of_application_services_are_not_listed(homeserver, api, user):
    """A bridge has thousands; by its name each is told all the same."""
    homeserver.query(
        "UPDATE users SET appservice_id = 'bridge' WHERE name = ? RETURNING name", user.user_id
    )

    assert not api.get("users", **{"filter[search]": user.localpart})["data"]
    assert api.get(f"users/by-username/{user.localpart}")


def test_an_account_is_made(homeserver, api, admin):
    """By Synapse's rules for names; with its profile, and without a password."""
    name = f"made{secrets.token_hex(4)}"
    made = api.do(
        "POST",
        "users",
        {"username": name, "displayname": "Made", "avatar_url": "mxc://localhost/picture"},
        status=201,
        reason="a colleague",
    )

    assert made["attributes"]["username"] == name
    assert homeserver.query(
        "SELECT displayname, avatar_url FROM profiles WHERE full_user_id = ?", f"@{name}:localhost"
    ) == [("Made", "mxc://localhost/picture")]
    assert last_change(homeserver, admin) == {
        "did": "createUser",
        "to": f"@{name}:localhost",
        "why": "a colleague",
    }
    api.refused("POST", "users", 409, json={"username": name})
    api.refused("POST", "users", 400, json={"username": "No Name"})
    api.refused("POST", "users", 400, json={"username": "12345"})
    api.refused("POST", "users", 400, json={"username": f"{name}2", "avatar_url": "https://a/b"})


def test_what_a_body_cannot_mean_is_refused(api, at):
    """A member that is misspelt would do the opposite of what was meant."""
    assert "skip_erase" in api.refused("POST", f"{at}/deactivate", 400, json={"skip_erasure": True})
    assert "true or false" in api.refused("POST", f"{at}/set-admin", 400, json={"admin": "no"})
    assert "missing" in api.refused("POST", f"{at}/set-admin", 400, json={})
    assert attributes(api, at)["deactivated_at"] is None


def test_c311_power_over_the_server_is_given_and_taken(homeserver, api, admin, at):
    """At once; nobody takes it from themselves."""
    assert api.do("POST", f"{at}/set-admin", {"admin": True})["attributes"]["admin"] is True
    assert api.do("POST", f"{at}/set-admin", {"admin": False})["attributes"]["admin"] is False
    me = api.get(f"users/by-username/{admin.localpart}")["data"]["id"]
    api.refused("POST", f"users/{me}/set-admin", 400, json={"admin": False})
    api.refused("POST", f"users/{me}/lock", 400)


def test_a_locked_account_does_nothing_until_it_is_unlocked(homeserver, server, api, user, at):
    """Its sessions are kept."""
    tokens = server.client().sign_in(user.localpart, user.password)
    locked = api.do("POST", f"{at}/lock")["attributes"]
    again = api.do("POST", f"{at}/lock")["attributes"]

    assert locked["locked_at"] is not None
    assert again["locked_at"] == locked["locked_at"]
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert api.get("users", **{"filter[status]": "locked", "filter[search]": user.localpart})[
        "data"
    ]
    assert api.do("POST", f"{at}/unlock")["attributes"]["locked_at"] is None
    assert server.whoami(tokens["access_token"]).status_code == 200


def test_a_password_is_set(homeserver, server, api, user, at):
    """Sessions go on, and the former password opens nothing."""
    tokens = server.client().sign_in(user.localpart, user.password)
    api.do("POST", f"{at}/set-password", {"password": "a new long password"}, status=204)

    assert server.whoami(tokens["access_token"]).status_code == 200
    assert server.client().sign_in(user.localpart, "a new long password")
    assert homeserver.query(
        "SELECT detail FROM nextgen_events WHERE user_id = ? AND kind = 'password_changed'",
        user.user_id,
    ) == [("admin",)]
    api.refused("POST", f"{at}/set-password", 400, json={"password": ""})
    api.refused("POST", f"users/{NOBODY}/set-password", 404, json={"password": "x"})
    assert "a new long password" not in homeserver.log_text()


def test_c317_an_account_is_closed_and_opened_again(homeserver, server, api, user, at):
    """Its sessions end for good; without a word to the contrary what it wrote is hidden."""
    tokens = server.client().sign_in(user.localpart, user.password)
    closed = api.do("POST", f"{at}/deactivate", reason="left")["attributes"]

    assert closed["deactivated_at"] is not None
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert homeserver.query("SELECT 1 FROM erased_users WHERE user_id = ?", user.user_id)
    assert api.do("POST", f"{at}/deactivate")["attributes"] == closed
    api.refused("POST", f"{at}/set-password", 400, json={"password": "x"})
    assert api.get("users", **{"filter[status]": "deactivated", "filter[search]": user.localpart})[
        "data"
    ]
    opened = api.do("POST", f"{at}/reactivate")["attributes"]
    assert opened["deactivated_at"] is None
    assert server.whoami(tokens["access_token"]).status_code == 401
    api.do("POST", f"{at}/deactivate", {"skip_erase": True})
    assert not homeserver.query("SELECT 1 FROM erased_users WHERE user_id = ?", user.user_id)


def test_addresses_are_added_listed_and_removed(homeserver, api, user, told):
    """In small letters, each of one account alone; the account reads of it."""
    address = f"{user.localpart}@example.com"
    body = {"user_id": told["id"], "email": address.upper()}
    made = api.do("POST", "user-emails", body, status=201)

    assert made["attributes"]["email"] == address
    assert made["attributes"]["user_id"] == told["id"]
    assert ids(api.get("user-emails", **{"filter[user]": told["id"]})) == [made["id"]]
    assert ids(api.get("user-emails", **{"filter[email]": address.title()})) == [made["id"]]
    assert api.get(f"user-emails/{made['id']}")["data"]["id"] == made["id"]
    other = api.get(f"users/by-username/{homeserver.new_user().localpart}")["data"]["id"]
    api.refused("POST", "user-emails", 409, json=body)
    api.refused("POST", "user-emails", 409, json=body | {"user_id": other})
    api.refused("POST", "user-emails", 400, json=body | {"email": "nobody"})
    api.refused("POST", "user-emails", 404, json=body | {"user_id": NOBODY})
    api.do("DELETE", f"user-emails/{made['id']}", status=204)
    api.refused("DELETE", f"user-emails/{made['id']}", 404)
    assert not api.get("user-emails", **{"filter[user]": told["id"]})["data"]
    kinds = homeserver.query(
        "SELECT kind FROM nextgen_events WHERE user_id = ? AND detail = 'admin' ORDER BY kind",
        user.user_id,
    )
    assert kinds == [("address_added",), ("address_removed",)]


def test_no_address_is_kept_that_is_nobodys_any_more(homeserver, api, user, told):
    """What the API remembers of it is a digest."""
    address = f"gone-{user.localpart}@example.com"
    made = api.do("POST", "user-emails", {"user_id": told["id"], "email": address}, status=201)
    api.do("DELETE", f"user-emails/{made['id']}", status=204)

    kept = homeserver.query("SELECT item_key FROM nextgen_ulids WHERE ulid = ?", made["id"])
    assert len(kept) == 1
    assert address not in kept[0][0]


def test_registration_tokens_live_and_end(homeserver, api):
    """Made, changed, revoked and taken back, they are Synapse's own."""
    token = f"token-{secrets.token_hex(6)}"
    ends = in_days(3)
    made = api.do(
        "POST",
        "user-registration-tokens",
        {"token": token, "usage_limit": 3, "expires_at": ends},
        status=201,
    )
    at = f"user-registration-tokens/{made['id']}"

    def row():
        return homeserver.query(
            "SELECT uses_allowed, expiry_time FROM registration_tokens WHERE token = ?", token
        )[0]

    assert made["attributes"]["valid"] is True
    assert made["attributes"]["expires_at"] == ends
    assert row()[0] == 3
    api.refused("POST", "user-registration-tokens", 409, json={"token": token})
    api.refused("POST", "user-registration-tokens", 400, json={"token": "no spaces"})
    api.refused("POST", "user-registration-tokens", 400, json={"usage_limit": 0})
    api.refused("POST", "user-registration-tokens", 400, json={"expires_at": in_days(-1)})
    before = row()
    revoked = api.do("POST", f"{at}/revoke")["attributes"]
    assert revoked["valid"] is False
    assert revoked["revoked_at"] is not None
    assert revoked["expires_at"] == ends
    assert (
        homeserver.query(
            "SELECT 1 FROM registration_tokens WHERE token = ? AND expiry_time > 1", token
        )
        == []
    )
    api.refused("POST", f"{at}/revoke", 400)
    assert made["id"] in ids(
        api.get("user-registration-tokens", **{"filter[revoked]": "true", "page[first]": 1000})
    )
    assert api.do("POST", f"{at}/unrevoke")["attributes"]["valid"] is True
    assert row() == before
    api.refused("POST", f"{at}/unrevoke", 400)
    changed = api.do("PUT", at, {"expires_at": None})["attributes"]
    assert (changed["expires_at"], changed["usage_limit"]) == (None, 3)
    assert api.do("PUT", at, {"usage_limit": None})["attributes"]["usage_limit"] is None
    assert api.get(at)["data"]["attributes"]["token"] == token


def test_a_registration_token_is_drawn(homeserver, api):
    """Twelve letters and digits, good for anybody and for ever; its id says nothing of it."""
    made = api.do("POST", "user-registration-tokens", {}, status=201)["attributes"]

    assert len(made["token"]) == 12
    assert made["token"].isalnum()
    assert (made["usage_limit"], made["expires_at"]) == (None, None)
    assert made["token"] not in homeserver.log_text()


@pytest.mark.parametrize("name", ["used", "revoked", "expired", "valid"])
def test_filters_of_registration_tokens(api, name):
    """What is so, and what is not, are all of them."""
    api.do("POST", "user-registration-tokens", {}, status=201)
    every, so, not_so = (
        api.get("user-registration-tokens", count="only", **query)["meta"]["count"]
        for query in ({}, {f"filter[{name}]": "true"}, {f"filter[{name}]": "false"})
    )

    assert every == so + not_so > 0


def test_providers_and_links_where_there_are_none(api, told):
    """The lists are there, and empty."""
    assert api.get("upstream-oauth-providers")["data"] == []
    assert api.get("upstream-oauth-links", **{"filter[user]": told["id"]})["data"] == []
    body = {"user_id": told["id"], "provider_id": NOBODY, "subject": "x"}
    api.refused("POST", "upstream-oauth-links", 404, json=body)
    api.refused("DELETE", f"upstream-oauth-links/{NOBODY}", 404)
    api.refused("GET", f"upstream-oauth-providers/{NOBODY}", 404)


def test_there_is_no_policy_data(api):
    """It is said, and nothing is taken."""
    api.refused("GET", "policy-data/latest", 404)
    api.refused("GET", f"policy-data/{NOBODY}", 404)
    assert "policy" in api.refused("POST", "policy-data", 400, json={"data": {"a": 1}})


def test_c233_a_password_that_is_set_ends_the_browsers(server, api, user, told, at):
    """Whoever came in with the former one is out."""
    browser = Browser.of(server, user)
    assert 'name="password"' not in browser.get(server.url("account")).text

    api.do("POST", f"{at}/set-password", {"password": "a new long password"}, status=204)

    assert 'name="password"' in browser.get(server.url("account")).text
    living = {"filter[user]": told["id"], "filter[status]": "active"}
    assert api.get("user-sessions", **living)["data"] == []


def test_c311_nobody_closes_themselves(api, admin):
    """The last administrator would be gone by a slip of an id."""
    me = api.get(f"users/by-username/{admin.localpart}")["data"]["id"]

    assert "yourself" in api.refused("POST", f"users/{me}/deactivate", 400)
    assert api.get("version")


def test_c311_two_administrators_do_not_demote_each_other(homeserver, server):
    """Asked at once, one of them stays."""
    for _ in range(3):
        pair = [homeserver.new_user(admin=True) for _ in range(2)]
        apis = []
        for each in pair:
            tokens = server.client().sign_in(each.localpart, each.password, scope=scope())
            apis.append(AdminApi.of(server, tokens["access_token"]))
        ids = [apis[0].get(f"users/by-username/{each.localpart}")["data"]["id"] for each in pair]
        with ThreadPoolExecutor(2) as pool:
            list(
                pool.map(
                    lambda n, apis=apis, ids=ids: apis[n].ask(
                        "POST", f"users/{ids[1 - n]}/set-admin", json={"admin": False}
                    ),
                    range(2),
                )
            )
        left = homeserver.query(
            "SELECT COUNT(*) FROM users WHERE name IN (?, ?) AND admin = 1",
            *(each.user_id for each in pair),
        )
        assert left == [(1,)]


def test_what_somebody_wrote_is_hidden_though_they_left_before(homeserver, api, user, at):
    """Whoever asks for it later is not told that it was done, and it was not."""
    api.do("POST", f"{at}/deactivate", {"skip_erase": True})
    assert not homeserver.query("SELECT 1 FROM erased_users WHERE user_id = ?", user.user_id)
    api.do("POST", f"{at}/deactivate", {"skip_erase": False})

    assert homeserver.query("SELECT 1 FROM erased_users WHERE user_id = ?", user.user_id)


@pytest.mark.parametrize(
    "typed",
    [
        "a\r\nBcc: victim@x.org",
        "x,y@x.org",
        "<a>@x.org",
        "a@x.org, b",
        "a\n@x.org",
        "\u00e9@x.org",
        "a\x1b[0m@x.org",
        "a\u202e@x.org",
        "a b@x.org",
        "a@x.org;b@x.org",
        '"a"@x.org',
    ],
)
def test_c257_no_address_is_given_to_an_account_that_no_mail_goes_to(api, told, typed):
    """What a person cannot give themselves, nobody gives them: mail would go to a stranger."""
    body = {"user_id": told["id"], "email": typed}

    assert "address" in api.refused("POST", "user-emails", 400, json=body)


def test_who_is_made_twice_at_once_is_there_once(api):
    """Whoever comes second hears that the name is taken."""
    name = f"twice{secrets.token_hex(4)}"
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: api.ask("POST", "users", json={"username": name}), range(4))
        )

    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]


def test_nobody_is_looked_for_by_nothing(api):
    api.refused("GET", "users", 400, params={"filter[search]": ""})
