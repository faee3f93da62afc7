"""The content of a rendezvous is for scripts of clients, never for a person's browser window."""

import pytest

from synapse_nextgen_auth.oauth.rates import Rate
from synapse_nextgen_auth.oauth.rendezvous import (
    MAX_LIVING,
    SHARE,
    Kind,
    Rendezvous,
    is_id,
    is_known,
    refuse_fetch,
    sequences,
    share,
)


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}, False),
        ({"sec-fetch-dest": "empty", "sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-dest": "document"}, True),
        ({"sec-fetch-dest": "iframe"}, True),
        ({"sec-fetch-dest": "image"}, True),
        ({"sec-fetch-dest": ""}, True),
        ({"sec-fetch-mode": "navigate"}, True),
        ({"sec-fetch-user": "?1"}, True),
        ({"sec-fetch-site": "none"}, True),
    ],
)
def test_c155_no_page_is_made_of_it(headers, refused):
    """Whoever put it there could write anything (MSC4388, unsafe content)."""
    assert (refuse_fetch(headers) is not None) == refused


def test_an_entity_tag_is_quoted():
    """RFC 9110 section 8.8.3; and the content does not show in a log."""
    spot = Rendezvous("r", "msc4108", "the content", "s1", 0, 0, 0)

    assert (spot.kind, spot.etag) == (Kind.ETAG, '"s1"')
    assert "the content" not in repr(spot)


@pytest.mark.parametrize("lifetime", [1, 300, 900, 1200])
@pytest.mark.parametrize(("per_second", "burst"), [(0.5, 100), (1000.0, 10**6), (0.001, 1)])
def test_a_network_has_a_share_of_the_spots(per_second, burst, lifetime):
    """Whatever its rate: in one lifetime come a burst and what leaks meanwhile."""
    rate = share(Rate(per_second, burst), lifetime=lifetime)

    assert rate.burst + rate.per_second * lifetime <= SHARE
    assert 20 * SHARE <= MAX_LIVING
    assert 6 * 8 * SHARE <= MAX_LIVING  # of a /48, with eight times as much as a network
    assert rate.per_second <= per_second
    assert rate.burst <= burst


@pytest.mark.parametrize(
    ("text", "is_ours"),
    [
        ("0123456789abcdef" * 2, True),
        ("0123456789ABCDEF" * 2, False),
        ("0123456789abcdef" * 2 + "\n", False),
        ("0123456789abcdef", False),
        ("\u0660" * 32, False),
        ("\0" * 32, False),
        ("", False),
    ],
)
def test_c213_only_an_id_of_ours_is_looked_up(text, is_ours):
    """Nothing else can be there."""
    assert is_id(text) is is_ours


ONE, TWO = "1" * 32, "2" * 32


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        (f'"{ONE}"', (ONE,)),
        (f'W/"{ONE}"', (ONE,)),
        (f'"{ONE}-gzip"', (ONE,)),
        (ONE, (ONE,)),
        (f'"{ONE}", W/"{TWO}"', (ONE, TWO)),
        (f'"other",W/"{TWO}" ', (TWO,)),
        *((nothing, ()) for nothing in ("", "*", ",", '"', "W/")),
        ("\ufffd" * 32, ()),
        (f'"{ONE}{TWO}"', ()),
    ],
)
def test_tags_are_read_leniently(tags, named):
    """A proxy that compresses makes ours weak, or writes its method behind it."""
    assert sequences(tags) == named


@pytest.mark.parametrize(
    ("tags", "known"),
    [
        (None, False),
        ("", False),
        ("*", True),
        (" * ", True),
        (f'W/"{ONE}"', True),
        (f'"{TWO}", "{ONE}"', True),
        (f'"{TWO}"', False),
    ],
)
def test_what_a_client_knows_already(tags, known):
    """RFC 9110 section 13.1.2: `*` fits whatever is there, weak and strong tags are compared alike."""
    assert is_known(tags, Rendezvous("r", "msc4108", "x", ONE, 0, 0, 0)) is known
