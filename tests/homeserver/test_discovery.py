"""Clients find the server: the same document everywhere, from the configuration alone, and true."""

import inspect

import pytest
import requests
from synapse.config._base import ConfigError
from synapse.config.homeserver import HomeServerConfig
from synapse.http.server import respond_with_json

from support.answers import assert_not_kept, assert_refused
from support.oauth import API, DEVICE, Browser, Server, claims, device_id
from support.public import ISSUER
from synapse_nextgen_auth.cli.synapse_process import SynapseStoppedError
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.startup import selfcheck

pytestmark = pytest.mark.every_release

STABLE = "/_matrix/client/v1/auth_metadata"
UNSTABLE = "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata"
OPENID = "/_synapse/client/auth/.well-known/openid-configuration"
PATHS = (
    STABLE,
    UNSTABLE,
    OPENID,
    "/_synapse/client/auth/.well-known/oauth-authorization-server",
    # RFC 8414 section 3.1 puts the issuer's path behind the well-known name.
    "/.well-known/oauth-authorization-server/_synapse/client/auth",
    "/.well-known/oauth-authorization-server/_synapse/client/auth/",
    "/.well-known/openid-configuration/_synapse/client/auth",
    "/.well-known/openid-configuration/_synapse/client/auth/",
)
LIARS = {
    "Host": "evil.test",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "host=evil.test;proto=gopher",
}

JSON_ENDPOINTS = {
    ".well-known/openid-configuration": "GET, HEAD, OPTIONS",
    "keys": "GET, HEAD, OPTIONS",
    "clients/register": "POST, OPTIONS",
    "token": "POST, OPTIONS",
    "revoke": "POST, OPTIONS",
    "introspect": "POST, OPTIONS",
    "userinfo": "GET, POST, HEAD, OPTIONS",
}


def test_c001_the_document_says_what_a_client_needs(public_server):
    """One issuer on https, endpoints below it, S256 and codes; nothing that gives tokens away."""
    document = public_server.metadata()
    endpoints = {name: url for name, url in document.items() if name.endswith("_endpoint")}

    assert document["issuer"] == ISSUER
    assert {"authorization_endpoint", "token_endpoint", "registration_endpoint"} <= set(endpoints)
    assert {"revocation_endpoint", "introspection_endpoint", "userinfo_endpoint"} <= set(endpoints)
    assert "end_session_endpoint" in endpoints
    assert all(url.startswith(ISSUER) for url in [*endpoints.values(), document["jwks_uri"]])
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["response_types_supported"] == ["code"]
    assert set(document["response_modes_supported"]) == {"query", "fragment", "form_post"}
    assert {"authorization_code", "refresh_token"} <= set(document["grant_types_supported"])
    assert not {"password", "implicit"} & set(document["grant_types_supported"])
    assert document["prompt_values_supported"] == ["none", "login", "consent", "select_account"]
    assert document["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert document["account_management_uri"].startswith(ISSUER)


def test_whatever_is_advertised_is_there(homeserver, server):
    """Every URL of the document is served: the wrong method is told so, nothing is a 404."""
    document = server.metadata()
    names = ("_endpoint", "jwks_uri", "account_management_uri")
    urls = [url for name, url in document.items() if name.endswith(names)]

    assert len(urls) >= 8
    for url in urls:
        answer = requests.delete(url, timeout=60)
        assert (answer.status_code, bool(answer.headers["Allow"])) == (405, True), url
    assert {
        key["kty"] for key in requests.get(document["jwks_uri"], timeout=60).json()["keys"]
    } == {
        "RSA",
        "EC",
    }


@pytest.mark.parametrize("path", PATHS)
def test_c006_every_path_serves_the_same_bytes(sqlite_homeserver, path):
    """Stable and unstable spelling, OpenID's and RFC 8414's places (C006)."""
    stable = requests.get(sqlite_homeserver.base_url + STABLE, timeout=60)
    answer = requests.get(sqlite_homeserver.base_url + path, timeout=60)

    assert answer.status_code == 200
    assert answer.content == stable.content
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", PATHS)
def test_c002_no_header_of_a_request_gets_into_the_document(public_homeserver, path):
    """Nothing is derived from what a request says about the server."""
    plain = requests.get(public_homeserver.base_url + path, timeout=60)
    lied_to = requests.get(public_homeserver.base_url + path, headers=LIARS, timeout=60)

    assert plain.content == lied_to.content
    assert plain.json()["issuer"] == ISSUER


@pytest.mark.parametrize("path", PATHS)
def test_c009_the_document_is_cacheable_and_sets_no_cookie(sqlite_homeserver, path):
    answer = requests.get(sqlite_homeserver.base_url + path, timeout=60)
    directives = [part.strip() for part in answer.headers["Cache-Control"].split(",")]

    is_kept = "hasHeader" in inspect.getsource(respond_with_json)
    if is_kept or not path.startswith("/_matrix/"):
        assert "public" in directives
        assert any(part in {f"max-age={age}" for age in range(60, 3601)} for part in directives)
    else:  # an old release, which overwrites what a servlet says
        assert "no-store" in directives
    assert "Set-Cookie" not in answer.headers


def test_c009_answers_with_secrets_are_kept_by_nobody(sqlite_homeserver):
    """Token, registration and revocation say `no-store` when they work and when they do not."""
    server = Server(sqlite_homeserver.base_url)
    user = sqlite_homeserver.new_user()
    registered = server.register()
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password)
    refreshed = client.refresh(tokens["refresh_token"])
    revoked = server.revoke(token=tokens["access_token"], client_id=client.id)
    refused = [
        server.token(),
        server.revoke(),
        server.register({"x": 1}),
        server.post("userinfo", {}),
    ]

    for answer in (registered, refreshed, revoked, *refused):
        assert_not_kept(answer)
    assert [answer.ok for answer in (registered, refreshed, revoked)] == [True] * 3
    assert [answer.ok for answer in refused] == [False] * 4


def test_other_issuers_are_not_found(sqlite_homeserver):
    """RFC 8414's place answers for our issuer alone."""
    for path in ("", "/", "/evil", "/_synapse/client", "/_synapse/client/auth/x"):
        answer = requests.get(
            f"{sqlite_homeserver.base_url}/.well-known/oauth-authorization-server{path}", timeout=60
        )

        assert answer.status_code == 404, path


def test_the_well_known_of_the_server_names_the_issuer(homeserver, server):
    """`/.well-known/matrix/client` and the old `auth_issuer` lead to the same issuer."""
    known = requests.get(f"{homeserver.base_url}/.well-known/matrix/client", timeout=60).json()
    unstable = f"{homeserver.base_url}/_matrix/client/unstable/org.matrix.msc2965/auth_issuer"
    issuer = requests.get(unstable, timeout=60).json()

    assert known["org.matrix.msc2965.authentication"] == {
        "issuer": server.issuer,
        "account": server.metadata()["account_management_uri"],
    }
    assert known["m.homeserver"] == {"base_url": f"{homeserver.base_url}/"}
    assert issuer == {"issuer": server.issuer}


def test_c005_the_issuer_is_the_same_bytes_everywhere(homeserver, server):
    """Documents, the response parameter `iss` and ID tokens agree, trailing slash included."""
    user = homeserver.new_user()
    client = server.client()
    parameters, verifier = client.request(scope=f"openid {API} {DEVICE}{device_id()}")
    from_documents = {
        requests.get(homeserver.base_url + path, timeout=60).json()["issuer"] for path in PATHS
    }

    answer = Browser(server).let_in(parameters, user.localpart, user.password)
    tokens = client.redeem(answer["code"], verifier).json()

    assert from_documents == {server.issuer}
    assert server.issuer.endswith("/")
    assert answer["iss"] == server.issuer
    assert claims(tokens["id_token"])["iss"] == server.issuer


def test_c003_a_disabled_module_is_not_there(start_homeserver):
    """Clients that look for it fall back to legacy login, which works."""
    homeserver = start_homeserver("sqlite", module={"enabled": False})
    user = homeserver.new_user()
    answers = [requests.get(homeserver.base_url + path, timeout=60) for path in PATHS]
    known = requests.get(f"{homeserver.base_url}/.well-known/matrix/client", timeout=60).json()

    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].json()["errcode"] == "M_UNRECOGNIZED"
    assert answers[1].json()["errcode"] == "M_UNRECOGNIZED"
    assert "org.matrix.msc2965.authentication" not in known
    assert homeserver.login(user)["user_id"] == user.user_id
    assert homeserver.query("SELECT name FROM sqlite_master WHERE name LIKE 'nextgen%'") == []


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://matrix.example.com/", "must begin with https://"),
        ("http://192.0.2.1/", "must begin with https://"),
        ("http://localhost.example.com/", "must begin with https://"),
        ("ftp://matrix.example.com/", "only https and http"),
        ("https://me:pw@matrix.example.com/", "must have no user, query or fragment"),
        ("https://matrix.example.com/?a=b", "cannot contain query parameters or a #-fragment"),
        ("https://matrix.example.com/#a", "cannot contain query parameters or a #-fragment"),
        ("https://matrix.example.com:99999/", "its host or port is malformed"),
        ("https:///", "it must have a host after two slashes"),
        ("https://matrix .example.com/", "has characters that RFC 3986 does not allow"),
    ],
)
def test_c010_a_public_baseurl_that_is_no_issuer_is_refused(url, complaint):
    """The issuer is https without user, query and fragment; Synapse refuses some of it itself."""
    try:
        problems = selfcheck.config_problems(_synapse_config(url), Config())
    except ConfigError as error:
        problems = [str(error)]

    assert len(problems) == 1
    assert complaint in problems[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://matrix.example.com/",
        "https://example.com:8448/m/",
        "http://localhost:8008/",
        "https://bücher.example/",
    ],
)
def test_c010_other_addresses_are_fine(url):
    assert selfcheck.config_problems(_synapse_config(url), Config()) == []


def test_c010_synapse_does_not_start_with_such_an_address(start_homeserver):
    """The operator reads why, and what to write instead."""
    plain = {"public_baseurl": "http://matrix.example.com/"}

    with pytest.raises(SynapseStoppedError, match="must begin with https://, because people type"):
        start_homeserver("sqlite", config=plain)


@pytest.mark.parametrize("path", JSON_ENDPOINTS)
def test_preflight_lets_every_origin_in(sqlite_homeserver, path):
    """Web clients on any origin may talk to the endpoints, with JSON and with Basic."""
    server = Server(sqlite_homeserver.base_url)
    answer = requests.options(
        server.url(path),
        headers={
            "Origin": "https://app.example.org",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, authorization",
        },
        timeout=60,
    )

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert {"Content-Type", "Authorization"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(("path", "allowed"), JSON_ENDPOINTS.items())
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "MOVE"])
def test_other_methods_are_told_which_ones_there_are(sqlite_homeserver, path, allowed, method):
    server = Server(sqlite_homeserver.base_url)
    answer = requests.request(method, server.url(path), timeout=60)

    assert_refused(answer, "invalid_request", status=405)
    assert answer.headers["Allow"] == allowed
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["keys", ".well-known/openid-configuration"])
def test_head_is_get_without_the_body(sqlite_homeserver, path):
    server = Server(sqlite_homeserver.base_url)
    got = requests.get(server.url(path), timeout=60)
    looked = requests.head(server.url(path), timeout=60)

    assert looked.status_code == 200
    assert looked.content == b""
    for name in ("Content-Length", "Content-Type", "Cache-Control"):
        assert looked.headers[name] == got.headers[name]


@pytest.mark.parametrize("path", ["", "authorize", "sign-in", "consent", "sign-out", "approve"])
def test_pages_are_for_no_other_origin(sqlite_homeserver, path):
    """Synapse answers every preflight, but no script of another origin may read a page of ours."""
    server = Server(sqlite_homeserver.base_url)
    origin = {"Origin": "https://app.example.org"}
    answers = [requests.get(server.url(path), headers=origin, timeout=60)]
    answers += [requests.post(server.url(path), headers=origin, data={"a": "b"}, timeout=60)]

    for answer in answers:
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def _synapse_config(public_baseurl: str) -> HomeServerConfig:
    config = HomeServerConfig()
    settings = {
        "server_name": "example.com",
        "public_baseurl": public_baseurl,
        "macaroon_secret_key": "k" * 40,
        "report_stats": False,
        "signing_key": "ed25519 a_abcd 8b1xCNGW2mF0XJMUrdrGVMF+w0Zi0B3h5jqjYsVVpu0",
        "database": {"name": "sqlite3", "args": {"database": "homeserver.db"}},
    }
    config.parse_config_dict(settings, config_dir_path=".", data_dir_path=".")
    return config
