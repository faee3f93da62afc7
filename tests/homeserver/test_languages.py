"""Which language a page is in: of the client, the person, the account, the browser, and the server."""

import re

import pytest

from support.oauth import Browser

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

ENGLISH, GERMAN, ARABIC = ("en", "ltr"), ("de", "ltr"), ("ar", "rtl")


def language(page):
    """Return the language and the direction of a page, once its headers say the same."""
    found = re.search(r'<html lang="([^"]*)" dir="([^"]*)">', page.text)
    assert page.headers["Content-Language"] == found[1]
    assert page.headers["Vary"] == "Accept-Language, Cookie"
    return found.groups()


@pytest.fixture
def speaking(server):
    """Return a function that opens a browser of which the reader wants these languages."""

    def speaking_(header):
        browser = Browser(server)
        browser.http.headers["Accept-Language"] = header
        return browser

    return speaking_


def test_the_metadata_lists_the_languages(server, speaking):
    """OpenID Connect Discovery: `ui_locales_supported`; a page can be had in each of them."""
    listed = server.metadata()["ui_locales_supported"]

    assert {"ar", "de", "en"} <= set(listed)
    for tag in listed:
        assert language(speaking(tag).get(server.issuer))[0] == tag


@pytest.mark.parametrize(
    ("header", "ui_locales", "found"),
    [
        ("", None, ENGLISH),
        ("de", None, GERMAN),
        ("de-CH, en;q=0.5", None, GERMAN),
        ("ar-EG, de;q=0.9", None, ARABIC),
        ("tlh, de;q=0.5", None, GERMAN),
        ("tlh", None, ENGLISH),
        ("en, de;q=0.9", None, ENGLISH),
        ("de", "ar", ARABIC),
        ("de", "tlh ar", ARABIC),
        ("de", "tlh", GERMAN),
        ("de", "../../de.po", GERMAN),
        ("de", "en-GB", ENGLISH),
        ("../ar, *", None, ENGLISH),
    ],
)
def test_every_page_of_a_grant_is_in_the_language_that_was_asked_for(
    homeserver, server, speaking, header, ui_locales, found
):
    """`ui_locales`, then `Accept-Language`, then English; C030: nonsense chooses nothing."""
    user = homeserver.new_user()
    parameters, _verifier = server.client().request(ui_locales=ui_locales)
    browser = speaking(header)
    sign_in = browser.authorize(parameters)
    wrong = browser.sign_in(user.localpart, "wrong")
    consent = browser.sign_in(user.localpart, user.password)

    assert [language(page) for page in (sign_in, wrong, consent)] == [found] * 3


@pytest.mark.parametrize("path", ["nothing", "sign-in?grant=unknown", "static/nothing", ""])
def test_a_page_that_stops_people_is_in_their_language(server, speaking, path):
    """Also where nothing is known but the browser."""
    assert language(speaking("de-DE").get(server.url(path))) == GERMAN


@pytest.mark.parametrize(("ui_locales", "found"), [("ar", ARABIC), ("tlh", GERMAN)])
@pytest.mark.parametrize("mistake", [{"client_id": "nobody"}, {"code_challenge_method": "plain"}])
def test_a_mistake_is_told_in_the_language_that_was_asked_for(
    server, speaking, mistake, ui_locales, found
):
    """Also where the request goes no further than this."""
    parameters, _verifier = server.client().request(ui_locales=ui_locales, **mistake)

    assert language(speaking("de").authorize(parameters)) == found


def test_errors_for_programs_stay_english(server):
    """The words of OAuth are for developers, whatever their language (RFC 6749 section 5.2)."""
    answer = server.post("token", {"grant_type": "nothing"}, headers={"Accept-Language": "de"})

    assert answer.status_code == 401
    assert "Content-Language" not in answer.headers
    assert answer.json()["error"] == "invalid_client"


def choose(browser, came_from=None, **fields):
    """Choose on the page for that, coming from another one; return where that leads."""
    headers = {"Referer": came_from} if came_from else {}
    browser.get(browser.server.url("language"), headers=headers)
    return browser.submit(**fields)


def test_a_choice_leads_back_and_holds_in_this_browser(server, speaking):
    """Before anybody signed in; `auto` leaves it to the browser again."""
    browser = speaking("ar")
    browser.authorize(server.client().request()[0])
    asking = browser.page.url

    back = choose(browser, came_from=asking, decision="de")
    cookie = next(each for each in browser.http.cookies if each.name.endswith("nextgen_language"))
    elsewhere = browser.get(server.url("nothing"))
    choose(browser, decision="auto")

    assert back.url == asking
    assert [language(back), language(elsewhere)] == [GERMAN, GERMAN]
    assert re.fullmatch(r"de\.[0-9]+\.", cookie.value)
    assert language(browser.get(server.issuer)) == ARABIC


def test_a_choice_on_a_page_of_a_grant_comes_before_what_the_application_asked_for(
    server, speaking
):
    """And what it asks for later comes before a choice that is older."""
    browser = speaking("en")
    asked = browser.authorize(server.client().request(ui_locales="ar")[0])

    chosen = choose(browser, came_from=asked.url, decision="de")

    assert language(asked) == ARABIC
    assert language(chosen) == GERMAN


def test_the_choice_of_an_account_goes_with_it(homeserver, server, speaking):
    """To its other browsers, unless something else was chosen in one of them."""
    user = homeserver.new_user()
    here, there, third = (
        Browser.of(server, user),
        Browser.of(server, user),
        Browser.of(server, user),
    )
    choose(there, decision="en")
    choose(here, decision="ar")
    choose(there, decision="de")
    choose(here, decision="auto")
    there.http.cookies.clear()
    fresh = Browser.of(server, user)

    assert language(third.get(server.url("account"))) == ENGLISH
    assert homeserver.query(
        "SELECT language, last_language FROM nextgen_preferences WHERE user_id = ?", user.user_id
    ) == [(None, "en")]
    choose(here, decision="de")
    assert language(third.get(server.url("account"))) == GERMAN
    assert language(fresh.get(server.url("account"))) == GERMAN
    assert language(speaking("ar").get(server.issuer)) == ARABIC


@pytest.mark.parametrize(
    "path", ["nothing", "static/nothing", "authorize", "token-nothing", "consent?grant=unknown"]
)
def test_a_page_that_stops_whoever_is_signed_in_is_in_the_language_of_the_account(
    homeserver, server, path
):
    """Also where nobody had to be known: an address that is not there, or a request that is none."""
    user = homeserver.new_user()
    browser, other = Browser.of(server, user), Browser.of(server, user)
    choose(other, decision="ar")
    browser.http.headers["Accept-Language"] = "de"
    stopped = browser.get(server.url(path))

    assert stopped.status_code >= 400
    assert language(stopped) == ARABIC
    sent = browser.http.put(server.url("account"), headers={"Accept-Language": "de"})
    assert (sent.status_code, language(sent)) == (405, ARABIC)


def test_times_are_told_where_the_person_is(homeserver, server):
    """In the zone of the browser, or else of the account; UTC for everybody else."""
    user = homeserver.new_user()
    here, there = Browser.of(server, user), Browser.of(server, user)
    before = here.get(server.url("account-events")).text

    choose(here, decision="time-zone", time_zone="Asia/Kolkata")
    after = [each.get(server.url("account-events")).text for each in (here, there)]

    assert "UTC</time>" in before
    assert ["UTC+5:30</time>" in text for text in after] == [True, True]
    assert homeserver.query(
        "SELECT time_zone FROM nextgen_preferences WHERE user_id = ?", user.user_id
    ) == [("Asia/Kolkata",)]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Factory", "-"])
def test_c030_a_zone_that_is_none_any_more_can_be_left(server, speaking, zone):
    """It comes with a cookie, or of an account that chose it where there was one: times are in UTC."""
    browser = speaking("de")
    name = f"{'__Host-' if server.issuer.startswith('https:') else ''}nextgen_language"
    page = browser.get(server.url("language"), headers={"Cookie": f"{name}=.0.{zone}"})

    assert page.status_code == 200
    assert f'<option value="{zone}" selected>{zone}</option>' in page.text


@pytest.mark.parametrize(
    "fields",
    [
        {"decision": "tlh"},
        {"decision": "../de"},
        {"decision": "time-zone", "time_zone": "../etc/passwd"},
        {"decision": "time-zone", "time_zone": "Nowhere/Land"},
        {},
    ],
)
def test_c030_what_is_not_there_is_not_chosen(server, speaking, fields):
    browser = speaking("de")
    browser.get(server.url("language"))

    assert browser.submit(**fields).status_code == 400
    assert language(browser.get(server.issuer)) == GERMAN


@pytest.mark.parametrize(
    "came_from", ["https://evil.example/", "//evil.example", "../../../x", "javascript:alert(1)"]
)
def test_c197_no_choice_leads_away(server, speaking, came_from):
    """Whatever a header or a form says of where somebody was."""
    browser = speaking("en")
    page = browser.get(server.url("language"), headers={"Referer": came_from})
    chosen = browser.submit(decision="de", came_from=came_from)

    assert came_from not in page.text
    assert chosen.url == server.url("language")


def test_who_is_signed_out_meanwhile_chooses_for_the_browser_alone(homeserver, server):
    """The account is not theirs any more (C179)."""
    user = homeserver.new_user()
    browser, other = Browser.of(server, user), Browser.of(server, user)
    browser.get(server.url("language"))
    other.get(server.url("account-devices-end"))
    homeserver.query("UPDATE nextgen_browsers SET ended_at = 1 WHERE user_id = ?", user.user_id)
    chosen = browser.submit(decision="de")

    assert homeserver.query(
        "SELECT language FROM nextgen_preferences WHERE user_id = ?", user.user_id
    ) == [(None,)]
    assert chosen.status_code in {200, 403}
