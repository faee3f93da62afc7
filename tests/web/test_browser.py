"""The cookie, and the proof that a form was made for its browser."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.incoming import incoming
from support.records import ALICE, NOW, a_browser
from synapse_nextgen_auth.secret import Keyring, Secret, digest
from synapse_nextgen_auth.web import browser
from synapse_nextgen_auth.web.browser import CSRF_LIFETIME, Cookies, Visitor

KEYS = Keyring.of(b"k" * 32)
COOKIE, OTHER = "c" * 43, "d" * 43
VISITOR = Visitor(Secret(COOKIE), is_new=False)
HTTPS, HTTP = Cookies(is_https=True), Cookies(is_https=False)
NAME = "__Host-nextgen_auth"
ORIGIN = "https://matrix.example.com"


def read(*headers, cookies=HTTPS):
    """Return the value of our cookie in a request."""
    found = cookies.read(incoming(*(("Cookie", header) for header in headers)))
    return found and found.reveal()


@pytest.mark.parametrize(
    ("cookies", "header"),
    [
        (HTTPS, f"{NAME}={COOKIE}; Path=/; HttpOnly; SameSite=Lax; Secure"),
        (HTTP, f"nextgen_auth={COOKIE}; Path=/; HttpOnly; SameSite=Lax"),
    ],
    ids=["https", "http"],
)
def test_the_cookie_is_as_safe_as_the_connection_allows(cookies, header):
    """On https no subdomain can set it; never readable by scripts or sent along from elsewhere."""
    assert cookies.write(Secret(COOKIE)) == ("Set-Cookie", header)
    assert cookies.write(Secret(COOKIE), max_age=60) == ("Set-Cookie", f"{header}; Max-Age=60")


@pytest.mark.parametrize(
    "header",
    [
        f"{NAME}={COOKIE}",
        f"a=b; {NAME}={COOKIE}",
        f"{NAME}={COOKIE}; a=b;",
        f"a; b=; ={COOKIE}; {NAME}={COOKIE}",
        f"nextgen_auth={OTHER}; {NAME}={COOKIE}",
        f"X{NAME}={OTHER};{NAME}={COOKIE}",
        f"name=M\u00fcller; {NAME}={COOKIE}",
        f"{NAME}={COOKIE}; \u2603=\U0001f600; x",
        b"name=M\xfcller; " + f"{NAME}={COOKIE}".encode(),
        f"{NAME}={COOKIE}; ".encode() + b"\x00\xff\xfe=\x80",
        f'json={{"a":"b"}}; {NAME}={COOKIE}',
    ],
)
def test_our_cookie_is_found_among_others(header):
    """By its whole name, in whatever company: a sibling host may set cookies for all of them."""
    assert read(header) == COOKIE


@pytest.mark.parametrize("place", [0, 1, 2])
def test_our_cookie_may_come_in_a_header_of_its_own(place):
    """As proxies pass on what came by HTTP/2 (RFC 9113 section 8.2.3)."""
    headers = ["a=b", b"name=M\xfcller; c=d"]
    headers.insert(place, f"{NAME}={COOKIE}")

    assert read(*headers) == COOKIE


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="none"),
        pytest.param(("",), id="empty"),
        pytest.param((NAME,), id="no-value"),
        pytest.param((f"{NAME}=",), id="empty-value"),
        pytest.param((f"{NAME}={COOKIE[:-1]}",), id="truncated"),
        pytest.param((f"{NAME}={COOKIE}x",), id="longer"),
        pytest.param((f"{NAME}={COOKIE}" * 200,), id="oversize"),
        pytest.param((f"{NAME}={'x' * 5000}",), id="5-kB"),
        pytest.param((f'{NAME}="{COOKIE}"',), id="quoted"),
        pytest.param((f"{NAME}={COOKIE}; {NAME}={OTHER}",), id="twice"),
        pytest.param((f"{NAME}={COOKIE}; {NAME}={COOKIE}",), id="twice-the-same"),
        pytest.param((f"{NAME}={COOKIE}", f"{NAME}={OTHER}"), id="two-headers"),
        pytest.param((f"{NAME}={COOKIE}; a=b", f"c=d; {NAME}={COOKIE}"), id="two-headers-the-same"),
        pytest.param((f"{NAME}={COOKIE}; {NAME}=", "a=b"), id="twice-once-empty"),
        pytest.param((f"{NAME}={COOKIE[:-1]}\u00e9",), id="not-ascii"),
        pytest.param((b"\xff\xfe" + f"{NAME}={COOKIE}".encode(),), id="not-utf-8"),
        pytest.param((f"{NAME}={COOKIE[:-1]}\0",), id="nul"),
        pytest.param((f"{NAME}={COOKIE[:-1]}.",), id="tampered"),
        pytest.param((f"{NAME}={NOW}.{COOKIE}",), id="csrf-value"),
        pytest.param((f"{NAME.lower()}={COOKIE}",), id="name-case"),
        pytest.param((f"nextgen_auth={COOKIE}",), id="name-without-prefix"),
    ],
)
def test_c189_anything_odd_is_no_cookie(headers):
    """The browser is then a new one."""
    assert read(*headers) is None


def test_on_http_the_prefix_is_not_ours():
    """Browsers would drop it there."""
    assert read(f"nextgen_auth={COOKIE}", cookies=HTTP) == COOKIE
    assert read(f"{NAME}={COOKIE}", cookies=HTTP) is None


@given(st.binary(max_size=60).filter(lambda piece: NAME.encode() not in piece), st.booleans())
def test_no_other_cookie_hides_ours(others, is_first):
    """Whatever bytes somebody else put there."""
    ours = f"{NAME}={COOKIE}".encode()

    assert read(b"; ".join((ours, others) if is_first else (others, ours))) == COOKIE


@given(st.binary(max_size=200))
def test_c189_any_header_is_answered(header):
    """Never an exception."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", read(header) or "x" * 43)


def test_a_new_browser_gets_a_cookie_that_can_be_read_back():
    """Another one each time."""
    visitors = [browser.fresh() for _ in range(50)]

    assert len({visitor.cookie.reveal() for visitor in visitors}) == 50
    for visitor in visitors:
        assert visitor.is_new
        assert read(f"{NAME}={visitor.cookie.reveal()}") == visitor.cookie.reveal()


def test_the_database_knows_the_digest_only():
    """And the record does not show the cookie."""
    visitor = Visitor(Secret(COOKIE), is_new=False, browser=a_browser(COOKIE))

    assert visitor.digest == digest(COOKIE) == visitor.browser.digest
    assert visitor.user_id == ALICE
    assert VISITOR.user_id is None
    assert COOKIE not in repr(visitor)


def proves(value, *, visitor=VISITOR, at=0, keys=KEYS):
    """Say whether a form with this value is ours."""
    return browser.proves(keys, visitor, value, now=NOW + at)


@pytest.mark.parametrize(
    ("at", "fine"),
    [
        (0, True),
        (CSRF_LIFETIME - 1, True),
        (CSRF_LIFETIME, False),
        (-60, True),
        (-61, False),
        (10**9, False),
    ],
)
def test_c181_a_form_is_good_for_a_day(at, fine):
    """And from a minute before, as clocks of workers differ."""
    assert proves(browser.csrf(KEYS, VISITOR, now=NOW), at=at) is fine


def test_c182_a_form_is_good_in_its_own_browser():
    """Not with another cookie, not in one that had none, and not with another server's keys."""
    value = browser.csrf(KEYS, VISITOR, now=NOW)

    assert proves(value)
    assert not proves(value, visitor=Visitor(Secret(OTHER), is_new=False))
    assert not proves(value, visitor=Visitor(Secret(COOKIE), is_new=True))
    assert not proves(value, keys=Keyring.of(b"x" * 32))


def test_c182_a_rotation_of_the_secret_spoils_no_open_form():
    """Nor a person's patience."""
    value = browser.csrf(KEYS, VISITOR, now=NOW)

    assert proves(value, keys=Keyring.of(b"n" * 32, [b"k" * 32]))


@pytest.mark.parametrize("place", range(len(f"{NOW}.") + 42))
def test_c182_every_character_counts(place):
    """The time as well as the MAC; only the last one has bits to spare."""
    value = browser.csrf(KEYS, VISITOR, now=NOW)

    for character in "0123456789AZaz-_.=+/ \n\u0661":
        if character != value[place]:
            assert not proves(value[:place] + character + value[place + 1 :]), character


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        ".",
        f"{NOW}",
        f"{NOW}.",
        f".{'a' * 43}",
        f"{NOW}.{'a' * 43}",
        "x" * 100_000,
        COOKIE,
    ],
)
def test_c181_without_the_value_there_is_no_proof(value):
    """Nor with one that somebody made up."""
    assert not proves(value)


@given(st.text(st.characters(codec=None)) | st.from_regex(r"\A[0-9]{1,12}\.[\w-]{43}\Z"))
def test_c181_what_we_did_not_make_proves_nothing(value):
    """And raises nothing."""
    assert not proves(value)


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        pytest.param((), False, id="old-browser"),
        pytest.param((("Origin", ORIGIN),), False, id="own-origin"),
        pytest.param((("Origin", "null"),), False, id="no-referrer"),
        pytest.param((("Origin", "https://evil.example"),), True, id="origin"),
        pytest.param((("Origin", ORIGIN + ".evil.example"),), True, id="origin-suffix"),
        pytest.param((("Origin", ORIGIN + "/"),), True, id="origin-slash"),
        pytest.param((("Origin", ORIGIN + ":8448"),), True, id="origin-port"),
        pytest.param((("Origin", ORIGIN.replace("https", "http")),), True, id="origin-scheme"),
        pytest.param((("Origin", ""),), True, id="origin-empty"),
        pytest.param((("Origin", ORIGIN), ("Origin", ORIGIN)), True, id="origin-twice"),
        pytest.param((("Origin", b"\xff"),), True, id="origin-bytes"),
        pytest.param((("Sec-Fetch-Site", "same-origin"),), False, id="same-origin"),
        pytest.param((("Sec-Fetch-Site", "none"),), False, id="typed"),
        pytest.param((("Sec-Fetch-Site", "cross-site"),), True, id="cross-site"),
        pytest.param((("Sec-Fetch-Site", "same-site"),), True, id="sibling"),
        pytest.param((("Sec-Fetch-Site", "SAME-ORIGIN"),), True, id="unknown"),
        pytest.param((("Sec-Fetch-Site", "same-origin"),) * 2, True, id="twice"),
        pytest.param(
            (("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")),
            True,
            id="one-of-both",
        ),
        pytest.param((("Sec-Fetch-Site", "cross-site"), ("Origin", ORIGIN)), True, id="the-other"),
    ],
)
def test_c186_forms_of_other_sites_are_noticed(headers, elsewhere):
    """Even with a good value in them; browsers that do not tell are not refused."""
    assert browser.is_from_elsewhere(incoming(*headers), ORIGIN) is elsewhere
