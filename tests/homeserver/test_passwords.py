"""Passwords: who guesses learns nothing, waits like everybody else, and never floods the server."""

import math
import re
import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
import requests

from support.neighbours import Neighbours
from support.oauth import Browser, Server
from support.waiting import eventually

WRONG = "The username or the password is not right"
TOO_MANY = "There were too many attempts"
BUSY = "The server is busy just now"
CHECKS_AT_ONCE = 2


@attrs.frozen
class Page:
    """A sign-in page, ready to be filled in again and again."""

    server: Server
    browser: Browser
    csrf: str

    @classmethod
    def of(cls, server):
        browser = Browser(server)
        page = browser.get(server.url("sign-in"))
        return cls(server, browser, re.search(r'name="csrf" value="([^"]+)"', page.text)[1])

    def sign_in(self, identifier, password, **headers):
        return self.browser.http.post(
            self.server.url("sign-in"),
            data={"csrf": self.csrf, "identifier": identifier, "password": password},
            headers=headers,
            allow_redirects=False,
            timeout=60,
        )


@pytest.fixture
def page(server):
    return Page.of(server)


@pytest.fixture(scope="module")
def slow_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver whose passwords cost as much to check as real ones, and more."""
    from support.synapse import Homeserver  # noqa: PLC0415

    directory = tmp_path_factory.mktemp("homeserver-slow")
    config = {"bcrypt_rounds": 10}
    with Homeserver(directory, make_database("sqlite", directory), config=config) as homeserver:
        yield homeserver


def kinds_of_nobody(homeserver):
    """Return identifiers that no password opens, each for a reason of its own."""
    server = Server(homeserver.base_url)
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]

    def change(user, **settings):
        path = f"/_synapse/admin/v2/users/{user.user_id}"
        assert server.api("PUT", path, admin, json=settings).status_code == 200
        return user.localpart

    known, gone, locked, of_sso = (homeserver.new_user() for _ in range(4))
    change(gone, deactivated=True)
    change(locked, locked=True)
    homeserver.query("UPDATE users SET password_hash = NULL WHERE name = ?", of_sso.user_id)
    return {
        "wrong password": known.localpart,
        "unknown": "nobody-of-that-name",
        "deactivated": gone.localpart,
        "locked": locked.localpart,
        "without a password": of_sso.localpart,
        "of another server": "@alice:elsewhere.example",
        "impossible": "Not A Name!",
        "no name at all": "@:",
        "an address": "nobody@example.com",
        "too long": "a" * 255,
    }


def told(answer, identifier):
    """Return everything the answer tells, but for what is this request's own."""
    text = re.sub(r'name="csrf" value="[^"]+"', "", answer.text)
    text = text.replace(f'value="{identifier}"', "")
    headers = {k: v for k, v in answer.headers.items() if k not in {"Date", "Content-Length"}}
    return answer.status_code, headers, text


def test_c226_nobody_learns_who_has_an_account(homeserver, page):
    """Status, headers, cookies and words are the same for every kind of failure."""
    kinds = kinds_of_nobody(homeserver)

    answers = {kind: told(page.sign_in(name, "wrong"), name) for kind, name in kinds.items()}

    status, headers, text = answers["wrong password"]
    assert (status, WRONG in text, "Set-Cookie" in headers) == (403, True, False)
    for kind, answer in answers.items():
        assert answer == answers["wrong password"], kind


def test_c226_the_sign_in_page_is_the_same_for_everybody(homeserver, server):
    """A hint at a known account is filled in like one at an unknown one (C029)."""
    client, pages = server.client(), []
    for name in (homeserver.new_user().localpart, "nobody-of-that-name"):
        hint = f"mxid:@{name}:localhost"
        text = Browser(server).authorize(client.request(login_hint=hint)[0]).text
        text = re.sub(r'name="csrf" value="[^"]+"|grant=\w+|You have \d+ minutes?', "", text)
        pages.append(text.replace(name, ""))

    assert pages[0] == pages[1]


@pytest.fixture
def neighbours(busy_homeserver):
    return Neighbours(busy_homeserver)


def failed(homeserver, user):
    """Return how many failed sign-ins are written down for the owner of an account."""
    sql = "SELECT COUNT(*) FROM nextgen_events WHERE kind = 'sign_in_failed' AND user_id = ?"
    return homeserver.query(sql, user.user_id)[0][0]


def test_c227_every_failure_costs_one_hash(busy_homeserver, neighbours):
    """Counted, not measured: by name or by address, known or not, with a password or without."""
    page = Page.of(Server(busy_homeserver.base_url))
    known, one, other = (busy_homeserver.new_user() for _ in range(3))
    addresses = [{"medium": "email", "address": f"{known.localpart}@example.com"}]
    neighbours.administer("PUT", known, {"threepids": addresses})
    names = f"twice-{known.localpart}", f"Twice-{known.localpart}"
    for user, name in zip((one, other), names, strict=True):
        sql = "UPDATE users SET name = ? WHERE name = ? RETURNING 1"
        busy_homeserver.query(sql, f"@{name}:{busy_homeserver.server_name}", user.user_id)
    kinds = kinds_of_nobody(busy_homeserver) | {
        "known, by address": addresses[0]["address"],
        "known, by address, in capitals": addresses[0]["address"].upper(),
        "known, in capitals": known.localpart.upper(),
        "no address": "nobody@@example.com",
        "one of two": names[0].upper(),
    }
    del kinds["impossible"]  # told apart by what was typed, before anybody is looked up

    hashed = {}
    for kind, name in kinds.items():
        before = len(neighbours.calls("validate_hash"))
        assert page.sign_in(name, "wrong").status_code == 403
        hashed[kind] = len(neighbours.calls("validate_hash")) - before

    assert hashed == dict.fromkeys(kinds, 1)


def test_c227_a_wrong_password_by_address_is_written_down_for_the_owner(
    busy_homeserver, neighbours
):
    """As one by name is, in whatever case that was typed; the right password writes nothing."""
    page = Page.of(Server(busy_homeserver.base_url))
    by_name, by_address, in_capitals, right = (busy_homeserver.new_user() for _ in range(4))
    for user in (by_address, right):
        address = {"medium": "email", "address": f"{user.localpart}@example.com"}
        neighbours.administer("PUT", user, {"threepids": [address]})

    page.sign_in(by_name.localpart, "wrong")
    page.sign_in(f"{by_address.localpart}@Example.COM", "wrong")
    page.sign_in(f"@{in_capitals.localpart.upper()}:{busy_homeserver.server_name}", "wrong")
    signed_in = page.sign_in(f"{right.localpart}@example.com", right.password)

    for user in (by_name, by_address, in_capitals):
        assert eventually(lambda user=user: failed(busy_homeserver, user) == 1)
    assert signed_in.status_code == 303
    assert failed(busy_homeserver, right) == 0


def test_each_wrong_password_is_written_down(busy_homeserver):
    """Also where somebody tries several within a second."""
    page, user = Page.of(Server(busy_homeserver.base_url)), busy_homeserver.new_user()
    answers = [page.sign_in(user.localpart, wrong).status_code for wrong in ("one", "two", "two")]

    assert answers == [403] * 3
    assert eventually(lambda: failed(busy_homeserver, user) == 3)


def test_an_address_that_a_password_provider_knows_signs_in(busy_homeserver, neighbours):
    """By `check_3pid_auth`; Synapse itself need not know the address."""
    page = Page.of(Server(busy_homeserver.base_url))
    user = busy_homeserver.new_user()
    address = f"{user.localpart}@directory.example.com"
    neighbours.accept(user.user_id, "of the directory", address=address)

    assert page.sign_in(address, "wrong").status_code == 403
    assert page.sign_in(address, "of the directory").status_code == 303


def test_c227_an_unknown_account_takes_as_long(slow_homeserver):
    """No kind of failure is quicker than a wrong password: all of them hash once."""
    page = Page.of(Server(slow_homeserver.base_url))
    kinds = kinds_of_nobody(slow_homeserver)
    # What no account can be called is told apart by what was typed, before anybody is looked up.
    kinds = {kind: name for kind, name in kinds.items() if kind != "impossible"}
    # Whatever else the machine does makes a request longer, and never shorter: the least of each.
    least = dict.fromkeys(kinds, math.inf)

    def unlike_the_others():
        for kind, name in kinds.items():
            began = time.perf_counter()
            assert page.sign_in(name, "wrong").status_code == 403
            least[kind] = min(least[kind], time.perf_counter() - began)
        usual = least["wrong password"]
        return {kind: took for kind, took in least.items() if not 0.6 * usual < took < 1.6 * usual}

    for _ in range(9):
        unlike = unlike_the_others()
    # On a busy machine that takes more tries; what is quicker by itself stays so.
    assert eventually(lambda: not unlike_the_others()), (unlike, least)


def test_c230_a_flood_of_sign_ins_leaves_the_server_alone(slow_homeserver):
    """Few passwords are checked at once; who would wait too long is told so, and others go on."""
    server = Server(slow_homeserver.base_url)
    user = slow_homeserver.new_user()
    pages = [Page.of(server) for _ in range(60)]
    delays, over = [], threading.Event()

    def look():
        while not over.is_set():
            began = time.perf_counter()
            requests.get(f"{server.base_url}/_matrix/client/versions", timeout=30)
            delays.append(time.perf_counter() - began)

    watcher = threading.Thread(target=look)
    watcher.start()
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda page: page.sign_in(user.localpart, user.password), pages))
    over.set()
    watcher.join()

    busy = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {303, 503}
    assert len(answers) - len(busy) >= 20
    assert all(BUSY in answer.text and answer.headers["Retry-After"] for answer in busy)
    assert statistics.median(delays) < 1


@pytest.mark.parametrize("password", ["x" * 513, "x" * 60_000, "\ufdfa" * 200, "é" * 257])
def test_c231_a_password_that_is_a_book_is_not_hashed(page, password):
    """Beyond 512 bytes it is refused as it stands, before anything is done with it."""
    answer = page.sign_in("nobody-of-that-name", password)

    assert answer.status_code == 400
    assert "too long to be a username and password" in answer.text
    assert password not in answer.text


def test_c231_long_passwords_of_people_are_fine(homeserver, server):
    """128 characters of any script are no problem."""
    for password in ("p" * 128, "пароль " * 18, "🔑" * 128):
        user = homeserver.register_user(f"long{abs(hash(password))}", password)

        assert Page.of(server).sign_in(user.localpart, password).status_code == 303


def test_c231_a_body_that_is_a_library_is_not_read(page):
    """Beyond 64 KiB there is a page that says so."""
    answer = page.sign_in("nobody", "x" * 70_000)

    assert answer.status_code == 413
    assert "That was too much at once" in answer.text


@pytest.mark.parametrize("fields", [("", "x"), ("x", ""), ("", ""), ("   ", "x")])
def test_empty_fields_are_not_tried(page, fields):
    """The page asks for both."""
    answer = page.sign_in(*fields)

    assert answer.status_code == 400
    assert "Fill in both fields" in answer.text


@pytest.mark.parametrize("kind", ["sqlite"])
def test_c234_no_password_is_kept_anywhere(shared_homeserver, kind):
    """Neither a right nor a wrong one is in a log, or in any file or table of the homeserver."""
    homeserver = shared_homeserver(kind)
    user = homeserver.register_user("keeper", "a-right-password-8731")
    page = Page.of(Server(homeserver.base_url))
    tried = [
        (user.localpart, "a-wrong-password-8731"),
        (user.localpart, user.password + "\0"),
        (user.localpart, user.password * 100),
        (user.localpart, user.password),
    ]
    statuses = [page.sign_in(*fields).status_code for fields in tried]

    files = [path for path in homeserver.directory.rglob("*") if path.is_file()]
    held = [path.name for path in files if b"password-8731" in path.read_bytes()]

    assert statuses == [403, 400, 400, 303]
    assert "keeper" in homeserver.log_text()
    assert held == []


@pytest.fixture(scope="module")
def strict_homeserver(tmp_path_factory, make_database):
    """Return a function that starts a homeserver with few attempts, behind a proxy or not."""
    from support.synapse import Homeserver  # noqa: PLC0415

    started = {}

    def start(*, x_forwarded):
        if x_forwarded not in started:
            directory = tmp_path_factory.mktemp("homeserver-strict")
            homeserver = Homeserver(directory, make_database("sqlite", directory))
            (listener,) = homeserver.settings()["listeners"]
            few = {"per_second": 0.001, "burst_count": 4}
            many = {"per_second": 1000, "burst_count": 10000}
            homeserver.config = {
                "listeners": [{**listener, "x_forwarded": x_forwarded}],
                "rc_message": few,
                "rc_login": {
                    "address": few if x_forwarded else many,
                    "account": many,
                    "failed_attempts": many if x_forwarded else few,
                },
            }
            started[x_forwarded] = homeserver.start()
        return started[x_forwarded]

    yield start
    for homeserver in started.values():
        homeserver.stop()


def spellings(user):
    name = user.localpart
    return [name, name.upper(), f" {name} ", user.user_id, name.capitalize(), f"{name}:localhost"]


def test_c235_every_spelling_is_one_account(strict_homeserver):
    """Attempts at one account count together, however it is written, and others are free."""
    homeserver = strict_homeserver(x_forwarded=False)
    page, user = Page.of(Server(homeserver.base_url)), homeserver.new_user()
    other = homeserver.new_user()

    answers = [page.sign_in(name, "wrong") for name in spellings(user)]
    right = page.sign_in(user.localpart, user.password)

    assert [answer.status_code for answer in answers] == [403, 403, 403, 403, 429, 429]
    assert right.status_code == 429
    assert TOO_MANY in right.text
    assert int(right.headers["Retry-After"]) > 0
    assert page.sign_in(other.localpart, other.password).status_code == 303


def test_c237_guesses_at_once_are_guesses_one_after_the_other(strict_homeserver):
    """A hundred in one moment: hardly more are looked at than the four that may be wrong."""
    homeserver = strict_homeserver(x_forwarded=False)
    server, user = Server(homeserver.base_url), homeserver.new_user()
    pages = [Page.of(server) for _ in range(100)]

    with ThreadPoolExecutor(len(pages)) as at_once:
        answers = list(at_once.map(lambda page: page.sign_in(user.localpart, "wrong"), pages))

    found = Counter(answer.status_code for answer in answers)
    assert 4 <= found[403] <= 4 + CHECKS_AT_ONCE, found
    # The others were told to wait, or, where enough came in one moment, are not even in the queue.
    assert {403, 429} <= set(found) <= {403, 429, 503}
    assert pages[0].sign_in(user.localpart, user.password).status_code == 429


def test_c243_the_limits_of_the_operator_are_the_limits(strict_homeserver):
    """Four wrong passwords where `rc_login.failed_attempts` says so, ten thousand where it does not."""
    found = {}
    for x_forwarded in (False, True):
        homeserver = strict_homeserver(x_forwarded=x_forwarded)
        page, user = Page.of(Server(homeserver.base_url)), homeserver.new_user()
        found[x_forwarded] = [
            page.sign_in(user.localpart, "wrong", **{"X-Forwarded-For": f"192.0.2.{n}"}).status_code
            for n in range(6)
        ]

    assert found == {False: [403] * 4 + [429] * 2, True: [403] * 6}


def test_c238_unknown_accounts_are_limited_too(strict_homeserver):
    """The limit does not tell whether there is such an account."""
    page = Page.of(Server(strict_homeserver(x_forwarded=False).base_url))

    answers = [page.sign_in("nobody-at-all", "wrong") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 403, 429, 429]


def until_answered(pages, name_of):
    """Send a guess from each page at once; where the server was busy, again, until each is answered."""
    answered = []
    waiting = list(enumerate(pages))
    with ThreadPoolExecutor(len(pages)) as pool:
        while waiting:
            answers = pool.map(lambda one: one[1].sign_in(name_of(one[0]), "wrong"), waiting)
            told = [(one, answer.status_code) for one, answer in zip(waiting, answers, strict=True)]
            waiting = [one for one, status in told if status == 503]
            answered += [status for _, status in told if status != 503]
    return answered


def test_c237_guesses_of_one_address_at_once_are_no_more_than_its_limit(strict_homeserver):
    """At accounts that exist and at others; the limit counts before anything is looked up."""
    homeserver = strict_homeserver(x_forwarded=True)
    server = Server(homeserver.base_url)
    names = [homeserver.new_user().localpart, *(f"nobody-{n}" for n in range(99))]
    pages = [Page.of(server) for _ in names]
    for page in pages:
        page.browser.http.headers["X-Forwarded-For"] = "198.51.100.237"

    answered = until_answered(pages, lambda place: names[place])

    assert (answered.count(403), answered.count(429)) == (4, 96)


def test_c239_a_limit_ends_no_sign_in(strict_homeserver):
    """Who guesses at an account does not lock its person out of where they are signed in."""
    homeserver = strict_homeserver(x_forwarded=False)
    server, user = Server(homeserver.base_url), homeserver.new_user()
    mine = Browser.of(server, user)
    page = Page.of(server)
    for _ in range(6):
        page.sign_in(user.localpart, "wrong")

    mine.authorize(server.client().request()[0])

    assert "code" in mine.answer(mine.submit(decision="approve"))


def test_c210_without_a_proxy_nobody_chooses_an_address(strict_homeserver):
    """Only a listener that says so believes `X-Forwarded-For`."""
    homeserver = strict_homeserver(x_forwarded=False)
    user = homeserver.new_user()
    page = Page.of(Server(homeserver.base_url))
    page.sign_in(user.localpart, user.password, **{"X-Forwarded-For": "203.0.113.7"})

    addresses = homeserver.query(
        "SELECT address FROM nextgen_events WHERE user_id = ?", user.user_id
    )

    assert addresses
    assert "203.0.113.7" not in repr(addresses)


def test_c210_behind_a_proxy_every_address_has_its_own_limit(strict_homeserver):
    """The first address counts; nonsense does not help around the limit of the rest."""
    homeserver = strict_homeserver(x_forwarded=True)
    page = Page.of(Server(homeserver.base_url))

    def attempts(forwarded):
        return [
            page.sign_in(f"nobody-{n}", "wrong", **{"X-Forwarded-For": forwarded}).status_code
            for n in range(5)
        ]

    limited = [403, 403, 403, 403, 429]
    assert attempts("198.51.100.1") == limited
    assert attempts("198.51.100.2, 10.0.0.1") == limited
    assert attempts("2001:db8::1") == limited
    # Synapse itself drops connections with an address that is not ASCII.
    for nonsense in ("unknown", "'\"<", ",,", "1" * 300):
        assert set(attempts(nonsense)) <= {403, 429}


def test_c243_what_an_administrator_decides_for_an_account_holds(strict_homeserver):
    """`override_ratelimit` of the admin API: one account may say more, and nobody else."""
    homeserver = strict_homeserver(x_forwarded=False)
    server, freed, other = Server(homeserver.base_url), *(homeserver.new_user() for _ in range(2))
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v1/users/{freed.user_id}/override_ratelimit"
    none = {"messages_per_second": 0, "burst_count": 0}
    assert server.api("POST", path, admin, json=none).status_code == 200
    client, told = server.client(), {}
    for user in (freed, other):
        ours = client.sign_in(user.localpart, user.password)["access_token"]
        url = "/_matrix/client/v3/rooms/{}/send/m.room.message/{}"
        room = server.api("POST", "/_matrix/client/v3/createRoom", ours, json={}).json()["room_id"]
        body = {"msgtype": "m.text", "body": "hello"}
        answers = [server.api("PUT", url.format(room, n), ours, json=body) for n in range(6)]
        told[user.localpart] = {answer.status_code for answer in answers}

    assert told == {freed.localpart: {200}, other.localpart: {200, 429}}
