"""Which language a page is in: what the client asks for, then the browser, then English."""

import re

import pytest

from support.oauth import Browser

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

ENGLISH, GERMAN, ARABIC = ("en", "ltr"), ("de", "ltr"), ("ar", "rtl")


def language(page):
    """Return the language and the direction of a page, once its headers say the same."""
    found = re.search(r'<html lang="([^"]*)" dir="([^"]*)">', page.text)
    assert page.headers["Content-Language"] == found[1]
    assert page.headers["Vary"] == "Accept-Language"
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
