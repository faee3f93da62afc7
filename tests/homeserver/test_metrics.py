"""What we count is there to read at `/_synapse/metrics`, after the thing happened (C338)."""

import re
from contextlib import contextmanager

import pytest
import requests

from support import metrics
from support.databases import PostgresDatabase
from support.markdown import DOCS, rows, section
from support.neighbours import Neighbours
from support.oauth import API, DEVICE, ISSUER_PATH, Browser, Server, device_id, web_client
from support.postgres import PostgresServer
from support.synapse import Homeserver
from support.tokens import inside
from support.waiting import eventually
from synapse_nextgen_auth.accounts import works
from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.accounts.people import Standing
from synapse_nextgen_auth.homeserver.matrix.rendezvous import PATH as SPOTS
from synapse_nextgen_auth.homeserver.metrics import BATCHES, CONNECTIONS
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.store import sweep
from synapse_nextgen_auth.web.pages.factor.page import FactorRefused
from synapse_nextgen_auth.web.pages.mailbox.sign_in import CodeRefused
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError
from synapse_nextgen_auth.web.routes import RELATED_ORIGINS, ROUTES

pytestmark = pytest.mark.one_database

REASON = re.compile(r"[a-z_]+")


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def client(server):
    return server.client()


@contextmanager
def counted(homeserver, name, by=1, **labels):
    """Promise that what happens within moves a counter."""
    before = metrics.value(homeserver, name, **labels)
    yield
    after = metrics.value(homeserver, name, **labels)
    assert after - before == by, (name, labels, before, after)


def test_a_sign_in_is_counted_from_the_request_to_the_session(homeserver, client, user):
    with (
        counted(homeserver, "grants_total", outcome="requested"),
        counted(homeserver, "grants_total", outcome="approved"),
        counted(homeserver, "sign_ins_total", outcome="ok"),
        counted(homeserver, "sessions_begun_total"),
        counted(homeserver, "request_seconds_count", path="/token"),
        counted(homeserver, "request_seconds_count", path="/authorize", by=1),
    ):
        client.sign_in(user.localpart, user.password)


def test_a_device_grant_is_counted_like_any_other(homeserver, server, user):
    client = server.client(
        web_client(
            grant_types=[DEVICE_CODE, "refresh_token"], response_types=[], redirect_uris=None
        )
    )
    asked = {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}"}
    with (
        counted(homeserver, "grants_total", outcome="requested"),
        counted(homeserver, "grants_total", outcome="approved"),
        counted(homeserver, "sessions_begun_total"),
    ):
        begun = server.post("device-authorization", asked).json()
        browser = Browser(server)
        browser.get(begun["verification_uri_complete"])
        browser.submit(user_code=begun["user_code"])
        browser.sign_in(user.localpart, user.password)
        browser.submit(decision="approve", confirm="yes")
        collected = server.token(
            grant_type=DEVICE_CODE, client_id=client.id, device_code=begun["device_code"]
        )

    assert collected.status_code == 200


DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def test_every_series_is_there_from_the_start_at_zero(start_homeserver):
    """An alert on a rate misses what happens once after a restart, if there was no zero before.

    What the tests count on the shared server was there before, too: see `shared_homeserver`.
    """
    homeserver = start_homeserver()
    homeserver.config = metrics.listening(homeserver)
    homeserver.restart()

    found = {
        (sample.name.removeprefix("synapse_nextgen_auth_"), *sample.labels.values()): sample.value
        for family in metrics.families(homeserver).values()
        for sample in family.samples
    }
    here = homeserver.server_name

    assert found["sessions_begun_total", here] == 0
    assert found["sessions_ended_total", here] == 0
    for reason in ("unknown_client", "bad_redirect_uri", "login_required", "rate_limited"):
        assert found["refusals_total", "/authorize", reason, here] == 0
    assert found["refusals_total", "/token", "reuse", here] == 0
    assert found["sign_ins_total", "wrong_password", here] == 0
    assert {name for name, *_ in found} >= {
        *("grants_total", "refreshes_total", "rows_swept_total", "request_seconds_count")
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "nobody"}, "unknown_client"),
        ({"redirect_uri": "https://elsewhere.example.com/"}, "bad_redirect_uri"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "nothing"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"request": "x"}, "request_not_supported"),
    ],
)
def test_refused_authorizations_are_counted_by_why(homeserver, server, client, changes, reason):
    """The person sees a page and the client hears of it, or not: the operator's graphs do."""
    with counted(homeserver, "refusals_total", path="/authorize", reason=reason):
        Browser(server).authorize(client.request(**changes)[0])


def test_an_authorization_that_cannot_be_read_is_counted(homeserver, server):
    with counted(homeserver, "refusals_total", path="/authorize", reason="invalid_request"):
        page = Browser(server).get(server.url("authorize?client_id=%ff"))

    assert page.status_code == 400


def test_a_refused_grant_is_counted(homeserver, server, client, user):
    browser = Browser(server)
    browser.authorize(client.request()[0])
    browser.sign_in(user.localpart, user.password)

    with counted(homeserver, "grants_total", outcome="refused"):
        told = browser.answer(browser.submit(decision="cancel"))

    assert told["error"] == "access_denied"


def test_failed_sign_ins_are_counted_by_why(homeserver, server, user):
    """A wrong password, and a right one for an account that is locked."""
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    with counted(homeserver, "sign_ins_total", outcome="wrong_password"):
        browser.sign_in(user.localpart, "wrong")

    Neighbours(homeserver).administer("PUT", user, {"locked": True})
    with (
        counted(homeserver, "sign_ins_total", outcome="locked"),
        counted(homeserver, "sign_ins_total", by=0, outcome="ok"),
    ):
        refused = browser.sign_in(user.localpart, user.password)

    assert refused.status_code == 403


def test_refreshes_are_counted_by_kind(homeserver, client, user):
    tokens = client.sign_in(user.localpart, user.password)

    with counted(homeserver, "refreshes_total", kind="rotated"):
        client.refresh(tokens["refresh_token"])
    with counted(homeserver, "refreshes_total", kind="repeated"):
        client.refresh(tokens["refresh_token"])


def test_reuse_and_other_ends_of_sessions_are_counted(homeserver, server, client, user):
    """A replay is a reason of its own, so that a wave of them can be seen."""
    stolen, revoked = (client.sign_in(user.localpart, user.password) for _ in range(2))
    onward = client.refresh(stolen["refresh_token"]).json()
    client.refresh(onward["refresh_token"])

    with (
        counted(homeserver, "refusals_total", path="/token", reason="reuse"),
        counted(homeserver, "sessions_ended_total"),
    ):
        client.refresh(stolen["refresh_token"])
    with counted(homeserver, "sessions_ended_total"):
        server.revoke(token=revoked["refresh_token"])
    with counted(homeserver, "sessions_ended_total", by=0):
        server.revoke(token=revoked["refresh_token"])


def test_refusals_are_counted_by_path_and_code(homeserver, server, client):
    with counted(homeserver, "refusals_total", path="/token", reason="invalid_grant"):
        client.refresh("no-refresh-token")
    with counted(homeserver, "refusals_total", path="/token", reason="invalid_client"):
        client.refresh("no-refresh-token", client_id="nobody")
    with counted(homeserver, "refusals_total", path="/revoke", reason="invalid_request"):
        server.revoke()


def test_refusals_at_userinfo_are_counted_and_logged(homeserver, server, client, user):
    """By why; the log has the address."""
    narrow = client.sign_in(user.localpart, user.password)["access_token"]
    before = homeserver.log_text().count(
        "Refused GET /_synapse/client/auth/userinfo from 127.0.0.1"
    )
    answers = []
    for reason, token in (("invalid_token", "unknown"), ("insufficient_scope", narrow)):
        with counted(homeserver, "refusals_total", path="/userinfo", reason=reason):
            answers.append(server.api("GET", f"{ISSUER_PATH}userinfo", token))
    after = homeserver.log_text().count("Refused GET /_synapse/client/auth/userinfo from 127.0.0.1")

    assert [answer.status_code for answer in answers] == [401, 403]
    assert 'scope="openid"' in answers[1].headers["WWW-Authenticate"]
    assert after - before == 2


@pytest.mark.parametrize(
    ("method", "path", "media", "status"),
    [
        ("GET", "/token", None, 405),
        ("BREW", "/userinfo", None, 405),
        ("PUT", "/account", None, 405),
        ("POST", "/token", "application/json", 400),
        ("POST", "/sign-in", "application/json", 415),
        ("POST", "/sign-in", "application/x-www-form-urlencoded", 403),  # without its CSRF value
    ],
)
def test_requests_that_none_of_ours_sends_are_counted_and_logged(
    homeserver, server, method, path, media, status
):
    """Whoever tries what a path does not take, or a form that is not of that browser."""
    line = f"Refused {method} {ISSUER_PATH.rstrip('/')}{path} from 127.0.0.1: invalid_request"
    before = homeserver.log_text().count(line)
    headers = {} if media is None else {"Content-Type": media}
    with counted(homeserver, "refusals_total", path=path, reason="invalid_request"):
        answer = requests.request(
            method, server.url(path[1:]), headers=headers, data="identifier=x", timeout=30
        )

    assert answer.status_code == status
    assert homeserver.log_text().count(line) == before + 1


def test_c147_guesses_at_user_codes_are_counted(homeserver, server):
    """No limit of one address sees a guesser with many; the operator's graphs do."""
    browser = Browser(server)
    browser.get(server.url("link"))

    with counted(homeserver, "refusals_total", by=5, path="/link", reason="unknown"):
        for _ in range(5):
            browser.submit(user_code="BCD-FBC-DFB")
    with counted(homeserver, "refusals_total", path="/link", reason="too_many_tries"):
        browser.submit(user_code="BCD-FBC-DFB")


def test_what_the_housekeeping_does_is_counted(start_homeserver):
    """Rows that it deleted by their kind, and how many sessions live."""
    homeserver = start_homeserver()
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client = server.client()
    gone, _ = (client.sign_in(user.localpart, user.password) for _ in range(2))
    server.revoke(token=gone["refresh_token"])
    homeserver.stop()
    homeserver.query(
        "UPDATE nextgen_sessions SET ended_at = 1 WHERE session_id = ?",
        inside(gone["refresh_token"]).session_id,
    )
    homeserver.config = metrics.listening(homeserver)

    homeserver.start()
    swept = {"kind": "ended sessions"}
    counted_one = eventually(
        lambda: metrics.value(homeserver, "rows_swept_total", **swept) == 1, patience=60
    )
    living = eventually(lambda: metrics.value(homeserver, "sessions_living"))

    assert counted_one
    assert living == 1
    kinds = {*sweep.KINDS, "idle browsers", "unused clients"}
    family = metrics.families(homeserver)["synapse_nextgen_auth_rows_swept"]
    assert {sample.labels["kind"] for sample in family.samples} <= kinds


def documented():
    """Return name, kind and labels of each metric on the page."""
    page = DOCS / "reference" / "events-and-logs.md"
    for name, kind, labels, _ in rows(section(page, "Metrics")):
        yield name.strip("`"), kind, {*re.findall(r"`([^`]+)`", labels), "server_name"}


@pytest.mark.parametrize(("name", "kind", "labels"), list(documented()))
def test_every_metric_of_the_page_is_on_the_listener(homeserver, client, user, name, kind, labels):
    """With the labels that the page says, in the registry that Synapse shows."""
    tokens = client.sign_in(user.localpart, user.password)
    client.refresh(tokens["refresh_token"])
    client.refresh("no-refresh-token")
    client.server.revoke(token=tokens["refresh_token"])
    # The housekeeping begins with the process and pauses a little after each kind.
    family = eventually(lambda: with_samples(homeserver, name))

    assert family.type == kind
    assert {frozenset(s.labels) - {"le"} for s in family.samples} == {frozenset(labels)}
    assert {s.labels["server_name"] for s in family.samples} == {homeserver.server_name}


def with_samples(homeserver, name):
    family = metrics.families(homeserver).get(name)
    return family if family is not None and family.samples else None


def test_c338_labels_hold_nothing_personal_and_nothing_that_others_choose(homeserver, server, user):
    """Whatever paths and names people send: labels come from our own fixed lists."""
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password)
    for path in (
        "token",
        f"{tokens['access_token']}",
        f"account/{user.user_id}",
        "%00",
        "link?x=y",
    ):
        for method in ("GET", "POST", "BREW"):
            server.api(method, f"{ISSUER_PATH}{path}", tokens["access_token"])
    client.refresh(tokens["refresh_token"], client_id=user.user_id, grant_type=user.user_id)
    outcomes = {"requested", "approved", "refused", "refused_by_module", "ok"}
    outcomes |= {each.value for each in (*SignInError, *Standing, *CodeRefused, *FactorRefused)}
    outcomes |= {f"provider_{each.value}" for each in Trouble}
    outcomes |= {*BATCHES, *CONNECTIONS}
    allowed = {
        "server_name": {homeserver.server_name}.__contains__,
        "path": {*ROUTES, "/rendezvous", RELATED_ORIGINS}.__contains__,
        "reason": REASON.fullmatch,
        "outcome": outcomes.__contains__,
        "kind": {
            *sweep.KINDS,
            *works.KINDS,
            "idle browsers",
            "unused clients",
            "rotated",
            "repeated",
            "restored",
        }.__contains__,
        "le": re.compile(r"[0-9.]+|\+Inf").fullmatch,
    }

    found = {
        (label, said)
        for family in metrics.families(homeserver).values()
        for sample in family.samples
        for label, said in sample.labels.items()
    }

    assert ("path", "/token") in found
    assert [pair for pair in found if not allowed[pair[0]](pair[1])] == []
    assert user.localpart not in {said for _, said in found}


@pytest.fixture
def without_database(tmp_path):
    """Return a homeserver that shows its metrics, and the PostgreSQL of its own that it stands on."""
    postgres = PostgresServer().start()
    try:
        homeserver = Homeserver(tmp_path, PostgresDatabase.on(postgres))
        homeserver.config = metrics.listening(homeserver)
        with homeserver:
            yield homeserver, postgres
    finally:
        postgres.stop()


def test_what_fails_without_the_database_is_counted(without_database):
    """By the path, a page or not: the alert on failures of ours must hear of the most usual one."""
    homeserver, postgres = without_database
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client, browser = server.client(), Browser.of(server, user)
    tokens = client.sign_in(user.localpart, user.password)
    spot = f"{server.base_url}{SPOTS}/{random_id()}"
    sends = {
        "/token": lambda: client.refresh(tokens["refresh_token"]),
        "/clients/register": lambda: server.register(web_client(client_name="Never seen before")),
        "/authorize": lambda: server.post("authorize", client.request()[0]),
        "/account": lambda: browser.get(server.url("account")),
        "/revoke": lambda: server.revoke(token=tokens["refresh_token"]),
        "/rendezvous": lambda: requests.get(spot, timeout=30),
    }

    def failures():
        labels = {"reason": "temporarily_unavailable"}
        return [metrics.value(homeserver, "refusals_total", path=path, **labels) for path in sends]

    before = failures()
    postgres.halt()
    try:
        answers = {path: send().status_code for path, send in sends.items()}
        after = failures()
    finally:
        postgres.resume()

    assert answers == dict.fromkeys(sends, 503)
    assert (before, after) == ([0] * len(sends), [1] * len(sends))
