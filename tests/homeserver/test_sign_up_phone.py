"""Phone numbers of new and of old accounts: an identity server sends the code, and is believed."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.identity_server import IdentityServer
from support.oauth import Browser, Server
from support.synapse import Homeserver

pytestmark = [pytest.mark.one_database]

PASSWORD = "seven brave otters juggle"
PLENTY = {"per_second": 1000, "burst_count": 1000}
_names = itertools.count()
_numbers = (f"+49151234500{n}" for n in itertools.count(10))


@pytest.fixture(scope="module")
def sms():
    """Yield the identity server."""
    with IdentityServer() as server:
        yield server


@pytest.fixture(autouse=True)
def answers(sms):
    """Let it answer again after each test."""
    yield
    sms.status = None


@pytest.fixture(scope="module")
def make(tmp_path_factory, make_database, sms):
    """Return a function that starts a homeserver with these settings; all of them stop at the end."""
    started = []

    def make_(**config):
        directory = tmp_path_factory.mktemp("homeserver-phones")
        settings = {
            "enable_registration": True,
            "account_threepid_delegates": {"msisdn": sms.url},
            "allowed_local_3pids": [
                {"medium": "msisdn", "pattern": r"4915\d+"},
                {"medium": "email", "pattern": ".*"},
            ],
            "rc_registration": PLENTY,
            "rc_3pid_validation": PLENTY,
        }
        module = {"authorization": {"per_second": 1000, "burst": 1000}}
        database = make_database("sqlite", directory)
        homeserver = Homeserver(directory, database, module=module, config=settings | config)
        started.append(homeserver)
        return homeserver.start()

    yield make_
    for homeserver in started:
        homeserver.stop()


@pytest.fixture(scope="module")
def strict(make):
    """Return a homeserver on which everybody has a phone number."""
    return make(registrations_require_3pid=["msisdn"])


@pytest.fixture(scope="module")
def lax(make):
    """Return a homeserver on which everybody may have one, and that keeps to itself who does."""
    return make(
        enable_registration_without_verification=True, request_token_inhibit_3pid_errors=True
    )


def come(homeserver):
    """Bring a new browser to the page that asks for a number."""
    browser = Browser(Server(homeserver.base_url))
    browser.get(browser.server.url("register"))
    name = f"caller{next(_names)}"
    browser.submit(username=name, display_name="", password=PASSWORD, decision="create")
    assert "Your phone number" in browser.page.text, browser.page.text
    return browser, f"@{name}:{homeserver.server_name}"


def numbers_of(homeserver, user_id):
    return homeserver.query("SELECT medium, address FROM user_threepids WHERE user_id = ?", user_id)


def exists(homeserver, user_id):
    return bool(homeserver.query("SELECT 1 FROM users WHERE name = ?", user_id))


def test_the_code_of_the_message_makes_the_account(strict, sms):
    """With the number, as stock's `/register` binds it; typed as people write and paste."""
    browser, user_id = come(strict)
    number = next(_numbers)
    written = f"00{number[1:3]} ({number[3:6]}) {number[6:9]}-{number[9:]}"
    asked = browser.submit(phone=written, decision="send")
    assert "Enter the code from your phone" in asked.text
    assert (sms.last.number, sms.last.country) == (number, "DE")
    code = sms.last.code
    browser.submit(code=f" {code[:3]} {code[3:]}", decision="check")

    assert numbers_of(strict, user_id) == [("msisdn", number[1:])]


def test_no_account_without_the_code(strict, sms):
    """Neither a wrong one, nor none, nor another page of ours leads past."""
    browser, user_id = come(strict)
    browser.submit(phone=next(_numbers), decision="send")
    wrong = browser.submit(code=f"{(int(sms.last.code) + 1) % 10**6:06}", decision="check")
    none = browser.submit(code="", decision="check")
    skipped = browser.submit(decision="skip")

    assert (wrong.status_code, none.status_code) == (400, 400)
    assert "That is not the code" in wrong.text
    assert "Your phone number" in skipped.text
    assert not exists(strict, user_id)


def test_c237_ten_codes_are_tried_and_no_more(strict, sms):
    """However many come at once; a new message gives ten more."""
    browser, user_id = come(strict)
    number = next(_numbers)
    browser.submit(phone=number, decision="send")
    before, page = sms.tries, browser.page

    def guess(_):
        one = Browser(browser.server)
        one.http.cookies.update(browser.http.cookies)
        one.page = page
        return one.submit(code="nope", decision="check").status_code

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(30)))
    browser.page = page
    for _ in range(12):
        browser.page = page
        browser.submit(code=sms.last.code[::-1] + "x", decision="check")
    assert sms.tries - before <= 10
    browser.page = page
    late = browser.submit(code=sms.last.code, decision="check")
    assert late.status_code == 400
    assert "tried too often" in late.text
    assert not exists(strict, user_id)
    browser.get(page.url.replace("register-phone-code", "register-phone"))
    browser.submit(phone=number, decision="send")
    browser.submit(code=sms.last.code, decision="check")
    assert exists(strict, user_id)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Enter your phone number"),
        ("0151 23456789", "Begin with + and the code"),
        ("+49 1", "Begin with + and the code"),
        ("call me", "Begin with + and the code"),
        ("+49 151 23450 099", "Begin with + and the code"),
        ("+1 202 555 0123", "does not take that number"),
    ],
)
def test_what_is_no_number_or_not_taken_is_told(strict, typed, says):
    browser, _ = come(strict)
    answer = browser.submit(phone=typed, decision="send")

    assert answer.status_code == 400
    assert says in answer.text


def test_a_number_in_use_is_told(strict, sms):
    """As stock tells it."""
    number = next(_numbers)
    first, _ = come(strict)
    first.submit(phone=number, decision="send")
    first.submit(code=sms.last.code, decision="check")
    second, _ = come(strict)
    answer = second.submit(phone=number, decision="send")

    assert answer.status_code == 400
    assert "belongs to an account already" in answer.text


def test_a_number_in_use_is_not_told_where_nobody_is_to_know(lax, sms):
    """`request_token_inhibit_3pid_errors`: the page is the same, nothing is sent, no code is right."""
    number = next(_numbers)
    first, owner = come(lax)
    first.submit(phone=number, decision="send")
    first.submit(code=sms.last.code, decision="check")
    assert numbers_of(lax, owner)
    sent = len(sms.sent)
    second, _ = come(lax)
    answer = second.submit(phone=number, decision="send")

    assert answer.status_code == 200
    assert "Enter the code from your phone" in answer.text
    assert len(sms.sent) == sent
    assert second.submit(code=sms.last.code, decision="check").status_code == 400


def test_who_need_not_give_a_number_goes_on_without(lax):
    browser, user_id = come(lax)
    browser.submit(decision="skip")

    assert exists(lax, user_id)
    assert numbers_of(lax, user_id) == []


@pytest.mark.parametrize("status", [500, 502, 403])
def test_an_identity_server_that_fails_is_not_the_persons_fault(strict, sms, status):
    """The page says so and the log says what it was; what was sent still counts afterwards."""
    browser, user_id = come(strict)
    sms.status = status
    asked = browser.submit(phone=next(_numbers), decision="send")
    assert asked.status_code == 503
    assert "does not answer just now" in asked.text
    sms.status = None
    browser.submit(phone=next(_numbers), decision="send")
    sms.status = 502
    tried = browser.submit(code=sms.last.code, decision="check")
    assert tried.status_code == 503
    sms.status = None
    browser.submit(code=sms.last.code, decision="check")

    assert exists(strict, user_id)
    assert "Could not have a phone number confirmed" in strict.log_text()


def test_c234_the_database_has_no_number_of_an_attempt_in_clear(strict):
    """Nor the secret of the session with the identity server."""
    browser, _ = come(strict)
    number = next(_numbers)
    browser.submit(phone=number, decision="send")
    kept = strict.query("SELECT answers FROM nextgen_attempts WHERE ended_at IS NULL")

    assert kept
    assert not any(number[1:] in answers for (answers,) in kept)


@pytest.fixture
def owner(lax):
    return lax.new_user()


@pytest.fixture
def own(lax, owner):
    """Return a browser in which somebody is signed in, at the page that asks for a number."""
    return at_own_number(lax, owner)


def at_own_number(homeserver, user):
    browser = Browser.of(Server(homeserver.base_url), user)
    profile = browser.get(browser.server.url("account-profile"))
    assert 'href="account-phone"' in profile.text
    browser.get(browser.server.url("account-phone"))
    return browser


def test_an_account_gets_a_number_by_the_code_that_went_there(lax, sms, owner, own):
    """It is written down, and shown; the code was for this once."""
    number = next(_numbers)
    own.submit(phone=f" {number[:6]} {number[6:]}", decision="send")
    asked = own.page
    wrong = own.submit(code="nope", decision="check")
    done = own.submit(code=sms.last.code, decision="check")
    own.page = asked
    again = own.submit(code=sms.last.code, decision="check")

    assert "Enter the code from your phone" in asked.text
    assert wrong.status_code == 400
    assert "The phone number is yours now." in done.text
    assert number in done.text
    assert numbers_of(lax, owner.user_id) == [("msisdn", number[1:])]
    assert again.status_code in {400, 409, 410}
    assert lax.query(
        "SELECT kind FROM nextgen_events WHERE user_id = ? AND kind LIKE 'phone%'", owner.user_id
    ) == [("phone_added",)]


def test_c249_a_number_in_use_looks_like_any_other(lax, sms, own):
    """Where Synapse keeps it to itself: no message goes, and no code is right. One's own is named."""
    other = lax.new_user()
    number = next(_numbers)
    theirs = at_own_number(lax, other)
    theirs.submit(phone=number, decision="send")
    theirs.submit(code=sms.last.code, decision="check")
    mine = at_own_number(lax, other).submit(phone=number, decision="send")
    sent = sms.last.code

    asked = own.submit(phone=number, decision="send")
    refused = own.submit(code=sent, decision="check")

    assert "belongs to your account already" in mine.text
    assert "Enter the code from your phone" in asked.text
    assert refused.status_code == 400
    assert numbers_of(lax, other.user_id) == [("msisdn", number[1:])]


def test_whoever_shows_first_that_a_number_is_theirs_keeps_it(lax, sms, owner, own):
    other = lax.new_user()
    number = next(_numbers)
    theirs = at_own_number(lax, other)
    theirs.submit(phone=number, decision="send")
    first = sms.last.code
    own.submit(phone=number, decision="send")
    own.submit(code=sms.last.code, decision="check")

    late = theirs.submit(code=first, decision="check")

    assert late.status_code == 409
    assert "belongs to an account already" in late.text
    assert numbers_of(lax, owner.user_id) == [("msisdn", number[1:])]
    assert numbers_of(lax, other.user_id) == []


def test_c237_ten_codes_are_tried_for_a_number_of_an_account(lax, sms, owner, own):
    """However many come at once, and the right one is none after them."""
    own.submit(phone=next(_numbers), decision="send")
    before, page = sms.tries, own.page
    for n in range(12):
        own.page = page
        own.submit(code=f"wrong{n}", decision="check")
    own.page = page
    late = own.submit(code=sms.last.code, decision="check")

    assert sms.tries - before == 10
    assert "tried too often" in late.text
    assert numbers_of(lax, owner.user_id) == []


def test_c301_the_code_of_somebody_elses_number_is_theirs(lax, sms, owner, own):
    """By the address of its page, with a proof of one's own browser and account."""
    thief = at_own_number(lax, lax.new_user())
    mine = thief.submit(phone=next(_numbers), decision="send")
    own.submit(phone=next(_numbers), decision="send")

    looked = thief.get(own.page.url)
    thief.page = mine
    form = thief.page.text.partition('name="csrf" value="')[2].partition('"')[0]
    pressed = thief.http.post(
        own.page.url, data={"csrf": form, "code": sms.last.code, "decision": "check"}, timeout=30
    )

    assert looked.status_code >= 400
    assert pressed.status_code >= 400
    assert numbers_of(lax, owner.user_id) == []


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Enter your phone number"),
        ("12345", "no phone number that a message"),
        ("+4930123456", "does not take that number"),
    ],
)
def test_what_cannot_be_added_is_said_at_the_field(own, typed, says):
    page = own.submit(phone=typed, decision="send")

    assert page.status_code == 400
    assert says in page.text


def test_an_identity_server_that_fails_adds_nothing(lax, sms, owner, own):
    """It says so, with 503, before the message and after it."""
    own.submit(phone=next(_numbers), decision="send")
    code = sms.last.code
    sms.status = 500

    page = own.submit(code=code, decision="check")

    assert page.status_code == 503
    assert numbers_of(lax, owner.user_id) == []
