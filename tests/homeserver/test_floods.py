"""Floods from one network: they fill no table, and the others do not notice.

Behind a proxy every request names its own address: whoever has an IPv6 /64 has 2^64 of them.
"""

import itertools
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from support import metrics
from support.databases import Database
from support.oauth import API, DEVICE, Browser, Server, device_id, web_client
from support.passkeys import SoftKey, form_of, question
from support.synapse import Homeserver
from support.television import METADATA
from support.waiting import eventually
from synapse_nextgen_auth.flows.device import WRONG_PER_NETWORK
from synapse_nextgen_auth.oauth.rendezvous import MAX_LIVING, SHARE

pytestmark = pytest.mark.newest_only

RARE = 0.001  # a second
SEQUENCE_PATH = "/_matrix/client/unstable/io.element.msc4388/rendezvous"
ETAG_PATH = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous"
MODULE = {
    "factors": {"policy": "optional"},
    "authorization": {"per_second": RARE, "burst": 20},
    "client_registration": {"per_second": RARE, "burst": 10},
    # So much that nothing but the share of a network limits the rendezvous.
    "device_grants": {"per_second": 1000.0, "burst": 100_000, "lifetime": "20m"},
}
_networks = itertools.count(1)


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, make_database):
    """Yield a homeserver behind a proxy, with small limits."""
    directory = tmp_path_factory.mktemp("floods")
    database: Database = make_database("sqlite", directory)
    made = Homeserver(directory, database, module=MODULE)
    (listener,) = made.settings()["listeners"]
    many = {"per_second": 1000, "burst_count": 10000}
    few = {"per_second": RARE, "burst_count": 4}
    shown = [{"names": ["client", "metrics"], "compress": False}]
    made.config = {
        "enable_metrics": True,
        "listeners": [{**listener, "x_forwarded": True, "resources": shown}],
        "rc_login": {"address": few, "account": many, "failed_attempts": many},
    }
    with made:
        yield made


class Network:
    """Somebody with an IPv6 /64, each of whose requests comes from another address of it."""

    def __init__(self):
        self.prefix = f"2001:db8:{next(_networks):x}:7"
        self.http = requests.Session()

    def headers(self):
        parts = [secrets.token_hex(2) for _ in range(4)]
        return {"X-Forwarded-For": ":".join([self.prefix, *parts])}

    def send(self, method, url, **options):
        options["headers"] = options.get("headers", {}) | self.headers()
        return self.http.request(method, url, allow_redirects=False, timeout=60, **options)

    def browser(self, server):
        browser = Browser(server)
        request = browser.http.request
        browser.http.request = lambda *given, **options: request(
            *given, **options | {"headers": self.headers()}
        )
        return browser

    def rows(self, homeserver):
        """Return how many rows of throttles there are about this network."""
        ((count,),) = homeserver.query(
            "SELECT COUNT(*) FROM nextgen_throttle WHERE key LIKE ?", f"%{self.prefix}%"
        )
        return count


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def flood():
    return Network()


def client_of(homeserver, server, **metadata):
    """Register a client from a network of its own."""
    metadata = web_client(client_name=f"Client {secrets.token_hex(4)}", **metadata)
    answer = Network().send("POST", server.url("clients/register"), json=metadata).json()
    return SimpleNamespace(
        id=answer["client_id"], redirect_uri=next(iter(answer["redirect_uris"]), "")
    )


def signed_in(homeserver, server, network):
    """Return a browser of this network in which an account of its own is signed in."""
    user, browser = homeserver.new_user(), network.browser(server)
    browser.get(server.url("sign-in"))
    assert browser.sign_in(user.localpart, user.password).status_code == 200
    return browser


def request_of(client, **changes):
    return {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "scope": f"{API} {DEVICE}{device_id()}",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    } | changes


def test_c154_authorization_requests_of_a_network_are_limited(homeserver, server, flood):
    """Each would be a row of many kilobytes; the page says so, and others go on."""
    client = client_of(homeserver, server)
    url, request = server.url("authorize"), request_of(client, state="x" * 4000)

    answers = [flood.send("GET", url, params=request) for _ in range(30)]
    posted = flood.send("POST", url, data=request, headers={"Cookie": f"nextgen_auth={'x' * 43}"})
    elsewhere = Network().send("GET", url, params=request)
    ((written,),) = homeserver.query(
        "SELECT COUNT(*) FROM nextgen_grants WHERE client_id = ? AND state IS NOT NULL", client.id
    )

    assert [answer.status_code for answer in answers] == [303] * 20 + [429] * 10
    assert "Too many people are signing in" in answers[-1].text
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert posted.status_code == 429
    assert elsewhere.status_code == 303
    assert written == 21
    assert flood.rows(homeserver) == 1


def lines_about(homeserver, flood):
    """Return what the log says of refusals of this network."""
    found = [line for line in homeserver.log_text().splitlines() if flood.prefix in line]
    return [line for line in found if "Too many requests of" in line]


@pytest.mark.parametrize(
    ("request_of_path", "allowed", "words"),
    [
        (
            lambda server, client: ("GET", server.url("authorize"), request_of(client)),
            20,
            "/authorize: over authorization.burst",
        ),
        (
            lambda server, _client: (
                "POST",
                server.url("clients/register"),
                web_client(client_name=f"Client {secrets.token_hex(4)}"),
            ),
            10,
            "/clients/register: over client_registration.burst",
        ),
    ],
)
def test_c154_a_network_over_its_limit_is_counted_and_named_once_a_minute(
    homeserver, server, flood, request_of_path, allowed, words
):
    """The operator finds out who and which option, and a flood of requests is no flood of lines."""
    client = client_of(homeserver, server)
    labels = {"path": words.partition(":")[0], "reason": "rate_limited"}
    before = metrics.value(homeserver, "refusals_total", **labels)

    statuses = []
    for _ in range(allowed + 12):
        method, url, content = request_of_path(server, client)
        place = "params" if method == "GET" else "json"
        statuses.append(flood.send(method, url, **{place: content}).status_code)
    refused = statuses.count(429)

    assert refused >= 10
    assert metrics.value(homeserver, "refusals_total", **labels) - before == refused
    # A run of a minute and more has one line for each minute that began.
    assert 1 <= len(lines_about(homeserver, flood)) < refused / 2
    assert all(line.endswith(words) for line in lines_about(homeserver, flood))
    assert all(f"{flood.prefix}::/64" in line for line in lines_about(homeserver, flood))


def test_c154_silent_requests_do_not_get_around_the_limit(homeserver, server, flood):
    """They hear of it in the protocol's words (RFC 6749 section 4.1.2.1)."""
    client = client_of(homeserver, server)
    url = server.url("authorize")

    answers = [flood.send("GET", url, params=request_of(client, prompt="none")) for _ in range(25)]
    loud = flood.send("GET", url, params=request_of(client))

    told = [(answer.headers.get("Location") or "") + answer.text for answer in answers]
    assert ["temporarily_unavailable" in text for text in told] == [False] * 20 + [True] * 5
    assert loud.status_code == 429


@pytest.mark.parametrize("prompt", ["", "none"])
def test_c154_whoever_is_signed_in_does_not_pay_for_their_network(
    homeserver, server, flood, prompt
):
    """Strangers behind the same address lock out strangers only; each account has a limit too."""
    client = client_of(homeserver, server)
    browsers = [signed_in(homeserver, server, flood) for _ in range(2)]
    url, request = server.url("authorize"), request_of(client, prompt=prompt)

    def ask(browser):
        answer = browser.http.get(url, params=request, allow_redirects=False, timeout=60)
        told = (answer.headers.get("Location") or "") + answer.text
        return "temporarily_unavailable" in told or answer.status_code == 429

    strangers = [flood.send("GET", url, params=request_of(client)) for _ in range(25)]
    first = [ask(browsers[0]) for _ in range(25)]
    second = ask(browsers[1])
    made_up = flood.send(
        "GET", url, params=request_of(client), headers={"Cookie": f"nextgen_auth={'z' * 43}"}
    )

    assert [answer.status_code for answer in strangers] == [303] * 20 + [429] * 5
    assert first == [False] * 20 + [True] * 5
    assert second is False
    assert made_up.status_code == 429


@pytest.mark.parametrize("name", ["login_hint", "ui_locales"])
def test_a_hint_that_is_too_long_is_not_kept(homeserver, server, name):
    """Nobody is turned away for it; what fits is kept (2,048 characters)."""
    client = client_of(homeserver, server)
    visitor = Network()

    for length in (2048, 2049, 7000):
        request = request_of(client, **{name: "\u00fc" * length if length < 7000 else "x" * length})
        # Without a cookie it is asked again: by a page, because no address is as long as that.
        assert visitor.send("POST", server.url("authorize"), data=request).status_code == 200
        cookie = {"Cookie": f"nextgen_auth={'y' * 43}"}
        answer = visitor.send("POST", server.url("authorize"), data=request, headers=cookie)
        assert answer.status_code == 303

    kept = homeserver.query(f"SELECT {name} FROM nextgen_grants WHERE client_id = ?", client.id)
    assert sorted(hint or "" for (hint,) in kept) == ["", "", "\u00fc" * 2048]


def test_c166_registrations_of_a_network_are_limited(homeserver, server, flood):
    """However many addresses it has."""
    url = server.url("clients/register")

    answers = [
        flood.send("POST", url, json=web_client(client_name=f"{flood.prefix} {n}"))
        for n in range(15)
    ]
    elsewhere = Network().send("POST", url, json=web_client(client_name=f"not {flood.prefix}"))

    assert [answer.status_code for answer in answers] == [201] * 10 + [429] * 5
    assert elsewhere.status_code == 201
    assert flood.rows(homeserver) == 1


def test_c147_wrong_user_codes_of_a_network_are_limited(homeserver, server, flood):
    """Each from a browser and an address of its own: fifty, and then the right one does not help."""
    client = client_of(homeserver, server, **METADATA)
    form = {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}"}
    begun = Network().send("POST", server.url("device-authorization"), data=form).json()

    def attempt(code, network):
        browser = network.browser(server)
        browser.get(server.url("link"))
        return browser.submit(user_code=code).status_code

    wrong = [attempt("BBB-BBB-BBB", flood) for _ in range(WRONG_PER_NETWORK + 3)]
    right = attempt(begun["user_code"], flood)
    elsewhere = attempt(begun["user_code"], Network())

    assert wrong == [400] * WRONG_PER_NETWORK + [429] * 3
    assert right == 429
    assert elsewhere in {200, 303}


def test_c238_attempts_to_sign_in_count_by_network(server, flood):
    """Synapse's `rc_login.address`, with our idea of an address."""
    page = flood.browser(server)
    page.get(server.url("sign-in"))
    tries = []
    for n in range(6):
        tries.append(page.submit(identifier=f"nobody-{n}", password="wrong").status_code)
        page.get(server.url("sign-in"))

    assert tries == [403] * 4 + [429] * 2


def test_c901_wrong_passkeys_count_by_network(homeserver, server, flood):
    """No right one counts, or is looked at until the network has waited; the others go on."""
    key = SoftKey(rp_id="localhost", origin=homeserver.base_url)
    own = Network()
    owner = signed_in(homeserver, server, own)
    action, hidden = form_of(owner.get(server.url("account-passkey-add")))
    form = {**hidden, "passkey": key.make(question(owner.page)), "decision": "passkey"}
    assert owner.http.post(action, data=form, timeout=30).status_code == 200
    for _ in range(3):
        assert by_passkey(server, own, key) == 303

    send = wrong_passkeys(server, key)
    tries = [send(flood) for _ in range(52)]

    assert tries == [403] * 50 + [429] * 2
    assert by_passkey(server, flood, key) == 429
    assert by_passkey(server, own, key) == 303


def test_c901_wrong_passkeys_at_once_count_before_they_are_looked_at(homeserver, server, flood):
    """So that not one more is than one after the other, however many come together."""
    send = wrong_passkeys(server, SoftKey(rp_id="localhost", origin=homeserver.base_url))
    began = time.monotonic()
    with ThreadPoolExecutor(20) as threads:
        tries = list(threads.map(lambda _: send(flood), range(100)))
    leaked = int((time.monotonic() - began) / 10) + 1

    assert set(tries) == {403, 429}
    assert 50 <= tries.count(403) <= 50 + leaked


def wrong_passkeys(server, key):
    """Return how to answer a page from a network as no passkey does."""
    wrong = Browser(server)
    wrong.get(server.url("sign-in"))
    action, hidden = form_of(wrong.page)
    form = {**hidden, "passkey": key.use(question(wrong.page), type="x"), "decision": "passkey"}
    cookies = wrong.http.cookies
    return lambda network: network.send("POST", action, data=form, cookies=cookies).status_code


def by_passkey(server, network, key):
    """Sign in with a passkey from a network, and return the status of the answer."""
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    action, hidden = form_of(browser.page)
    form = {**hidden, "passkey": key.use(question(browser.page)), "decision": "passkey"}
    return network.send("POST", action, data=form, cookies=browser.http.cookies).status_code


def test_c155_c242_a_network_has_a_share_of_the_rendezvous(homeserver, flood):
    """Thousands of requests from one /64, in both forms, and everybody else can still meet."""
    urls = [homeserver.base_url + SEQUENCE_PATH, homeserver.base_url + ETAG_PATH]
    labels = {"path": "/rendezvous", "reason": "rate_limited"}

    def create(n, network=flood):
        if n % 2:
            text = {"Content-Type": "text/plain"}
            return network.send("POST", urls[1], data=b"x", headers=text)
        return network.send("POST", urls[0], json={"data": "x"})

    with ThreadPoolExecutor(8) as threads:
        before = metrics.value(homeserver, "refusals_total", **labels)
        statuses = list(threads.map(lambda n: create(n).status_code, range(2000)))
        counted = metrics.value(homeserver, "refusals_total", **labels) - before
    living = homeserver.query("SELECT COUNT(*) FROM nextgen_rendezvous")[0][0]
    # On a slow machine so much time has passed that the network is owed a few more.
    answers = (create(0) for _ in range(20))
    refused = next((answer for answer in answers if answer.status_code == 429), None)
    others = [create(n, Network()) for n in range(4)]

    assert set(statuses) <= {200, 201, 429}
    assert len(statuses) - statuses.count(429) == living <= SHARE
    assert living >= SHARE // 2
    assert counted == statuses.count(429)
    assert 1 <= len(lines_about(homeserver, flood)) < 10
    assert refused is not None
    assert refused.json()["errcode"] == "M_LIMIT_EXCEEDED"
    assert int(refused.headers["Retry-After"]) > 0
    assert [answer.status_code for answer in others] == [200, 201] * 2
    assert flood.rows(homeserver) == 1


def test_c155_the_networks_of_a_site_share_a_limit(homeserver, server):
    """Somebody with an IPv6 /48 has 65,536 of them; who is not among them does not notice."""
    url, site, others = server.url("clients/register"), Network(), Network()

    def register(network, n):
        metadata = web_client(client_name=f"{network.prefix} {n}")
        return network.send("POST", url, json=metadata).status_code

    statuses = []
    for n in range(12):
        site.prefix = f"{site.prefix.rpartition(':')[0]}:{n:x}"
        statuses += [register(site, turn) for turn in range(8)]
    known = homeserver.query(
        "SELECT COUNT(*) FROM nextgen_throttle WHERE key LIKE ?",
        f"%{site.prefix.rpartition(':')[0]}:%",
    )

    # Eight times ten, of which each of the first ten networks took eight.
    assert statuses == [201] * 80 + [429] * 16
    assert register(others, 0) == 201
    assert known == [(11,)]


def test_c155_when_too_many_live_everybody_waits(homeserver):
    """And meets again as soon as there is room."""

    def status():
        url = homeserver.base_url + SEQUENCE_PATH
        return Network().send("POST", url, json={"data": "x"}).status_code

    now = int(time.time())
    homeserver.query(
        "INSERT INTO nextgen_rendezvous WITH RECURSIVE n(i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " SELECT 'full ' || i, 'msc4108', '', '', ?, ?, ? FROM n",
        *(MAX_LIVING, now, now, now + 300),
    )
    refused = eventually(lambda: status() == 429)
    homeserver.query("DELETE FROM nextgen_rendezvous WHERE rendezvous_id LIKE ?", "full %")

    assert refused
    assert eventually(lambda: status() == 200)


def test_c155_who_lives_is_counted_now_and_then(homeserver):
    """Counting 50,000 for each new one would take longer than making it."""
    url, began, before = homeserver.base_url + SEQUENCE_PATH, time.monotonic(), counts(homeserver)

    for _ in range(40):
        assert Network().send("POST", url, json={"data": "x"}).status_code == 200

    assert counts(homeserver) > 0
    assert counts(homeserver) - before <= 2 + (time.monotonic() - began) / 2


def counts(homeserver):
    """Return how often this homeserver counted the rendezvous that live, by Synapse's own metrics."""
    name = "synapse_storage_transaction_time_count_total"
    families = text_string_to_metric_families(metrics.text(homeserver))
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(s.value for s in samples if s.labels["desc"] == "nextgen_has_room")


def test_a_rendezvous_lives_as_long_as_the_sign_in_that_follows(homeserver):
    """That of MSC4108; one of MSC4388 says five minutes."""
    visitor = Network()
    text = {"Content-Type": "text/plain"}
    older = visitor.send("POST", homeserver.base_url + ETAG_PATH, data=b"x", headers=text)
    newer = visitor.send("POST", homeserver.base_url + SEQUENCE_PATH, json={"data": "x"})

    ids = [older.json()["url"].rpartition("/")[2], newer.json()["id"]]
    lives = [
        homeserver.query(
            "SELECT expires_at - created_at FROM nextgen_rendezvous WHERE rendezvous_id = ?", name
        )
        for name in ids
    ]
    assert lives == [[(1200,)], [(300,)]]
    assert newer.json()["expires_in_ms"] == 300_000


def test_c210_nonsense_from_a_proxy_is_harmless(homeserver, server):
    """It is counted and kept as something short and printable."""
    for nonsense in ("a\x7fb", "<script>", "1" * 5000, "::ffff:1.2.3.4", "[::1]:5", "\x01", "a b"):
        headers = {"X-Forwarded-For": nonsense}
        made = [
            requests.post(
                server.url("clients/register"),
                json=web_client(client_name=f"Of {secrets.token_hex(4)}"),
                headers=headers,
                timeout=30,
            ),
            requests.post(
                homeserver.base_url + SEQUENCE_PATH,
                json={"data": "x"},
                headers=headers,
                timeout=30,
            ),
        ]
        assert [answer.status_code for answer in made] == [201, 200], nonsense

    keys = [key for (key,) in homeserver.query("SELECT key FROM nextgen_throttle")]
    assert all(len(key) < 120 and key.isprintable() for key in keys)
