"""What an access token of ours opens on Synapse, and how everything else is refused."""

import socket
import time
from urllib.parse import quote, urlsplit

import pytest
import requests
from synapse import appservice
from synapse.types import Requester, create_requester

from support import own_connection
from support.oauth import ISSUER_PATH
from support.tokens import OTHER_KEYS, access_token, inside, made_from
from support.transactions import transactions
from synapse_nextgen_auth.homeserver.auth.mark import OURS, is_ours
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind

pytestmark = pytest.mark.every_release

V3 = "/_matrix/client/v3"
WHOAMI = f"{V3}/account/whoami"


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def tokens(homeserver, client):
    user = homeserver.new_user()
    return client.sign_in(user.localpart, user.password)


def test_c111_an_expired_token_says_that_a_refresh_will_do(server, client, tokens):
    """401 with `soft_logout`, so that the client keeps its keys and refreshes."""
    expired = made_from(tokens["access_token"], expires_at=int(time.time()) - 1)

    answer = server.whoami(expired)

    assert answer.status_code == 401
    assert answer.json()["errcode"] == "M_UNKNOWN_TOKEN"
    assert answer.json()["soft_logout"] is True
    assert client.refresh(tokens["refresh_token"]).status_code == 200


def test_c111_an_expired_token_can_still_log_out(server, client, tokens):
    """As on stock Synapse: who wants to leave need not refresh first."""
    expired = made_from(tokens["access_token"], expires_at=int(time.time()) - 1)

    assert server.api("POST", f"{V3}/logout", expired).status_code == 200
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_c111_the_lifetime_in_the_answer_is_the_one_in_the_token(tokens):
    now = time.time()

    assert tokens["expires_in"] <= 300
    assert abs(inside(tokens["access_token"]).expires_at - now - tokens["expires_in"]) <= 5


def _tampered(token):
    middle = len(token) // 2
    return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]


@pytest.mark.parametrize(
    "odd",
    [
        lambda tokens: made_from(tokens["access_token"], keys=OTHER_KEYS),
        lambda tokens: _tampered(tokens["access_token"]),
        lambda tokens: tokens["access_token"][:-1],
        lambda tokens: tokens["access_token"] + "A",
        lambda tokens: tokens["access_token"].swapcase(),
        lambda tokens: tokens["access_token"].replace("nga_", "ngp_"),
        lambda tokens: tokens["refresh_token"],
        lambda tokens: tokens["refresh_token"].replace("ngr_", "nga_"),
        lambda tokens: made_from(tokens["access_token"], kind=Kind.PERSONAL),
        lambda tokens: "nga_",
        lambda tokens: "nga_" + "A" * 60,
        lambda tokens: "nga_" + "x" * 10_000,
    ],
)
def test_c111_what_was_never_issued_opens_nothing(server, tokens, odd):
    """A wrong signature, a token of another kind, garbage: a plain 401, and the session goes on."""
    answer = server.whoami(odd(tokens))

    assert answer.status_code == 401
    assert answer.json()["errcode"] == "M_UNKNOWN_TOKEN"
    assert answer.json()["soft_logout"] is False
    assert server.whoami(tokens["access_token"]).status_code == 200


def test_c377_a_token_from_after_the_backup_lets_the_client_keep_its_keys(server):
    """We made it, and the database has never heard of the session: it came from a backup."""
    answer = server.whoami(access_token("0" * 32))

    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert answer.json()["soft_logout"] is True


def test_c111_a_revoked_token_says_that_the_device_is_gone(server, tokens):
    server.revoke(token=tokens["access_token"])

    answer = server.whoami(tokens["access_token"])

    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert answer.json()["soft_logout"] is False


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Authorization: Bearer {token}"], 200),
        (["Authorization: bearer {token}"], 401),
        (["Authorization: BEARER {token}"], 401),
        (["Authorization: Bearer  {token}"], 401),
        (["Authorization: Bearer {token} {token}"], 401),
        (["Authorization: Bearer {token},{token}"], 401),
        (["Authorization: Bearer {token}", "Authorization: Bearer {token}"], 401),
        (["Authorization: Bearer {token}", "Authorization: Basic eDp4"], 401),
        (["Authorization: Basic {token}"], 401),
        (["Authorization: Bearer"], 401),
        (["Authorization: {token}"], 401),
        (["Authorization: "], 401),
        (["Authorization: Bearer nga_\xff\xfe"], 401),
        (["Authorization: Bearer \xc3\xa9"], 401),
        (["Authorization: Bearer nga_" + "x" * 15_000], 401),
        # Twisted hangs up or answers 400 before Synapse sees these.
        (["Authorization: Bearer nga_\0"], 400),
        (["Authorization: Bearer " + "x" * 100_000], None),
    ],
)
def test_c115_odd_authorization_headers_are_refused(homeserver, server, tokens, headers, status):
    """Never a 500, never two ways to read one request, and the next request is served."""
    token = tokens["access_token"]
    since = len(homeserver.log_text())

    answered = status_of(server, WHOAMI, [header.format(token=token) for header in headers])

    assert answered == status
    assert server.whoami(token).status_code == 200
    assert "Traceback" not in homeserver.log_text()[since:]


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        ("access_token={token}", False, 401),
        ("access_token={token}", True, 401),
        ("access_token=", True, 401),
        ("access_token=%FF%FE", False, 401),
        ("access_token=nga_%00", False, 401),
        ("access_token=", False, 401),
        ("access_token=nga_&access_token={token}", False, 401),
    ],
)
def test_c115_a_token_in_the_query_never_mixes_with_a_header(server, tokens, query, header, status):
    token = tokens["access_token"]
    headers = [f"Authorization: Bearer {token}"] if header else []

    assert status_of(server, f"{WHOAMI}?{query.format(token=token)}", headers) == status


IN_THE_ADDRESS = [
    ("GET", WHOAMI),
    ("GET", f"{V3}/sync?timeout=0"),
    ("GET", "/_matrix/client/versions"),
    ("GET", "/_matrix/client/v1/media/config"),
    ("GET", "/_matrix/media/v3/config"),
    ("POST", "/_matrix/media/v3/upload"),
    ("POST", f"{V3}/logout"),
    ("GET", "/_synapse/admin/v2/users"),
    ("GET", f"{ISSUER_PATH}userinfo"),
]


@pytest.mark.parametrize(("method", "path"), IN_THE_ADDRESS)
def test_c115_a_token_of_ours_is_not_taken_from_the_address(server, tokens, method, path):
    """RFC 9700 section 4.3.2: 401 that says where it belongs, and no client drops its keys."""
    address = path + ("&" if "?" in path else "?") + f"access_token={tokens['access_token']}"

    answer = requests.request(method, server.base_url.rstrip("/") + address, timeout=30)

    assert answer.status_code == 401
    assert server.whoami(tokens["access_token"]).status_code == 200
    told = "Send the access token in the Authorization header."
    if path.startswith(("/_matrix", "/_synapse/admin")):
        assert answer.json()["errcode"] == "M_MISSING_TOKEN"
        assert answer.json()["error"] == told
    else:
        assert answer.json() == {"error": "invalid_token", "error_description": told}
        assert answer.headers["WWW-Authenticate"] == "Bearer", "no token came (RFC 6750)"


def test_c115_nor_from_a_form(server, tokens):
    """Twisted puts the fields of a form beside those of the query."""
    answer = requests.post(
        f"{server.base_url.rstrip('/')}{V3}/createRoom",
        data={"access_token": tokens["access_token"]},
        timeout=30,
    )

    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_MISSING_TOKEN")


def test_c115_a_stock_token_in_the_address_is_taken_as_ever(homeserver, server):
    """Synapse's own tokens are Synapse's matter."""
    user = homeserver.new_user()
    token = homeserver.login(user)["access_token"]

    answer = requests.get(f"{server.base_url.rstrip('/')}{WHOAMI}?access_token={token}", timeout=30)

    assert answer.json()["user_id"] == user.user_id


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{V3}/sync?timeout=0"),
        ("GET", f"{V3}/joined_rooms"),
        ("GET", f"{V3}/pushrules/"),
        ("GET", f"{V3}/capabilities"),
        ("GET", f"{V3}/account/3pid"),
        ("GET", "/_matrix/client/v1/media/config"),
        ("POST", f"{V3}/user/{{user_id}}/openid/request_token"),
        ("POST", f"{V3}/createRoom"),
        ("POST", f"{V3}/keys/query"),
    ],
)
def test_c117_an_ordinary_request_gets_what_a_stock_token_gets(
    homeserver, server, client, method, path
):
    """The Client-Server API is open to our token just as to a stock one of the same account."""
    user = homeserver.new_user()
    ours = client.sign_in(user.localpart, user.password)["access_token"]
    stock = homeserver.login(user)["access_token"]
    path = path.format(user_id=quote(user.user_id))
    body = {"device_keys": {}} if method == "POST" else None

    with_ours = server.api(method, path, ours, json=body)
    with_stock = server.api(method, path, stock, json=body)

    assert with_ours.status_code == with_stock.status_code == 200
    assert with_ours.json().keys() == with_stock.json().keys()


def test_c117_a_transaction_id_is_told_to_its_device_alone(homeserver, server, client):
    """Sending twice sends once, and `/sync` tells the sender which message was its own."""
    user = homeserver.new_user()
    first, second = (client.sign_in(user.localpart, user.password) for _ in range(2))
    room = server.api("POST", f"{V3}/createRoom", first["access_token"], json={}).json()["room_id"]
    path = f"{V3}/rooms/{quote(room)}/send/m.room.message/once"
    body = {"msgtype": "m.text", "body": "hello"}

    sent = [server.api("PUT", path, first["access_token"], json=body).json() for _ in range(2)]
    renewed = client.refresh(first["refresh_token"]).json()
    again = server.api("PUT", path, renewed["access_token"], json=body).json()
    other = server.api("PUT", path, second["access_token"], json=body).json()

    assert sent[0] == sent[1] == again
    assert other != again
    assert transaction_ids(server, renewed, room) == ["once", None]
    assert transaction_ids(server, second, room) == [None, "once"]


def test_c117_no_token_of_synapse_can_be_made_from_ours(server, tokens):
    """Nothing turns a scoped token into an unlimited one."""
    token, user_id = tokens["access_token"], server.whoami(tokens["access_token"]).json()["user_id"]
    login = f"{V3}/login"

    attempts = [
        server.api("POST", "/_matrix/client/v1/login/get_token", token, json={}),
        server.api("POST", f"{V3}/refresh", token, json={"refresh_token": token}),
        server.api("POST", f"{V3}/refresh", token, json={"refresh_token": tokens["refresh_token"]}),
        server.api("POST", login, token, json={"type": "m.login.token", "token": token}),
        server.api(
            "POST",
            login,
            token,
            json={
                "type": "m.login.application_service",
                "identifier": {"type": "m.id.user", "user": user_id},
            },
        ),
        server.api(
            "POST",
            f"{V3}/register",
            token,
            json={"type": "m.login.application_service", "username": "somebody"},
        ),
    ]

    for answer in attempts:
        assert 400 <= answer.status_code < 500, answer.text
        assert "access_token" not in answer.json()
        assert "login_token" not in answer.json()


def test_c330_stock_tokens_are_nothing_to_our_endpoints(homeserver, server, client):
    """A token of Synapse opens none of our own endpoints."""
    user = homeserver.new_user()
    stock = homeserver.login(user)["access_token"]

    userinfo = server.api("GET", f"{ISSUER_PATH}userinfo", stock)
    refreshed = client.refresh(stock)
    revoked = server.revoke(token=stock, client_id=client.id)

    assert (userinfo.status_code, userinfo.json()["error"]) == (401, "invalid_token")
    assert refreshed.json()["error"] == "invalid_grant"
    assert (revoked.status_code, revoked.json()) == (200, {})
    assert server.whoami(stock).status_code == 200


def test_the_first_use_of_a_refreshed_token_costs_no_query(homeserver, server, client):
    """Nothing about a refresh makes the next request slower than any other."""
    user = homeserver.new_user()
    tokens = client.sign_in(user.localpart, user.password)
    server.whoami(tokens["access_token"])
    since = len(homeserver.log_text())

    for _ in range(3):
        tokens = client.refresh(tokens["refresh_token"]).json()
        server.whoami(tokens["access_token"])

    assert transactions(homeserver, WHOAMI, since=since, count=3) == [[], [], []]


def test_c394_a_refresh_is_one_transaction(homeserver, server, client):
    """Client, session, account and device are remembered (C394).

    On PostgreSQL it is one statement on a connection of our own, which Synapse does not count.
    """
    user = homeserver.new_user()
    tokens = client.sign_in(user.localpart, user.password)
    tokens = client.refresh(tokens["refresh_token"]).json()
    together = own_connection.wait_for(homeserver) if homeserver.database.kind == "postgres" else 0
    since = len(homeserver.log_text())

    for _ in range(3):
        tokens = client.refresh(tokens["refresh_token"]).json()

    refreshes = transactions(homeserver, f"{ISSUER_PATH}token", since=since, count=3)
    assert refreshes == [[] if together else ["nextgen_refresh"]] * 3


def test_requests_in_flight_survive_a_refresh(server, client, tokens):
    """The older access token works until its own end (C092)."""
    client.refresh(tokens["refresh_token"])
    renewed = client.refresh(tokens["refresh_token"]).json()
    server.whoami(renewed["access_token"])

    assert server.whoami(tokens["access_token"]).status_code == 200


def status_of(server, target, headers):
    """Send a request with exactly these headers; `None` if the server hangs up."""
    address = urlsplit(server.base_url)
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        try:
            connection.sendall("\r\n".join(lines).encode("latin-1"))
            answer = connection.recv(1024)
        except (BrokenPipeError, ConnectionResetError):
            return None
    return int(answer.split()[1]) if answer else None


def transaction_ids(server, tokens, room):
    """Return the transaction ids of the messages in a room as `/sync` tells them."""
    answer = server.api("GET", f"{V3}/sync?timeout=0", tokens["access_token"]).json()
    events = answer["rooms"]["join"][room]["timeline"]["events"]
    messages = [event for event in events if event["type"] == "m.room.message"]
    return [message["unsigned"].get("transaction_id") for message in messages]


def _deserialized(serialized):
    try:
        return Requester.deserialize(serialized)
    except TypeError:  # before it was written in Rust
        return Requester.deserialize(None, serialized)


def test_what_marks_a_request_of_ours_is_given_to_nobody_and_travels():
    """The mark survives the way between processes, opens nothing of Synapse, and no client gets it."""
    requester = create_requester("@alice:localhost", scope={OURS}, device_id="ALICEDEVICE")
    arrived = _deserialized(requester.serialize())

    assert is_ours(arrived)
    assert not is_ours(create_requester("@alice:localhost"))
    assert OURS not in {scope.value for scope in getattr(appservice, "Scopes", ())}
    with pytest.raises(OAuthError):
        grammar.parse(OURS)
