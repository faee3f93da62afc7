"""The cookie, and the proof that a form was made for its browser."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.incoming import incoming
from support.records import ALICE, BOB, NOW, a_sign_in
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
        pytest.param((f"{NAME}={COOKIE}.",), id="no-secret"),
        pytest.param((f"{NAME}=.{COOKIE}",), id="no-binding"),
        pytest.param((f"{NAME}={COOKIE}..{OTHER}",), id="no-second-secret"),
        pytest.param((f"{NAME}={COOKIE}.{OTHER[:-1]}",), id="secret-truncated"),
        pytest.param((f"{NAME}={COOKIE}.{OTHER}x",), id="secret-longer"),
        pytest.param((f"{NAME}={'.'.join([COOKIE] * 12)}",), id="too-many-secrets"),
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
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}(\.[A-Za-z0-9_-]{43}){0,10}", read(header) or "x" * 43)


def test_a_new_browser_gets_a_cookie_that_can_be_read_back():
    """Another one each time."""
    visitors = [browser.fresh() for _ in range(50)]

    assert len({visitor.cookie.reveal() for visitor in visitors}) == 50
    for visitor in visitors:
        assert visitor.is_new
        assert read(f"{NAME}={visitor.cookie.reveal()}") == visitor.cookie.reveal()


def test_the_database_knows_the_digest_only():
    """And the record does not show the cookie."""
    visitor = Visitor(Secret(COOKIE), is_new=False).knowing([a_sign_in(COOKIE)])

    assert visitor.digest == digest(COOKIE) == visitor.sign_in.digest
    assert visitor.user_id == ALICE
    assert VISITOR.user_id is None
    assert COOKIE not in repr(visitor)


def a_visitor(*accounts):
    """Return a browser with these accounts, the first one the present one."""
    secrets = [letter * 43 for letter in accounts]
    cookie = ".".join((COOKIE, *secrets))
    return Visitor(Secret(cookie), is_new=False).knowing(
        a_sign_in(secret, user_id=f"@{secret[0]}:hs") for secret in secrets
    )


def names(visitor):
    """Return the accounts of a browser by their letters."""
    return "".join(each.user_id[1] for each in visitor.sign_ins)


def sent_back(visitor, cookie):
    """Return the browser as it comes back with another cookie."""
    held = cookie.reveal().split(".")[1:]
    return Visitor(cookie, is_new=False).knowing(
        a_sign_in(secret, user_id=f"@{secret[0]}:hs") for secret in held
    )


def test_the_first_one_is_the_present_one():
    """What hangs on the browser hangs on none of its accounts."""
    visitor = a_visitor("a", "b")

    assert visitor.digest == digest(COOKIE) == VISITOR.digest
    assert visitor.user_id == "@a:hs"
    assert names(visitor) == "ab"
    assert read(f"{NAME}={visitor.cookie.reveal()}") == visitor.cookie.reveal()


def test_nobody_takes_the_place_of_a_sign_in_that_is_over():
    """A page that named one account never acts for the next one."""
    visitor = a_visitor("a", "b")

    assert visitor.knowing([visitor.sign_ins[1]]).sign_in is None
    assert names(visitor.knowing([visitor.sign_ins[1]])) == "b"


def test_a_sign_in_from_before_goes_on():
    """Then the one value of the cookie was its secret, and it stays in front."""
    visitor = VISITOR.knowing([a_sign_in(COOKIE)])
    cookie, _ = visitor.with_sign_in(Secret("b" * 43), BOB)
    both = Visitor(cookie, is_new=False).knowing(
        [a_sign_in("b" * 43, user_id=BOB), a_sign_in(COOKIE)]
    )

    assert visitor.user_id == ALICE
    assert [each.user_id for each in both.sign_ins] == [BOB, ALICE]
    assert both.user_id == BOB
    assert both.digest == visitor.digest
    switched = Visitor(both.with_first(both.sign_ins[1]), is_new=False)
    assert switched.knowing([a_sign_in(COOKIE)]).user_id == ALICE
    assert switched.digest == visitor.digest


def test_signing_in_adds_and_signing_in_again_replaces():
    """The one who signed in is the present one."""
    visitor = a_visitor("a", "b")

    added, forgotten = visitor.with_sign_in(Secret("c" * 43), "@c:hs")
    again, none = visitor.with_sign_in(Secret("d" * 43), "@b:hs")

    assert names(sent_back(visitor, added)) == "cab"
    assert again.reveal() == ".".join((COOKIE, "d" * 43, "a" * 43))
    assert forgotten == none == ()


def test_c189_the_cookie_stays_small():
    """With an eleventh account the one that was used longest ago goes."""
    visitor = a_visitor(*"abcdefghij")

    cookie, forgotten = visitor.with_sign_in(Secret("k" * 43), "@k:hs")

    assert names(sent_back(visitor, cookie)) == "kabcdefghi"
    assert [each.user_id for each in forgotten] == ["@j:hs"]
    assert len(cookie.reveal()) < 500


def test_the_present_one_may_be_another_one():
    """Whoever is chosen comes to the front; whoever signs out goes."""
    visitor = a_visitor("a", "b", "c")

    chosen = visitor.with_first(visitor.sign_ins[2])
    left = visitor.without([visitor.sign_ins[0].digest])

    assert names(sent_back(visitor, chosen)) == "cab"
    assert names(sent_back(visitor, left)) == "bc"
    assert visitor.without(each.digest for each in visitor.sign_ins).reveal() == COOKIE


def test_an_account_is_there_once():
    """Two secrets of one account are one sign-in: the first."""
    one, two = a_sign_in("a" * 43), a_sign_in("b" * 43)
    visitor = Visitor(Secret(f"{COOKIE}.{'a' * 43}.{'b' * 43}"), is_new=False).knowing([one, two])

    assert visitor.sign_ins == (one,)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.with_first(one.sign_ins[1]),
        lambda one: one.without([one.sign_ins[1].digest]),
        lambda one: one.with_sign_in(Secret("c" * 43), "@c:hs")[0],
        lambda one: one.with_sign_in(Secret("c" * 43), "@a:hs")[0],
    ],
    ids=["another-one", "one-less", "one-more", "again"],
)
def test_c182_a_form_is_over_when_anybody_signs_in_or_out(change):
    """It may name an account that is not the present one any more."""
    visitor = a_visitor("a", "b")
    value = browser.csrf(KEYS, visitor, now=NOW)

    assert proves(value, visitor=visitor)
    assert not proves(value, visitor=sent_back(visitor, change(visitor)))


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
    value = browser.csrf(KEYS, VISITOR, now=NOW)
    outdated = browser.is_outdated(KEYS, VISITOR, value, now=NOW + at)

    assert proves(value, at=at) is fine
    assert outdated is (at >= CSRF_LIFETIME)
    assert not browser.is_outdated(KEYS, Visitor(Secret(OTHER), is_new=False), value, now=NOW + at)


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
