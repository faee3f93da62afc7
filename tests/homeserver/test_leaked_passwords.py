"""New passwords over HTTP: everything wrong is said at once, and leaked ones are taken nowhere."""

import hashlib
import html
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import ThreadingHTTPServer

import attrs
import pytest
from typing_extensions import Self

from support.http_handlers import OneAnswer
from support.oauth import Browser, Server
from support.synapse import Homeserver

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

FINE = "Seven brave otters juggle 7 pans."
IN_LIST = "Nobody guesses this 1 at all."
AT_SERVICE = "Many violet trees sing 4 us."
OPEN = {
    "enable_registration": True,
    "enable_registration_without_verification": True,
    "rc_registration": {"per_second": 1000, "burst_count": 1000},
    "password_config": {
        "policy": {
            "enabled": True,
            "minimum_length": 12,
            "require_digit": True,
            "require_symbol": True,
            "require_uppercase": True,
        }
    },
}
_names = itertools.count()


def sha1(password):
    return hashlib.sha1(password.encode()).hexdigest().upper()


@attrs.define
class Ranges:
    """A service of ranges: it answers with the rests of hashes, padded as it is asked to be."""

    known: set[str] = attrs.field(factory=set)
    asked: list[tuple[str, dict[str, str]]] = attrs.field(factory=list)
    status: int = 200
    hangs: threading.Event = attrs.field(factory=threading.Event)
    _server: ThreadingHTTPServer = attrs.field(init=False)

    def __enter__(self) -> Self:
        ranges = self
        self.hangs.set()

        class Handler(OneAnswer):
            def do_GET(self):
                ranges.asked.append((self.path, dict(self.headers)))
                ranges.hangs.wait(30)
                prefix = self.path.removeprefix("/range/")
                rests = [f"{each[5:]}:3" for each in ranges.known if each.startswith(prefix)]
                body = "\r\n".join([*rests, *(f"{n:035X}:0" for n in range(50))]).encode()
                # Whoever asked may have waited long enough, and gone.
                with suppress(ConnectionError):
                    self.send_response(ranges.status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hangs.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/range/"


@pytest.fixture(scope="module")
def shared():
    """Yield a service that knows one password."""
    with Ranges({sha1(AT_SERVICE)}) as ranges:
        yield ranges


@pytest.fixture
def ranges(shared):
    """Return the service, as if nobody had asked it yet."""
    shared.asked.clear()
    shared.status = 200
    shared.hangs.set()
    return shared


@pytest.fixture(scope="module")
def list_file(tmp_path_factory):
    """Return a list of hashes in which one is of a password that would do otherwise."""
    path = tmp_path_factory.mktemp("leaked") / "leaked.txt"
    hashes = sorted({sha1(IN_LIST), *(sha1(str(n)) for n in range(3000))})
    path.write_text("".join(f"{each}:7\r\n" for each in hashes))
    return path


@pytest.fixture(scope="module")
def make(tmp_path_factory, make_database, shared, list_file):
    """Return a function that starts a homeserver that looks in the list and asks the service."""
    started = []

    def make_(**options):
        directory = tmp_path_factory.mktemp("homeserver-leaked")
        passwords = {"breached_list": str(list_file), "breached_service": shared.url, **options}
        homeserver = Homeserver(
            directory,
            make_database("sqlite", directory),
            module={
                "passwords": passwords,
                "authorization": {"per_second": 1000, "burst": 1000},
            },
            config=OPEN,
        )
        started.append(homeserver)
        return homeserver.start()

    yield make_
    for homeserver in started:
        homeserver.stop()


@pytest.fixture(scope="module")
def lenient(make):
    return make()


@pytest.fixture(scope="module")
def strict(make):
    return make(breached_on_failure="refuse")


def choose(homeserver, password, name=None):
    """Sign up with a password; return the answer, and the text of it."""
    browser = Browser(Server(homeserver.base_url))
    browser.get(browser.server.url("register"))
    name = name or f"chooser{next(_names)}"
    answer = browser.submit(username=name, display_name="", password=password, decision="create")
    return answer, html.unescape(answer.text)


def test_everything_that_is_wrong_is_said_at_once(lenient, ranges):
    """Synapse would name one rule after the other; a service learns nothing of such a password."""
    answer, text = choose(lenient, "hamster")

    assert answer.status_code == 400
    for said in ("at least 12 characters", "a digit", "a symbol", "capital letters", "too easy to"):
        assert said in text
    assert "small letters" not in text.partition("The password must have:")[0]
    assert ranges.asked == []


def test_a_hundred_people_choose_at_once(lenient):
    """Each is told about their own password, and nobody to come back later."""
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda _: choose(lenient, "hamster"), range(100)))

    assert {answer.status_code for answer, _ in found} == {400}
    assert all("too easy to guess" in text for _, text in found)


@pytest.mark.parametrize("password", ["aB3-" * 129, "é" * 257])
def test_c231_a_password_that_could_not_sign_in_is_not_taken(lenient, ranges, password):
    """More than the sign-in page takes: it is refused before anything is done with it."""
    answer, text = choose(lenient, password)

    assert answer.status_code == 400
    assert "That password is too long" in text
    assert password not in text
    assert ranges.asked == []


def test_the_policy_is_told_before_anybody_types(lenient):
    browser = Browser(Server(lenient.base_url))
    text = browser.get(browser.server.url("register")).text

    assert "at least 12 characters" in text
    assert "a capital letter A to Z" in text


def test_what_everybody_would_guess_of_a_person_is_too_weak(lenient):
    """Their own name, and the server's."""
    answer, text = choose(lenient, "Bartholomew-2", name="bartholomew")

    assert answer.status_code == 400
    assert "has your own name or address in it" in text


@pytest.mark.parametrize("password", [IN_LIST, AT_SERVICE])
def test_a_password_that_leaked_is_not_taken(lenient, ranges, password):
    """By the list on this machine or by the service; what is in the list, the service is not told."""
    answer, text = choose(lenient, password)

    assert answer.status_code == 400
    assert "among those that leaked elsewhere" in text
    assert bool(ranges.asked) == (password == AT_SERVICE)


def test_a_service_learns_five_digits_of_a_hash_and_nobody_else_any(lenient, ranges):
    """It is asked to pad its answer; not even the digits stand in the log."""
    answer, _ = choose(lenient, FINE)
    ((path, headers),) = ranges.asked

    assert answer.status_code == 303 or "leaked" not in answer.text
    assert path == f"/range/{sha1(FINE)[:5]}"
    assert headers["Add-Padding"] == "true"
    assert sha1(FINE)[5:] not in str(ranges.asked)
    log = lenient.log_text()
    assert path not in log
    assert FINE not in log


@pytest.mark.parametrize("status", [500, 404, 302])
def test_while_nobody_can_say_an_option_decides(lenient, strict, ranges, status):
    """It is taken with a warning, or refused with words."""
    ranges.status = status
    allowed, _ = choose(lenient, FINE)
    refused, text = choose(strict, FINE)

    assert "could not be checked just now" not in allowed.text
    assert allowed.status_code != 400
    assert refused.status_code == 400
    assert "could not be checked just now" in text
    assert f"{ranges.url}: it says {status}" in lenient.log_text()


def test_a_service_that_hangs_is_waited_for_three_seconds(strict, ranges):
    ranges.hangs.clear()
    refused, text = choose(strict, FINE)
    ranges.hangs.set()

    assert refused.status_code == 400
    assert "could not be checked just now" in text
    assert "no answer within 3 seconds" in strict.log_text()


def test_a_list_that_went_away_is_warned_of(lenient, list_file, ranges):
    """A new one may take its place while the server runs."""
    other = list_file.with_suffix(".away")
    list_file.rename(other)
    try:
        answer, _ = choose(lenient, IN_LIST)
    finally:
        other.rename(list_file)

    assert answer.status_code != 400
    assert f"{list_file}: No such file or directory" in lenient.log_text()
    assert choose(lenient, IN_LIST)[0].status_code == 400


def test_c234_a_password_is_in_no_table_and_no_log(lenient, ranges):
    """Of a sign-up that waits for its end, too: only the hash is kept, and that sealed."""
    choose(lenient, FINE)
    tables = [
        name
        for (name,) in lenient.query("SELECT name FROM sqlite_master WHERE type='table'")
        # Synapse drops these while it runs.
        if not name.startswith("_temp_")
    ]
    written = "".join(str(lenient.query(f'SELECT * FROM "{table}"')) for table in tables)

    assert FINE not in written
    assert FINE not in lenient.log_text()
