"""Whether a name is free, while somebody types it: no more than stock tells, and no faster."""

import itertools
import statistics
import time

import pytest
import requests

from support.oauth import Browser, Server
from support.synapse import Homeserver

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

OPEN = {"enable_registration": True, "enable_registration_without_verification": True}
_addresses = itertools.count(1)


@pytest.fixture(scope="module")
def make(tmp_path_factory, make_database):
    """Return a function that starts a homeserver with these settings; all of them stop at the end."""
    started = []

    def make_(**config):
        directory = tmp_path_factory.mktemp("homeserver-names")
        homeserver = Homeserver(directory, make_database("sqlite", directory))
        (listener,) = homeserver.settings()["listeners"]
        homeserver.config = {"listeners": [{**listener, "x_forwarded": True}], **config}
        started.append(homeserver)
        return homeserver.start()

    yield make_
    for homeserver in started:
        homeserver.stop()


@pytest.fixture(scope="module")
def open_homeserver(make, tmp_path_factory):
    bridge = tmp_path_factory.mktemp("bridge") / "bridge.yaml"
    users = "[{exclusive: true, regex: '@bridge_.*'}]"
    bridge.write_text(
        "{id: b, url: null, as_token: a, hs_token: h, sender_localpart: bot,"
        f" namespaces: {{users: {users}, rooms: [], aliases: []}}}}"
    )
    return make(**OPEN, app_service_config_files=[str(bridge)])


def ask(homeserver, username, *, address=None, **options):
    """Ask from a network of its own."""
    address = address or f"198.51.100.{next(_addresses)}"
    return requests.get(
        Server(homeserver.base_url).url("register-available"),
        params={"username": username},
        headers={"X-Forwarded-For": address},
        timeout=30,
        **options,
    )


@pytest.mark.parametrize(
    ("typed", "state"),
    [
        ("somebody.new", "available"),
        ("Taken", "taken"),
        ("@taken:localhost", "taken"),
        ("gone", "taken"),
        ("mïra", "invalid"),
        ("_taken", "invalid"),
        ("12345", "invalid"),
        ("x" * 300, "invalid"),
        ("bridge_1", "reserved"),
    ],
)
def test_c245_a_name_is_judged_as_stock_judges_it(open_homeserver, typed, state):
    """Whose name it is, and whether they are still here, nobody learns."""
    if not open_homeserver.query("SELECT 1 FROM users WHERE name LIKE '@taken:%'"):
        open_homeserver.register_user("taken", "seven brave otters")
        gone = open_homeserver.register_user("gone", "seven brave otters")
        open_homeserver.query("UPDATE users SET deactivated = 1 WHERE name = ?", gone.user_id)
    answer = ask(open_homeserver, typed)

    assert answer.status_code == 200
    assert answer.json()["state"] == state
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    stock = requests.get(
        f"{open_homeserver.base_url}/_matrix/client/v3/register/available",
        params={"username": answer.json()["username"]},
        headers={"X-Forwarded-For": f"198.51.100.{next(_addresses)}"},
        timeout=30,
    )
    assert (stock.status_code == 200) == (state == "available")


def test_c245_of_a_taken_name_a_few_like_it_are_named(open_homeserver):
    """They are free, and they are for whoever has no scripts too."""
    open_homeserver.register_user("popular", "seven brave otters")
    free = ask(open_homeserver, "popular").json()["free"]
    browser = Browser(Server(open_homeserver.base_url))
    browser.get(browser.server.url("register"))
    fields = {"display_name": "", "password": "seven brave otters juggle"}
    page = browser.submit(username="popular", decision="create", **fields)

    assert len(free) == 3
    assert all(ask(open_homeserver, name).json()["state"] == "available" for name in free)
    assert page.status_code == 400
    assert page.text.count("<li><bdi>popular") == 3


def test_nothing_is_no_name(open_homeserver):
    assert ask(open_homeserver, "").status_code == 400
    assert ask(open_homeserver, "@").status_code == 400


def test_c241_a_network_asks_so_often_and_no_oftener(open_homeserver):
    """An IPv6 address has its whole network; somebody else is not held up."""
    answers = [ask(open_homeserver, f"name{n}", address=f"2001:db8::{n:x}") for n in range(1, 40)]
    late = [answer for answer in answers if answer.status_code == 429]

    assert 3 <= len(late) <= 9  # thirty at once, and what time gives back meanwhile
    assert all(answer.json() == {"state": "unknown"} for answer in late)
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in late)
    assert ask(open_homeserver, "name0").status_code == 200


def test_c245_where_nobody_signs_up_nothing_is_told(sqlite_homeserver):
    """As stock has it."""
    assert ask(sqlite_homeserver, "admin").status_code == 403


def test_an_answer_comes_while_somebody_types(open_homeserver):
    """At one connection; the benchmark has figures of a quiet machine."""
    session, took = requests.Session(), []
    for n in range(60):
        began = time.perf_counter()
        answer = session.get(
            Server(open_homeserver.base_url).url("register-available"),
            params={"username": f"quick{n}"},
            headers={"X-Forwarded-For": f"203.0.113.{n}"},
            timeout=30,
        )
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200
    print(f"p50 {statistics.median(took) * 1000:.1f} ms, p95 {sorted(took)[56] * 1000:.1f} ms")

    assert statistics.median(took) < 0.1
