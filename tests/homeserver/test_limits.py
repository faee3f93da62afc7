"""A sign-in says how long there is for it, on each of its pages (WCAG 2.2.1)."""

import re

import pytest

from support.oauth import Browser
from support.television import Television

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]


def minutes_left(page):
    """Return what a page says is left for it."""
    found = re.search(r"You have (\d+) minutes for this page", page.text)
    return int(found[1]) if found else None


def test_each_page_of_a_sign_in_says_what_is_left(server, user):
    """Half an hour for what an application asks, from the start; the same after a slip."""
    browser = Browser(server)
    request, _ = server.client().request()
    pages = [
        browser.authorize(request),
        browser.sign_in(user.localpart, "wrong"),
        browser.sign_in(user.localpart, user.password),
    ]

    assert [28 <= (minutes_left(page) or 0) <= 30 for page in pages] == [True] * 3


def test_a_device_has_the_time_of_its_code(server, user):
    """From when it is found by its code; until then nothing waits for the person."""
    device = Television.begin(server, client_name="My television")
    browser = Browser(server)
    asked = browser.get(device.answer["verification_uri_complete"])
    pages = [
        browser.submit(user_code=device.user_code, decision="link"),
        browser.sign_in(user.localpart, user.password),
    ]
    most = device.answer["expires_in"] // 60

    assert minutes_left(asked) is None
    assert [most - 2 <= (minutes_left(page) or 0) <= most for page in pages] == [True] * 2


def test_who_signs_in_for_nothing_but_their_account_is_not_hurried(server, user):
    """Before somebody proved something there is no row, so nothing ends."""
    browser = Browser(server)
    pages = [browser.get(server.url("sign-in")), browser.sign_in(user.localpart, "wrong")]

    assert [minutes_left(page) for page in pages] == [None, None]
