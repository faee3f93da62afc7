"""Whatever modules check, by a password or in its place, opens an account on the sign-in page."""

import re
import time

import pytest

from support import gatekeeper
from support.databases import SqliteDatabase
from support.gatekeeper import CODE, OF_PHONE, OTP, PHONE, SECRET
from support.oauth import Browser, Server
from support.synapse import Homeserver

UNCHECKED = "could not be checked just now"
WRONG = "The username or the password is not right"


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory):
    """Yield a homeserver with a module that knows types, phones and moods of its own."""
    directory = tmp_path_factory.mktemp("homeserver-ways")
    homeserver = Homeserver(directory, SqliteDatabase(directory))
    homeserver.config = {
        "rc_login": {
            kind: {"per_second": 1000, "burst_count": 1000}
            for kind in ("address", "account", "failed_attempts")
        }
    }
    gatekeeper.copy_to(homeserver)
    with homeserver:
        yield homeserver


@pytest.fixture(autouse=True)
def well_behaved(homeserver):
    gatekeeper.order(homeserver)
    yield
    gatekeeper.order(homeserver)


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def browser(server):
    """A browser on the sign-in page, where an application led it."""
    browser = Browser(server)
    browser.authorize(server.client().request()[0])
    return browser


def fill_in(browser, identifier, **fields):
    """Fill in a form of the page that is open; return what comes, where that leads."""
    return browser.submit(identifier=identifier, **fields)


def by_otp(browser, identifier, passphrase=SECRET, otp=CODE, floor="3"):
    return fill_in(browser, identifier, login_type=OTP, field0=passphrase, field1=otp, field2=floor)


def test_each_type_that_can_be_typed_has_a_form(browser):
    """With the fields that the module names; one that only programs have is left out."""
    text = browser.get(browser.server.url("sign-in")).text

    forms = re.findall(r"<form.*?</form>", text, re.DOTALL)
    asked = [re.findall(r'<label for="[^"]+">([^<]+)</label>', form) for form in forms]
    assert asked == [
        ["Username or phone number", "Password"]
        if "Username or phone number" in text
        else ["Username, e-mail address or phone number", "Password"],
        [asked[0][0], "passphrase", "otp", "floor"],
    ]
    assert OTP in text
    assert "com.example.shared_secret" not in text


def test_a_type_of_a_module_opens_the_account(browser, user):
    """As far as the application's consent page."""
    page = by_otp(browser, user.localpart)

    assert page.status_code == 200
    assert 'value="approve"' in page.text


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"otp": "000000"}, 403), ({"passphrase": "x" * 513}, 400), ({"floor": ""}, 400)],
    ids=str,
)
def test_a_wrong_answer_comes_back_on_its_own_form(browser, user, fields, status):
    """The name is kept, what was secret is not, and the field that is wrong says so."""
    page = by_otp(browser, user.localpart, **fields)

    assert page.status_code == status
    marked = re.findall(r'<input id="([^"]+)"[^>]* aria-invalid', page.text)
    assert marked, page.text
    assert all(name.startswith("way0-") for name in marked)
    assert SECRET not in page.text


@pytest.mark.parametrize("way", ["com.example.shared_secret", "m.login.token", "nonsense"])
def test_a_type_that_is_not_offered_opens_nothing(browser, user, way):
    page = fill_in(browser, user.localpart, login_type=way, field0="x", password=user.password)

    assert page.status_code == 403
    assert 'value="approve"' not in page.text


def test_a_phone_number_that_a_module_knows_opens_the_account(homeserver, browser, user):
    gatekeeper.order(homeserver, phone_of=user.localpart)

    page = fill_in(browser, f"+{PHONE[:2]} {PHONE[2:]}", password=OF_PHONE)

    assert 'value="approve"' in page.text


@pytest.mark.parametrize("mood", ["broken", "hangs"])
def test_a_module_that_does_not_work_is_no_wrong_password(homeserver, browser, user, mood):
    """The page says what to do, with a 503; a moment later the same works."""
    gatekeeper.order(homeserver, **{mood: True})

    page = by_otp(browser, user.localpart)

    assert (page.status_code, page.headers["Retry-After"]) == (503, "30")
    assert UNCHECKED in page.text
    assert WRONG not in page.text
    gatekeeper.order(homeserver)
    assert 'value="approve"' in by_otp(browser, user.localpart).text


def test_a_module_that_names_nobody_could_not_check(homeserver, browser):
    """Nobody is told that an account was closed which never was there; the operator reads the name."""
    page = by_otp(browser, "never-made")

    assert page.status_code == 503
    assert UNCHECKED in page.text
    said = "A module let in @never-made:localhost, whose account does not exist here"
    assert said in homeserver.log_text()


def test_c226_a_broken_module_says_nothing_of_who_has_an_account(homeserver, server, user):
    """Known or not, with the wrong password: the same answer."""
    gatekeeper.order(homeserver, broken=True)
    answers = []
    for name in (user.localpart, "nobody-of-that-name"):
        browser = Browser(server)
        browser.get(server.url("sign-in"))
        page = fill_in(browser, name, password="wrong")
        text = re.sub(r'name="csrf" value="[^"]+"', "", page.text).replace(name, "NAME")
        answers.append((page.status_code, text))

    assert answers[0] == answers[1]
    assert UNCHECKED in answers[0][1]


@pytest.mark.parametrize("mood", ["broken", "hangs"])
def test_a_password_of_synapse_opens_though_a_module_does_not_work(homeserver, browser, user, mood):
    """Synapse's own hash is looked at whatever became of the modules."""
    gatekeeper.order(homeserver, **{mood: True})

    assert 'value="approve"' in fill_in(browser, user.localpart, password=user.password).text


def test_c230_a_module_that_hangs_is_not_asked_by_everybody_at_once(homeserver, server, user):
    """Behind as many as it owes an answer people are told at once that the server is busy.

    Whoever has a password of Synapse gets in all the same.
    """
    gatekeeper.order(homeserver, hangs=True)
    pages = []
    for _ in range(22):
        browser = Browser(server)
        page = browser.get(server.url("sign-in"))
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
        pages.append((browser, csrf))

    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    def ask(page):
        browser, csrf = page
        form = {"csrf": csrf, "identifier": user.localpart, "password": "wrong"}
        return browser.http.post(server.url("sign-in"), data=form, timeout=60)

    with ThreadPoolExecutor(22) as at_once:
        answers = list(at_once.map(ask, pages))
    late = ask(pages[0])
    browser = Browser(server)
    browser.authorize(server.client().request()[0])
    began = time.monotonic()
    page = fill_in(browser, user.localpart, password=user.password)
    took = time.monotonic() - began
    gatekeeper.order(homeserver)

    assert {answer.status_code for answer in answers} == {503}
    assert "The server is busy just now" in late.text
    assert 'value="approve"' in page.text
    assert took < gatekeeper.PATIENCE
