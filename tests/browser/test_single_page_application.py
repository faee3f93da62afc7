"""oidc-client-ts in the browser itself: an application whose origin is not ours, with no server."""

import pytest

from support.oauth import API, DEVICE, device_id

SETTINGS = """told => {
    window.manager = new oidc.UserManager({
        authority: told.issuer,
        client_id: told.client_id,
        redirect_uri: told.redirect_uri,
        silent_redirect_uri: told.redirect_uri,
        scope: told.scope,
        response_mode: told.mode,
        automaticSilentRenew: false,
        loadUserInfo: true,
        userStore: new oidc.WebStorageStateStore({ store: localStorage }),
    });
}"""
REGISTER = """async told => {
    const metadata = await (await fetch(`${told.base}/_matrix/client/v1/auth_metadata`)).json();
    const answer = await fetch(metadata.registration_endpoint, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
            client_name: "Single page",
            client_uri: new URL("/", location).href,
            redirect_uris: [told.redirect_uri],
            token_endpoint_auth_method: "none",
            response_types: ["code"],
            grant_types: ["authorization_code", "refresh_token"],
        }),
    });
    return answer.json();
}"""
WHOAMI = """async told => {
    const headers = { Authorization: `Bearer ${told.token}` };
    return (await fetch(`${told.base}/_matrix/client/v3/account/whoami`, { headers })).json();
}"""


@pytest.fixture
def application(tab, server, client_site, node_modules):
    """Return a function that opens the application in the tab and tells it how to sign in."""
    library = node_modules / "oidc-client-ts/dist/browser/oidc-client-ts.min.js"
    client_site.pages["/oidc.js"] = (
        200,
        {"Content-Type": "text/javascript"},
        library.read_bytes(),
    )
    html = '<!doctype html><title>App</title><link rel="icon" href="data:,"><script src="/oidc.js">'
    client_site.page("/", html + "</script>")
    redirect_uri = client_site.page("/callback", html + "</script>")
    tab.page.goto(client_site.url())
    told = {"base": server.base_url.rstrip("/"), "redirect_uri": redirect_uri}
    registered = tab.page.evaluate(REGISTER, told)
    told |= {"issuer": server.issuer, "client_id": registered["client_id"]}

    def open_(**more):
        told.update(more)
        tab.page.evaluate(SETTINGS, told)
        return told

    return open_


@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_it_signs_in_refreshes_and_signs_out(tab, application, user, mode):
    """Every request crosses origins: registration, tokens, keys, userinfo, the API, revocation."""
    device = device_id()
    told = application(scope=f"openid profile {API} {DEVICE}{device}", mode=mode)
    with tab.page.expect_navigation():
        tab.page.evaluate("void manager.signinRedirect({ nonce: 'n-1' })")
    tab.page.wait_for_url("**/sign-in*")
    tab.sign_in(user)
    tab.leave("Continue", told["redirect_uri"])
    tab.page.evaluate(SETTINGS, told)

    signed_in = tab.page.evaluate("manager.signinRedirectCallback()")
    who = tab.page.evaluate(WHOAMI, {**told, "token": signed_in["access_token"]})
    fresh = tab.page.evaluate("manager.signinSilent()")
    tab.page.evaluate("manager.revokeTokens(['access_token', 'refresh_token'])")
    after = tab.page.evaluate(WHOAMI, {**told, "token": fresh["access_token"]})

    assert signed_in["profile"]["sub"] == user.user_id
    assert signed_in["profile"]["preferred_username"] == user.user_id
    assert who == {"user_id": user.user_id, "device_id": device, "is_guest": False}
    assert fresh["refresh_token"] != signed_in["refresh_token"]
    assert after["errcode"] == "M_UNKNOWN_TOKEN"
    assert [c for c in tab.complaints if "status of 401" not in c] == []


def test_a_silent_sign_in_in_a_frame_shows_nothing_and_hears_nothing(tab, application):
    """In a hidden frame there is no cookie of ours, so nobody is signed in: our page may not be framed.

    A client that registered itself is not told by a redirect then (RFC 9700 section 4.11.2).
    """
    application(scope="openid", mode="query")
    failure = tab.page.evaluate(
        """async () => {
            const began = performance.now();
            const frame = document.createElement("iframe");
            frame.src = (await manager._client.createSigninRequest({ prompt: "none" })).url;
            document.body.append(frame);
            await new Promise((resolve) => frame.addEventListener("load", resolve));
            const ms = performance.now() - began;
            try {
                return { href: frame.contentWindow.location.href, ms };
            } catch (error) {
                return { error: error.name, ms };
            }
        }"""
    )

    assert failure["error"] == "SecurityError"
    assert [text for text in tab.complaints if "frame-ancestors 'none'" not in text] == []
    assert tab.complaints
    tab.complaints.clear()
    assert failure["ms"] < 5000
