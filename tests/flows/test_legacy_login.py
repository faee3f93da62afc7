"""A client that knows only `m.login.sso` is let in once, in the browser that it sent here."""

from functools import partial

import pytest

from support.records import ADDRESS, ALICE, NOW
from synapse_nextgen_auth.flows import legacy_login
from synapse_nextgen_auth.flows.authorize import Refused
from synapse_nextgen_auth.oauth.legacy_sign_ins import LIFETIME, LegacySignIn
from synapse_nextgen_auth.store import first_sessions, legacy_logins

LOGIN = LegacySignIn(
    "l1", "digest", "https://a.example/", "oidc-x", "login", None, NOW, NOW + LIFETIME
)


def agree(*, at=0):
    return partial(
        legacy_login.agree,
        login=LOGIN,
        user_id=ALICE,
        destination="a.example",
        address=ADDRESS,
        now=NOW + at,
    )


@pytest.fixture(autouse=True)
def asked(tables):
    tables.run(legacy_logins.add, LOGIN)


@pytest.mark.parametrize(
    ("login_id", "browser", "at", "found"),
    [
        ("l1", "digest", 0, LOGIN),
        ("l1", "digest", LIFETIME - 1, LOGIN),
        ("l1", "digest", LIFETIME, Refused.EXPIRED),
        ("l1", "another", 0, Refused.OTHER_BROWSER),
        ("l1", None, 0, Refused.OTHER_BROWSER),
        ("l2", "digest", 0, Refused.UNKNOWN),
        ("", "digest", 0, Refused.UNKNOWN),
    ],
)
def test_only_its_browser_goes_on_with_it(transact, login_id, browser, at, found):
    find = partial(legacy_login.find, login_id=login_id, browser=browser, now=NOW + at)

    assert transact(find) == found


def test_it_is_let_in_once_and_written_down(tables, transact):
    assert [transact(agree(at=1)), transact(agree(at=2))] == [True, False]
    assert tables.query("SELECT kind, user_id, address, detail FROM nextgen_events") == [
        ("legacy_login_allowed", ALICE, ADDRESS, "a.example")
    ]
    again = transact(partial(legacy_login.find, login_id="l1", browser="digest", now=NOW))
    assert again is Refused.DECIDED


def test_it_is_too_late_after_its_time(tables, transact):
    assert transact(agree(at=LIFETIME)) is False
    assert tables.events() == []


def test_what_came_to_nothing_can_be_tried_again(tables, transact):
    transact(agree())
    tables.run(legacy_logins.reopen, "l1")

    assert transact(agree(at=1)) is True


def test_the_first_session_counts_for_ever(tables, transact):
    """The second changes nothing."""
    before = transact(partial(first_sessions.has_one, user_id=ALICE))
    for at in (NOW, NOW + 9):
        tables.run(first_sessions.note, ALICE, now=at)

    assert before is False
    assert transact(partial(first_sessions.has_one, user_id=ALICE)) is True
    assert tables.query("SELECT began_at FROM nextgen_first_sessions") == [(NOW,)]
