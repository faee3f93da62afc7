"""Clients prove who they are in the one way they registered (RFC 6749 section 2.3, RFC 7523)."""

import base64
import hmac
import http.client
import json
import time
from itertools import count
from statistics import median
from urllib.parse import quote_plus, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support import public
from support.answers import assert_page, assert_refused
from support.oauth import API, DEVICE, Browser, Client, claims, device_id, web_client
from support.rows import unchanged
from synapse_nextgen_auth.store.sweep import KINDS

pytestmark = pytest.mark.newest_only

BASIC, POST = "client_secret_basic", "client_secret_post"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = "application/x-www-form-urlencoded"

_ids = count(1)


def basic(client_id, secret):
    """Return the header of RFC 6749 section 2.3.1: both halves are form-urlencoded first."""
    return raw_basic(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode())


def raw_basic(pair):
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def ask(server, form, headers=None, path="token"):
    """Post a form that holds nothing but what is given."""
    return server.post(path, form, headers=headers)


def nothing(server, form, headers=None):
    """Ask for something that only an authenticated client gets refused for: no such code."""
    form = {"grant_type": "authorization_code", "code": "none", **form}
    return ask(server, form, headers)


def assert_let_in(answer):
    """The client was believed: it is its code that is no good."""
    assert_refused(answer, "invalid_grant")


def assert_not_believed(answer):
    assert_refused(answer, "invalid_client", status=401)
    assert answer.json()["error_description"] == "Client authentication failed"


@pytest.fixture
def with_basic(server):
    return server.client(web_client(token_endpoint_auth_method=BASIC))


@pytest.fixture
def with_post(server):
    return server.client(web_client(token_endpoint_auth_method=POST))


def secret_of(client):
    return client.registered["client_secret"]


# Public clients


@pytest.mark.parametrize("client_id", [None, "", "unknown", "x" * 300, "\U0001f600", "a\tb"])
def test_c083_a_public_client_says_who_it_is(homeserver, server, client_id):
    with unchanged(homeserver):
        answer = nothing(server, {"client_id": client_id})

    assert_not_believed(answer)
    assert "WWW-Authenticate" not in answer.headers


def test_c083_a_public_client_has_no_secret(homeserver, server):
    """One that shows one is mistaken about itself, or somebody else."""
    client = server.client()
    with unchanged(homeserver):
        posted = nothing(server, {"client_id": client.id, "client_secret": "s"})
        header = nothing(server, {"client_id": client.id}, basic(client.id, "s"))
        alone = nothing(server, {}, basic(client.id, ""))
        bearer = nothing(server, {"client_id": client.id}, {"Authorization": "Bearer x"})

    for answer in (posted, header, alone, bearer):
        assert_not_believed(answer)
    assert header.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert_let_in(nothing(server, {"client_id": client.id}))
    assert_let_in(nothing(server, {"client_id": client.id, "client_secret": ""}))


# Secrets


def test_c085_each_method_works_where_it_was_registered(server, with_basic, with_post):
    by_header = nothing(server, {}, basic(with_basic.id, secret_of(with_basic)))
    repeated = {"client_id": with_basic.id}
    with_id = nothing(server, repeated, basic(with_basic.id, secret_of(with_basic)))
    by_form = nothing(server, {"client_id": with_post.id, "client_secret": secret_of(with_post)})

    for answer in (by_header, with_id, by_form):
        assert_let_in(answer)


def test_c085_no_client_changes_its_method(homeserver, server, with_basic, with_post):
    """The right secret in the wrong place, none at all, or two ways at once: all the same answer."""
    assertion = jwt.encode({"sub": with_basic.id}, "k" * 32, algorithm="HS256")
    signed = {"client_assertion_type": ASSERTION, "client_assertion": assertion}
    tries = [
        ({"client_id": with_basic.id, "client_secret": secret_of(with_basic)}, {}),
        ({}, basic(with_post.id, secret_of(with_post))),
        ({"client_id": with_basic.id}, {}),
        ({"client_id": with_post.id}, {}),
        ({"client_id": with_post.id, "client_secret": ""}, {}),
        ({**signed, "client_id": with_basic.id}, {}),
        (signed, {}),
        (
            {"client_id": with_basic.id, "client_secret": secret_of(with_basic)},
            basic(with_basic.id, secret_of(with_basic)),
        ),
        ({"client_id": with_post.id}, basic(with_basic.id, secret_of(with_basic))),
        (signed, basic(with_basic.id, secret_of(with_basic))),
        ({}, basic(with_basic.id, secret_of(with_post))),
        ({"client_id": with_post.id, "client_secret": secret_of(with_basic)}, {}),
        ({}, basic(with_basic.id, secret_of(with_basic)[:-1])),
        ({}, basic(with_basic.id, secret_of(with_basic) + " ")),
        ({}, basic(with_basic.id, secret_of(with_basic).swapcase())),
    ]
    with unchanged(homeserver):
        answers = [nothing(server, form, headers) for form, headers in tries]

    for answer in answers:
        assert_not_believed(answer)


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YQ",
        "Basic YQ==",
        "Basic Og==",
        "Basic OnNlY3JldA==",
        "Basic YTo=",
        "Basic /////w==",
        "Basic YTol",
        "Basic " + "A" * 9000,
        "Basic  YTpi",
        "basic YTpi",
        "BASIC YTpi",
        "Basic\tYTpi",
        "Digest username=a",
        "Bearer YTpi",
        "YTpi",
        "",
        "Basic YTpi, Basic YTpi",
        "Basic YTpi\u00e9".encode(),
        "Basic " + base64.b64encode(b"%00:%00").decode(),
        "Basic " + base64.b64encode(b"%ff:%ff").decode(),
        "Basic " + base64.b64encode("\U0001f600:x".encode()).decode(),
    ],
)
def test_c086_credentials_that_are_none(homeserver, server, header):
    with unchanged(homeserver):
        answer = nothing(server, {}, {"Authorization": header})

    assert_not_believed(answer)
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_c086_two_authorization_headers_are_none(homeserver, server, with_basic):
    """Which one counts is nothing to guess at; a proxy might pick the other."""
    header = basic(with_basic.id, secret_of(with_basic))["Authorization"]
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.base_url).port, timeout=60)
    body = b"grant_type=authorization_code&code=none"
    connection.putrequest("POST", "/_synapse/client/auth/token")
    for name, value in (
        ("Content-Type", FORM),
        ("Content-Length", str(len(body))),
        ("Authorization", header),
        ("Authorization", header),
    ):
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()

    assert answer.status == 401
    assert json.loads(answer.read())["error"] == "invalid_client"
    connection.close()


def test_c086_every_character_of_a_secret_survives(public_server):
    """Form-urlencoded in the header (RFC 6749 appendix B), plain in the form."""
    header = nothing(public_server, {}, basic("basic", public.SECRET))
    form = nothing(public_server, {"client_id": "post", "client_secret": public.SECRET})
    not_encoded = nothing(public_server, {}, raw_basic(f"basic:{public.SECRET}".encode()))

    assert_let_in(header)
    assert_let_in(form)
    assert_not_believed(not_encoded)


def test_c087_a_secret_is_shown_once_and_kept_as_a_hash(homeserver, server, with_basic):
    """Neither the database nor the log has it; registering again gives another one."""
    secret = secret_of(with_basic)
    again = server.client(web_client(token_endpoint_auth_method=BASIC))
    nothing(server, {}, basic(with_basic.id, secret))
    ((metadata, kept),) = homeserver.query(
        "SELECT metadata, secret_hash FROM nextgen_clients WHERE client_id = ?", with_basic.id
    )

    assert len(secret) >= 43
    assert kept.startswith("$argon2id$")
    assert secret not in metadata + kept
    assert secret not in homeserver.log_text()
    assert again.id != with_basic.id
    assert secret_of(again) != secret
    assert with_basic.registered["client_secret_expires_at"] == 0
    assert "client_secret" not in server.client().registered


# The request


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_c089_only_post_counts(homeserver, server, with_post, path, method):
    form = {"client_id": with_post.id, "client_secret": secret_of(with_post), "token": "x"}
    with unchanged(homeserver):
        answer = requests.request(method, server.url(path), params=form, timeout=60)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "multipart/form-data; boundary=x", None, "", FORM + "x"],
)
def test_c089_only_forms_are_read(homeserver, server, path, content_type):
    client = server.client()
    body = f"grant_type=refresh_token&refresh_token=x&token=x&client_id={client.id}".encode()
    headers = {} if content_type is None else {"Content-Type": content_type}
    with unchanged(homeserver):
        answer = requests.post(server.url(path), data=body, headers=headers, timeout=60)

    assert answer.status_code in {400, 415}, answer.text


@pytest.mark.parametrize("content_type", [FORM.upper(), f"{FORM}; charset=UTF-8", f" {FORM} "])
def test_c089_a_content_type_may_have_parameters(server, content_type):
    client = server.client()
    body = f"grant_type=authorization_code&code=none&client_id={client.id}"
    answer = requests.post(
        server.url("token"), data=body, headers={"Content-Type": content_type.strip()}, timeout=60
    )

    assert_let_in(answer)


def test_c089_the_query_is_not_read(homeserver, server, with_post):
    """Addresses end up in logs; a secret there is refused, and one in the body is not changed."""
    credentials = {"client_id": with_post.id, "client_secret": secret_of(with_post)}
    request = {"grant_type": "authorization_code", "code": "none"}
    url = server.url("token")
    headers = {"Content-Type": FORM}
    with unchanged(homeserver):
        only = requests.post(url, params=credentials | request, headers=headers, timeout=60)
        secret = requests.post(url, params=credentials, data=request, timeout=60)
        both = requests.post(
            url, params={"client_secret": "x", "code": "y"}, data=credentials | request, timeout=60
        )

    assert_refused(only, "invalid_client", "invalid_request", status=only.status_code)
    assert only.status_code in {400, 401}
    assert_not_believed(secret)
    assert_let_in(both)


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
@pytest.mark.parametrize(
    "name",
    ["grant_type", "code", "refresh_token", "client_id", "client_secret", "token", "unheard_of"],
)
def test_c090_no_parameter_comes_twice(homeserver, server, path, name):
    client = server.client()
    form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_id", client.id),
        ("token", "x"),
    ]
    form = [(key, value) for key, value in form if key != name] + [(name, "a"), (name, "a")]
    with unchanged(homeserver):
        answer = requests.post(server.url(path), data=form, timeout=60)

    assert_refused(answer, "invalid_request")


def test_c091_unknown_clients_and_wrong_secrets_look_alike(server, with_basic):
    """The same status, headers and body; and about the same time, because both hash once."""

    def tried(client_id, secret):
        began = time.perf_counter()
        answer = nothing(server, {}, basic(client_id, secret))
        return time.perf_counter() - began, answer

    secret = "w" * 43
    pairs = [(tried("unknown", secret), tried(with_basic.id, secret)) for _ in range(15)]
    (_, unknown), (_, wrong) = pairs[0]
    took_unknown = median(took for (took, _), _ in pairs)
    took_wrong = median(took for _, (took, _) in pairs)

    assert_not_believed(unknown)
    assert unknown.text == wrong.text
    assert {k: v for k, v in unknown.headers.items() if k != "Date"} == {
        k: v for k, v in wrong.headers.items() if k != "Date"
    }
    assert 0.5 < took_unknown / took_wrong < 2


# Signed assertions


def assertion(client_id="key", *, key=public.KEY, algorithm="ES256", headers=None, **changes):
    """Return what a client signs about itself; a claim changed to None is left out."""
    stated = {
        "iss": client_id,
        "sub": client_id,
        "aud": public.ISSUER + "token",
        "exp": int(time.time()) + 60,
        "jti": f"assertion-{next(_ids)}-{time.time()}",
    } | changes
    body = {name: value for name, value in stated.items() if value is not None}
    payload = json.dumps(body).encode()
    return jwt.PyJWS().encode(payload, key, algorithm=algorithm, headers=headers)


def with_mac(secret):
    """Return an assertion whose signature is a MAC, as if the server's public key were secret."""
    _, payload, _ = assertion().split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode()
    mac = hmac.digest(secret, f"{header}.{payload}".encode(), "sha256")
    return f"{header}.{payload}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def signed(text, **form):
    return {"client_assertion_type": ASSERTION, "client_assertion": text, **form}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": public.ISSUER},
        {"aud": ["https://elsewhere.example/", public.ISSUER]},
        {"headers": {"kid": "k1"}},
        {"iat": int(time.time()), "nbf": int(time.time()) - 60},
    ],
)
def test_private_key_jwt_proves_the_client(public_server, changes):
    assert_let_in(nothing(public_server, signed(assertion(**changes))))
    assert_let_in(nothing(public_server, signed(assertion(**changes), client_id="key")))


def test_private_key_jwt_works_once(public_homeserver, public_server):
    """The same statement again is a copy, whoever sends it; another `jti` is fine (RFC 7523)."""
    text = assertion(jti="only-once")
    first = nothing(public_server, signed(text))
    with unchanged(public_homeserver):
        again = nothing(public_server, signed(text))
        same_jti = nothing(public_server, signed(assertion(jti="only-once")))

    assert_let_in(first)
    assert_not_believed(again)
    assert_not_believed(same_jti)
    assert_let_in(nothing(public_server, signed(assertion(jti="and another"))))
    assert "client assertions" in KINDS, "they are swept once they have expired"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example/"},
        {"aud": None},
        {"aud": []},
        {"aud": public.ISSUER[:-1]},
        {"aud": public.ISSUER + "authorize"},
        {"exp": None},
        {"exp": int(time.time()) - 60},
        {"exp": int(time.time()) + 86400},
        {"exp": "soon"},
        {"exp": 1e300},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"jti": None},
        {"jti": ""},
        {"jti": "\0"},
        {"jti": "x" * 256},
        {"jti": 5},
        {"iss": "basic"},
        {"sub": "basic"},
        {"iss": None},
        {"sub": None},
        {"key": public.KEY_OF_NOBODY},
        {"headers": {"kid": "another"}},
    ],
    ids=lambda changes: "-".join(f"{k}={v!r}"[:30] for k, v in changes.items()),
)
def test_private_key_jwt_that_proves_nothing(public_homeserver, public_server, changes):
    with unchanged(public_homeserver):
        answer = nothing(public_server, signed(assertion(**changes), client_id="key"))

    assert_not_believed(answer)


def test_private_key_jwt_takes_no_other_algorithm(public_homeserver, public_server):
    """Neither "none" nor a MAC keyed with the public key (CVE-2022-29217) nor garbage."""
    pem = public.KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    tries = [
        signed(assertion(key=None, algorithm="none")),
        signed(with_mac(pem)),
        signed(with_mac(json.dumps(public.CLIENTS[2]["jwks"]["keys"][0]).encode())),
        signed(with_mac(b"")),
        signed(assertion()[:-4]),
        signed(assertion()[:-4] + "AAAA"),
        signed("a.b.c"),
        signed(".."),
        signed("x" * 9000),
        signed(""),
        signed("\U0001f600"),
        {"client_assertion": assertion()},
        {"client_assertion_type": ASSERTION, "client_id": "key"},
        {**signed(assertion()), "client_assertion_type": "urn:x"},
        {**signed(assertion()), "client_id": "basic"},
        {**signed(assertion()), "client_secret": "x"},
        {"client_id": "key"},
        {"client_id": "key", "client_secret": "x"},
    ]
    with unchanged(public_homeserver):
        answers = [nothing(public_server, form) for form in tries]

    for answer in answers:
        assert_not_believed(answer)


def test_a_registered_key_signs_a_client_in(homeserver, server):
    """Registration with `jwks`, code, refresh, revocation: each with a statement of its own."""
    user = homeserver.new_user()
    jwks = public.CLIENTS[2]["jwks"]
    client = server.client(web_client(token_endpoint_auth_method="private_key_jwt", jwks=jwks))

    def proof():
        return signed(assertion(client.id, aud=server.issuer), client_id=None)

    parameters, verifier = client.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    tokens = client.redeem(code, verifier, **proof()).json()
    renewed = client.refresh(tokens["refresh_token"], **proof()).json()

    assert "client_secret" not in client.registered
    assert server.whoami(renewed["access_token"]).json()["user_id"] == user.user_id
    assert_refused(client.refresh(renewed["refresh_token"]), "invalid_client", status=401)
    revoked = server.revoke(token=renewed["refresh_token"], **proof())
    assert revoked.status_code == 200
    assert server.whoami(renewed["access_token"]).status_code == 401


# Clients in the configuration


def static(server, client_id):
    """Return a client of homeserver.yaml as an object that makes requests."""
    return Client(server, {"client_id": client_id, "redirect_uris": [public.CALLBACK]})


PROOFS = {
    "basic": lambda: ({"client_id": None}, basic("basic", public.SECRET)),
    "post": lambda: ({"client_secret": public.SECRET}, {}),
    "key": lambda: (signed(assertion(), client_id=None), {}),
    "public": lambda: ({}, {}),
}


@pytest.mark.parametrize("client_id", PROOFS)
def test_a_configured_client_signs_somebody_in(public_homeserver, public_server, client_id):
    """By secret, key or PKCE alone; the tokens are for it, and no row of clients is needed."""
    user = public_homeserver.new_user()
    client = static(public_server, client_id)
    parameters, verifier = client.request(scope=f"openid {API} {DEVICE}{device_id()}")
    answer = Browser(public_server).let_in(parameters, user.localpart, user.password)
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": public.CALLBACK,
        "client_id": client_id,
        "code_verifier": verifier,
    }
    changes, headers = PROOFS[client_id]()
    tokens = ask(public_server, form | changes, headers).json()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    changes, headers = PROOFS[client_id]()
    renewed = ask(public_server, {**form, "client_id": client_id, **changes}, headers)

    assert answer["iss"] == public.ISSUER
    assert claims(tokens["id_token"])["aud"] == client_id
    assert public_server.whoami(tokens["access_token"]).json()["user_id"] == user.user_id
    assert renewed.status_code == 200, renewed.text
    rows = "SELECT * FROM nextgen_clients WHERE client_id = ?"
    assert public_homeserver.query(rows, client_id) == []


def test_a_configured_client_is_shown_by_its_name(public_homeserver, public_server):
    parameters, _verifier = static(public_server, "basic").request()

    assert_page(Browser(public_server).authorize(parameters), "Dashboard", status=200)


def test_only_an_exempt_client_may_do_without_pkce(public_homeserver, public_server):
    """And only for as long as it does not ask for the Matrix API."""
    user = public_homeserver.new_user()
    browser = Browser(public_server)
    without = {"code_challenge": None, "code_challenge_method": None, "prompt": "consent"}
    exempt, other = static(public_server, "without-pkce"), static(public_server, "basic")

    def begins(client, scope):
        parameters, _verifier = client.request(scope=scope, **without)
        return browser.authorize(parameters)

    refused = [
        begins(exempt, f"{API} {DEVICE}{device_id()}"),
        begins(other, "openid"),
        begins(static(public_server, "public"), "openid"),
    ]
    begins(exempt, "openid")
    browser.sign_in(user.localpart, user.password)
    code = browser.answer(browser.submit(decision="approve"))["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": public.CALLBACK,
    }
    header = basic("without-pkce", public.SECRET)
    with_verifier = ask(public_server, {**form, "code_verifier": "v" * 43}, header)
    tokens = ask(public_server, form, header)

    assert [browser.answer(page)["error"] for page in refused] == ["invalid_request"] * 3
    assert_refused(with_verifier, "invalid_grant")
    assert claims(tokens.json()["id_token"])["sub"] == user.user_id
