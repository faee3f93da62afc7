"""For which site passkeys are made."""

import pytest

from synapse_nextgen_auth.accounts.factors.passkeys import party


@pytest.mark.parametrize(
    ("issuer", "rp_id", "origin"),
    [
        ("https://matrix.example.com/_x/auth/", "matrix.example.com", "https://matrix.example.com"),
        ("https://Matrix.Example.com:443/", "matrix.example.com", "https://matrix.example.com"),
        ("https://example.com:8448/", "example.com", "https://example.com:8448"),
        ("http://localhost:8008/", "localhost", "http://localhost:8008"),
        (
            "https://xn--bcher-kva.example/",
            "xn--bcher-kva.example",
            "https://xn--bcher-kva.example",
        ),
    ],
)
def test_the_host_of_our_pages(issuer, rp_id, origin):
    """As a browser writes it."""
    found = party.of(issuer, server_name="example.com", related=["https://new.example", origin])

    assert (found.rp_id, found.name) == (rp_id, "example.com")
    assert found.origins == (origin, "https://new.example")


@pytest.mark.parametrize(
    "issuer",
    ["http://127.0.0.1:8008/", "https://192.0.2.1/", "https://[2001:db8::1]/", "http://a.b/"],
)
def test_where_no_browser_makes_one(issuer):
    assert party.of(issuer, server_name="example.com") is None
