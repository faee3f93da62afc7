"""A code becomes tokens once, for the client that asked, while it is fresh."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest

from support.answers import assert_not_kept, assert_refused
from support.oauth import API, DEVICE, Browser, device_id, web_client
from support.rows import count, new_rows, unchanged
from support.transactions import transactions
from synapse_nextgen_auth.secret import digest


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def give(server, user):
    """Return a function that signs the user in to a client; it gives a code and its verifier."""
    browser = Browser.of(server, user)

    def code(client, **changes):
        parameters, verifier = client.request(**changes)
        browser.authorize(parameters)
        return browser.answer(browser.submit(decision="approve"))["code"], verifier

    return code


def age(homeserver, code, seconds):
    """Let a code be older, and its redemption with it."""
    homeserver.query(
        "UPDATE nextgen_grants SET code_expires_at = code_expires_at - ?,"
        " redeemed_at = redeemed_at - ? WHERE code_digest = ?",
        *(seconds, seconds, digest(code)),
    )


def events(homeserver, user):
    """Return the kinds of everything that was written down about an account."""
    rows = homeserver.query("SELECT kind FROM nextgen_events WHERE user_id = ?", user.user_id)
    return [kind for (kind,) in rows]


def test_c069_a_code_becomes_a_session(homeserver, server, client, give, user):
    """Two tokens, how long they last, the scope in force; the device is the one asked for."""
    device = device_id()
    scope = f"unknown {API} {DEVICE}{device}"
    before = count(homeserver)
    answer = client.redeem(*give(client, scope=scope))
    tokens = answer.json()

    assert_not_kept(answer)
    assert answer.headers["Content-Type"] == "application/json"
    assert tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "scope"}
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 300
    assert tokens["scope"] == f"{API} {DEVICE}{device}"
    assert server.whoami(tokens["access_token"]).json() == {
        "user_id": user.user_id,
        "device_id": device,
        "is_guest": False,
    }
    written = new_rows(homeserver, before)
    assert (written["devices"], written["nextgen_sessions"]) == (1, 1)
    assert not {"access_tokens", "refresh_tokens"} & written.keys(), "no row per token"


def test_c069_without_the_matrix_api_there_is_no_device(homeserver, server, client, give, user):
    """A session for OpenID alone opens nothing in Matrix and shows no device."""
    tokens = client.redeem(*give(client, scope="openid")).json()
    refused = server.whoami(tokens["access_token"])

    assert (refused.status_code, refused.json()["errcode"]) == (403, "M_FORBIDDEN")
    assert homeserver.query("SELECT * FROM devices WHERE user_id = ?", user.user_id) == []


@pytest.mark.parametrize("unstable", [False, True])
def test_c069_either_spelling_of_the_scope_is_answered_as_asked(server, client, give, unstable):
    prefix = "urn:matrix:org.matrix.msc2967.client" if unstable else "urn:matrix:client"
    device = device_id()
    scope = f"{prefix}:api:* {prefix}:device:{device}"
    tokens = client.redeem(*give(client, scope=scope)).json()

    assert tokens["scope"] == scope
    assert server.whoami(tokens["access_token"]).json()["device_id"] == device


def test_c070_a_lost_answer_costs_a_new_sign_in_and_no_more(homeserver, server, client, give, user):
    """The same client with the right verifier, within seconds: refused, and the first tokens live."""
    code, verifier = give(client)
    tokens = client.redeem(code, verifier).json()
    again = client.redeem(code, verifier)
    age(homeserver, code, 19)
    still_soon = client.redeem(code, verifier)

    assert_refused(again, "invalid_grant")
    assert_refused(still_soon, "invalid_grant")
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert client.refresh(tokens["refresh_token"]).status_code == 200
    assert "code_reused" not in events(homeserver, user)


def test_c070_who_copied_a_code_ends_its_session(homeserver, server, client, give, user):
    """Another client, a wrong verifier, another redirect URI, or too late: both tokens are dead."""
    other = server.client(web_client(client_name="Thief"))

    def second_use(code, verifier, how):
        if how == "later":
            age(homeserver, code, 21)
            return client.redeem(code, verifier)
        if how == "after a refresh":
            return client.redeem(code, verifier)
        changes = {
            "other client": {"client_id": other.id},
            "wrong verifier": {"code_verifier": "w" * 43},
            "other redirect URI": {"redirect_uri": "https://client.example.com/other"},
        }
        return client.redeem(code, verifier, **changes[how])

    ways = ["other client", "wrong verifier", "other redirect URI", "later", "after a refresh"]
    for n, how in enumerate(ways):
        device = device_id()
        code, verifier = give(client, scope=f"{API} {DEVICE}{device}")
        tokens = client.redeem(code, verifier).json()
        assert server.whoami(tokens["access_token"]).status_code == 200
        if how == "after a refresh":
            tokens = client.refresh(tokens["refresh_token"]).json()

        assert_refused(second_use(code, verifier, how), "invalid_grant")

        refused = server.whoami(tokens["access_token"])
        assert (refused.status_code, refused.json()["errcode"]) == (401, "M_UNKNOWN_TOKEN"), how
        assert refused.json()["soft_logout"] is True, "the client may keep its keys"
        assert_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")
        kept = homeserver.query(
            "SELECT 1 FROM devices WHERE user_id = ? AND device_id = ?", user.user_id, device
        )
        assert kept == [(1,)], "the device stays"
        assert events(homeserver, user).count("code_reused") == n + 1


def test_c071_one_of_many_at_once_gets_the_tokens(homeserver, server, client, give):
    """Fifty exchanges of one code at the same moment: one pair, and nobody is taken for a thief."""
    code, verifier = give(client)
    before = count(homeserver)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: client.redeem(code, verifier), range(50)))
    accepted = [answer for answer in answers if answer.status_code == 200]

    assert len(accepted) == 1
    for answer in answers:
        if answer is not accepted[0]:
            assert_refused(answer, "invalid_grant")
    assert server.whoami(accepted[0].json()["access_token"]).status_code == 200
    assert client.refresh(accepted[0].json()["refresh_token"]).status_code == 200
    assert new_rows(homeserver, before)["nextgen_sessions"] == 1


def test_c073_a_code_is_of_no_use_to_another_client(homeserver, server, client, give):
    """The other learns nothing and burns nothing: its owner still redeems it."""
    other = server.client(web_client(client_name="Another"))
    secret = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    code, verifier = give(client)
    with unchanged(homeserver):
        refused = other.redeem(code, verifier)
        unknown = other.redeem("x" * 43, verifier)
        confidential = secret.redeem(
            code, verifier, client_secret=secret.registered["client_secret"]
        )

    assert_refused(refused, "invalid_grant")
    assert_refused(confidential, "invalid_grant")
    assert refused.text == unknown.text, "whose it is remains a secret"
    assert client.redeem(code, verifier).status_code == 200


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "https://client.example.com/",
        "https://client.example.com/callback/",
        "https://client.example.com/callbac%6b",
        "https%3A%2F%2Fclient.example.com%2Fcallback",
        "https://client.example.com/callback2",
    ],
)
def test_c074_the_redirect_uri_is_compared_again(homeserver, server, give, uri):
    """Missing or another one, even if it is registered too."""
    client = server.client(
        web_client(
            redirect_uris=[
                "https://client.example.com/callback",
                "https://client.example.com/callback2",
            ]
        )
    )
    code, verifier = give(client)
    with unchanged(homeserver):
        assert_refused(client.redeem(code, verifier, redirect_uri=uri), "invalid_grant")

    assert client.redeem(code, verifier).status_code == 200


def test_c074_a_loopback_port_is_compared_too(homeserver, server, give):
    """Any port may be asked for; the one that was must come again."""
    client = server.client(
        web_client(application_type="native", redirect_uris=["http://127.0.0.1/cb"])
    )
    code, verifier = give(client, redirect_uri="http://127.0.0.1:49152/cb")

    for other in ("http://127.0.0.1/cb", "http://127.0.0.1:49153/cb"):
        assert_refused(client.redeem(code, verifier, redirect_uri=other), "invalid_grant")
    answer = client.redeem(code, verifier, redirect_uri="http://127.0.0.1:49152/cb")
    assert answer.status_code == 200


def test_c075_a_code_is_good_for_two_minutes(homeserver, client, give):
    """Five seconds before the end it works, at the end it does not."""
    fresh, proof_of_fresh = give(client)
    stale, proof_of_stale = give(client)
    age(homeserver, fresh, 115)
    age(homeserver, stale, 120)

    with unchanged(homeserver):
        assert_refused(client.redeem(stale, proof_of_stale), "invalid_grant")
    assert client.redeem(fresh, proof_of_fresh).status_code == 200


def test_c077_a_deleted_client_gets_nothing(homeserver, server, give):
    client = server.client(web_client(client_name="Deleted while its person signs in"))
    code, verifier = give(client)
    homeserver.query("DELETE FROM nextgen_clients WHERE client_id = ?", client.id)
    with unchanged(homeserver):
        answer = client.redeem(code, verifier)

    assert_refused(answer, "invalid_client", status=401)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        ("x", "invalid_grant"),
        ("x" * 10_000, "invalid_grant"),
        ("a\0b", "invalid_request"),
        (b"\xff\xfe", "invalid_request"),
        ("\U0001f600", "invalid_grant"),
        ("' OR '1'='1", "invalid_grant"),
        ("nga_" + "A" * 60, "invalid_grant"),
        ("W0dVJeSiNAvAzRNTOrnnVEr2lhLx8MEtU5yiHKKQbrc", "invalid_grant"),
    ],
    ids=[
        "missing",
        "empty",
        "short",
        "10 kB",
        "NUL",
        "not UTF-8",
        "emoji",
        "SQL",
        "token",
        "other",
    ],
)
def test_c078_a_code_that_is_none(homeserver, client, code, error):
    with unchanged(homeserver):
        answer = client.redeem(code, "v" * 43)

    assert_refused(answer, error)


@pytest.mark.parametrize(
    ("grant_type", "errors"),
    [
        (None, ["invalid_request"]),
        ("", ["invalid_request"]),
        ("password", ["unsupported_grant_type"]),
        ("client_credentials", ["unsupported_grant_type"]),
        ("implicit", ["unsupported_grant_type"]),
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", ["unsupported_grant_type"]),
        ("urn:ietf:params:oauth:grant-type:token-exchange", ["unsupported_grant_type"]),
        ("urn:openid:params:grant-type:ciba", ["unsupported_grant_type"]),
        ("AUTHORIZATION_CODE", ["unsupported_grant_type"]),
        ("authorization_code ", ["unsupported_grant_type"]),
        ("\U0001f600" * 100, ["unsupported_grant_type"]),
    ],
)
def test_c079_other_grant_types_are_refused(homeserver, client, user, grant_type, errors):
    """A password in particular opens nothing here."""
    form = {"username": user.localpart, "password": user.password, "scope": API}
    with unchanged(homeserver):
        answer = client.redeem("x", "v" * 43, grant_type=grant_type, **form)

    assert_refused(answer, *errors)


def test_c079_a_grant_type_that_the_client_did_not_register(server, client, give):
    """Only refreshing is everybody's: every session gets a refresh token (Client-Server API)."""
    device_grant = "urn:ietf:params:oauth:grant-type:device_code"
    without_codes = server.client(
        web_client(grant_types=[device_grant, "refresh_token"], response_types=[])
    )
    with_codes_alone = server.client(web_client(grant_types=["authorization_code"]))
    tokens = with_codes_alone.redeem(*give(with_codes_alone)).json()

    assert_refused(without_codes.redeem(*give(client)), "unauthorized_client")
    assert_refused(
        with_codes_alone.redeem("x", None, grant_type=device_grant), "unauthorized_client"
    )
    assert with_codes_alone.refresh(tokens["refresh_token"]).status_code == 200


def test_c081_who_hangs_up_may_ask_again(homeserver, server, client, give, user):
    """The exchange happens or does not; a second try then fits to what happened."""
    code, verifier = give(client)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "client_id": client.id,
        "code_verifier": verifier,
    }
    port = urlsplit(server.base_url).port
    since = len(homeserver.log_text())
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/_synapse/client/auth/token", urlencode(form), headers)
    connection.close()
    redeemed = "SELECT redeemed_at IS NOT NULL FROM nextgen_grants WHERE code_digest = ?"
    transactions(homeserver, "/_synapse/client/auth/token", since=since, count=1)  # it is over
    was_redeemed = bool(homeserver.query(redeemed, digest(code))[0][0])
    again = client.redeem(code, verifier)

    if was_redeemed:
        assert_refused(again, "invalid_grant")
        sessions = homeserver.query(
            "SELECT ended_at FROM nextgen_sessions WHERE user_id = ?", user.user_id
        )
        assert sessions == [(None,)], "nobody is taken for a thief"
    else:
        assert again.status_code == 200
    assert client.redeem(*give(client)).status_code == 200


def test_c082_the_device_is_there_with_the_answer(server, client, give, user):
    """Keys can be uploaded at once, and the device carries the client's name."""
    device = device_id()
    tokens = client.redeem(*give(client, scope=f"{API} {DEVICE}{device}")).json()
    keys = {
        "algorithms": ["m.olm.v1.curve25519-aes-sha2"],
        "device_id": device,
        "keys": {f"curve25519:{device}": "c" * 43, f"ed25519:{device}": "e" * 43},
        "signatures": {user.user_id: {f"ed25519:{device}": "s" * 86}},
        "user_id": user.user_id,
    }
    token = tokens["access_token"]
    uploaded = server.api(
        "POST", "/_matrix/client/v3/keys/upload", token, json={"device_keys": keys}
    )
    shown = server.api("GET", f"/_matrix/client/v3/devices/{device}", token)

    assert uploaded.status_code == 200, uploaded.text
    assert shown.json()["display_name"] == "Test client"


def test_the_name_of_a_device_is_kept_when_it_signs_in_again(server, client, give):
    """Whoever takes over a device keeps its name and ends the former session."""
    scope = f"{API} {DEVICE}{device_id()}"
    device = scope.rpartition(":")[2]
    path = f"/_matrix/client/v3/devices/{device}"
    first = client.redeem(*give(client, scope=scope)).json()
    server.api("PUT", path, first["access_token"], json={"display_name": "My laptop"})
    second = client.redeem(*give(client, scope=scope)).json()

    assert server.whoami(first["access_token"]).status_code == 401
    assert server.api("GET", path, second["access_token"]).json()["display_name"] == "My laptop"
