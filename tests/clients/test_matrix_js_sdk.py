"""matrix-js-sdk, the engine of Element Web: the newest release, and those that are deployed."""

import pytest

from support.oauth import Browser, Server
from support.synapse import Homeserver

REDIRECT_URI = "https://client.example.com/callback"
STABLE = "urn:matrix:client"
LIBRARIES = {"42": "matrix_js_sdk.js", "41": "matrix_js_sdk_oidc.js", "39": "matrix_js_sdk_oidc.js"}
UNSTABLE = "urn:matrix:org.matrix.msc2967.client"


def drive(node, server, visit, **told):
    """Run the newest library from discovery to logout."""
    base_url = server.base_url.rstrip("/")
    return node.run("matrix_js_sdk.js", visit, baseUrl=base_url, redirectUri=REDIRECT_URI, **told)


def test_from_discovery_to_logout(node, server, user, visit):
    """Register, sign in, sync, send encrypted, reset the cryptographic identity, refresh, log out."""
    told = drive(node, server, visit)

    assert told["userId"] == user.user_id
    assert told["scope"] == f"{STABLE}:api:* {STABLE}:device:{told['deviceId']}"
    assert told["state"] == "a-state"
    assert told["identityChanged"]
    assert told["stages"] == ["m.oauth", "org.matrix.cross_signing_reset"]
    assert told["afterLogout"]["errcode"] == "M_UNKNOWN_TOKEN"
    assert told["afterLogout"]["status"] == 401
    # A refusal that the library takes for a logout; anything else it repeats for ever.
    assert told["refreshAfterLogout"]["name"] == "OAuth2HTTPError"
    assert told["refreshAfterLogout"]["error"] == "invalid_grant"
    assert told["refreshAfterLogout"]["status"] == 400


def test_both_tokens_are_revoked_at_once(node, server, visit, homeserver):
    """Its logout sends both revocations together, and both are answered with 200."""
    before = homeserver.log_text().count("client/auth/revoke HTTP/1.1")

    drive(node, server, visit)

    lines = [
        line for line in homeserver.log_text().splitlines() if "client/auth/revoke HTTP/1.1" in line
    ][before:]
    assert len(lines) == 2
    assert all('B 200 "POST' in line for line in lines)


def test_an_expired_token_is_refreshed_by_the_library(node, start_homeserver):
    """The 401 of an expired token says so, and the library goes on without its person noticing."""
    homeserver = start_homeserver(module={"tokens": {"access_token_lifetime": "6s"}})
    user, server = homeserver.new_user(), Server(homeserver.base_url)
    browser = Browser(server)

    def visit(url):
        page = browser.get(url)
        if 'name="password"' in page.text:
            browser.sign_in(user.localpart, user.password)
        page = browser.submit(decision="approve")
        return page.headers.get("Location") or page.url

    told = drive(node, server, visit, patience=7000)

    assert told["refreshed"] >= 1
    assert told["refreshAfterLogout"]["error"] == "invalid_grant"


@pytest.fixture(scope="module")
def open_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver where people sign up."""
    directory = tmp_path_factory.mktemp("homeserver-open")
    config = {"enable_registration": True, "enable_registration_without_verification": True}
    with Homeserver(directory, make_database("sqlite", directory), config=config) as homeserver:
        yield homeserver


@pytest.mark.parametrize("release", LIBRARIES)
def test_create_account_leads_to_a_new_account_that_is_signed_in(node, open_homeserver, release):
    """`prompt=create`, as Element Web asks for it where discovery says that it may; and all the rest."""
    server, name = Server(open_homeserver.base_url), f"created{release}"
    browser, seen = Browser(server), []

    def visit(url):
        page = browser.get(url)
        seen.append((url, page.url))
        if 'name="username"' in page.text:
            page = browser.submit(
                username=name, password="7 brave otters juggle", decision="create"
            )
        if 'value="approve"' in page.text:
            page = browser.submit(decision="approve")
        return page.headers.get("Location") or page.url

    told = node.run(
        LIBRARIES[release],
        visit,
        library=f"matrix-js-sdk-{release}",
        baseUrl=server.base_url.rstrip("/"),
        redirectUri=REDIRECT_URI,
        prompt="create",
    )

    asked, came_to = seen[0]
    assert "create" in told["metadata"]["prompt_values_supported"]
    assert "prompt=create" in asked
    assert "/register?grant=" in came_to
    assert told["userId"] == f"@{name}:{open_homeserver.server_name}"


@pytest.mark.parametrize("action", ["login", "register"])
def test_a_client_of_the_old_kind_gets_in_over_the_browser(node, server, user, visit, action):
    """Single sign-on as Element Web does it without OAuth: the token works once, the logout ends it."""
    told = node.run(
        "matrix_js_sdk_sso.js",
        visit,
        baseUrl=server.base_url.rstrip("/"),
        redirectUri="https://client.example.com/?no_universal_links=true",
        action=action,
    )

    (sso,) = [flow for flow in told["flows"] if flow["type"] == "m.login.sso"]
    assert sso["oauth_aware_preferred"] is True
    assert {"m.login.password", "m.login.token"} <= {flow["type"] for flow in told["flows"]}
    assert told["back"].startswith(
        "https://client.example.com/?no_universal_links=true&loginToken="
    )
    assert told["userId"] == told["who"]["user_id"] == user.user_id
    assert told["who"]["device_id"] == told["deviceId"]
    assert told["twice"] == {"status": 403, "errcode": "M_FORBIDDEN"}
    assert told["afterLogout"] == {"status": 401, "errcode": "M_UNKNOWN_TOKEN"}


@pytest.fixture
def drive_deployed(node, server, user, visit):
    """Return a function that runs a deployed library from discovery to logout."""

    def drive_(library, **told):
        return node.run(
            "matrix_js_sdk_oidc.js",
            visit,
            library=library,
            baseUrl=server.base_url.rstrip("/"),
            redirectUri=REDIRECT_URI,
            loginHint=f"mxid:{user.user_id}",
            **told,
        )

    return drive_


@pytest.mark.parametrize("library", ["matrix-js-sdk-39", "matrix-js-sdk-41"])
def test_deployed_releases(drive_deployed, server, user, library):
    """Element Web of a year: unstable scopes, an ID token, keys, and discovery below the issuer."""
    told = drive_deployed(library)

    device_id = told["scope"].rpartition(":")[2]
    assert told["userId"] == user.user_id
    assert told["scope"] == f"openid {UNSTABLE}:api:* {UNSTABLE}:device:{device_id}"
    assert told["claims"]["sub"] == user.user_id
    assert told["claims"]["iss"] == told["issuer"] == server.issuer
    assert told["claims"]["aud"] == told["clientId"]
    assert "RS256" in told["signingKeys"]
    assert told["sameIssuer"]
    assert "/_synapse/client/auth/.well-known/openid-configuration" in told["asked"]
    stable, unstable = (
        f"/_matrix/client/{v}/auth_metadata" for v in ("v1", "unstable/org.matrix.msc2965")
    )
    assert (unstable if library.endswith("39") else stable) in told["asked"]
    assert told["revocations"] == [200, 200]
    assert told["afterLogout"] == "TokenRefreshLogoutError"


def test_the_issuer_alone_is_enough(drive_deployed, server, user):
    """A library that finds no metadata asks for the issuer, and discovers from there."""
    told = drive_deployed("matrix-js-sdk-39", onlyIssuer=True)

    assert told["asked"][:3] == [
        "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
        "/_matrix/client/unstable/org.matrix.msc2965/auth_issuer",
        "/_synapse/client/auth/.well-known/openid-configuration",
    ]
    assert told["userId"] == user.user_id


def test_a_switched_off_module_costs_nobody_a_key(node, start_homeserver):
    """The library calls it a soft logout, and a failed refresh none at all; on again it goes on."""
    homeserver = start_homeserver()
    user, server = homeserver.new_user(), Server(homeserver.base_url)
    browser = Browser(server)

    def visit(url):
        switch = url.rpartition("/")[2]
        if switch in {"on", "off"}:
            homeserver.module = {"enabled": switch == "on"}
            homeserver.restart()
            return url
        browser.get(url)
        browser.sign_in(user.localpart, user.password)
        return browser.submit(decision="approve").headers["Location"]

    told = node.run(
        "switched_off.js",
        visit,
        baseUrl=server.base_url.rstrip("/"),
        redirectUri=REDIRECT_URI,
    )

    assert told["off"]["used"]["errcode"] == "M_UNKNOWN_TOKEN"
    assert set(told["loggedOut"]) == {True}
    assert told["off"]["refreshed"]["name"] == "OAuth2HTTPError"
    assert told["off"]["refreshed"]["status"] == 503
    assert "m.login.password" in told["off"]["flows"]
    assert told["off"]["metadata"]["status"] == 404
    assert told["again"] == told["deviceId"]
    assert told["published"] == told["key"]


@pytest.mark.one_database
def test_what_needs_an_approval_goes_through_the_browser(node, server, user, visit, homeserver):
    """Devices, password and the account itself, over the fallback page that every client can show."""
    tokens = server.client().sign_in(user.localpart, user.password)
    me = server.whoami(tokens["access_token"]).json()
    others = [homeserver.login(user) for _ in range(2)]
    kept = homeserver.login(user)
    changed = []

    def visit_(url):
        page = visit(url)
        changed.append(server.whoami(kept["access_token"]).status_code)
        return page

    told = node.run(
        "matrix_js_sdk_account.js",
        visit_,
        baseUrl=server.base_url.rstrip("/"),
        accessToken=tokens["access_token"],
        userId=user.user_id,
        deviceId=me["device_id"],
        others=[each["device_id"] for each in others],
        password="battery-staple-9",
    )
    hashes = homeserver.query(
        "SELECT password_hash, deactivated FROM users WHERE name = ?", user.user_id
    )

    assert told["stages"] == ["m.login.sso"] * 3
    assert set(told["devices"]) == {me["device_id"], kept["device_id"]}
    assert told["still"] == user.user_id
    # `logout_devices` was false, so that it is the deactivation that signs the last one out.
    assert changed == [200, 200, 200]
    assert told["after"] == "M_UNKNOWN_TOKEN"
    assert server.whoami(kept["access_token"]).status_code == 401
    assert hashes[0][1] == 1
