"""Captchas of a sign-up: whom a service, work or a wait lets on, and what the page may load."""

import hashlib
import html
import itertools
import re
import time

import pytest

from support.oauth import Browser, Server
from support.siteverify import SECRET, Siteverify
from support.synapse import Homeserver
from support.waiting import eventually

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

PASSWORD = "seven brave otters juggle"
PLENTY = {"per_second": 1000, "burst_count": 1000}
CONFIG = {
    "enable_registration": True,
    "enable_registration_without_verification": True,
    "rc_registration": PLENTY,
}
RATES = {"authorization": {"per_second": 1000, "burst": 1000}}
WAIT = 2
PAGE = "Are you a person?"
FIELDS = {
    "recaptcha": "g-recaptcha-response",
    "hcaptcha": "h-captcha-response",
    "turnstile": "cf-turnstile-response",
}
_names = itertools.count()


@pytest.fixture(scope="module")
def service():
    """Yield what stands in for each of the services."""
    with Siteverify() as service:
        yield service


@pytest.fixture(scope="module")
def make(tmp_path_factory, make_database):
    """Return a function that starts a homeserver with such a captcha; all of them stop at the end."""
    started = {}

    def make_(name, options, config=None):
        if name not in started:
            directory = tmp_path_factory.mktemp(f"homeserver-{name}")
            database = make_database("sqlite", directory)
            homeserver = Homeserver(
                directory, database, module=RATES | options, config=CONFIG | (config or {})
            )
            started[name] = homeserver.start()
        return started[name]

    yield make_
    for homeserver in started.values():
        homeserver.stop()


@pytest.fixture
def working(make):
    """Return a homeserver that asks for a proof of work, or a short wait."""
    captcha = {"kind": "proof_of_work", "work": 8, "wait": f"{WAIT}s"}
    return make("working", {"captcha": captcha})


@pytest.fixture(params=["recaptcha", "hcaptcha", "turnstile"])
def asking(request, make, service):
    """Return a homeserver whose captcha a service verifies, and the name of the field."""
    service.says, service.status = None, 200
    kind = request.param
    if kind == "turnstile":
        homeserver = request.getfixturevalue("waiting")
    elif kind == "recaptcha":
        keys = {"recaptcha_public_key": "site", "recaptcha_private_key": SECRET}
        settings = keys | {"enable_registration_captcha": True}
        homeserver = make(kind, {}, settings | {"recaptcha_siteverify_api": service.url})
    else:
        captcha = {"kind": kind, "site_key": "site", "secret": SECRET, "siteverify": service.url}
        homeserver = make(kind, {"captcha": captcha})
    return homeserver, FIELDS[kind]


@pytest.fixture
def waiting(make, service):
    """Return a homeserver where people without scripts may wait instead."""
    service.says, service.status = None, 200
    captcha = {"kind": "turnstile", "site_key": "site", "secret": SECRET, "wait": f"{WAIT}s"}
    return make("waiting", {"captcha": captcha | {"siteverify": service.url, "allow_wait": True}})


def come(homeserver):
    """Bring a new browser to the page that asks."""
    browser = Browser(Server(homeserver.base_url))
    browser.get(browser.server.url("register"))
    name = f"person{next(_names)}"
    browser.submit(username=name, display_name="", password=PASSWORD, decision="create")
    assert PAGE in browser.page.text, browser.page.text
    return browser, f"@{name}:{homeserver.server_name}"


def exists(homeserver, user_id):
    return bool(homeserver.query("SELECT 1 FROM users WHERE name = ?", user_id))


def challenge_of(page):
    return html.unescape(re.search(r'name="challenge" value="([^"]+)"', page.text)[1])


def solved(page):
    """Work as the script does, with what the page says."""
    seed, zeros, puzzles = (
        re.search(rf'data-{name}="([^"]+)"', page.text)[1] for name in ("seed", "zeros", "puzzles")
    )

    def fits(place, number):
        hashed = hashlib.sha256(f"{seed}.{place}.{number}".encode()).digest()
        return int.from_bytes(hashed, "big") >> (256 - int(zeros)) == 0

    return ",".join(
        str(next(number for number in itertools.count() if fits(place, number)))
        for place in range(int(puzzles))
    )


def test_work_that_was_done_makes_the_account(working):
    """No third party is asked, and the policy of the page names none."""
    browser, user_id = come(working)
    policy = browser.page.headers["Content-Security-Policy"]
    assert "worker-src 'self'" in policy
    assert "https:" not in policy
    browser.submit(solution=solved(browser.page), decision="continue")

    assert exists(working, user_id)


def test_the_work_of_another_is_no_work(working):
    """A challenge is of one attempt: solutions cannot be handed around, nor sent twice."""
    (one, first), (other, second) = come(working), come(working)
    challenge, solution = challenge_of(one.page), solved(one.page)
    answer = other.submit(challenge=challenge, solution=solution, decision="continue")

    assert answer.status_code == 400
    assert "That did not work" in answer.text
    assert not exists(working, second)
    one.submit(solution=solution, decision="continue")
    assert exists(working, first)


@pytest.mark.parametrize("solution", ["", "0", ",".join(["0"] * 16), "1" * 5000])
def test_no_work_is_no_way_on(working, solution):
    """Neither no work, nor half of it, nor something that is none."""
    browser, user_id = come(working)
    answer = browser.submit(solution=solution, decision="continue")

    assert answer.status_code == 400
    assert not exists(working, user_id)


def test_without_scripts_a_wait_is_said_and_the_server_knows_when_it_is_over(working):
    """Too early is told, and what was waited already counts."""
    browser, user_id = come(working)
    began, challenge = time.monotonic(), challenge_of(browser.page)
    early = browser.submit(decision="continue")
    assert early.status_code == 400
    assert "a little too early" in early.text
    assert challenge_of(early) == challenge
    eventually(lambda: browser.submit(decision="continue").status_code != 400)

    assert time.monotonic() - began >= WAIT - 1
    assert exists(working, user_id)


def test_a_challenge_that_nobody_here_made_is_not_waited_for(working):
    """Nobody writes down for themselves since when they wait."""
    browser, user_id = come(working)
    issued_at, _, rest = challenge_of(browser.page).partition(".")
    answer = browser.submit(challenge=f"{int(issued_at) - 60}.{rest}", decision="continue")

    assert answer.status_code == 400
    assert not exists(working, user_id)


def test_a_look_writes_nothing_and_leads_nobody_past(working):
    """The page of a later stage leads back here, whatever URL somebody calls."""
    browser, user_id = come(working)
    before = working.query("SELECT answers FROM nextgen_attempts ORDER BY attempt_id")
    browser.get(browser.page.url)
    browser.get(browser.page.url.replace("register-captcha", "register-terms"))

    assert PAGE in browser.page.text
    assert working.query("SELECT answers FROM nextgen_attempts ORDER BY attempt_id") == before
    assert not exists(working, user_id)


def test_what_a_service_lets_on_is_a_person(asking, service):
    """The address goes along, and the account is made; the answer of a widget counts once."""
    homeserver, field = asking
    browser, user_id = come(homeserver)
    response = service.solved(f"response-{user_id}", "localhost")
    browser.submit(**{field: response}, decision="continue")

    assert exists(homeserver, user_id)
    assert service.asked[-1]["remoteip"]
    other, second = come(homeserver)
    answer = other.submit(**{field: response}, decision="continue")
    assert answer.status_code == 400
    assert not exists(homeserver, second)


def test_what_a_service_does_not_know_is_nobody(asking, service):
    """Nor is who sends nothing at all."""
    homeserver, field = asking
    browser, user_id = come(homeserver)
    made_up = browser.submit(**{field: "made up"}, decision="continue")
    nothing = browser.submit(decision="continue")

    assert (made_up.status_code, nothing.status_code) == (400, 400)
    assert "asks for first" in nothing.text
    assert not exists(homeserver, user_id)


@pytest.mark.parametrize("asking", ["hcaptcha", "turnstile"], indirect=True)
def test_what_was_solved_elsewhere_counts_for_nobody(asking, service):
    """Synapse's own checker lets any client show its reCAPTCHA; ours is on pages of ours."""
    homeserver, field = asking
    browser, user_id = come(homeserver)
    response = service.solved(f"response-{user_id}", "evil.example")
    answer = browser.submit(**{field: response}, decision="continue")

    assert answer.status_code == 400
    assert not exists(homeserver, user_id)
    assert "it was solved on evil.example" in homeserver.log_text()


@pytest.mark.parametrize(
    ("status", "says"), [(500, b"{}"), (200, b"<html>"), (200, b"[]"), (502, b"x" * 200_000)]
)
def test_a_service_that_fails_lets_nobody_in(waiting, service, status, says):
    """The page says that it is not the person's fault, and the log says what it was."""
    browser, user_id = come(waiting)
    service.status, service.says = status, says
    answer = browser.submit(**{FIELDS["turnstile"]: "response"}, decision="continue")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "does not answer just now" in answer.text
    assert not exists(waiting, user_id)
    assert "Could not verify a captcha of turnstile: " in waiting.log_text()


def test_synapses_own_checker_fails_like_the_others(asking, service):
    homeserver, field = asking
    browser, user_id = come(homeserver)
    service.status, service.says = 500, b"{}"
    answer = browser.submit(**{field: "response"}, decision="continue")

    assert answer.status_code == 503
    assert not exists(homeserver, user_id)


def test_the_secret_is_in_no_page_and_no_log(asking, service):
    """Nor is what people got from the widget, where it is ours to write down."""
    homeserver, field = asking
    browser, _user_id = come(homeserver)
    page = browser.page.text
    browser.submit(**{field: "response-not-for-the-log"}, decision="continue")

    assert SECRET not in page + homeserver.log_text()
    if field != FIELDS["recaptcha"]:
        assert "response-not-for-the-log" not in homeserver.log_text()


@pytest.mark.parametrize("asking", ["recaptcha", "hcaptcha"], indirect=True)
def test_a_wait_replaces_no_captcha_of_an_operator(asking):
    """Unless an option says so: no challenge is handed out, and none is taken."""
    homeserver, _field = asking
    browser, user_id = come(homeserver)
    assert 'name="challenge"' not in browser.page.text
    answer = browser.submit(
        challenge=f"{int(time.time()) - 600}.8.{'s' * 22}.{'p' * 43}", decision="continue"
    )

    assert answer.status_code == 400
    assert not exists(homeserver, user_id)


def test_where_an_option_says_so_people_wait_instead(waiting):
    """Who runs no scripts, and whoever else has the patience."""
    browser, user_id = come(waiting)
    eventually(lambda: browser.submit(decision="continue").status_code != 400)

    assert exists(waiting, user_id)


def test_c201_only_this_page_may_load_what_a_service_needs(asking):
    """Every other page of the same server is as strict as ever."""
    homeserver, field = asking
    browser, _ = come(homeserver)
    kind = next(name for name, each in FIELDS.items() if each == field)
    hosts = {
        "recaptcha": "https://www.recaptcha.net/recaptcha/ https://www.gstatic.com/recaptcha/",
        "hcaptcha": "https://hcaptcha.com https://*.hcaptcha.com",
        "turnstile": "https://challenges.cloudflare.com",
    }[kind]
    headers = browser.page.headers
    here = headers["Content-Security-Policy"]
    others = [
        browser.get(browser.server.url(path)).headers["Content-Security-Policy"]
        for path in ("sign-in", "")
    ]

    assert f"script-src 'self' {hosts};" in here
    assert "frame-src https://" in here
    assert "unsafe" not in here
    assert headers["Referrer-Policy"] == "strict-origin"
    assert not any("https:" in each or "frame-src" in each for each in others)
