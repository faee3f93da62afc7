"""The content of a rendezvous is for scripts of clients, never for a person's browser window."""

import pytest

from synapse_nextgen_auth.oauth.rendezvous import Kind, Rendezvous, refuse_fetch


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
