"""Where two devices meet for a sign-in by QR code (MSC4108 of 2024, MSC4388)."""

import time

import pytest
import requests

from support.addresses import coming_from, over_ipv4

pytestmark = pytest.mark.every_release

ETAG_PATH = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous"
SEQUENCE_PATH = "/_matrix/client/unstable/io.element.msc4388/rendezvous"
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture
def spot(homeserver):
    """Return the answer that made a rendezvous of MSC4108."""
    return requests.post(homeserver.base_url + ETAG_PATH, data=b"one", headers=TEXT, timeout=60)


def put(url, data, etag, **headers):
    return requests.put(url, data=data, headers=TEXT | {"If-Match": etag} | headers, timeout=60)


def test_clients_are_told(homeserver):
    """The flags that clients look for are there, without any experimental option."""
    features = requests.get(f"{homeserver.base_url}/_matrix/client/versions", timeout=60).json()[
        "unstable_features"
    ]

    assert features["org.matrix.msc4108"] is True
    assert features["io.element.msc4388"] is True


def test_two_devices_meet(spot):
    """One makes the spot, the other reads and overwrites it, the first sees that."""
    url, etag = spot.json()["url"], spot.headers["ETag"]

    read = requests.get(url, timeout=60)
    unchanged = requests.get(url, headers={"If-None-Match": etag}, timeout=60)
    written = put(url, b"two", etag)
    changed = requests.get(url, headers={"If-None-Match": etag}, timeout=60)
    left = requests.delete(url, timeout=60)

    assert spot.status_code == 201
    assert (read.status_code, read.text) == (200, "one")
    assert read.headers["Content-Type"] == "text/plain"
    assert unchanged.status_code == 304
    assert written.status_code == 202
    assert written.headers["ETag"] != etag
    assert (changed.status_code, changed.text) == (200, "two")
    assert left.status_code == 204
    assert requests.get(url, timeout=60).status_code == 404


@pytest.mark.parametrize("name", ["ETag", "Expires", "Last-Modified", "Cache-Control"])
def test_every_answer_has_its_headers(spot, name):
    """Scripts can read what they need, and nothing is kept on the way."""
    answer = requests.get(spot.json()["url"], timeout=60)

    for given in (spot, answer):
        assert name in given.headers
        assert given.headers["Access-Control-Allow-Origin"] == "*"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


def test_a_browser_may_send_the_conditions(spot):
    """The preflight allows If-Match and If-None-Match."""
    answer = requests.options(
        spot.json()["url"],
        headers={"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"},
        timeout=60,
    )

    assert "If-Match" in answer.headers["Access-Control-Allow-Headers"]
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]


def test_c155_a_stale_write_is_refused(spot):
    """Who has not seen the present state overwrites nothing."""
    url, etag = spot.json()["url"], spot.headers["ETag"]
    put(url, b"two", etag)

    stale = put(url, b"three", etag)

    assert stale.status_code == 412
    assert stale.json()["org.matrix.msc4108.errcode"] == "M_CONCURRENT_WRITE"
    assert requests.get(url, timeout=60).text == "two"


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"x" * 4097, TEXT, 413),
        (b"x", {"Content-Type": "application/json"}, 400),
        (b"\xff", TEXT, 400),
        (b"a\0b", TEXT, 400),
        (b"x" * 4096, TEXT, 201),
    ],
)
def test_c155_size_and_kind_are_limited(homeserver, data, headers, status):
    """At most 4096 bytes of text."""
    answer = requests.post(homeserver.base_url + ETAG_PATH, data=data, headers=headers, timeout=60)

    assert answer.status_code == status


def test_c155_nobody_makes_many(homeserver):
    """One address makes a burst of them in either form, and then has to wait; others do not."""
    many = coming_from("127.0.0.55")
    older, newer = (over_ipv4(homeserver.base_url + path) for path in (ETAG_PATH, SEQUENCE_PATH))

    began, made = time.monotonic(), 0
    while (answer := many.post(newer, json={"data": "x"}, timeout=60)).ok:
        made += 1
        assert made <= 101 + (time.monotonic() - began) / 2
    other_form = many.post(older, data=b"x", headers=TEXT, timeout=60)
    elsewhere = requests.post(newer, json={"data": "x"}, timeout=60)

    assert made >= 100
    for refused in (answer, other_form):
        assert refused.status_code == 429
        assert refused.json()["errcode"] == "M_LIMIT_EXCEEDED"
        assert int(refused.headers["Retry-After"]) > 0
    assert elsewhere.ok


@pytest.mark.parametrize("tag", ["*", "W/{}", "{}, W/{}", '"other", {}'])
def test_an_unchanged_spot_is_not_sent_again(spot, tag):
    """Whatever a proxy made of its tag, and for `*`; a changed one is (RFC 9110 section 13.1.2)."""
    url, etag = spot.json()["url"], spot.headers["ETag"]
    known = {"If-None-Match": tag.replace("{}", etag)}

    unchanged = requests.get(url, headers=known, timeout=60)
    put(url, b"two", f"W/{etag}")
    changed = requests.get(url, headers=known, timeout=60)

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["ETag"] == etag
    assert "Content-Length" not in unchanged.headers
    assert changed.status_code == (304 if tag == "*" else 200)


@pytest.mark.parametrize(("tag", "status"), [("W/{}", 202), ("{}", 202), ("W/x", 412), ("*", 412)])
def test_a_weak_tag_is_good_enough_to_write(spot, tag, status):
    """A proxy that compresses weakened it; `*` would write over what nobody has seen."""
    assert put(spot.json()["url"], b"two", tag.replace("{}", spot.headers["ETag"])).status_code == (
        status
    )


def test_an_answer_without_content_has_no_length(spot):
    """RFC 9110 section 8.6: not with 204, nor with 304 unless it is that of the 200."""
    url, etag = spot.json()["url"], spot.headers["ETag"]

    head = requests.head(url, timeout=60)
    unchanged = requests.head(url, headers={"If-None-Match": etag}, timeout=60)
    left = requests.delete(url, timeout=60)

    assert head.headers["Content-Length"] == "3"
    assert (unchanged.status_code, left.status_code) == (304, 204)
    for answer in (unchanged, left):
        assert "Content-Length" not in answer.headers
        assert "Transfer-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "wrong", ["%00", "a%00b", "%ff", "%ed%a0%80", "x" * 5000, "..", "%E2%98%83"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_c213_what_is_no_id_of_ours_is_not_there(homeserver, spot, method, wrong):
    """A NUL in a path was an error of the database (PostgreSQL)."""
    base = spot.json()["url"].rpartition("/")[0]
    newer = f"{homeserver.base_url}{SEQUENCE_PATH}/{wrong}"
    body = {"data": "x", "sequence_token": "\0"}

    older = requests.request(
        method, f"{base}/{wrong}", data=b"x", headers=TEXT | {"If-Match": '"x"'}, timeout=60
    )

    assert requests.request(method, newer, json=body, timeout=60).status_code == 404
    assert older.status_code == 404


def test_a_write_needs_its_condition(spot):
    """Without If-Match nothing is overwritten."""
    url = spot.json()["url"]

    assert requests.put(url, data=b"x", headers=TEXT, timeout=60).status_code == 400
    assert put(url, b"x" * 4097, spot.headers["ETag"]).status_code == 413
    assert requests.post(url, data=b"x", headers=TEXT, timeout=60).status_code == 405


def test_the_newer_form(homeserver):
    """MSC4388: JSON and sequence tokens; a repeated write whose answer was lost is no conflict."""
    base = homeserver.base_url + SEQUENCE_PATH
    able = requests.get(base, timeout=60).json()
    made = requests.post(base, json={"data": "one"}, timeout=60).json()
    spot = f"{base}/{made['id']}"
    body = {"data": "two", "sequence_token": made["sequence_token"]}

    written, repeated = (requests.put(spot, json=body, timeout=60) for _ in range(2))
    stale = requests.put(spot, json=body | {"data": "three"}, timeout=60)
    read = requests.get(spot, timeout=60).json()
    left = requests.delete(spot, timeout=60)

    assert able == {"create_available": True}
    assert 0 < made["expires_in_ms"] <= 300_000
    assert written.json() == repeated.json()
    assert stale.status_code == 409
    assert read["data"] == "two"
    assert read["sequence_token"] == written.json()["sequence_token"]
    assert left.status_code == 200
    assert requests.get(spot, timeout=60).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-User": "?1"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_nobody_is_shown_what_strangers_wrote(homeserver, headers):
    """A browser that navigates to a rendezvous gets nothing (MSC4388, unsafe content)."""
    base = homeserver.base_url + SEQUENCE_PATH
    made = requests.post(base, json={"data": "<script>"}, timeout=60).json()

    assert requests.get(f"{base}/{made['id']}", headers=headers, timeout=60).status_code == 403


def test_an_id_of_one_form_is_nothing_to_the_other(homeserver, spot):
    """The two forms do not see each other's spots."""
    rendezvous_id = spot.json()["url"].rpartition("/")[2]

    assert (
        requests.get(f"{homeserver.base_url}{SEQUENCE_PATH}/{rendezvous_id}", timeout=60)
    ).status_code == 404


def test_a_rendezvous_survives_a_restart(start_homeserver):
    """Its state is in the database, not in a process."""
    homeserver = start_homeserver()
    made = requests.post(homeserver.base_url + ETAG_PATH, data=b"one", headers=TEXT, timeout=60)

    homeserver.restart()

    assert requests.get(made.json()["url"], timeout=60).text == "one"
