"""Who stands behind a host name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth import hosts
from synapse_nextgen_auth.oauth.hosts import Listed


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "app.example.com",
        "example.co.uk",
        "nheko-reborn.github.io",
        "xn--bcher-kva.example",
        "www.city.kawasaki.jp",
        "element.corp.internal",
        "1and1.com",
        "a-b.example.com",
    ],
)
def test_c046_a_registered_domain_is_a_public_host(host):
    """One party answers for it."""
    assert hosts.refuse_public(host) is None


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("com", "public suffix"),
        ("co.uk", "public suffix"),
        ("github.io", "public suffix"),
        ("foo.ck", "public suffix"),
        ("xn--p1ai", "public suffix"),
        ("xn--55qx5d.cn", "public suffix"),
        ("intranet", "public suffix"),
        ("", "domain name"),
        (".com", "domain name"),
        ("example.com.", "domain name"),
        ("example..com", "domain name"),
        ("-a.example.com", "domain name"),
        ("a_b.example.com", "domain name"),
        ("ex%61mple.com", "domain name"),
        ("a" * 64 + ".com", "domain name"),
        (".".join(["a" * 63] * 4) + ".com", "domain name"),
        ("b\u00fccher.example", "domain name"),
        ("localhost", "this machine"),
        ("app.localhost", "this machine"),
        ("192.0.2.1", "IP address"),
        ("127.1", "IP address"),
        ("2130706433", "IP address"),
        ("0x7f000001", "IP address"),
        ("0x7f.1", "IP address"),
        ("0177.0.0.1", "IP address"),
        ("example.0x", "IP address"),
        ("[::1]", "IP address"),
        ("[2001:db8::1]", "IP address"),
        ("[::ffff:10.0.0.1]", "IP address"),
    ],
)
def test_c046_other_hosts_belong_to_nobody_or_everybody(host, reason):
    """A public suffix, a single label, an address or a strange spelling names no one."""
    assert reason in hosts.refuse_public(host)


@pytest.mark.parametrize(
    ("host", "base", "expected"),
    [
        ("example.com", "example.com", True),
        ("app.example.com", "example.com", True),
        ("a.b.example.com", "b.example.com", True),
        ("example.com", "app.example.com", False),
        ("evilexample.com", "example.com", False),
        ("example.com.evil.com", "example.com", False),
        ("other.com", "example.com", False),
        ("me.s3.amazonaws.com", "amazonaws.com", False),
        ("com", "com", False),
        ("localhost", "localhost", False),
    ],
)
def test_a_subdomain_begins_at_a_label_and_stays_with_its_owner(host, base, expected):
    """MSC2966's common base; below another public suffix there is another owner."""
    assert hosts.is_under(host, base) is expected


def test_reverse_dns():
    """The form of private-use schemes (RFC 8252 section 7.1)."""
    assert hosts.reverse("app.example.com") == "com.example.app"


@settings(deadline=None)  # the first example reads the list of public suffixes
@given(st.text(alphabet=st.characters(codec=None)) | st.text("a.-0x[]:", max_size=300))
def test_any_text_is_answered(host):
    """A strange host is refused, never an exception."""
    reason = hosts.refuse_public(host)

    assert reason is None or reason.startswith("its host")
    assert hosts.is_under(host, "example.com") in {True, False}


@pytest.mark.parametrize("host", ["a." * 25_000, "." * 50_000, "a" * 50_000, "1" * 50_000])
def test_c222_a_huge_host_is_refused(host):
    """Length costs nothing but one pass."""
    assert hosts.refuse_public(host)


@pytest.mark.parametrize(
    ("entries", "host", "listed"),
    [
        (["chat"], "chat", True),
        (["chat"], "wiki.chat", True),
        (["chat"], "notchat", False),
        (["CHAT"], "chat", True),
        ([".internal"], "app.internal", True),
        ([".internal"], "internal", False),
        ([".internal"], "x..internal", False),
        (["192.168.0.0/16"], "192.168.1.5", True),
        (["192.168.0.0/16"], "192.169.1.5", False),
        (["192.168.0.0/16"], "192.168.1", False),
        (["192.168.0.0/16"], "0xc0a80105", False),
        (["192.168.0.0/16"], "[::ffff:192.168.1.5]", False),
        (["10.1.2.3"], "10.1.2.3", True),
        (["fd00::/8"], "[fd12::1]", True),
        (["[fd12::1]"], "[fd12::1]", True),
        (["fd00::/8"], "[fe80::1]", False),
        ([], "chat", False),
        (["chat"], "localhost", False),
    ],
)
def test_what_an_operator_lists(entries, host, listed):
    """A host with all below it, what is below a domain, an address, a network."""
    assert Listed.of(entries).has(host) == listed


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        *((fine, None) for fine in ("chat", ".internal", "corp.example", "10.0.0.0/8", "fd00::/8")),
        *(
            (loop, "loopback")
            for loop in ("localhost", ".localhost", "127.0.0.1", "::1", "0.0.0.0/0")
        ),
        *((loop, "loopback") for loop in ("127.0.0.0/8", "[::1]", "::/0", "a.localhost")),
        *(
            (wrong, "must be a host")
            for wrong in ("*.internal", "https://chat", "chat:8443", "a b")
        ),
        *(
            (wrong, "must be a host")
            for wrong in ("", ".", "10.0.0.1/99", "10.0.0", "ch_at", "chat/")
        ),
    ],
)
def test_what_an_operator_cannot_list(entry, reason):
    """No wildcard, no address of a page, and not this machine."""
    found = hosts.refuse_entry(entry)

    assert (reason in found) if reason else (found is None)
