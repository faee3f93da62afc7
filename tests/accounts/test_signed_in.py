"""What an account is signed in with, in one list."""

import pytest

from synapse_nextgen_auth.accounts.signed_in import (
    PER_PAGE,
    UNUSED_AFTER,
    Entry,
    Kind,
    Part,
    Several,
    in_order,
    part,
)

NOW = 1_800_000_000
DAY = 24 * 3600


def entry(its_id, kind=Kind.DEVICE, **fields):
    return Entry(kind=kind, id=its_id, **{"last_seen": NOW - DAY, **fields})


PHONE = entry("PHONE", is_verified=True, name="Phone", address="192.0.2.7")
NEW = entry("NEW", is_verified=False, last_seen=NOW)
OLD = entry("OLD", Kind.LEGACY, last_seen=NOW - UNUSED_AFTER, user_agent="gurgle/1.0")
WIKI = entry("~session.1", Kind.WEBSITE, client_id="abc", client_name="Wiki")
HERE = entry("~browser.1", Kind.BROWSER, is_here=True, last_seen=NOW - 2 * UNUSED_AFTER)
ELSEWHERE = entry("~browser.2", Kind.BROWSER, last_seen=NOW - 5)
ALL = (WIKI, OLD, HERE, PHONE, ELSEWHERE, NEW)


def test_what_needs_a_look_comes_first_and_then_this_browser():
    """And then whatever was used last."""
    assert in_order(ALL, NOW) == [NEW, OLD, HERE, ELSEWHERE, PHONE, WIKI]


@pytest.mark.parametrize(
    ("last_seen", "days"),
    [(NOW, None), (NOW - UNUSED_AFTER + 1, None), (NOW - UNUSED_AFTER, 90), (0, NOW // DAY)],
)
def test_what_nobody_used_for_long_says_for_how_long(last_seen, days):
    """Ninety days; what was never seen at all may be new."""
    assert entry("X", last_seen=last_seen).unused_since(NOW) == days
    assert entry("X", last_seen=None).unused_since(NOW) is None


@pytest.mark.parametrize(
    ("several", "gone"),
    [(Several.OTHERS, {WIKI, OLD, PHONE, ELSEWHERE, NEW}), (Several.UNVERIFIED, {NEW})],
)
def test_what_goes_at_once(several, gone):
    """Never this browser; what keeps no keys is not unverified."""
    assert set(several.of(ALL)) == gone


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("phone", [PHONE]),
        ("192.0.2", [PHONE]),
        ("GURGLE", [OLD]),
        ("wiki", [WIKI]),
        ("abc", [WIKI]),
        ("~session", []),
        ("new", [NEW]),
    ],
)
def test_a_search_finds_names_addresses_and_ids_of_devices(words, found):
    """In whatever case; what we call the others is nobody's name for them."""
    assert [each for each in ALL if each.is_like(words)] == found


@pytest.mark.parametrize(
    ("many", "wanted", "shown"),
    [
        (0, None, Part(1, 0, 0, 0)),
        (1, None, Part(1, 1, 1, 1)),
        (50, "2", Part(1, 1, 50, 50)),
        (512, None, Part(1, 1, 50, 512)),
        (512, "2", Part(2, 51, 100, 512)),
        (512, "11", Part(11, 501, 512, 512)),
        (512, "12", Part(11, 501, 512, 512)),
        *((512, odd, Part(1, 1, 50, 512)) for odd in ("", "0", "-1", "x", "1.5", "٢", "9" * 99)),
    ],
)
def test_fifty_stand_on_a_page(many, wanted, shown):
    """Whatever number somebody asks for."""
    found, entries = part([entry(str(n)) for n in range(many)], wanted)

    assert found == shown
    assert [each.id for each in entries] == [
        str(n) for n in range(max(shown.first - 1, 0), shown.last)
    ]
    assert len(entries) <= PER_PAGE
