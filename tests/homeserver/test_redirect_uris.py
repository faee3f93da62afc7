"""Redirect URIs over HTTP: what may be registered, and what a request may then use.

The rules themselves are tested character by character in tests/oauth/clients/test_redirects.py; here
they hold at the endpoints, on a homeserver that is known as https://matrix.example.com/.
"""

import pytest
import requests

from support.answers import (
    BAD_REDIRECT_URI,
    assert_offered,
    assert_page,
    assert_refused,
    offered,
    sent_back,
)
from support.oauth import Browser, Server, web_client
from support.rows import unchanged

pytestmark = pytest.mark.newest_only

REGISTERED = "https://app.example.com/cb"


def registers(server, *redirect_uris, **changes):
    """Try to register a client of example.com with these redirect URIs."""
    metadata = {"client_uri": "https://example.com/", "redirect_uris": list(redirect_uris)}
    return server.register(web_client(**(metadata | changes)))


def asks(server, client, redirect_uri):
    """Send an authorization request that differs in its redirect URI alone."""
    parameters, _verifier = client.request(redirect_uri=redirect_uri, prompt="none")
    return requests.get(
        server.url("authorize"), params=parameters, allow_redirects=False, timeout=60
    )


# 3a. At registration


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.com/cb",
        "com.example:/cb",
        "http://localhost/cb",
        "http://127.0.0.1:8080/cb",
        "https://example.com/cb#fragment",
        "https://example.com/cb#",
        "https://user@example.com/cb",
        "https://user:pw@example.com/cb",
        "https://example.org/cb",
        "https://notexample.com/cb",
        "https://example.com.evil.net/cb",
        "javascript:alert(1)//example.com",
        "data:text/html,x",
        "//example.com/cb",
        "/cb",
        "",
    ],
)
def test_c043_web_clients_stay_on_their_own_https_host(public_homeserver, public_server, uri):
    with unchanged(public_homeserver):
        answer = registers(public_server, REGISTERED, uri)

    assert_refused(answer, "invalid_redirect_uri")
    if uri:
        assert uri[:20] in answer.json()["error_description"], "the developer learns which one"


@pytest.mark.parametrize(
    ("uri", "fine"),
    [
        ("com.example.app:/cb", True),
        ("com.example:/", True),
        ("com.example:cb", True),
        ("com.example.app://cb", False),
        ("example:/cb", False),
        ("com.exampleevil:/cb", False),
        ("com.example@x:/", False),
        ("com:/cb", False),
        ("org.example:/cb", False),
    ],
)
def test_c045_native_schemes_are_the_host_in_reverse(public_server, uri, fine):
    answer = registers(public_server, uri, application_type="native")

    if fine:
        assert answer.status_code == 201, answer.text
        assert answer.json()["redirect_uris"] == [uri]
    else:
        assert_refused(answer, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "host",
    [
        "com",
        ".com",
        "co.uk",
        "github.io",
        "localhost",
        "intranet",
        "192.0.2.1",
        "[2001:db8::1]",
        "0x7f000001",
        "example.com.",
        "exa mple.com",
        "ex\u0430mple.com",
        "",
    ],
)
@pytest.mark.parametrize("field", ["client_uri", "client_uri#fr"])
def test_c046_nobody_speaks_for_a_whole_suffix(public_homeserver, public_server, field, host):
    """`https://com/` would own every scheme that begins with `com.`, in any language."""
    scheme = ".".join(reversed(host.strip(".").split("."))) or "com"
    changes = {"application_type": "native", field: f"https://{host}/"}
    with unchanged(public_homeserver):
        answer = registers(public_server, f"{scheme}.evil:/cb", **changes)

    assert_refused(answer, "invalid_client_metadata", "invalid_redirect_uri")


@pytest.mark.parametrize("registered", ["", ":33418"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_c047_native_loopback_registers_with_a_port_or_none_and_comes_with_any(
    public_server, host, registered
):
    """The answer repeats the port that was sent, and the id is the same for every port."""
    uri = f"http://{host}{registered}/cb"
    answer = registers(public_server, uri, application_type="native")
    again = registers(public_server, f"http://{host}:5001/cb", application_type="native")
    client = public_server.client(
        web_client(
            client_uri="https://example.com/", redirect_uris=[uri], application_type="native"
        )
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["redirect_uris"] == [uri]
    assert again.json()["redirect_uris"] == [f"http://{host}:5001/cb"]
    assert again.json()["client_id"] == answer.json()["client_id"]
    for port in ("", ":1", ":49152", ":65535"):
        told = offered(
            asks(public_server, client, f"http://{host}{port}/cb"), f"http://{host}{port}/cb?"
        )
        assert told["error"] == "login_required"
    for port in (":", ":0", ":65536", ":1/x", ":080"):
        assert_page(asks(public_server, client, f"http://{host}{port}/cb"), BAD_REDIRECT_URI)
    other = "localhost" if host != "localhost" else "127.0.0.1"
    assert_page(asks(public_server, client, f"http://{other}:80/cb"), BAD_REDIRECT_URI)


@pytest.mark.parametrize(
    "uri",
    [
        "https://localhost/cb",
        "http://127.1/",
        "http://127.0.0.2/",
        "http://0x7f000001/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://localhost.evil.com/",
        "http://localhost:80@evil.com/",
        "http://localhost\\@evil.com/",
    ],
)
def test_c047_other_spellings_of_loopback_are_refused(public_homeserver, public_server, uri):
    with unchanged(public_homeserver):
        answer = registers(public_server, uri, application_type="native")

    assert_refused(answer, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "character", ["\t", "\r", "\n", "\0", " ", "\x01", "\x1f", "\x7f", "\\", "\u2028", "\u00e4"]
)
def test_c049_what_browsers_repair_is_refused(public_homeserver, public_server, character):
    """At the end, in the middle and in front: none of it is dropped silently."""
    uris = (
        f"{REGISTERED}{character}",
        f"https://app.{character}example.com/",
        character + REGISTERED,
    )
    with unchanged(public_homeserver):
        answers = [registers(public_server, uri) for uri in uris]

    for answer in answers:
        assert_refused(answer, "invalid_redirect_uri", "invalid_client_metadata")


@pytest.mark.parametrize(
    "uri",
    [
        "https://matrix.example.com/cb",
        "https://MATRIX.example.com/cb",
        "https://matrix.example.com:8448/",
        "https://matrix.example.com/_matrix/media/v3/download/matrix.example.com/abc",
        "https://matrix.example.com/_synapse/client/auth/",
    ],
)
@pytest.mark.parametrize("client_uri", ["https://example.com/", "https://matrix.example.com/"])
def test_c050_no_code_goes_to_the_homeserver_itself(
    public_homeserver, public_server, client_uri, uri
):
    """It serves what other people uploaded."""
    with unchanged(public_homeserver):
        answer = registers(public_server, uri, client_uri=client_uri)

    assert_refused(answer, "invalid_redirect_uri")


def test_c050_on_loopback_the_neighbours_are_other_applications(sqlite_homeserver):
    """A homeserver on localhost refuses its own port and takes a client under development."""
    server = Server(sqlite_homeserver.base_url)
    local = {"client_uri": "http://localhost:5173/"}
    own = server.register(web_client(redirect_uris=[f"{server.base_url}/cb"], **local))
    neighbour = server.register(web_client(redirect_uris=["http://localhost:5173/cb"], **local))

    assert_refused(own, "invalid_redirect_uri")
    assert neighbour.status_code == 201, neighbour.text


@pytest.mark.parametrize(
    "query", ["code=1", "a=b&state=x", "iss=x", "error", "response=1", "%63ode=1", "a;code=1"]
)
def test_c051_a_query_must_not_forge_an_answer(public_homeserver, public_server, query):
    with unchanged(public_homeserver):
        answer = registers(public_server, f"{REGISTERED}?{query}")

    assert_refused(answer, "invalid_redirect_uri")


def test_c053_port_and_query_are_part_of_the_uri(public_server):
    """Accepted as registered, and matched exactly: the order of its query too."""
    uri = "https://example.com:5173/?query=value&b=2"
    answer = registers(public_server, uri)
    client = public_server.client(
        web_client(client_uri="https://example.com/", redirect_uris=[uri])
    )

    assert answer.json()["redirect_uris"] == [uri]
    assert offered(asks(public_server, client, uri), f"{uri}&error=")["query"] == "value"
    for other in (
        "https://example.com:5173/?b=2&query=value",
        "https://example.com:5173/?query=value",
        "https://example.com/?query=value&b=2",
        f"{uri}&",
    ):
        assert_page(asks(public_server, client, other), BAD_REDIRECT_URI)


def test_too_many_redirect_uris_are_refused(public_homeserver, public_server):
    uris = [f"{REGISTERED}/{n}" for n in range(51)]
    with unchanged(public_homeserver):
        assert_refused(registers(public_server, *uris), "invalid_redirect_uri")
        assert_refused(registers(public_server), "invalid_redirect_uri")


# 3b. At authorization

SIMILAR = [
    "HTTPS://app.example.com/cb",
    "https://APP.example.com/cb",
    "https://app.example.com/CB",
    "https://app.example.com:443/cb",
    "https://app.example.com/cb/",
    "https://app.example.com./cb",
    "https://app.example.com/cb?",
    "https://app.example.com/cb?x=1",
    "https://app.example.com/cb#",
    "https://app.example.com/cb#x",
    "https://app.example.com/cb2",
    "https://app.example.com/c",
    "https://app.example.com/",
    "https://app.example.com/x/cb",
    "https://app.example.com@evil.net/cb",
    "https://evil.net/https://app.example.com/cb",
    "https://app.example.com.evil.net/cb",
    "https://evilapp.example.com/cb",
    "https://app.example.com//cb",
    "https://app.example.com\\cb",
    "https:\\\\app.example.com\\cb",
    "https://app.example.com/%63b",
    "https:app.example.com/cb",
    "//app.example.com/cb",
    "/cb",
    "http://app.example.com/cb",
    " https://app.example.com/cb",
    "https://app.example.com/cb ",
    "https://app.example.com/cb\n",
    "https://app.example.com/\tcb",
    "https://app.ex\u0430mple.com/cb",
    "https://app.example.com/cb,https://app.example.com/cb",
    "*",
    "javascript:alert(1)",
]

CONFUSED = [
    "https://app.example.com/cb/../x",
    "https://app.example.com/cb/./",
    "https://app.example.com/x/../cb",
    "https://app.example.com/./cb",
    "https://app.example.com/cb/..",
    "https://app.example.com/cb%2F..%2Fx",
    "https://app.example.com/cb%2f..%2fx",
    "https://app.example.com/cb/..%2Fx",
    "https://app.example.com/cb%2F../x",
    "https://app.example.com/cb/..%252Fx",
    "https://app.example.com/cb%252F..%252Fx",
    "https://app.example.com/cb/%2e%2e/x",
    "https://app.example.com/cb/%2E%2E/x",
    "https://app.example.com/cb/%252e%252e/x",
    "https://app.example.com/cb/.%2e/x",
    "https://app.example.com/cb/;/../../x",
    "https://app.example.com/cb;/../x",
    "https://app.example.com/cb/%0A%0D/../../x",
    "https://app.example.com/cb%0A%0D/../../x",
    "https://app.example.com/cb/%00/../x",
    "https://app.example.com/cb/..\\x",
    "https://app.example.com/cb%5c..%5cx",
    "https://app.example.com/cb/%c0%ae%c0%ae/x",
]


@pytest.fixture
def client(server):
    """Return a client with one https redirect URI."""
    return server.client(web_client(client_uri="https://example.com/", redirect_uris=[REGISTERED]))


@pytest.mark.parametrize("uri", SIMILAR)
def test_c054_a_similar_uri_is_another_uri(homeserver, server, client, uri):
    with unchanged(homeserver):
        answer = asks(server, client, uri)

    assert_page(answer, BAD_REDIRECT_URI)


@pytest.mark.parametrize("uri", CONFUSED)
def test_c055_a_path_that_means_the_same_is_another_uri(homeserver, server, client, uri):
    with unchanged(homeserver):
        answer = asks(server, client, uri)

    assert_page(answer, BAD_REDIRECT_URI)


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1/cb", "http://localhost:8080/cb", "http://[::1]/cb", "com.example:/cb"]
)
def test_c057_a_web_client_has_no_loopback(homeserver, server, client, uri):
    with unchanged(homeserver):
        answer = asks(server, client, uri)

    assert_page(answer, BAD_REDIRECT_URI)


@pytest.mark.parametrize(
    "pattern",
    ["https://app.example.com/*", "https://app.example.com/(.*)", "https://app.example.com/"],
)
def test_c058_there_are_no_patterns(server, pattern):
    """What looks like one is a URI like any other, and only matches itself."""
    client = server.client(web_client(client_uri="https://example.com/", redirect_uris=[pattern]))

    assert offered(asks(server, client, pattern), pattern)["error"] == "login_required"
    assert_page(asks(server, client, "https://app.example.com/evil"), BAD_REDIRECT_URI)
    assert_page(asks(server, client, f"{pattern}x"), BAD_REDIRECT_URI)


@pytest.mark.parametrize("uri", ["https://*.example.com/", "https://app*.example.com/cb"])
def test_c058_a_host_has_no_wildcard(server, uri):
    answer = server.register(web_client(client_uri="https://example.com/", redirect_uris=[uri]))

    assert_refused(answer, "invalid_redirect_uri")


def test_c059_escapes_are_kept_as_they_are(homeserver, server):
    """A query with escapes matches itself, and the answer is appended to the same bytes."""
    user = homeserver.new_user()
    uri = "https://app.example.com/cb?foo=bar%20foo+baz&x=%2f"
    client = server.client(web_client(client_uri="https://example.com/", redirect_uris=[uri]))
    parameters, verifier = client.request()
    browser = Browser(server)
    browser.authorize(parameters)
    browser.sign_in(user.localpart, user.password)
    page = browser.submit(decision="approve")
    code = sent_back(page, f"{uri}&code=")["code"]

    assert client.redeem(code, verifier).status_code == 200
    for other in (uri.replace("%20", "+"), uri.replace("%2f", "%2F"), uri.replace("%2f", "/")):
        assert_page(asks(server, client, other), BAD_REDIRECT_URI)


def test_one_of_several_uris_must_be_named(homeserver, server):
    """Each registered one works, none is a default, and one alone is none either."""
    uris = [f"https://app.example.com/{n}" for n in "abc"]
    client = server.client(web_client(client_uri="https://example.com/", redirect_uris=uris))
    single, _verifier = server.client().request(redirect_uri=None)

    for uri in uris:
        parameters, _verifier = client.request(redirect_uri=uri, prompt="foo")
        answer = requests.get(
            server.url("authorize"), params=parameters, allow_redirects=False, timeout=60
        )
        assert_offered(answer, parameters, "invalid_request")
    with unchanged(homeserver):
        answer = requests.get(server.url("authorize"), params=single, timeout=60)
    assert_page(answer, BAD_REDIRECT_URI)
