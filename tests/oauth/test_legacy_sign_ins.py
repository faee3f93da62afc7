"""Where a client of the old kind waits: which addresses are taken, and how the token gets there."""

from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.legacy_sign_ins import (
    MAX_URL,
    LegacySignIn,
    read_action,
    read_url,
)

LOGIN = LegacySignIn("id", "digest", "https://a.example/", None, None, None, 100, 200)
TOKEN = "syl_abc~&=?#ä"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://app.element.io/", "https://app.element.io/"),
        ("http://localhost:40123/?a=b#c", "http://localhost:40123/?a=b#c"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("element://connect", "element://connect"),
        ("io.element.app:/callback", "io.element.app:/callback"),
        ("https://a.example/ü?x=a b", "https://a.example/%C3%BC?x=a%20b"),
        ("https://a.example/%2F", "https://a.example/%2F"),
    ],
)
def test_an_address_that_clients_use_is_taken(text, url):
    """As it is, but for letters that may not stand in a URI."""
    assert read_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "x", "/path", "//evil.example", "/\\evil.example", "https:evil.example"),
        *("https:///evil.example", "http:///a", "javascript:alert(1)", "JAVASCRIPT:x", "data:,x"),
        *("vbscript:x", "blob:https://a.example/x", "file:///etc/passwd", "about:blank"),
        *(
            "intent://a.example/#Intent;scheme=x;package=org.evil;end",
            "INTENT:x",
            "android-app://a/b",
        ),
        *("https://user@a.example/", "https://a.example@evil.example/", "ht tps://a.example/"),
        *("https://a.example/\n", "\thttps://a.example/", "java\tscript:x", "https://a\x00b/"),
        "https://a.example/" + "x" * MAX_URL,
        "https://a.example/" + "ü" * (MAX_URL // 2),
    ],
)
def test_c194_an_address_that_runs_or_misleads_is_none(text):
    assert read_url(text) is None


@given(st.text(max_size=60))
def test_c194_whatever_is_taken_is_plain_and_absolute(text):
    """No browser reads another host or scheme out of it than we do."""
    url = read_url(text)

    if url is not None:
        assert url.isascii()
        assert url.isprintable()
        assert " " not in url
        assert urlsplit(url).scheme
        assert "@" not in urlsplit(url).netloc


@pytest.mark.parametrize(
    ("url", "before", "after"),
    [
        ("https://a.example/", "https://a.example/?", ""),
        ("https://a.example/?", "https://a.example/?", ""),
        ("https://a.example/?b=c", "https://a.example/?b=c&", ""),
        ("https://a.example/?b=c&", "https://a.example/?b=c&", ""),
        ("https://a.example/#/room", "https://a.example/?", "#/room"),
        ("https://a.example/?b=%20#x?y", "https://a.example/?b=%20&", "#x?y"),
        ("app:/cb", "app:/cb?", ""),
    ],
)
def test_the_token_stands_in_the_query_beside_what_was_there(url, before, after):
    location = attrs.evolve(LOGIN, redirect_url=url).with_token(TOKEN)

    assert location.startswith(f"{before}loginToken=")
    assert location.endswith(after)
    assert dict(parse_qsl(urlsplit(location).query))["loginToken"] == TOKEN


@pytest.mark.parametrize(
    ("now", "decided_at", "is_open"), [(199, None, True), (200, None, False), (150, 140, False)]
)
def test_it_is_open_until_it_is_decided_or_over(now, decided_at, is_open):
    assert attrs.evolve(LOGIN, decided_at=decided_at).is_open(now) is is_open


@pytest.mark.parametrize(
    ("text", "action"),
    [("login", "login"), ("register", "register"), ("LOGIN", None), ("", None), (None, None)],
)
def test_an_unknown_action_says_nothing(text, action):
    assert read_action(text) == action


@pytest.mark.parametrize(
    ("begun_as", "sign_in", "at", "was"),
    [
        (None, "new", 100, True),
        ("old", "new", 100, True),
        ("old", "old", 150, False),
        ("old", "new", 99, False),
    ],
)
def test_whoever_was_signed_in_before_did_not_sign_in_for_it(begun_as, sign_in, at, was):
    login = attrs.evolve(LOGIN, begun_as=begun_as)

    assert login.was_begun_for(sign_in, signed_in_at=at) is was
