"""Without its database everything that needs it answers 503 with `Retry-After` (C102, C350)."""

import base64
import re

import attrs
import pytest
import requests

from support import newcomers
from support.admin_api import MAS_ADMIN, ROOT
from support.commands import Operator
from support.crowd import settle
from support.keys import master_key
from support.oauth import API, DEVICE, ISSUER_PATH, Browser, device_id, web_client
from support.television import Television, enter
from synapse_nextgen_auth.homeserver.matrix.rendezvous import PATH as SPOTS
from synapse_nextgen_auth.web.routes import ROUTES

V3 = "/_matrix/client/v3"
UNSTABLE = "/_matrix/client/unstable"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TEXT = {"Content-Type": "text/plain"}
# What is known without the database, on a process that said it before.
DOCUMENTS = {
    "GET /.well-known/openid-configuration",
    "GET /.well-known/oauth-authorization-server",
    "GET /keys",
    "GET /api/spec.json",
}


@attrs.frozen
class Prepared:
    """Requests that would all succeed, by name; each is sent without following where it leads."""

    deployment: object
    client: object
    user: object
    sends: dict = attrs.field(factory=dict)

    @property
    def server(self):
        return self.client.server

    def ask(self, name, path=None, **options):
        """Prepare a request of a client to one of our routes, or to another path."""
        method, _, route = name.partition(" ")
        url = self.server.base_url + (path or ISSUER_PATH.rstrip("/") + route)
        options = {"timeout": 30, "allow_redirects": False, **options}
        self.sends[name] = lambda: requests.request(method, url, **options)

    def look(self, route, browser, address=None):
        """Prepare a look at a page."""
        url = address or self.server.url(route[1:])
        self.sends[f"GET {route}"] = lambda: browser.http.get(
            url, timeout=30, allow_redirects=False
        )

    def press(self, route, browser, **fields):
        """Prepare a press on a button of the page that the browser shows."""
        page = browser.page
        assert "<form" in page.text, (route, page.text)

        def press():
            browser.page = page
            return browser.submit(**fields)

        self.sends[f"POST {route}"] = press

    def post(self, route, browser, **fields):
        """Prepare a press on a button of a page that the browser does not show."""
        url, csrf = self.server.url(route[1:]), proof(browser.page)
        self.sends[f"POST {route.partition('?')[0]}"] = lambda: browser.http.post(
            url, data={"csrf": csrf, **fields}, timeout=30, allow_redirects=False
        )

    def here(self):
        """Return a browser in which the account is signed in."""
        return Browser.of(self.server, self.user)


def proof(page):
    """Return the value that ties a form to its browser."""
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def prepare_reading(prepared):
    reading = prepared.here()
    prepared.look("/language", reading, reading.server.url("language"))
    prepared.press("/language", reading, decision="de")


def prepare_stages(prepared, browser, attempt, csrf):
    of_a_sign_up = (
        *("register-captcha", "register-email", "register-email-code"),
        *("register-phone", "register-phone-code"),
    )
    urls = {page: f"{page}?attempt={attempt}" for page in of_a_sign_up}
    urls |= {
        page: page
        for page in (
            *("sign-in-email", "sign-in-email-code", "stage"),
            *("factor", "factor-enrol", "factor-lost", "factor-lost-cancel"),
        )
    }
    for page, url in urls.items():
        there = prepared.server.url(url)
        prepared.look(f"/{page}", browser, there)
        prepared.sends[f"POST /{page}"] = lambda url=there: browser.http.post(
            url, data={"csrf": csrf}, timeout=30, allow_redirects=False
        )


def prepare_pages(prepared):
    server, user, client = prepared.server, prepared.user, prepared.client
    parameters, _ = client.request()
    new, known = Browser(server), prepared.here()
    query = requests.Request("GET", server.url("authorize"), params=parameters).prepare().url
    prepared.look("/authorize", new, query)
    prepared.ask("POST /authorize", data=parameters)
    prepared.look("/", known)
    prepared.look("/account", known)
    prepared.look("/account-devices", known)
    prepared.look("/account-device", known)
    for name in ("apps", "app", "invitations", "events", "data"):
        prepared.look(f"/account-{name}", known)
    prepared.look("/link", known)
    out = prepared.here()
    out.get(server.url(""))
    prepared.press("/sign-out", out)
    asked = Browser(server)
    asked.authorize(parameters)
    prepared.look("/sign-in", asked, asked.page.url)
    prepared.press("/sign-in", asked, identifier=user.localpart, password=user.password)
    leaving = prepared.here()
    prepared.look("/end-session", leaving, leaving.server.url("end-session"))
    prepared.sends["POST /end-session"] = lambda: leaving.http.post(
        server.url("end-session"), data={"state": "x"}, timeout=30, allow_redirects=False
    )
    naming = Browser(server)
    newcomers.arrive(prepared.deployment, naming)
    prepared.look("/new-account", naming, naming.page.url)
    prepared.press("/new-account", naming, username="somebody-new", decision="create")
    joining, agreeing = Browser(server), Browser(server)
    joining.get(server.url("register"))
    prepared.look("/register", joining, joining.page.url)
    name = f"new{device_id().lower()}"
    prepared.press(
        "/register", joining, username=name, password="seven brave otters", decision="create"
    )
    attempt = newcomers.sign_up(prepared.deployment, agreeing)
    terms, csrf = server.url(f"register-terms?attempt={attempt}"), proof(agreeing.page)
    prepared.look("/register-terms", agreeing, terms)
    prepared.sends["POST /register-terms"] = lambda: agreeing.http.post(
        terms, data={"csrf": csrf}, timeout=30, allow_redirects=False
    )
    prepare_stages(prepared, agreeing, attempt, csrf)
    prepared.look("/arrive", naming, server.url("arrive?attempt=0"))
    prepared.look("/provider-icon", naming)
    choosing = prepared.here()
    prepared.look("/accounts", choosing, choosing.server.url("accounts"))
    prepared.press("/accounts", choosing, decision="another")
    consenting = prepared.here()
    consenting.authorize(parameters)
    prepared.look("/consent", consenting, consenting.page.url)
    prepared.press("/consent", consenting, decision="approve")
    legacy, waits_at = prepared.here(), "?redirectUrl=https://client.example.com/"
    prepared.look("/legacy-sign-in", Browser(server), server.url(f"legacy-sign-in{waits_at}"))
    legacy.get(server.url(f"legacy-sign-in{waits_at}"))
    prepared.look("/legacy-login", legacy, legacy.page.url)
    prepared.press("/legacy-login", legacy, decision="approve")


def prepare_links(prepared):
    server = prepared.server
    setting = Browser(server)
    spare = prepared.deployment.new_user()
    operator = Operator.of(prepared.deployment)
    setting.get(operator.ask("set-password-link", user=spare.user_id)["url"])
    prepared.look("/set-password", setting, setting.page.url)
    new = "correct horse battery staple of another stable"
    prepared.press("/set-password", setting, password=new, sign_out="yes", decision="set")
    known = prepared.here()
    prepared.look("/recover", known)
    prepared.sends["POST /recover"] = lambda: known.http.post(
        server.url("recover"), data={"address": "a@example.com"}, timeout=30
    )


def prepare_devices(prepared):
    linking, agreeing, ending = prepared.here(), Browser(prepared.server), prepared.here()
    linking.get(prepared.server.url("link"))
    prepared.press("/link", linking, user_code=Television.begin(prepared.server).user_code)
    enter(agreeing, Television.begin(prepared.server), prepared.user)
    prepared.look("/device", agreeing, agreeing.page.url)
    prepared.press("/device", agreeing, decision="approve", confirm="yes")
    (member,) = settle(prepared.deployment, prepared.client.id, [prepared.user.user_id])
    device = member.session.device_id
    ending.get(prepared.server.url(f"account-device-end?id={device}"))
    prepared.look("/account-device-end", ending)
    prepared.press("/account-device-end", ending, decision="end")
    for route in (
        *("/account-profile", "/account-avatar", "/account-email", "/account-email-code"),
        *("/account-phone", "/account-phone-code"),
        *("/account-address-remove", "/account-deactivate"),
        *("/account-sign-in", "/account-password", "/account-password-remove"),
        *("/account-provider-connect", "/account-provider-disconnect"),
        *("/account-passkey", "/account-passkey-add", "/account-passkey-remove"),
        *("/account-factors", "/account-factor-add", "/account-factor", "/account-factor-remove"),
        *("/account-recovery-codes", "/account-factor-lost", "/account-identity-reset"),
        "/account-factor-mail",
    ):
        prepared.look(route, ending)
    for route, decision in (
        ("/account-profile", "name"),
        *(("/account-email", "cancel"), ("/account-email-code", "cancel")),
        *(("/account-phone", "cancel"), ("/account-phone-code", "cancel")),
        *(("/account-address-remove", "remove"), ("/account-deactivate", "deactivate")),
        ("/account-password", "set"),
        ("/account-password-remove", "remove"),
        ("/account-provider-connect", "connect"),
        ("/account-provider-disconnect", "disconnect"),
        ("/account-passkey", "rename"),
        ("/account-passkey-add", "passkey"),
        ("/account-passkey-remove", "remove"),
        *(("/account-factors", "kept"), ("/account-factor-add", "begin")),
        *(("/account-factor", "rename"), ("/account-factor-remove", "remove")),
        *(("/account-recovery-codes", "make"), ("/account-factor-lost", "stop")),
        ("/account-factor-mail", "remove"),
        ("/account-identity-reset", "allow"),
    ):
        prepared.post(route, ending, decision=decision)
    prepared.look("/account-devices-end", ending)
    prepared.post("/account-device", ending, decision="rename")
    prepared.post("/account-devices-end", ending, decision="end")
    picture, sent = ending.server.url("account-avatar"), {"Content-Type": "image/png"}
    sent["X-Csrf"] = proof(ending.page)
    prepared.sends["POST /account-avatar"] = lambda: ending.http.post(
        picture, data=PICTURE, headers=sent, timeout=30, allow_redirects=False
    )
    prepared.look("/account-app-end", ending)
    prepared.post("/account-app-end?id=x", ending, decision="end")
    prepared.post("/account-invitations", ending, decision="withdraw", invitation="x")
    for route in ("/account-tokens", "/account-token-add", "/account-token-end"):
        prepared.look(route, ending)
    prepared.post("/account-token-add", ending, decision="make")
    prepared.post("/account-token-end", ending, decision="end")
    prepared.post("/account-data", ending, decision="download")


def prepare_approval(prepared, token):
    """Let a reset of the cross-signing keys wait for the person."""
    reset = f"{V3}/keys/device_signing/upload"
    first, second = (master_key(prepared.user.user_id) for _ in range(2))
    prepared.server.api("POST", reset, token, json=first)
    asked = prepared.server.api("POST", reset, token, json=second).json()
    browser = prepared.here()
    browser.get(asked["params"]["m.oauth"]["url"])
    prepared.look("/approve", browser, browser.page.url)
    prepared.press("/approve", browser, decision="approve")


def prepare_protocol(prepared, token, spare):
    for name in DOCUMENTS:
        prepared.ask(name)
        prepared.sends[name]()
    confidential = prepared.server.client(
        web_client(token_endpoint_auth_method="client_secret_post")
    )
    proof = {
        "client_id": confidential.id,
        "client_secret": confidential.registered["client_secret"],
    }
    bearer = {"Authorization": f"Bearer {token}"}
    tv = Television.begin(prepared.server)
    prepared.ask("POST /clients/register", json=web_client(client_name="Never seen before"))
    prepared.ask("GET /register-available", params={"username": "nobody-yet"})
    refresh = {"grant_type": "refresh_token", "refresh_token": spare.refresh_token}
    prepared.ask("POST /token", data={**refresh, "client_id": prepared.client.id})
    prepared.sends["POST /token (device)"] = tv.poll
    prepared.ask("POST /revoke", data={"token": spare.refresh_token})
    asked = {"client_id": tv.client.id, "scope": tv.scope}
    prepared.ask("POST /device-authorization", data=asked)
    prepared.ask("POST /introspect", data={**proof, "token": spare.access_token})
    for method in ("GET", "POST"):
        prepared.ask(f"{method} /userinfo", headers=bearer)
    operator = Operator.of(prepared.deployment)
    prepared.sends["POST /command"] = lambda: operator.post(b'{"command":"status"}')


def prepare_admin_api(prepared):
    admin = prepared.deployment.new_user(admin=True)
    token = prepared.client.sign_in(admin.localpart, admin.password, scope=MAS_ADMIN)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    # Each looks for what has this id before it does anything.
    for method, path in (
        ("GET", "users"),
        ("POST", "user-registration-tokens/01ARZ3NDEKTSV4RRFFQ69G5FAV/revoke"),
        ("PUT", "user-registration-tokens/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("DELETE", "user-emails/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    ):
        body = {} if method == "PUT" else None
        options = {"headers": headers, "json": body}
        prepared.ask(f"{method} /api/admin/v1/", f"{ISSUER_PATH}{ROOT}{path}", **options)
    prepared.look("/api/doc/", prepared.here())


def prepare_rendezvous(prepared):
    base = prepared.server.base_url
    etag, sequence = (
        f"{UNSTABLE}/{name}/rendezvous" for name in ("org.matrix.msc4108", "io.element.msc4388")
    )
    made = requests.post(base + etag, data=b"a", headers=TEXT, timeout=30)
    spot = f"{SPOTS}/{made.json()['url'].rpartition('/')[2]}"
    told = requests.post(base + sequence, json={"data": "a"}, timeout=30).json()
    prepared.ask(f"POST {etag}", etag, data=b"a", headers=TEXT)
    prepared.ask(f"GET {spot}", spot)
    prepared.ask(f"PUT {spot}", spot, data=b"b", headers={**TEXT, "If-Match": made.headers["ETag"]})
    prepared.ask(f"DELETE {spot}", spot)
    place, write = (
        f"{sequence}/{told['id']}",
        {"data": "b", "sequence_token": told["sequence_token"]},
    )
    prepared.ask(f"POST {sequence}", sequence, json={"data": "a"})
    prepared.ask(f"GET {place}", place)
    prepared.ask(f"PUT {place}", place, json=write)
    prepared.ask(f"DELETE {place}", place)


@pytest.fixture
def prepared(deployment, client):
    """Return requests for every route, prepared so that nothing but the database is missing."""
    user = deployment.new_user()
    prepared = Prepared(deployment, client, user)
    token = client.sign_in(
        user.localpart, user.password, scope=f"openid {API} {DEVICE}{device_id()}"
    )
    spare, stranger = settle(deployment, client.id, [user.user_id] * 2)
    prepare_pages(prepared)
    prepare_links(prepared)
    prepare_reading(prepared)
    prepare_devices(prepared)
    prepare_approval(prepared, token["access_token"])
    prepare_protocol(prepared, token["access_token"], spare)
    prepare_admin_api(prepared)
    prepare_rendezvous(prepared)
    prepared.ask(
        "GET whoami of an unknown session",
        f"{V3}/account/whoami",
        headers={"Authorization": f"Bearer {stranger.access_token}"},
    )
    return prepared


def said(deployment):
    """Return how often each of two lines stands in the logs so far."""
    text = deployment.log_text()
    return {line: text.count(f" - {line}") for line in ("Could not serve ", "No database for ")}


def test_c102_c350_every_endpoint_and_page_says_come_back(deployment, prepared):
    """Nothing of ours is a 4xx or a bare 500; afterwards the very same requests work."""
    routes = {f"{method} {path}" for path, route in ROUTES.items() for method in route.methods}
    assert routes <= set(prepared.sends), routes - set(prepared.sends)

    before = said(deployment)
    deployment.postgres.halt()
    try:
        away = {name: send() for name, send in prepared.sends.items()}
        after = said(deployment)
    finally:
        deployment.postgres.resume()
    deployment.heal()
    assert after["Could not serve "] == before["Could not serve "]  # which are mistakes of ours
    assert after["No database for "] > before["No database for "] + 50
    back = {name: again(send) for name, send in prepared.sends.items() if name not in DOCUMENTS}

    told = {name: (a.status_code, a.headers.get("Retry-After")) for name, a in away.items()}
    assert {name: said for name, said in told.items() if said != (503, "5")} == dict.fromkeys(
        DOCUMENTS, (200, None)
    )
    assert {name: a.status_code for name, a in back.items() if a.status_code >= 400} == {
        "POST /token (device)": 400,  # it is pending
        # Nothing has this id.
        **{f"{method} /api/admin/v1/": 404 for method in ("POST", "PUT", "DELETE")},
        "GET /recover": 404,  # this server sends no mail
        "POST /account-identity-reset": 404,  # it names no device
        "POST /recover": 403,  # so there is no form that proves anything
        "GET /arrive": 403,  # nothing waits for this browser
        "POST /new-account": 403,  # nor is there a provider whose people may have accounts
        "GET /provider-icon": 404,  # there are no providers
        **dict.fromkeys(("GET /account-provider-connect", "POST /account-provider-connect"), 404),
        # The password is the only way in, and the one in the form is none.
        **dict.fromkeys(("GET /account-password-remove", "POST /account-password-remove"), 409),
        "POST /account-password": 400,
        "POST /account-deactivate": 400,  # nobody said that they know what it means
        # The account has no passkey, and the form brings none.
        **{
            f"{method} /account-{page}": 404
            for method in ("GET", "POST")
            for page in ("passkey", "passkey-remove")
        },
        "POST /account-passkey-add": 400,
        # No other module asks for anything.
        **dict.fromkeys(("GET /stage", "POST /stage"), 400),
        # Nor is there such an attempt.
        **{
            f"{method} /{page}": 400
            for method in ("GET", "POST")
            for page in ("factor", "factor-enrol")
        },
        # Nobody has codes by e-mail here.
        **dict.fromkeys(("GET /account-factor-mail", "POST /account-factor-mail"), 404),
        # Nobody has second factors here, and the link is none.
        **dict.fromkeys(("GET /factor-lost", "POST /factor-lost"), 404),
        "GET /factor-lost-cancel": 410,
        "POST /factor-lost-cancel": 400,
        # There is no such attempt.
        **dict.fromkeys(("GET /account-email-code", "GET /account-phone-code"), 400),
        "POST /account-devices-end": 400,  # it names nothing
        "POST /account-token-add": 400,  # it has no name
        "POST /account-invitations": 404,  # there is none like that
    }
    for name in ("GET /", "POST /consent"):
        assert away[name].headers["Content-Type"].startswith("text/html")
        assert "<h1>" in away[name].text


def again(send):
    """Send a request as often as a client does that is told to come back: connections must heal."""
    answer = send()
    for _ in range(10):
        if answer.status_code != 503:
            break
        answer = send()
    return answer
