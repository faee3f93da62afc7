"""A device, the person who lets it in, and who guesses at codes: each may meet any process."""

from collections import Counter

import pytest
import requests

from support.addresses import coming_from
from support.deployment import (
    PROCESSES,
    HoppingBrowser,
    Restarts,
    RoundRobinBrowser,
    at_once,
)
from support.keys import device_keys
from support.scale import times
from support.television import Television, enter, let_in
from synapse_nextgen_auth.flows.device import WRONG_PER_NETWORK

V3 = "/_matrix/client/v3"
ETAG = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous"
SEQUENCE = "/_matrix/client/unstable/io.element.msc4388/rendezvous"
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture
def user(deployment):
    """Return an account of this test's own."""
    return deployment.new_user()


@pytest.fixture
def tv(deployment):
    """Return a device that began on one worker."""
    return Television.begin(deployment.server("worker1"))


def poll(deployment, tv, *names):
    """Poll once at each of these processes, one after the other; return the answers as JSON."""
    return [tv.poll(at=deployment.server(name)).json() for name in names]


def test_c355_a_device_grant_hops_between_processes_at_every_step(deployment, tv, user):
    """Begun, polled, entered, approved and collected on another process each time."""
    browser = RoundRobinBrowser(deployment)

    (pending,) = poll(deployment, tv, "main")
    let_in(browser, tv, user)
    (tokens,) = poll(deployment, tv, "worker2")
    uploaded = [
        deployment.server(name).api(
            "POST",
            f"{V3}/keys/upload",
            tokens["access_token"],
            json=device_keys(user.user_id, tv.device_id) if name == "main" else {},
        )
        for name in PROCESSES
    ]
    again = poll(deployment, tv, *PROCESSES)

    assert pending["error"] == "authorization_pending"
    assert [answer.status_code for answer in uploaded] == [200, 200, 200]
    assert [answer["error"] for answer in again] == ["invalid_grant"] * 3


def test_c143_twenty_polls_at_once_collect_one_session(deployment, tv, user):
    """One gets the tokens, the others `invalid_grant`; there is one session on one device."""
    let_in(HoppingBrowser(deployment), tv, user)
    places = [deployment.server(PROCESSES[n % 3]) for n in range(20)]

    answers = at_once(*(lambda at=at: tv.poll(at=at) for at in places))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    lost = Counter(
        (answer.status_code, answer.json()["error"])
        for answer in answers
        if answer.status_code != 200
    )
    sessions = deployment.query(
        "SELECT device_id, ended_at FROM nextgen_sessions WHERE user_id = ?", user.user_id
    )
    devices = deployment.query("SELECT device_id FROM devices WHERE user_id = ?", user.user_id)

    assert len(won) == 1
    assert lost == {(400, "invalid_grant"): 19}
    assert sessions == [(tv.device_id, None)]
    assert (tv.device_id,) in devices
    assert [
        deployment.server(name).whoami(won[0]["access_token"]).status_code for name in PROCESSES
    ] == [200, 200, 200]


def test_c145_signing_out_elsewhere_withdraws_the_approval(deployment, tv, user):
    """Approved on one process, signed out on another: the third hands out nothing."""
    browser = RoundRobinBrowser(deployment)
    let_in(browser, tv, user)

    browser.get(browser.server.url(""))
    browser.submit(decision="sign-out")

    answers = poll(deployment, tv, *PROCESSES)
    assert [answer["error"] for answer in answers] == ["access_denied"] * 3


def test_c147_wrong_codes_are_counted_over_all_processes(deployment, tv):
    """Five wrong codes in one browser, wherever they arrive, are all there is; the right one is no
    way to find out."""  # noqa: D205, D209
    browser = from_address(RoundRobinBrowser(deployment), "127.0.0.21")
    browser.get(tv.answer["verification_uri"])

    wrong = [browser.submit(user_code=tv.wrong_code).status_code for _ in range(5)]
    then = [browser.submit(user_code=code) for code in (tv.user_code, tv.wrong_code)]

    assert wrong == [400] * 5
    assert [page.status_code for page in then] == [429, 429]
    assert then[0].text.count("too many wrong codes") == then[1].text.count("too many wrong codes")
    assert poll(deployment, tv, "main")[0]["error"] == "authorization_pending"


def test_c147_guesses_at_once_on_all_processes_are_all_counted(deployment, tv):
    """More guesses than the limit from one address at the same moment, each from a fresh browser."""
    browsers = [
        from_address(HoppingBrowser(deployment, PROCESSES[n % 3]), "127.0.0.22")
        for n in range(WRONG_PER_NETWORK + 10)
    ]
    for browser in browsers:
        browser.get(tv.answer["verification_uri"])

    at_once(*(lambda b=b: b.submit(user_code=tv.wrong_code) for b in browsers))
    statuses = Counter(browser.page.status_code for browser in browsers)
    for _ in range(statuses[503]):
        again = from_address(HoppingBrowser(deployment, "main"), "127.0.0.22")
        again.get(tv.answer["verification_uri"])
        statuses[again.submit(user_code=tv.wrong_code).status_code] += 1
    late = from_address(HoppingBrowser(deployment, "worker2"), "127.0.0.22")
    late.get(tv.answer["verification_uri"])

    assert late.submit(user_code=tv.user_code).status_code == 429
    # Guesses that get in each other's way often enough are answered with 503, and try nothing.
    assert statuses.keys() <= {400, 429, 503}
    ((counted,),) = deployment.query(
        "SELECT count FROM nextgen_throttle WHERE key = ?", "user code 127.0.0.22"
    )
    assert counted == statuses[400] == WRONG_PER_NETWORK


def test_c147_near_misses_kill_a_code_wherever_they_arrive(deployment, tv, user):
    """Five codes that begin as it does, from five browsers on three processes."""
    beginning = tv.user_code[:5]
    near = beginning + ("BB-BBB" if tv.user_code[5:] != "BB-BBB" else "CC-CCC")
    for n in range(5):
        browser = from_address(HoppingBrowser(deployment, PROCESSES[n % 3]), f"127.0.0.{30 + n}")
        browser.get(tv.answer["verification_uri"])
        browser.submit(user_code=near)
    browser = HoppingBrowser(deployment, "worker2")
    browser.get(tv.answer["verification_uri"])

    assert browser.submit(user_code=tv.user_code).status_code == 400


def from_address(browser, address):
    """Let a browser's requests come from another address."""
    browser.http.mount("http://", coming_from(address).get_adapter("http://"))
    return browser


def test_c150_clicks_at_once_on_two_processes_decide_once(deployment, user):
    """Approved in one tab and refused in another at the same moment: one of them holds."""
    for _ in range(times(3, 30)):
        tv = Television.begin(deployment.server("main"))
        one = HoppingBrowser(deployment, "worker1")
        enter(one, tv, user)
        two = HoppingBrowser(deployment, "worker2")
        two.http.cookies, two.page = one.http.cookies, one.page

        yes, no = at_once(
            lambda: one.submit(decision="approve", confirm="yes").status_code,  # noqa: B023
            lambda: two.submit(decision="cancel").status_code,  # noqa: B023
        )
        (answer,) = poll(deployment, tv, "main")

        assert sorted([yes, no]) == [200, 409]
        assert ("access_token" in answer) == (yes == 200)
        assert answer.get("error") == (None if yes == 200 else "access_denied")


@pytest.mark.parametrize("how", ["killed", "stopped"][: times(1, 2)])
def test_c381_a_restart_between_any_two_steps_loses_no_device(deployment, user, how):
    """Whoever served a step is gone right after it; the device still gets its tokens."""
    restart = Restarts(deployment, how)
    browser = HoppingBrowser(deployment)

    tv = Television.begin(deployment.server(restart.next()))
    (pending,) = poll(deployment, tv, restart.next())
    browser.at = restart.next()
    browser.get(tv.answer["verification_uri_complete"])
    browser.at = restart.next()
    browser.submit(user_code=tv.user_code)
    browser.at = restart.next()
    browser.sign_in(user.localpart, user.password)
    browser.at = restart.next()
    browser.submit(decision="approve", confirm="yes")
    (tokens,) = poll(deployment, tv, restart.next())
    who = deployment.server(restart.next()).whoami(tokens["access_token"])

    assert pending["error"] == "authorization_pending"
    assert who.json()["device_id"] == tv.device_id


def test_c355_a_rendezvous_is_met_on_any_process(deployment):
    """MSC4108: made, read, written, seen as changed and left, each on another process."""
    main, one, two = (deployment.process(name).base_url for name in PROCESSES)
    made = requests.post(one + ETAG, data=b"one", headers=TEXT, timeout=60)
    path = made.json()["url"].removeprefix(deployment.base_url)
    seen = {"If-None-Match": made.headers["ETag"]}

    read = requests.get(two + path, timeout=60)
    same = requests.get(main + path, headers=seen, timeout=60)
    written = requests.put(
        two + path, data=b"two", headers=TEXT | {"If-Match": made.headers["ETag"]}, timeout=60
    )
    changed = requests.get(one + path, headers=seen, timeout=60)
    left = requests.delete(main + path, timeout=60)

    assert made.json()["url"].startswith(deployment.base_url)
    assert (read.text, read.headers["ETag"]) == ("one", made.headers["ETag"])
    assert same.status_code == 304
    assert written.status_code == 202
    assert (changed.text, changed.headers["ETag"]) == ("two", written.headers["ETag"])
    assert left.status_code == 204
    assert {requests.get(base + path, timeout=60).status_code for base in (main, one, two)} == {404}


def test_c155_writes_at_once_on_all_processes_are_settled(deployment):
    """Whoever loses is told so, in both forms, and what the winner wrote stands there."""
    bases = [deployment.process(name).base_url for name in PROCESSES] * 4
    spot = requests.post(bases[0] + ETAG, data=b"0", headers=TEXT, timeout=60)
    path = spot.json()["url"].removeprefix(deployment.base_url)
    newer = requests.post(bases[0] + SEQUENCE, json={"data": "0"}, timeout=60).json()

    def put(base, data):
        headers = TEXT | {"If-Match": spot.headers["ETag"]}
        return requests.put(base + path, data=data, headers=headers, timeout=30)

    def put_newer(base, data):
        body = {"data": data, "sequence_token": newer["sequence_token"]}
        return requests.put(f"{base}{SEQUENCE}/{newer['id']}", json=body, timeout=30)

    texts = [f"text {n}" for n in range(len(bases))]
    older, newest = (
        at_once(*(lambda b=b, t=t, w=write: w(b, t) for b, t in zip(bases, texts, strict=True)))
        for write in (put, put_newer)
    )

    assert Counter(answer.status_code for answer in older) == {202: 1, 412: 11}
    assert Counter(answer.status_code for answer in newest) == {200: 1, 409: 11}
    stands = requests.get(bases[1] + path, timeout=60).text
    assert stands == texts[[answer.status_code for answer in older].index(202)]
    newer_one = requests.get(f"{bases[2]}{SEQUENCE}/{newer['id']}", timeout=60).json()["data"]
    assert newer_one == texts[[answer.status_code for answer in newest].index(200)]


def test_c381_a_rendezvous_survives_who_made_it(deployment):
    """The worker that made the spot is gone; the other device finds it on the next one."""
    base = deployment.process("worker1").base_url
    made = requests.post(base + SEQUENCE, json={"data": "one"}, timeout=60).json()

    deployment.process("worker1").kill()
    body = {"data": "two", "sequence_token": made["sequence_token"]}
    spot = f"{deployment.process('worker2').base_url}{SEQUENCE}/{made['id']}"
    written = requests.put(spot, json=body, timeout=60)
    deployment.heal()
    read = requests.get(f"{base}{SEQUENCE}/{made['id']}", timeout=60).json()

    assert written.status_code == 200
    assert read["data"] == "two"
    assert read["sequence_token"] == written.json()["sequence_token"]
