"""Addresses of mailboxes: one recipient in one spelling, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth.accounts.addresses import LONGEST, canonical, deliverable

LONG_LOCAL = "a" * 64
GOOD = [
    ("anna@example.com", "anna@example.com"),
    ("  anna@example.com\t", "anna@example.com"),
    ("Anna.Liddell@EXAMPLE.com", "anna.liddell@example.com"),
    ("anna+matrix@example.com", "anna+matrix@example.com"),
    ("anna@bücher.example", "anna@xn--bcher-kva.example"),
    ("ANNA@BÜCHER.example", "anna@xn--bcher-kva.example"),
    ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
    # A mail server of one's own network.
    ("anna@localhost", "anna@localhost"),
    ("anna@mail.corp", "anna@mail.corp"),
    ("Anna@EXCHANGE.Corp.Local", "anna@exchange.corp.local"),
    ("o'hara%x!y@example.com", "o'hara%x!y@example.com"),
    (
        f"{LONG_LOCAL}@{'b' * 61}.{'c' * 61}.{'d' * 61}.com",
        f"{LONG_LOCAL}@{'b' * 61}.{'c' * 61}.{'d' * 61}.com",
    ),
]
BAD = [
    "",
    "   ",
    "anna",
    "anna@",
    "@example.com",
    "anna@example.com\r\nBcc: eve@example.com",
    "anna@example.com\nRCPT TO:<eve@example.com>",
    "anna\0@example.com",
    "anna@example.com,eve@example.com",
    "anna@example.com;eve@example.com",
    "anna@example.com eve@example.com",
    "a@b,c@d",
    "anna@eve.example@example.com",
    "anna\uff20example.com",  # a fullwidth at sign
    "anna\ufe6bexample.com",  # a small one
    '"anna"@example.com',
    '"anna@eve.example"@example.com',
    "Anna <anna@example.com>",
    "<anna@example.com>",
    "anna(comment)@example.com",
    "anna@[127.0.0.1]",
    "anna@[IPv6:::1]",
    "anna@example..com",
    "anna@-example.com",
    "anna..liddell@example.com",
    ".anna@example.com",
    "änna@example.com",
    "\u0430nna@example.com",  # a Cyrillic a
    "\uff41nna@example.com",  # a fullwidth a
    "anna\u200b@example.com",
    "anna\u202e@example.com",
    "anna@exa\u200bmple.com,",
    "a" * 65 + "@example.com",
    f"{LONG_LOCAL}@{'b' * 61}.{'c' * 61}.{'d' * 61}.example",
    "a" * 10_000 + "@example.com",
    "anna@" + "b." * 5_000 + "com",
]


@pytest.mark.parametrize(("typed", "address"), GOOD)
def test_c257_an_address_has_one_spelling(typed, address):
    """It is the one that people are looked up by, and that mails go to."""
    assert canonical(typed) == address
    assert canonical(address) == address


@pytest.mark.parametrize("typed", BAD, ids=lambda typed: ascii(typed)[:40])
def test_c257_what_is_more_or_less_than_one_address_is_none(typed):
    """Neither a second recipient nor a header comes of it."""
    assert canonical(typed) is None


@given(st.text(max_size=300) | st.emails().map(str))
def test_c257_whatever_is_typed_it_is_one_plain_address_as_synapse_spells_it(typed):
    """So whoever has an account by stock's way in is found."""
    address = canonical(typed)

    if address is not None:
        assert address.isascii()
        assert address.isprintable()
        assert address.count("@") == 1
        assert len(address) <= LONGEST
        assert not set(address) & set(' ,;<>()[]:"\\\r\n')
        assert canonicalise_email(address) == address
        assert canonical(address) == address


@pytest.mark.parametrize(
    ("kept", "to"),
    [
        ("a@example.com", "a@example.com"),
        ("a_b@under_score.example", "a_b@under_score.example"),
        ("root@mailhost", "root@mailhost"),
        ("a@b\u00fccher.example", "a@xn--bcher-kva.example"),
        ("x,y@example.com", None),
        ("x@example.com, y@example.com", None),
        ("x@example.com;y@example.com", None),
        ("<a>@example.com", None),
        ("A <a@example.com>", None),
        ("a(b)@example.com", None),
        ('"a b"@example.com', None),
        ("a\n@example.com", None),
        ("a\r\nBcc: victim@example.com", None),
        ("a b@example.com", None),
        ("a\x1b[0m@example.com", None),
        ("\u00e9@example.com", None),
        ("a@b@example.com", None),
        ("a@", None),
        ("", None),
    ],
)
def test_c257_mail_goes_to_the_one_mailbox_that_an_address_is_or_to_none(kept, to):
    """Synapse's own API lets in what its sender would read as somebody else's."""
    assert deliverable(kept) == to
