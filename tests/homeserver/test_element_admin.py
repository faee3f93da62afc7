"""Element Admin and Ketesa: each request that they send, as their own code writes it.

What Element Admin wants of an answer is checked there by valibot; the document that each answer is
compared with has the same types, and is narrower.
"""

import re

import pytest
import requests

from support.admin_api import ROOT, AdminApi, Document
from support.oauth import Browser, Server, pkce

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

SCOPE = "urn:matrix:org.matrix.msc2967.client:api:* urn:mas:admin urn:synapse:admin:*"
ORIGIN = "https://admin-beta.element.dev"
# `v.isoTimestamp()` of valibot.
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


@pytest.fixture(scope="module")
def admin(homeserver):
    return homeserver.new_user(admin=True)


@pytest.fixture(scope="module")
def metadata(homeserver):
    """Return what it discovers, at the address that it looks at."""
    found = requests.get(
        f"{homeserver.base_url}/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
        headers={"Origin": ORIGIN},
        timeout=30,
    )
    assert found.headers["Access-Control-Allow-Origin"] == "*"
    return found.json()


@pytest.fixture(scope="module")
def signed_in(homeserver, admin, metadata):
    """Return the answer of the token endpoint after its sign-in, and its client."""
    registered = requests.post(
        metadata["registration_endpoint"],
        json={
            "application_type": "web",
            "client_name": "Element Admin",
            "client_uri": f"{ORIGIN}/",
            "redirect_uris": [f"{ORIGIN}/callback"],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        },
        timeout=30,
    ).json()
    verifier, challenge = pkce()
    browser = Browser(Server(homeserver.base_url))
    asked = {
        "response_type": "code",
        "client_id": registered["client_id"],
        "redirect_uri": f"{ORIGIN}/callback",
        "scope": SCOPE,
        "state": "state",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    code = browser.let_in(asked, admin.localpart, admin.password)["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "client_id": registered["client_id"],
        "redirect_uri": f"{ORIGIN}/callback",
    }
    answer = requests.post(metadata["token_endpoint"], data=form, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json(), registered["client_id"]


@pytest.fixture(scope="module")
def api(metadata, signed_in):
    """Return the API where it looks for it: below the issuer, without the slash at its end."""
    base = metadata["issuer"].rstrip("/")
    assert "org.matrix.matrix-authentication-service.graphql_endpoint" not in metadata
    spec = requests.get(f"{base}/api/spec.json", timeout=30).json()
    assert spec["servers"] == [{"url": base}]
    server = Server(base.removesuffix("/_synapse/client/auth"))
    assert requests.get(f"{base}/{ROOT}version", timeout=30).status_code == 401
    return AdminApi(server, signed_in[0]["access_token"], Document(spec))


def test_it_signs_in_without_naming_a_device(server, signed_in):
    """It has one all the same, and renews its token."""
    tokens, client_id = signed_in
    assert {"access_token", "refresh_token", "expires_in"} <= tokens.keys()
    assert tokens["scope"].startswith(SCOPE)
    whoami = server.whoami(tokens["access_token"]).json()
    assert whoami["device_id"].startswith("ADMIN")
    again = server.token(
        grant_type="refresh_token", refresh_token=tokens["refresh_token"], client_id=client_id
    )
    assert again.status_code == 200


def test_its_pages_are_filled(server, api, admin, user):
    """Site configuration, accounts with their addresses, registration tokens, rooms."""
    assert api.get("site-config")["server_name"]
    assert api.get("users", count="only")["meta"]["count"] > 1
    page = api.get("users", count="false", **{"page[first]": 200, "filter[search]": user.localpart})
    ((user_id, told),) = [(each["id"], each["attributes"]) for each in page["data"]]
    assert ISO.fullmatch(told["created_at"])
    backwards = {"page[last]": 200, "filter[status]": "active", "filter[legacy-guest]": "false"}
    assert api.get("users", count="false", **backwards)["data"]
    assert api.get(f"users/{user_id}")["data"]["type"] == "user"
    emails = {"filter[user]": user_id, "page[first]": 10, "count": "false"}
    assert api.get("user-emails", **emails)["data"] == []
    assert api.get("user-registration-tokens", count="only")["meta"]["count"] >= 0
    rooms = server.api("GET", "/_synapse/admin/v1/rooms", api.token)
    assert rooms.status_code == 200


def test_its_buttons_work(api, user):
    """With the bodies that it sends, or none."""
    at = f"users/{api.get(f'users/by-username/{user.localpart}')['data']['id']}"
    weak = {"password": "password", "skip_password_check": True}
    api.do("POST", f"{at}/set-password", weak, status=204)
    assert api.do("POST", f"{at}/set-admin", {"admin": True})["attributes"]["admin"]
    assert api.do("POST", f"{at}/lock")["attributes"]["locked_at"]
    assert api.do("POST", f"{at}/unlock")["attributes"]["locked_at"] is None
    made = api.do(
        "POST",
        "user-registration-tokens",
        {"usage_limit": 2, "expires_at": "2099-01-01T00:00:00.000Z"},
        status=201,
    )
    assert api.do("POST", f"user-registration-tokens/{made['id']}/revoke")["attributes"][
        "revoked_at"
    ]
    assert api.do("POST", f"{at}/deactivate")["attributes"]["deactivated_at"]


def test_ketesa_stays_a_full_admin_of_synapse(metadata):
    """It looks for matrix-authentication-service by the end of the token endpoint's address."""
    assert not metadata["token_endpoint"].endswith("/oauth2/token")
