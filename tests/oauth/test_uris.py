"""URIs are read strictly, or not at all."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth import uris
from synapse_nextgen_auth.oauth.uris import Uri


@pytest.mark.parametrize(
    "bad",
    [
        "\t",
        "\r",
        "\n",
        "\x00",
        " ",
        "\x01",
        "\x1f",
        "\x7f",
        "\\",
        '"',
        "<",
        "é",
        "\u00a0",
        "\ud800",
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/cb{}",
        "https://exa{}mple.com/",
        "{}https://example.com/",
        "https:{}//e.com",
    ],
)
def test_c049_what_a_browser_would_repair_is_refused_before_parsing(text, bad):
    """Two readers of one text must see one host; also with a trailing newline."""
    assert "characters" in uris.refuse(text.format(bad))
    assert uris.parse(text.format(bad)) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "characters"),
        ("https://example.com/%", "characters"),
        ("https://example.com/%zz", "characters"),
        ("https://example.com/{x}", "characters"),
        ("https://example.com/" + "a" * 2029, "longer than 2048"),
        ("example.com/cb", "scheme"),
        ("/cb", "scheme"),
        ("//example.com/cb", "scheme"),
        ("1a://example.com", "scheme"),
        ("https://example.com:/", "port"),
        ("https://example.com:0/", "port"),
        ("https://example.com:080/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:999999/", "port"),
        ("https://example.com:1:2/", "port"),
        ("https://a@b@example.com/", "port"),
        ("https://[::1/", "port"),
        ("https://[::1]x/", "port"),
        ("https://[v1.a]/", "port"),
        ("https:/example.com", "host"),
        ("https:example.com", "host"),
        ("https://", "host"),
        ("https:///example.com", "host"),
        ("http://:80/", "host"),
        ("http://user@/", "host"),
    ],
)
def test_a_malformed_uri_is_refused_with_the_rule(text, reason):
    """The reason names what would be right."""
    assert reason in uris.refuse(text)
    assert uris.parse(text) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("https://example.com", ("https", "example.com", None, "", None, True)),
        ("HTTPS://Example.COM:8443/A?b=C", ("https", "example.com", 8443, "/A", "b=C", True)),
        ("https://example.com/?", ("https", "example.com", None, "/", "", True)),
        ("http://[::1]:80/cb", ("http", "[::1]", 80, "/cb", None, True)),
        ("com.example.app:/cb", ("com.example.app", "", None, "/cb", None, False)),
        ("com.example:cb", ("com.example", "", None, "cb", None, False)),
        ("com.example.app://cb", ("com.example.app", "cb", None, "", None, True)),
        ("com.example.app:///cb", ("com.example.app", "", None, "/cb", None, True)),
    ],
)
def test_a_uri_is_taken_apart(text, parts):
    """Scheme and host in lower case, everything else as written."""
    uri = uris.parse(text)

    assert uri.text == text
    assert (uri.scheme, uri.host, uri.port, uri.path, uri.query, uri.has_authority) == parts
    assert not uri.has_userinfo
    assert not uri.has_fragment


@pytest.mark.parametrize("text", ["https://e.com/#x", "https://e.com#", "com.example:/cb?a=b#"])
def test_a_bare_number_sign_is_a_fragment_too(text):
    """An empty fragment is one."""
    assert uris.parse(text).has_fragment


@pytest.mark.parametrize("text", ["https://u:p@e.com/", "https://u@e.com", "https://@e.com/"])
def test_user_and_password_are_noticed_even_if_empty(text):
    """What stands before the @ is not the host."""
    uri = uris.parse(text)

    assert (uri.has_userinfo, uri.host) == (True, "e.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com/", "example.com:443"),
        ("http://localhost/", "localhost:80"),
        ("http://[::1]:8008/", "[::1]:8008"),
        ("com.example:/", ":0"),
    ],
)
def test_the_port_that_is_used_is_known(text, expected):
    """An absent port is the default of the scheme."""
    assert uris.parse(text).host_and_port == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://example.com/", "scheme must be https"),
        ("com.example:/", "scheme must be https"),
        ("https://user@example.com/", "user name"),
        ("https://localhost/", "this machine"),
        ("https://127.0.0.1/", "IP address"),
        ("https://co.uk/", "public suffix"),
        ("https://example.com./", "final dot"),
    ],
)
def test_c046_only_https_on_a_public_host_is_a_page_of_somebody(text, reason):
    """`client_uri` and its relatives must say who stands behind a client."""
    assert reason in uris.refuse_public_https(uris.parse(text))


def test_an_ordinary_address_is_a_page_of_somebody():
    """Ports, paths and fragments are free."""
    assert uris.refuse_public_https(uris.parse("https://example.com:8443/a#b")) is None


characters = st.characters(codec=None) | st.sampled_from("hts:/?#[]@%.:0123456789")


@given(st.text(alphabet=characters, max_size=60))
def test_any_text_is_a_uri_or_has_a_reason(text):
    """Exactly one of the two, and never an exception."""
    assert (uris.parse(text) is None) == (uris.refuse(text) is not None)


uri_texts = st.from_regex(
    r"\A(https?|com\.example)://([a-z.@]{0,9}@)?[a-z.]{1,9}(:[0-9]{1,6})?(/[a-z@:?#.]{0,9})?\Z",
)


@given(uri_texts)
def test_where_both_accept_a_uri_the_standard_library_sees_the_same_host(text):
    """A second reader finds the same parts: there is nothing to confuse."""
    uri = uris.parse(text)
    if isinstance(uri, Uri):
        other = urlsplit(text)

        assert (uri.scheme, uri.host, uri.port) == (other.scheme, other.hostname or "", other.port)
        assert (uri.path, uri.query or "") == (other.path, other.query)


@pytest.mark.parametrize("piece", ["a", ":", "/", "@", "[", "%41", "?", "#", "https://a", "a:1"])
def test_c222_a_huge_uri_is_refused_by_its_length(piece):
    """Nothing looks inside fifty thousand characters."""
    assert "longer than 2048" in uris.refuse(piece * 50_000)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://matrix.example.com/", "https://matrix.example.com"),
        ("https://matrix.example.com", "https://matrix.example.com"),
        ("https://matrix.example.com:443/", "https://matrix.example.com"),
        ("HTTPS://Matrix.EXAMPLE.com:443/Path?x#y", "https://matrix.example.com"),
        ("https://matrix.example.com:8448/", "https://matrix.example.com:8448"),
        ("https://matrix.example.com:80/", "https://matrix.example.com:80"),
        ("http://localhost:80/", "http://localhost"),
        ("http://LocalHost:8008/", "http://localhost:8008"),
        ("http://127.0.0.1:8008/", "http://127.0.0.1:8008"),
        ("http://[::1]:8008/", "http://[::1]:8008"),
        ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]"),
        ("https://[2001:DB8::0:1]:443/", "https://[2001:db8::1]"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example"),
        ("https://STRA\u00dfE.example:443/", "https://xn--strae-oqa.example"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_what_browsers_send(url, origin):
    """RFC 6454 section 6.2, whatever way the operator wrote it."""
    assert uris.origin(url) == origin


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("https://api.pwnedpasswords.com/range/", True),
        ("https://10.0.0.7:8443/range", True),
        ("http://127.0.0.1:9000/range/", True),
        ("http://localhost:9000", True),
        ("http://hashes.example/range/", False),
        ("http://10.0.0.7/range/", False),
        ("https://user:word@hashes.example/", False),
        ("https://hashes.example/range?key=x", False),
        ("https://hashes.example/#range", False),
        ("file:///etc/passwd", False),
        ("https:", False),
        ("hashes.example", False),
        ("https://hashes.example/ä", False),
    ],
)
def test_a_service_is_asked_with_tls_or_on_this_machine(address, is_taken):
    """What an operator lets this server ask could be answered by anybody on the way otherwise."""
    assert (uris.refuse_service(address) is None) == is_taken
