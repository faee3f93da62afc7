"""Nothing that opens something is found in logs or in the database (security.md section 31)."""

import json
import re
import secrets
from urllib.parse import quote, urlsplit

import attrs
import pytest
import requests

from support import metrics
from support.dumps import dump
from support.faults import broken_row
from support.markdown import ROOT
from support.oauth import ISSUER_PATH, Browser, device_id, web_client
from support.tokens import inside
from support.waiting import eventually

V3 = "/_matrix/client/v3"

# What a client sends along and gets back is kept until then, and nowhere else.
KEPT_WITH_THE_GRANT = {"state", "nonce", "login_hint"}


@attrs.define
class Secrets:
    """What was seen on the way and must not be found again."""

    known: dict = attrs.field(factory=dict)

    def add(self, **values):
        for name, value in values.items():
            self.known.setdefault(name, set()).add(value)

    def tokens(self, answer):
        body = answer.json()
        names = ("access_token", "refresh_token", "id_token", "device_code", "user_code")
        self.add(**{name: body[name] for name in names if name in body})
        return body

    def found_in(self, text):
        """Return the names of the secrets that stand in a text, whole, encoded or by their end."""
        return {
            name
            for name, values in self.known.items()
            for value in values
            if value in text or quote(value, safe="") in text or _end(value) in text
        }


def _end(value):
    # The end of a token is its signature; its beginning names the session and is no secret.
    return value[-24:] if len(value) > 30 else value


@pytest.fixture
def known():
    return Secrets()


class Watched(Browser):
    """A browser that notes its cookies and the proofs of its forms, and where it was sent."""

    def __init__(self, server, known):
        super().__init__(server)
        self.known = known
        self.visited = []
        self.http.hooks["response"].append(self._note)

    def _note(self, answer, **_):
        self.visited.append(answer.headers.get("Location", ""))
        self.visited += re.findall(r'(?:action|href|src)="([^"]*)"', answer.text)
        for proof in re.findall(r'name="csrf" value="([^"]*)"', answer.text):
            self.known.add(csrf=proof)
        for cookie in answer.cookies:
            self.known.add(cookie=cookie.value)


def a_day_at_the_office(homeserver, server, known, user):
    """Do what clients and people do, with the mistakes that they make; return (tokens, urls)."""
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    secret = client.registered["client_secret"]
    known.add(client_secret=secret, password=user.password)
    browser = Watched(server, known)
    parameters, verifier = client.request(
        state=secrets.token_urlsafe(20) + "+&?/é",
        nonce=secrets.token_urlsafe(20),
        login_hint=f"mailto:{secrets.token_hex(8)}@example.org",
        scope=f"openid email urn:matrix:client:api:* urn:matrix:client:device:{device_id()}",
    )
    known.add(verifier=verifier, wrong_password="wrong-" + secrets.token_hex(8))
    known.add(**{name: parameters[name] for name in KEPT_WITH_THE_GRANT})
    browser.authorize(parameters)
    browser.sign_in(user.localpart, *known.known["wrong_password"])
    browser.sign_in(user.localpart, user.password)
    code = browser.answer(browser.submit(decision="approve"))["code"]
    known.add(code=code)

    client.redeem(code, "wrong" + verifier[5:], client_secret=secret)
    client.redeem(code, verifier, client_secret="wrong")
    tokens = known.tokens(client.redeem(code, verifier, client_secret=secret))
    client.redeem(code, verifier, client_secret=secret)
    for path in (f"{V3}/account/whoami", f"{V3}/sync?timeout=0", f"{ISSUER_PATH}userinfo"):
        assert server.api("GET", path, tokens["access_token"]).status_code == 200
    requests.get(
        f"{homeserver.base_url}{V3}/account/whoami?access_token={tokens['access_token']}",
        timeout=30,
    )
    form = {"client_id": client.id, "client_secret": secret, "token": tokens["access_token"]}
    server.post("introspect", form)
    renewed = known.tokens(client.refresh(tokens["refresh_token"], client_secret=secret))
    assert server.whoami(renewed["access_token"]).status_code == 200
    return client, renewed, browser.visited


def make_mistakes(server, known, user, tokens):
    """Put secrets where they do not belong, in every way a client might."""
    token, refresh_token = tokens["access_token"], tokens["refresh_token"]
    in_a_query = {"token": token, "refresh_token": refresh_token, "password": user.password}
    for path in ("token", "revoke", "introspect", "authorize", "sign-in", "consent", "account", ""):
        requests.get(server.url(path), params=in_a_query, timeout=30)
        requests.post(server.url(path), params=in_a_query, data=in_a_query, timeout=30)
        requests.post(server.url(path), json=in_a_query, timeout=30)
        requests.post(server.url(path), data=json.dumps(in_a_query)[:-1], timeout=30)
    for name in ("grant_type", "client_id", "code", "scope", "redirect_uri", "token_type_hint"):
        server.token(**{"client_id": "x", "grant_type": "refresh_token", name: refresh_token})
        server.revoke(**{"token": "x", name: refresh_token})
        requests.get(server.url("authorize"), params={"client_id": "x", name: token}, timeout=30)
    broken = json.dumps({"client_secret": token})[:-1]
    requests.post(server.url("clients/register"), data=broken, timeout=30)
    requests.post(server.url("clients/register"), json={"client_name": token}, timeout=30)
    server.api("POST", f"{V3}/account/password", token, json={"new_password": user.password})
    server.api("GET", f"{V3}/account/whoami", refresh_token)
    server.post("token", in_a_query, auth=(token, refresh_token))


def link_a_device(server, known, user):
    """Let a device in by its user code."""
    client = server.client(
        web_client(
            redirect_uris=None,
            response_types=[],
            grant_types=["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        )
    )
    scope = f"urn:matrix:client:api:* urn:matrix:client:device:{device_id()}"
    begun = known.tokens(
        server.post("device-authorization", {"client_id": client.id, "scope": scope})
    )
    poll = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": client.id,
        "device_code": begun["device_code"],
    }
    browser = Watched(server, known)
    browser.get(begun["verification_uri_complete"])
    browser.submit(user_code="BBB-BBB-BBB")
    browser.get(begun["verification_uri_complete"])
    browser.submit(user_code=begun["user_code"])
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="approve", confirm="yes")
    assert known.tokens(server.token(**poll))["access_token"]
    server.token(**poll)


def test_c337_c338_c345_no_secret_is_found_again(homeserver, server, known):
    """Run everything with DEBUG logs, then search logs, metrics and all tables for what was secret."""
    user = homeserver.register_user(f"clerk-{secrets.token_hex(4)}", secrets.token_urlsafe(12))
    since = len(homeserver.log_text())
    client, tokens, _ = a_day_at_the_office(homeserver, server, known, user)
    session_id = inside(tokens["access_token"]).session_id
    with broken_row(homeserver, "nextgen_sessions", "session_id", session_id):
        secret = client.registered["client_secret"]
        failed = client.refresh(tokens["refresh_token"], client_secret=secret)
    make_mistakes(server, known, user, tokens)
    link_a_device(server, known, user)
    rows = "SELECT access_token FROM user_ips WHERE user_id = ?"
    seen = eventually(lambda: homeserver.query(rows, user.user_id))

    log = homeserver.log_text()[since:]
    tables = dump(homeserver)
    counted = metrics.text(homeserver)

    assert failed.status_code == 503
    assert "Traceback" in log, "the failure was logged"
    assert "Processed request" in log
    assert set(known.known) >= {"cookie", "csrf", "code", "access_token", "device_code"}
    assert known.found_in(log) == set()
    assert 'path="/token"' in counted
    assert known.found_in(counted) == set()
    assert user.localpart not in counted
    leaks = {name: known.found_in(text) for name, text in tables.items()}
    assert {name: found for name, found in leaks.items() if found} == {
        "nextgen_grants": KEPT_WITH_THE_GRANT
    }
    assert len({token for (token,) in seen}) == 1, "one row for all generations of a session"


def test_c337_stock_synapse_would_have_kept_the_token(homeserver, server, known):
    """The search finds what is there: a stock token, in the tables where Synapse keeps it."""
    user = homeserver.new_user()
    known.add(stock=homeserver.login(user)["access_token"])
    server.whoami(*known.known["stock"])
    query = "SELECT access_token FROM user_ips WHERE user_id = ?"
    eventually(lambda: homeserver.query(query, user.user_id))

    found = {name for name, text in dump(homeserver).items() if known.found_in(text)}

    assert {"access_tokens", "user_ips"} <= found


def test_c337_the_tables_for_stock_tokens_stay_empty(homeserver, server, client):
    """Our sessions leave nothing that could turn into a token of Synapse's own."""
    user = homeserver.new_user()
    tokens = client.sign_in(user.localpart, user.password)
    client.refresh(tokens["refresh_token"])
    server.whoami(tokens["access_token"])

    for table in ("access_tokens", "refresh_tokens", "login_tokens"):
        assert homeserver.query(f"SELECT 1 FROM {table} WHERE user_id = ?", user.user_id) == []


@pytest.fixture
def client(server):
    return server.client()


def test_c337_what_stands_for_a_token_is_no_token(homeserver, server, client):
    """`user_ips` gets a value per session that opens nothing and names no session."""
    user = homeserver.new_user()
    tokens = client.sign_in(user.localpart, user.password)
    server.whoami(tokens["access_token"])
    query = "SELECT access_token FROM user_ips WHERE user_id = ?"

    ((stand_in,),) = eventually(lambda: homeserver.query(query, user.user_id))

    assert stand_in.startswith("nextgen_session_")
    assert inside(tokens["access_token"]).session_id not in stand_in
    assert server.whoami(stand_in).status_code == 401
    assert client.refresh(stand_in).json()["error"] == "invalid_grant"
    assert server.revoke(token=stand_in).status_code == 200
    assert server.whoami(tokens["access_token"]).status_code == 200


def test_c339_addresses_that_we_make_hold_no_secret(homeserver, server, known):
    """Only the code and the state, in the one redirect to the client, as the RFC has it."""
    user = homeserver.register_user(f"clerk-{secrets.token_hex(4)}", secrets.token_urlsafe(12))
    _, _, visited = a_day_at_the_office(homeserver, server, known, user)

    to_client = [url for url in visited if urlsplit(url).hostname == "client.example.com"]
    ours = [url for url in visited if url and url not in to_client]

    assert [url for url in to_client if "code=" in url]
    assert len(ours) > 5
    assert known.found_in("\n".join(ours)) == set()
    assert known.found_in("\n".join(to_client)) == {"code", "state"}


def test_c193_the_cookie_is_written_down_nowhere(homeserver, server):
    """It is for the whole origin, so that media is asked for with it: no log has it.

    The documents say that nothing else belongs there.
    """
    browser = Browser.of(server, homeserver.new_user())
    for path in ("/_matrix/media/v3/download/localhost/none", "/_matrix/client/versions", "/none"):
        browser.http.get(homeserver.base_url + path, timeout=30)

    log = homeserver.log_text()
    assert "/_matrix/media/v3/download/localhost/none" in log
    assert not [part for part in browser.cookie.split(".") if part in log]
    security = (ROOT / "docs" / "topics" / "security.md").read_text("utf-8")
    assert "Do not host Element Web, or any other application, on the origin" in security
