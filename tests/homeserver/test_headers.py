"""What every answer says to the browser: the list of routes is that of `web/routes.py`."""

import re

import pytest
import requests

from support.oauth import Browser, web_client
from synapse_nextgen_auth.web.kinds import ForPeople
from synapse_nextgen_auth.web.routes import ROUTES

pytestmark = pytest.mark.one_database

PAGES = [path for path, route in ROUTES.items() if isinstance(route, ForPeople)]
ENDPOINTS = [path for path in ROUTES if path not in PAGES]
# What only the operator's command and a script of our own ask: no other site reads an answer.
FOR_NO_WEBSITE = {"/command", "/register-available"}
NOT_HERE = ["/nothing", "/static/nothing", "/%00", "//", "/sign-in/", "/consent/x"]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"]
DIRECTIVES = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "form-action": {"'self'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
}


def ask(server, path, method="GET", **options):
    return requests.request(
        method, server.issuer.rstrip("/") + path, allow_redirects=False, timeout=30, **options
    )


def policy(answer):
    """Return the directives of the content security policy."""
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: set(values) for name, *values in parts}


def assert_guarded(answer):
    """A page that nobody may frame, sniff, keep, or learn its address from, and in which language."""
    assert answer.status_code < 500, (answer.url, answer.text)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert policy(answer)["frame-ancestors"] == {"'none'"}
    assert policy(answer)["default-src"] == {"'none'"}
    assert answer.headers["Content-Language"] == "en"
    assert answer.headers["Vary"] == "Accept-Language, Cookie"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Opener-Policy"] in {"same-origin", "unsafe-none"}
    assert "Access-Control-Allow-Origin" not in answer.headers


def assert_guarded_or_redirect(answer):
    if answer.status_code == 303:
        assert policy(answer)["frame-ancestors"] == {"'none'"}
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.content == b""
    else:
        assert_guarded(answer)


@pytest.mark.parametrize("method", METHODS)
def test_c177_c203_every_page_is_guarded_by_every_method(server, method):
    """Each page, what is no page, and the refusal of a method."""
    for path in [*PAGES, *NOT_HERE]:
        assert_guarded_or_redirect(ask(server, path, method))


def test_c177_c203_pages_of_a_flow_are_guarded(homeserver, server):
    """The pages that only somebody who is about something sees, and the redirects between them."""
    user, browser = homeserver.new_user(), Browser(server)
    parameters, _ = server.client().request(response_mode="form_post")
    seen = []
    browser.http.hooks["response"].append(lambda answer, **_: seen.append(answer))
    browser.authorize(parameters)
    browser.sign_in(user.localpart, "wrong")
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="approve")
    browser.get(server.url("account"))
    browser.authorize({"client_id": "nobody"})

    assert {303, 200, 403, 400} == {answer.status_code for answer in seen}
    for answer in seen:
        assert_guarded_or_redirect(answer)


@pytest.mark.parametrize("path", [*PAGES, *NOT_HERE])
def test_c201_the_policy_allows_what_the_pages_need(server, path):
    """Scripts, styles and pictures of ours, forms to ourselves, and nothing else."""
    answer = ask(server, path)

    if answer.status_code != 303:
        assert policy(answer) == DIRECTIVES
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("metadata", "target"),
    [
        ({}, "https://client.example.com"),
        ({"redirect_uris": ["https://client.example.com:8443/cb"]},
         "https://client.example.com:8443"),
        ({"application_type": "native", "redirect_uris": ["com.example.client:/cb"]},
         "com.example.client:"),
        ({"application_type": "native", "redirect_uris": ["http://127.0.0.1/cb"]},
         "http://127.0.0.1"),
        ({"application_type": "native", "redirect_uris": ["http://[::1]/cb"]}, "http:"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "https:"),
    ],
)  # fmt: skip
def test_c201_forms_may_end_at_the_client_and_nowhere_else(homeserver, server, metadata, target):
    """Sign-in and consent name one more place: where the answer goes.

    Where no host fits into a policy, or a client's own server sends people on, it is a scheme.
    """
    user, browser = homeserver.new_user(), Browser(server)
    parameters, _ = server.client(web_client(**metadata)).request()

    pages = [browser.authorize(parameters), browser.sign_in(user.localpart, user.password)]

    for page in pages:
        assert policy(page) == {**DIRECTIVES, "form-action": {"'self'", target}}


@pytest.mark.parametrize("path", ENDPOINTS)
def test_c201_what_clients_get_is_no_page(server, path):
    """JSON is JSON, allows nothing, and nobody guesses what else it might be."""
    for method in ("GET", "POST"):
        answer = ask(server, path, method)

        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert policy(answer)["default-src"] == {"'none'"}
        assert policy(answer)["frame-ancestors"] == {"'none'"}
        told = None if path in FOR_NO_WEBSITE else "*"
        assert answer.headers.get("Access-Control-Allow-Origin") == told


def static_files(server):
    return set(re.findall(r'(?:href|src)="([^"]+/static/[^"]+)"', ask(server, "/sign-in").text))


def test_c205_files_have_one_name_one_type_and_last(server):
    """The name changes with the content, so a browser may keep a file for ever."""
    types = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
             "svg": "image/svg+xml"}  # fmt: skip
    files = static_files(server)

    assert {name.rpartition(".")[2] for name in files} == set(types)
    for name in files:
        answer = requests.get(server.base_url.rstrip("/") + name, timeout=30)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == types[name.rpartition(".")[2]]
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert policy(answer) == {"default-src": {"'none'"}}


@pytest.mark.parametrize(
    "tail",
    ["", "..", "../", "..%2f..%2fsynapse_nextgen_auth%2fmodule.py", "..%5c..%5cmodule.py",
     "%2e%2e/pages/sign_in.html", "{hash}", "{hash}/", "{hash}/..%2fstyle.css", "{hash}/style.css/",
     "{hash}/STYLE.CSS", "{hash}/style.css%00", "{hash}/style.css%00.html", "{hash}/style.css;x",
     "{hash}//style.css", "//etc/passwd", "0000000000000000/style.css", "style.css"],
)  # fmt: skip
def test_c205_there_is_no_way_to_any_other_file(server, tail):
    """No listing, no traversal, no second name."""
    style = next(name for name in static_files(server) if name.endswith("style.css"))
    path = "/static/" + tail.format(hash=style.split("/")[-2])
    # Not `requests.get`: it would resolve the dots before we see them.
    prepared = requests.Request("GET", server.issuer).prepare()
    prepared.url = server.issuer.rstrip("/") + path

    with requests.Session() as http:
        answer = http.send(prepared, timeout=30, allow_redirects=False)

    assert answer.status_code == 404
    assert_guarded(answer)
