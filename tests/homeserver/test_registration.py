"""Clients register themselves (RFC 7591, MSC2966): what is taken, what is refused, what it costs."""

import json
import re
import socketserver
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from support.addresses import coming_from, over_ipv4
from support.answers import assert_not_kept, assert_page, assert_refused
from support.oauth import Browser, Server, web_client
from support.public import PUBLIC_URL
from support.rows import count, new_rows, unchanged
from support.waiting import eventually

pytestmark = pytest.mark.newest_only

JSON = {"Content-Type": "application/json"}


def post(server, body, content_type="application/json"):
    """Register with this body as it is."""
    raw = body if isinstance(body, bytes) else body.encode()
    headers = {"Content-Type": content_type} if content_type is not None else {}
    return requests.post(server.url("clients/register"), data=raw, headers=headers, timeout=30)


def fresh(**changes):
    """Return metadata that nobody has registered yet."""
    return web_client(client_name=f"Client {uuid.uuid4()}", **changes)


def test_a_registration_answers_with_what_is_in_force(homeserver, server):
    """201, every value the server will use, the id, and nothing for a cache."""
    metadata = fresh(
        **{
            "client_name#de": "Klient",
            "client_name#zh-Hant-TW": "客戶端",
            "logo_uri": "https://client.example.com/logo.png",
            "tos_uri": "https://client.example.com/tos",
            "tos_uri#de": "https://de.client.example.com/agb",
            "policy_uri": "https://www.client.example.com/policy",
            "contacts": ["dev@client.example.com"],
            "id_token_signed_response_alg": "ES256",
            "software_id": "x",
            "unknown_field": {"deep": [1, 2]},
        }
    )
    before = count(homeserver)
    answer = server.register(metadata)
    told = answer.json()

    assert answer.status_code == 201
    assert_not_kept(answer)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    for name in metadata.keys() - {"contacts", "software_id", "unknown_field"}:
        assert told[name] == metadata[name], name
    assert told["client_id"]
    assert told["client_id_issued_at"] > 1_700_000_000
    assert not {"client_secret", "registration_access_token", "unknown_field"} & told.keys()
    assert new_rows(homeserver, before) == {"nextgen_clients": 1}


def test_missing_contacts_and_redirect_defaults_are_tolerated(server):
    """The least that deployed clients send."""
    told = server.register(
        {
            "client_uri": "https://client.example.com/",
            "redirect_uris": ["https://client.example.com/callback"],
            "token_endpoint_auth_method": "none",
        }
    ).json()

    assert told["grant_types"] == ["authorization_code", "refresh_token"]
    assert told["response_types"] == ["code"]
    assert told["application_type"] == "web"
    assert "client_name" not in told


# Bodies that are none


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("{", "invalid_request"),
        ('{"redirect_uris": ["https://client.example.com/"]', "invalid_request"),
        ("redirect_uris=x", "invalid_request"),
        ("null", "invalid_client_metadata"),
        ("[]", "invalid_client_metadata"),
        ('["redirect_uris"]', "invalid_client_metadata"),
        ('"text"', "invalid_client_metadata"),
        ("5", "invalid_client_metadata"),
        ("true", "invalid_client_metadata"),
        ("NaN", "invalid_request"),
        ('{"a": Infinity}', "invalid_request"),
        ('{"a": 1e400}', "invalid_redirect_uri"),
        ("{} {}", "invalid_request"),
        (b"\xff\xfe{\x00}\x00", "invalid_request"),
        (b"\xef\xbb\xbf{}", "invalid_request"),
        ('{"client_name": "x"}'.encode("utf-16"), "invalid_request"),
        (b'{"client_name": "\xff"}', "invalid_request"),
        (b'{"client_name": "a\nb"}', "invalid_request"),
        ("[" * 60_000, "invalid_request"),
        ('{"a":' * 10_000, "invalid_request"),
        ("1" * 5000, "invalid_request"),
    ],
    ids=range(22),
)
def test_c157_a_body_that_is_no_metadata(homeserver, server, body, error):
    with unchanged(homeserver):
        assert_refused(post(server, body), error, "invalid_client_metadata")


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain", "text/json", None, "", "application/jso"],
)
def test_c157_other_content_types_are_refused(homeserver, server, content_type):
    with unchanged(homeserver):
        answer = post(server, json.dumps(fresh()), content_type)

    assert_refused(answer, "invalid_request")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_c157_a_content_type_may_have_parameters(server, content_type):
    assert post(server, json.dumps(web_client()), content_type).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": "https://client.example.com/callback"},
        {"redirect_uris": {"0": "https://client.example.com/callback"}},
        {"redirect_uris": [["https://client.example.com/callback"]]},
        {"redirect_uris": [5]},
        {"redirect_uris": [None]},
        {"grant_types": {}},
        {"grant_types": "authorization_code"},
        {"response_types": "code"},
        {"client_name": 5},
        {"client_name": ["x"]},
        {"client_name": True},
        {"client_name#fr": 5},
        {"client_uri": 5},
        {"client_uri": ["https://client.example.com/"]},
        {"contacts": "dev@example.com"},
        {"contacts": [5]},
        {"logo_uri": {}},
        {"application_type": ["web"]},
        {"token_endpoint_auth_method": 0},
        {"token_endpoint_auth_method": ["none"]},
        {"jwks": []},
        {"jwks": "x"},
        {"id_token_signed_response_alg": 256},
        {"client_name": [[[["x"]]]]},
    ],
)
def test_c158_values_of_the_wrong_type(homeserver, server, changes):
    with unchanged(homeserver):
        answer = server.register(web_client() | changes)

    assert_refused(answer, "invalid_client_metadata", "invalid_redirect_uri")
    (name,) = changes
    assert name.partition("#")[0] in answer.json()["error_description"]


@pytest.mark.parametrize("depth", [20, 1000, 10_000])
def test_c158_a_document_nested_too_deep(homeserver, server, depth):
    """Deeper than Python's own recursion goes, too."""
    document = json.dumps(web_client() | {"unknown": "HERE"})
    with unchanged(homeserver):
        answer = post(server, document.replace('"HERE"', "[" * depth + "]" * depth))

    assert_refused(answer, "invalid_client_metadata", "invalid_request")


def test_c158_null_is_not_an_array(homeserver, server):
    for name in ("redirect_uris", "grant_types", "response_types", "contacts"):
        with unchanged(homeserver):
            assert_refused(
                post(server, json.dumps(web_client() | {name: None})), "invalid_client_metadata"
            )


# What is supported


def test_c159_unknown_grants_are_ignored_and_unknown_methods_refused(homeserver, server):
    told = server.register(
        fresh(
            grant_types=["authorization_code", "refresh_token", "implicit", "urn:x", "password"],
            response_types=["code", "token", "id_token", "code token"],
        )
    ).json()

    assert told["grant_types"] == ["authorization_code", "refresh_token"]
    assert told["response_types"] == ["code"]
    for change in (
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": "NONE"},
        {"application_type": "browser"},
        {"id_token_signed_response_alg": "none"},
        {"id_token_signed_response_alg": "HS256"},
        {"grant_types": ["implicit"]},
        {"grant_types": []},
        {"grant_types": ["refresh_token"]},
        {"response_types": ["token"]},
        {"response_types": []},
        {"grant_types": ["implicit"], "response_types": ["code"]},
    ):
        with unchanged(homeserver):
            assert_refused(server.register(fresh(**change)), "invalid_client_metadata")


URLS = (
    "https://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://10.0.0.1/",
    "https://2130706433/",
    "https://localhost/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
)


@pytest.mark.parametrize("field", ["logo_uri", "tos_uri", "policy_uri", "client_uri", "tos_uri#de"])
def test_c161_links_into_a_network_are_refused(public_homeserver, public_server, field):
    for url in URLS:
        with unchanged(public_homeserver):
            answer = public_server.register(fresh(**{field: url}))

        assert_refused(answer, "invalid_client_metadata")


@contextmanager
def listener():
    """Listen on loopback, IPv4 and IPv6; yield the port and a list of who connected."""
    seen = []

    class Note(socketserver.BaseRequestHandler):
        def handle(self):
            seen.append(self.client_address)

    class Listen6(socketserver.ThreadingTCPServer):
        address_family = socketserver.socket.AF_INET6

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Note) as four:
        port = four.server_address[1]
        with Listen6(("::1", port), Note) as six:
            for one in (four, six):
                threading.Thread(target=one.serve_forever, daemon=True).start()
            try:
                yield port, seen
            finally:
                four.shutdown()
                six.shutdown()


def test_c161_the_server_fetches_nothing_that_a_client_names(homeserver, server):
    """From registration over the consent page to a refresh: nobody connects, nor does the page."""
    user = homeserver.new_user()
    with listener() as (port, seen):
        base = f"http://localhost:{port}/"
        metadata = fresh(
            client_uri=base,
            redirect_uris=[f"{base}cb"],
            **{
                "logo_uri": f"{base}logo.svg",
                "logo_uri#de": f"{base}logo-de.svg",
                "tos_uri": f"{base}tos",
                "policy_uri": f"{base}policy",
                "jwks_uri": f"{base}jwks",
                "sector_identifier_uri": f"{base}sector",
                "request_uris": [f"{base}request"],
                "initiate_login_uri": f"{base}login",
                "backchannel_logout_uri": f"{base}logout",
                "frontchannel_logout_uri": f"{base}logout",
                "post_logout_redirect_uris": [f"{base}after"],
                "software_statement": f"{base}statement",
            },
        )
        client = server.client(metadata)
        parameters, verifier = client.request()
        browser = Browser(server)
        browser.authorize(parameters | {"request_uri": f"{base}request"})
        browser.authorize(parameters)
        consent = browser.sign_in(user.localpart, user.password)
        code = browser.answer(browser.submit(decision="approve"))["code"]
        tokens = client.redeem(code, verifier).json()
        renewed = client.refresh(tokens["refresh_token"])
        revoked = server.revoke(token=tokens["access_token"], client_id=client.id)

        assert (consent.status_code, renewed.status_code, revoked.status_code) == (200, 200, 200)
        assert seen == []
    assert "logo" not in consent.text
    sources = re.findall(r'(?:src|srcset|poster|data)="([^"]*)"', consent.text)
    assert [source for source in sources if not source.startswith("/_synapse/client/auth/")] == []
    assert consent.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_c161_keys_by_reference_are_refused(homeserver, server):
    """A client that signs must say its keys; an address of theirs is never fetched."""
    with listener() as (port, seen):
        for more in ({}, {"jwks": {"keys": []}}):
            metadata = fresh(
                token_endpoint_auth_method="private_key_jwt",
                jwks_uri=f"http://localhost:{port}/jwks",
                **more,
            )
            with unchanged(homeserver):
                assert_refused(server.register(metadata), "invalid_client_metadata")

        assert seen == []


def test_c165_localized_fields_follow_the_same_rules(homeserver, server):
    """A link in any language is on the client's host, a name has no line breaks, both are capped."""
    for field, value in (
        ("client_uri#fr", "https://evil.example.net/"),
        ("tos_uri#fr", "https://evil.example.net/"),
        ("logo_uri#de-AT", "javascript:alert(1)"),
        ("client_name#fr", "a\nb"),
        ("client_name#fr", "a\u202eb"),
        ("client_name#fr", "x" * 3000),
        ("policy_uri#zh-Hant", 5),
    ):
        with unchanged(homeserver):
            assert_refused(server.register(fresh(**{field: value})), "invalid_client_metadata")
    many = {f"client_name#x-{n}": "n" for n in range(1000)}
    with unchanged(homeserver):
        assert_refused(server.register(fresh(**many)), "invalid_client_metadata")
    told = server.register(fresh(**{"client_name#": "n", "client_name#no tag": "n", "x#fr": 5}))
    assert told.status_code == 201
    assert not [name for name in told.json() if "#" in name]


# The same client


def test_c166_the_same_metadata_is_the_same_client(homeserver, server):
    """A hundred times, in any order of keys and arrays, with whatever else: one id and one row."""
    metadata = fresh(
        redirect_uris=[f"https://client.example.com/{n}" for n in "abc"],
        **{"client_name#fr": "Le client", "client_name#de": "Der Klient"},
    )
    backwards = {
        name: value[::-1] if isinstance(value, list) else value
        for name, value in reversed(metadata.items())
    }
    before = count(homeserver)
    with requests.Session() as session:
        bodies = [metadata, backwards, metadata | {"unknown": 1}, metadata | {"contacts": ["x"]}]
        answers = [
            session.post(server.url("clients/register"), json=bodies[n % 4], timeout=60)
            for n in range(100)
        ]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["client_id"] for answer in answers}) == 1
    assert {len(answer.json()["redirect_uris"]) for answer in answers} == {3}
    assert new_rows(homeserver, before) == {"nextgen_clients": 1}


def test_c166_whatever_matters_makes_another_client(homeserver, server):
    """Every stored field counts, so that two sets of redirect URIs never become one."""
    name = {"client_name": f"Client {uuid.uuid4()}"}
    variants = [
        {},
        {"redirect_uris": ["https://client.example.com/callback2"]},
        {"redirect_uris": ["https://client.example.com/callback", "https://client.example.com/2"]},
        {"client_uri": "https://example.com/"},
        {"grant_types": ["authorization_code"]},
        {"application_type": "native"},
        {"id_token_signed_response_alg": "ES256"},
        {"logo_uri": "https://client.example.com/logo"},
        {"tos_uri": "https://client.example.com/logo"},
        {"client_name#fr": "x"},
        {"client_name#de": "x"},
    ]
    before = count(homeserver)
    ids = [
        server.register(web_client(**name | changes)).json()["client_id"] for changes in variants
    ]

    assert len(set(ids)) == len(variants)
    assert new_rows(homeserver, before) == {"nextgen_clients": len(variants)}


def test_c166_a_secret_is_never_shared(homeserver, server):
    metadata = fresh(token_endpoint_auth_method="client_secret_basic")
    told = [server.register(metadata).json() for _ in range(3)]

    assert len({one["client_id"] for one in told}) == 3
    assert len({one["client_secret"] for one in told}) == 3


def test_c167_two_at_once_are_one_client(homeserver, server):
    """Both get 201 and the same id."""
    metadata = fresh()
    before = count(homeserver)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: server.register(metadata), range(10)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["client_id"] for answer in answers}) == 1
    assert new_rows(homeserver, before) == {"nextgen_clients": 1}


@pytest.mark.slow
def test_c169_only_forgotten_clients_are_swept(start_homeserver):
    """Not one with a session or a request on its way; who comes back gets the same id."""
    homeserver = start_homeserver("sqlite")
    server = Server(homeserver.base_url)
    user = homeserver.new_user()
    used, asked, idle, forgotten = (server.client(fresh()) for _ in range(4))
    tokens = used.sign_in(user.localpart, user.password)
    parameters, _verifier = asked.request()
    Browser(server).authorize(parameters)
    homeserver.query(
        "UPDATE nextgen_clients SET last_used_at = last_used_at - ? WHERE client_id <> ?",
        *(30 * 86400 + 60, idle.id),
    )
    homeserver.query(
        "UPDATE nextgen_clients SET last_used_at = last_used_at - ? WHERE client_id = ?",
        *(29 * 86400, idle.id),
    )
    homeserver.restart()  # which begins with a round of housekeeping
    remaining = "SELECT client_id FROM nextgen_clients WHERE client_id = ?"
    assert eventually(lambda: not homeserver.query(remaining, forgotten.id))
    kept = {client_id for (client_id,) in homeserver.query("SELECT client_id FROM nextgen_clients")}
    again = server.client({k: v for k, v in forgotten.registered.items() if k in fresh()})

    assert kept == {used.id, asked.id, idle.id}
    assert used.refresh(tokens["refresh_token"]).status_code == 200
    assert again.id == forgotten.id


# What a client cannot do


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
def test_c170_nobody_reads_changes_or_deletes_a_client(homeserver, server, method):
    """There is no RFC 7592, with or without a token."""
    client = server.client()
    with unchanged(homeserver):
        for path in (f"clients/register/{client.id}", f"clients/{client.id}", "clients"):
            answer = requests.request(
                method,
                server.url(path),
                json=web_client(),
                headers={"Authorization": "Bearer x"},
                timeout=60,
            )
            assert answer.status_code == 404, path
        if method != "POST":
            listed = requests.request(method, server.url("clients/register"), timeout=60)
            assert listed.status_code == 405


def test_c171_a_client_does_not_choose_what_is_ours(homeserver, server):
    """Its id, secret, age and trust come from us; so does what `none` means."""
    ours = {
        "client_id": "admin",
        "client_secret": "x" * 43,
        "client_id_issued_at": 1,
        "client_secret_expires_at": 1,
        "registration_access_token": "x",
        "registration_client_uri": "https://evil.example.net/",
        "secret_hash": "x",
        "static": True,
        "created_at": 1,
        "last_used_at": 1,
        "digest": "x",
        "id": 1,
        "skip_consent": True,
        "first_party": True,
        "trusted": True,
        "pkce_exempt": True,
        "scope": "urn:synapse:admin:*",
        "software_statement": "eyJhbGciOiJub25lIn0.eyJjbGllbnRfbmFtZSI6IkVsZW1lbnQifQ.",
    }
    metadata = fresh()
    plain = server.register(metadata).json()
    told = server.register(metadata | ours).json()
    user = homeserver.new_user()
    browser = Browser.of(server, user)
    parameters, _verifier = server.client(metadata | ours).request()

    assert told == plain, "not even another client"
    assert told["client_id"] != "admin"
    assert told["client_id_issued_at"] > 1_700_000_000
    assert_page(browser.authorize(parameters), 'value="approve"', status=200)


def test_c173_an_unsigned_statement_changes_nothing(server):
    """`software_statement` is ignored, whatever it claims."""
    metadata = fresh()
    claims = "eyJyZWRpcmVjdF91cmlzIjpbImh0dHBzOi8vZXZpbC5leGFtcGxlLm5ldC8iXX0"
    told = server.register(
        metadata | {"software_statement": f"eyJhbGciOiJub25lIn0.{claims}."}
    ).json()

    assert told["redirect_uris"] == metadata["redirect_uris"]
    assert "software_statement" not in told


def test_c174_what_a_client_sends_is_not_logged(homeserver, server):
    """Not even at DEBUG; an accepted registration is one line with id and host."""
    marks = [f"mark-{uuid.uuid4()}" for _ in range(4)]
    accepted = fresh(contacts=[f"{marks[0]}@example.com"], private_note=marks[1])
    client_id = server.register(accepted).json()["client_id"]
    server.register(fresh(contacts=marks[2]))
    post(server, f'{{"client_secret": "{marks[3]}"')
    log = homeserver.log_text()

    assert not [mark for mark in marks if mark in log]
    assert f"Registering client {client_id} of client.example.com" in log


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_c165_a_large_document_is_refused(homeserver, server, ensure_ascii):
    """More than 16 kB of UTF-8; what is smaller is kept as UTF-8, and is the same client again."""
    names = {f"client_name#{tag}": "\u5bb6" * 40 for tag in _tags(99)}
    document = fresh() | names
    small = json.dumps(document, ensure_ascii=ensure_ascii)
    large = json.dumps(document | {"x": "\u00fc" * 1500}, ensure_ascii=ensure_ascii)

    made = [post(server, small) for _ in range(2)]
    with unchanged(homeserver):
        refused = post(server, large)
    ((kept,),) = homeserver.query(
        "SELECT metadata FROM nextgen_clients WHERE client_id = ?", made[0].json()["client_id"]
    )

    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json() == made[1].json()
    assert_refused(refused, "invalid_client_metadata")
    assert "\u5bb6" * 40 in kept
    assert len(kept.encode()) < 22 * 1024


def _tags(count):
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [f"{a}{b}" for a in letters for b in letters][:count]


def test_c242_new_registrations_are_limited_by_address(public_homeserver, public_server):
    """429 with `Retry-After` for a new one; greeting a known one and other addresses go on."""
    url = over_ipv4(public_server.url("clients/register"))
    flood, neighbour = coming_from("127.0.0.66"), coming_from("127.0.0.67")
    known = fresh()
    first = flood.post(url, json=known, timeout=60)
    answers = [flood.post(url, json=fresh(), timeout=60) for _ in range(49)]
    with unchanged(public_homeserver):
        refused = [flood.post(url, json=fresh(), timeout=60) for _ in range(3)]
        forged = flood.post(
            url, json=fresh(), headers={"X-Forwarded-For": "203.0.113.9"}, timeout=60
        )
        again = flood.post(url, json=known, timeout=60)

    assert {answer.status_code for answer in [first, *answers, again]} == {201}
    assert again.json() == first.json()
    for answer in [*refused, forged]:
        assert_refused(answer, "temporarily_unavailable", "slow_down", status=429)
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert neighbour.post(url, json=fresh(), timeout=60).status_code == 201
    flood.close()
    neighbour.close()


@pytest.mark.slow
def test_registration_can_be_switched_off(start_homeserver):
    """Then it is not advertised, and only configured clients sign people in."""
    homeserver = start_homeserver(
        "sqlite",
        module={"client_registration": {"enabled": False}},
        config={"public_baseurl": PUBLIC_URL},
    )
    server = Server(homeserver.base_url)

    assert "registration_endpoint" not in server.metadata()
    assert_refused(server.register(), "access_denied", status=403)
    assert homeserver.query("SELECT COUNT(*) FROM nextgen_clients") == [(0,)]
