"""A client that knows only `m.login.sso` is let in once, in the browser that it sent here."""

from functools import partial

import pytest

from support.records import ADDRESS, ALICE, NOW, a_sign_in
from synapse_nextgen_auth.flows import end_session, legacy_login, sign_in
from synapse_nextgen_auth.flows.authorize import Refused
from synapse_nextgen_auth.oauth.legacy_sign_ins import LIFETIME, LegacySignIn
from synapse_nextgen_auth.store import first_sessions, legacy_logins, provider_sessions, sign_ins

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


def kept(tables, *tokens):
    """Make Synapse's rows of login tokens; return a function that lists what is good."""
    with tables.begin() as txn:
        for token in tokens:
            txn.execute(
                "INSERT INTO login_tokens (token, user_id, expiry_ts) VALUES (?, ?, ?)",
                (token, ALICE, NOW * 1000 + 120_000),
            )
    unused = "SELECT token FROM login_tokens WHERE used_ts IS NULL ORDER BY token"
    return lambda: [token for (token,) in tables.query(unused)]


def test_a_login_token_ends_with_the_sign_in_that_gave_it(tables, transact):
    """Those of another browser, and of clients that gave theirs to another, stay good."""
    here = a_sign_in("here", sign_in_id="s1")
    tables.run(sign_ins.add, here)
    tables.run(sign_ins.add, a_sign_in("there", sign_in_id="s2"))
    good = kept(tables, "here", "other")

    assert transact(partial(legacy_login.give, login=LOGIN, sign_in=here, token="here", now=NOW))
    transact(
        partial(sign_in.end, sign_in=a_sign_in("there", sign_in_id="s2"), now=NOW, address=None)
    )
    assert good() == ["here", "other"]
    transact(partial(sign_in.end, sign_in=here, now=NOW, address=None))
    assert good() == ["other"]
    transact(partial(end_session.sign_out_everywhere, user_id=ALICE, now=NOW))
    assert good() == []


def test_who_signed_out_meanwhile_lets_nobody_in(tables, transact):
    """Between the yes and the token: it is worth nothing, and the client waits."""
    here = a_sign_in("here", sign_in_id="s1")
    tables.run(sign_ins.add, here)
    transact(agree())
    transact(partial(sign_in.end, sign_in=here, now=NOW, address=None))
    good = kept(tables, "late", "other")

    give = partial(legacy_login.give, login=LOGIN, sign_in=here, token="late", now=NOW)
    assert transact(give) is False

    assert good() == ["other"]
    assert tables.run(legacy_logins.get, "l1").decided_at is None


@pytest.mark.parametrize(
    ("now", "noted", "found"),
    [
        ({"provider": "oidc-x", "provider_session": "a"}, [], ("oidc-x", "a")),
        ({}, [], (None, None)),
        ({}, [("oidc-x", "a", NOW - 9)], ("oidc-x", "a")),
        ({}, [("oidc-x", "a", NOW - 9), ("oidc-y", "b", NOW - 5)], ("oidc-y", "b")),
        ({"provider": "cas"}, [("oidc-x", "a", NOW - 9)], ("oidc-x", "a")),
        ({"provider": "cas"}, [], ("cas", None)),
    ],
)
def test_a_client_ends_with_the_provider_that_last_let_its_person_in(tables, now, noted, found):
    """A password that was typed since makes no other sign-in of it (Back-Channel Logout 1.0)."""
    for provider, session, at in noted:
        there = {"provider": provider, "provider_session": session}
        tables.run(
            provider_sessions.note,
            a_sign_in("then", sign_in_id="s1", signed_in_at=at, **there),
        )
    other = {"provider": "oidc-z", "provider_session": "z"}
    tables.run(provider_sessions.note, a_sign_in("other", sign_in_id="s2", **other))

    assert tables.run(legacy_login.came_from, a_sign_in("now", sign_in_id="s1", **now)) == found
