"""One sign-up makes one account, and so does a registration token, whatever happens while it is made.

A module is asked in the middle, and takes its time until the test lets it go on.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from homeserver.test_sign_up import (
    a_name,
    accept,
    counts,
    sign_up,
    strict,
    strict_homeserver,
    to_the_page,
    token,
)
from support import newcomers, usher
from support.oauth import Browser
from support.waiting import eventually

__all__ = ["strict", "strict_homeserver", "token"]
pytestmark = [pytest.mark.one_database]
ANOTHER_PASSWORD = "eight other badgers sing loud"


def tab(browser):
    """Return another tab of the same browser, which looks at the same page."""
    other = Browser(browser.server)
    other.http.cookies.update(browser.http.cookies)
    other.page = browser.page
    return other


def made(homeserver, *names):
    """Return which of these people have an account."""
    known = {row[0] for row in homeserver.query("SELECT name FROM users")}
    return [name for name in names if f"@{name}:{homeserver.server_name}" in known]


def begin(browser, name, token):
    """Go as far as the last page."""
    to_the_page(browser)
    assert "Step 2 of 2" in sign_up(browser, name, token=token).text


def asked_about_spam(homeserver):
    """Return how often the module was asked whether somebody is a spammer."""
    return [question for question, *_ in usher.asked(homeserver)].count("spam")


class _Making:
    """The last press of a sign-up, which a module keeps from its end until `let_go`."""

    def __init__(self, homeserver, browser):
        self._homeserver = homeserver
        self._pool = ThreadPoolExecutor(1)
        usher.order(homeserver, spam="WAIT")
        self._pressed = self._pool.submit(accept, browser)
        assert eventually(lambda: asked_about_spam(homeserver) == 1)

    def let_go(self):
        """Let the module say yes; return the page that comes of it."""
        usher.answer(self._homeserver)
        try:
            return self._pressed.result(timeout=30)
        finally:
            self._pool.shutdown()


def first_page(browser):
    """Let another tab look at the first page of the same sign-up."""
    other = tab(browser)
    attempt = browser.page.url.partition("attempt=")[2]
    other.get(browser.server.url(f"register?attempt={attempt}"))
    return other


def rewrite(homeserver, stage, **said):
    """Let all open sign-ups have answered this to a stage."""
    for attempt, answers in homeserver.query(
        "SELECT attempt_id, answers FROM nextgen_attempts WHERE ended_at IS NULL"
    ):
        found = json.loads(answers)
        if stage in found:
            found[stage] = newcomers.sealed({**newcomers.answer(found[stage]), **said})
            homeserver.query(
                "UPDATE nextgen_attempts SET answers = ? WHERE attempt_id = ?",
                *(json.dumps(found), attempt),
            )


def test_a_token_that_was_given_back_while_the_account_is_made_makes_none(
    strict_homeserver, strict, token
):
    """In another tab its person begins anew with it: that one goes on, and nobody else."""
    name, another = a_name(), a_name()
    begin(strict, name, token)
    other = tab(strict)
    making = _Making(strict_homeserver, strict)
    other.get(strict.server.url("register"))
    assert "Step 2 of 2" in sign_up(other, another, token=token).text
    page = making.let_go()
    assert "This registration token cannot be used" in page.text
    assert made(strict_homeserver, name, another) == []
    accept(other)

    assert made(strict_homeserver, name, another) == [another]
    assert counts(strict_homeserver, token) == (0, 1)


def test_whoever_cancels_while_the_account_is_made_has_none(strict_homeserver, strict, token):
    """The token is somebody else's at once; the press that was under way ends in words."""
    name, another = a_name(), a_name()
    begin(strict, name, token)
    other = first_page(strict)
    making = _Making(strict_homeserver, strict)
    assert other.answer(other.submit(decision="cancel"))["error"] == "access_denied"
    assert counts(strict_homeserver, token) == (0, 0)
    stranger = Browser(strict.server)
    begin(stranger, another, token)
    page = making.let_go()
    accept(stranger)

    assert page.status_code == 409
    assert made(strict_homeserver, name, another) == [another]
    assert counts(strict_homeserver, token) == (0, 1)


def test_a_slow_module_and_another_name_make_one_account(strict_homeserver, strict, token):
    """However long the first press takes: of two names the sign-up has the one that was made first."""
    name, another = a_name(), a_name()
    begin(strict, name, token)
    other = first_page(strict)
    making = _Making(strict_homeserver, strict)
    rewrite(strict_homeserver, "register", at=0)
    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(sign_up, first_page(other), another, password="")
        assert eventually(lambda: asked_about_spam(strict_homeserver) == 2)
        pages = [making.let_go(), pressed.result(timeout=30)]

    assert sorted("/consent?" in page.url for page in pages) == [False, True]
    assert len(made(strict_homeserver, name, another)) == 1
    assert counts(strict_homeserver, token) == (0, 1)


@pytest.mark.parametrize("after", ["registered", "post_registration_actions"])
def test_c247_an_account_that_was_made_half_is_finished(strict_homeserver, strict, token, after):
    """The same sign-up gets it, with all that belongs to it, and no other one beside it."""
    name, another = a_name(), a_name()
    begin(strict, name, token)
    usher.order(strict_homeserver, **{after: "FAIL"})
    assert accept(strict).status_code == 503
    usher.order(strict_homeserver)
    assert made(strict_homeserver, name) == [name]
    assert counts(strict_homeserver, token) == (0, 1)
    other = first_page(strict)
    assert f'value="{name}"' in other.page.text

    refused = sign_up(other, another, password=ANOTHER_PASSWORD)
    assert refused.status_code == 409
    assert "Your account is being made already" in refused.text
    assert sign_up(other, name, password=ANOTHER_PASSWORD).status_code == 409
    other = first_page(strict)
    assert other.submit(decision="cancel").status_code == 409
    other = first_page(strict)
    page = sign_up(other, name, password="")

    assert "/consent?" in page.url
    user_id = f"@{name}:{strict_homeserver.server_name}"
    assert user_id in re.sub("<[^>]+>", "", page.text)
    assert made(strict_homeserver, name, another) == [name]
    assert counts(strict_homeserver, token) == (0, 1)
    assert strict_homeserver.query("SELECT consent_version FROM users WHERE name = ?", user_id) == [
        ("1.0",)
    ]
    assert strict_homeserver.query(
        "SELECT COUNT(*) FROM user_directory WHERE user_id = ?", user_id
    ) == [(1,)]


def test_a_name_that_was_taken_at_the_last_moment_takes_no_token(strict_homeserver, strict, token):
    """Between the last look of Synapse and its row: the token is held again, another name is chosen."""
    name, another = a_name(), a_name()
    begin(strict, name, token)
    usher.order(strict_homeserver, register_user="FAIL")
    page = accept(strict)
    usher.order(strict_homeserver)
    assert "That username is taken." in page.text
    assert counts(strict_homeserver, token) == (1, 0)
    assert "/consent?" in sign_up(strict, another, password="").url

    assert made(strict_homeserver, name, another) == [another]
    assert counts(strict_homeserver, token) == (0, 1)


def test_a_token_is_not_lost_where_synapse_fails_over_it(strict_homeserver, strict, token):
    """Between two of its transactions: nobody holds it then, or an hour at most."""
    strict.get(strict.server.url("register"))
    usher.order(strict_homeserver, mark_ui_auth_stage_complete="FAIL")
    assert sign_up(strict, a_name(), token=token).status_code == 503
    usher.order(strict_homeserver)

    assert counts(strict_homeserver, token) == (0, 0)
    assert strict_homeserver.query("SELECT COUNT(*) FROM nextgen_token_holds") == [(0,)]
    begin(strict, a_name(), token)


def test_terms_that_were_replaced_meanwhile_are_asked_for_again(strict_homeserver, strict, token):
    """Nobody has accepted what they were not shown."""
    name = a_name()
    begin(strict, name, token)
    usher.order(strict_homeserver, spam="DENY")
    assert accept(strict).status_code == 403
    usher.order(strict_homeserver)
    rewrite(strict_homeserver, "terms", version="0.9")
    assert "Step 2 of 2" in sign_up(strict, name, password="").text
    assert made(strict_homeserver, name) == []

    assert "/consent?" in accept(strict).url
    assert made(strict_homeserver, name) == [name]


def test_where_registration_was_closed_meanwhile_nobody_gets_an_account(
    strict_homeserver, strict, token
):
    """As `/register` looks again at each request; both a page that is open and its form say so."""
    name = a_name()
    begin(strict, name, token)
    config = strict_homeserver.config
    strict_homeserver.stop()
    strict_homeserver.config = {**config, "enable_registration": False}
    strict_homeserver.write_config()
    strict_homeserver.start()
    try:
        assert "<h1>No new accounts here</h1>" in accept(strict).text
        assert "<h1>No new accounts here</h1>" in sign_up(first_page(strict), name).text
        assert made(strict_homeserver, name) == []
    finally:
        strict_homeserver.stop()
        strict_homeserver.config = config
        strict_homeserver.write_config()
        strict_homeserver.start()
