"""Redirect URIs: the rules of the Client-Server API, sentence by sentence."""

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth import uris
from synapse_nextgen_auth.oauth.clients import redirects
from synapse_nextgen_auth.oauth.clients.redirects import RedirectRules
from synapse_nextgen_auth.oauth.hosts import Listed

BASE = uris.parse("https://example.com/")
STRICT = RedirectRules(own_hosts=frozenset({"matrix.example.com"}))
LOOPBACK = RedirectRules(own_hosts=frozenset({"localhost:8008"}), allow_loopback_web=True)


def refuse(uri, application_type="web", client_uri=BASE, rules=STRICT):
    """Ask with the defaults of these tests."""
    return redirects.refuse_registration(
        uri, application_type=application_type, client_uri=client_uri, rules=rules
    )


@pytest.mark.parametrize("application_type", ["web", "native"])
@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/callback",
        "https://app.example.com/callback",
        "https://example.com:5173/?query=value",
        "https://example.com",
        "https://Example.COM/Callback",
        "https://example.com/?no_universal_links=true",
        "https://example.com/cb?foo=bar%20foo+baz",
    ],
)
def test_c053_https_on_the_host_of_the_client_is_registered(uri, application_type):
    """The examples of MSC2966; a native client may claim the same (RFC 8252 section 7.2)."""
    assert refuse(uri, application_type) is None


@pytest.mark.parametrize("application_type", ["web", "native"])
@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("https://example.com/callback#fragment", "fragment"),
        ("https://example.com/callback#", "fragment"),
        ("https://user@example.com/", "user name"),
        ("https://user:secret@example.com/", "user name"),
        ("https://example.com@evil.com/", "user name"),
        ("https://app.com/callback", "subdomain"),
        ("https://evilexample.com/", "subdomain"),
        ("https://example.com.evil.com/", "subdomain"),
        ("https://com/", "public suffix"),
        ("https://localhost/callback", "this machine"),
        ("https://192.0.2.1/", "IP address"),
        ("https://example.com./", "final dot"),
        ("ftp://example.com/", "scheme must be"),
        ("javascript:alert(1)", "scheme must be"),
        ("data:text/html,x", "scheme must be"),
        ("example:/callback", "scheme must be"),
    ],
)
def test_c043_what_does_not_belong_to_the_client_is_refused(uri, reason, application_type):
    """The client proves itself by controlling the redirect URI."""
    assert reason in refuse(uri, application_type)


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.com/callback",
        "http://localhost/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "com.example.app:/callback",
    ],
)
def test_c043_a_web_client_has_https_and_nothing_else(uri):
    """MUST use the https scheme."""
    assert "https, because application_type is web" in refuse(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "com.example.app:/callback",
        "com.example:/",
        "com.example:callback",
        "com.example.app:/cb?x=y",
        "com.example.my-app+beta:/cb",
        "Com.Example.App:/cb",
    ],
)
def test_c045_a_private_scheme_in_reverse_dns_of_the_client_is_registered(uri):
    """The examples of MSC2966; schemes know no case."""
    assert refuse(uri, "native") is None


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("com.example.app://callback", "one slash"),
        ("com.example.app:///callback", "one slash"),
        ("com.example.app://user@x/cb", "user name"),
        ("example:/callback", "reverse-DNS"),
        ("com.exampleevil:/cb", "reverse-DNS"),
        ("com:/cb", "reverse-DNS"),
        ("com.other:/cb", "reverse-DNS"),
        ("com.example@x:/", "scheme"),
        ("com.example.app:/cb#x", "fragment"),
    ],
)
def test_c045_any_other_private_scheme_is_refused(uri, reason):
    """The prefix ends at a label, and no authority may follow."""
    assert reason in refuse(uri, "native")


@pytest.mark.parametrize("host", ["https://localhost/", "https://com/", "https://127.0.0.1/"])
def test_c046_a_private_scheme_needs_a_host_that_somebody_owns(host):
    """Otherwise https://com/ would own every scheme that begins with com."""
    assert "public domain name" in refuse("com.example:/", "native", uris.parse(host))


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost/callback",
        "http://127.0.0.1/callback",
        "http://[::1]/callback",
        "http://127.0.0.1",
        "http://localhost/?x=y",
        "http://localhost:1234/",
        "http://127.0.0.1:80/",
        "http://127.0.0.1:33418/",
        "http://[::1]:65535/callback",
    ],
)
def test_c047_a_native_client_may_listen_on_loopback(uri):
    """Plain http, one of three hosts, with the port of the moment or none (RFC 8252 section 7.3)."""
    assert refuse(uri, "native") is None


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("https://localhost/callback", "this machine"),
        ("http://127.1/", "only for localhost"),
        ("http://0x7f000001/", "only for localhost"),
        ("http://2130706433/", "only for localhost"),
        ("http://127.0.0.2/", "only for localhost"),
        ("http://0.0.0.0/", "only for localhost"),
        ("http://[::]/", "only for localhost"),
        ("http://[0:0:0:0:0:0:0:1]/", "only for localhost"),
        ("http://[::ffff:127.0.0.1]/", "only for localhost"),
        ("http://localhost./", "only for localhost"),
        ("http://localhost.evil.com/", "only for localhost"),
        ("http://example.com/", "only for localhost"),
        ("http://localhost:80@evil.com/", "user name"),
        ("http://localhost:/", "port is malformed"),
        ("http://localhost:0/", "port is malformed"),
        ("http://localhost:65536/", "port is malformed"),
        ("http://127.1:8080/", "only for localhost"),
    ],
)
def test_c047_nothing_else_is_loopback(uri, reason):
    """Three spellings, no tricks."""
    assert reason in refuse(uri, "native")


@pytest.mark.parametrize("application_type", ["web", "native"])
@pytest.mark.parametrize("bad", ["\t", "\r", "\n", "\x00", " ", "\\", "\x7f", "é"])
def test_c049_control_characters_are_refused_before_parsing(bad, application_type):
    """Also at the very end, where `$` would match before a newline."""
    assert "characters" in refuse(f"https://example.com/cb{bad}", application_type)
    assert "characters" in refuse(f"https://example.com{bad}.evil.com/cb", application_type)


@pytest.mark.parametrize(
    "uri",
    ["https://matrix.example.com/", "https://MATRIX.example.com:8448/_matrix/media/v3/x"],
)
def test_c050_no_code_is_sent_to_the_homeserver_itself(uri):
    """It serves other people's uploads on the same origin."""
    assert "homeserver itself" in refuse(uri)
    assert "homeserver itself" in refuse(uri, "native")
    assert refuse(uri, rules=RedirectRules()) is None


def test_c050_on_loopback_the_port_tells_the_homeserver_from_the_client():
    """All development servers share one host."""
    assert "homeserver itself" in refuse("http://localhost:8008/cb", rules=LOOPBACK)
    assert refuse("http://localhost:8009/cb", rules=LOOPBACK) is None
    assert redirects.is_own(uris.parse("http://localhost:8008/"), LOOPBACK.own_hosts)


@pytest.mark.parametrize(
    "query",
    [
        "code=x",
        "state=",
        "iss",
        "error=x",
        "response=jwt",
        "a=b&code=x",
        "a=b;code=x",
        "%63ode=x",
        "error_description=x",
        "id_token=x",
        "access_token=x",
    ],
)
def test_c051_the_query_must_leave_our_parameters_alone(query):
    """A code in the registered URI could be taken for ours."""
    assert "authorization response" in refuse(f"https://example.com/cb?{query}")
    assert "authorization response" in refuse(f"com.example:/cb?{query}", "native")


@pytest.mark.parametrize("query", ["query=code", "codes=x", "a=state&b=iss", "decode", ""])
def test_c051_other_parameters_are_the_clients_own(query):
    """Only whole names count."""
    assert refuse(f"https://example.com/cb?{query}") is None


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:5173/",
        "http://127.0.0.1:8080/a/b?c=d",
        "http://[::1]:3000/cb",
        "http://localhost/cb",
        "https://localhost:5173/",
        "https://[::1]/cb",
    ],
)
def test_on_a_loopback_homeserver_web_clients_may_be_on_loopback_too(uri):
    """A client under development beside a homeserver under development; nowhere else."""
    client_uri = uris.parse("http://localhost:5173/")

    assert refuse(uri, rules=LOOPBACK) is None
    assert refuse(uri, client_uri=client_uri, rules=LOOPBACK) is None
    assert refuse(uri) is not None


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.com/",
        "http://user@localhost:5173/",
        "http://localhost:5173/#",
        "http://localhost:5173/?code=x",
        "https://0.0.0.0:5173/",
        "https://localhost:8008/",
        "https://localhost.example/",
        "http://0.0.0.0:5173/",
    ],
)
def test_on_a_loopback_homeserver_the_other_rules_stay(uri):
    """Only scheme, host and port are freer."""
    assert refuse(uri, rules=LOOPBACK) is not None


def test_a_long_redirect_uri_is_refused_with_the_limit():
    """So that it can be stored and compared."""
    assert "2048" in refuse("https://example.com/" + "a" * 2048)


REGISTERED = "https://app.example.com/cb"


@pytest.mark.parametrize(
    "presented",
    [
        "HTTPS://app.example.com/cb",
        "https://APP.example.com/cb",
        "https://app.example.com/CB",
        "https://app.example.com:443/cb",
        "https://app.example.com/cb/",
        "https://app.example.com./cb",
        "https://app.example.com/cb?",
        "https://app.example.com/cb?x=y",
        "https://app.example.com/cb#",
        "https://app.example.com/c",
        "https://app.example.com/cb2",
        "https://app.example.com@evil/cb",
        "https://app.example.com//cb",
        "https://app.example.com/\\cb",
        "https://app.example.com/%63b",
        "https://app.example.com/cb\n",
        " https://app.example.com/cb",
        "http://app.example.com/cb",
        "",
    ],
)
def test_c054_a_redirect_uri_is_compared_as_a_string(presented):
    """RFC 9700 section 4.1.3: exact string matching, no normalization."""
    assert redirects.matches(REGISTERED, REGISTERED)
    assert not redirects.matches(REGISTERED, presented)


@pytest.mark.parametrize(
    "path",
    [
        "/cb/../x",
        "/cb/..",
        "/cb/./x",
        "/cb%2F..%2Fx",
        "/cb%2f..%2fx",
        "/cb/..%2Fx",
        "/cb/..%252Fx",
        "/cb%252F..%252Fx",
        "/cb/%2e%2e/x",
        "/cb/%252e%252e/x",
        "/cb/%2E%2E%2Fx",
        "/cb/.%2e/x",
        "/cb/;/../../x",
        "/cb;/../x",
        "/cb/..;/x",
        "/cb%0A%0D/../../x",
        "/cb%00/../x",
        "/cb\\..\\x",
        "/cb%5C..%5Cx",
        "/cb%255C..%255Cx",
        "/cb?/../x",
    ],
)
def test_c055_no_path_confusion(path):
    """Whatever a client's server makes of such a path, the string is another one."""
    assert not redirects.matches(REGISTERED, "https://app.example.com" + path)
    assert not redirects.matches("http://127.0.0.1/cb", "http://127.0.0.1:1234" + path)


@pytest.mark.parametrize(
    ("registered", "presented"),
    [
        ("http://localhost/cb", "http://localhost/cb"),
        ("http://localhost/cb", "http://localhost:1/cb"),
        ("http://127.0.0.1/cb?x=y", "http://127.0.0.1:65535/cb?x=y"),
        ("http://[::1]/", "http://[::1]:49152/"),
        ("http://localhost", "http://localhost:8080"),
        ("http://localhost?x", "http://localhost:8080?x"),
        ("HTTP://LOCALHOST/cb", "HTTP://LOCALHOST:8080/cb"),
        ("http://localhost:5173/cb", "http://localhost:5174/cb"),
        ("http://localhost:5173/cb", "http://localhost/cb"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:5001/cb"),
    ],
)
def test_on_loopback_any_port_will_do(registered, presented):
    """The homeserver MUST accept any port number during the authorization flow."""
    assert redirects.matches(registered, presented)


@pytest.mark.parametrize(
    ("registered", "presented"),
    [
        ("http://localhost/cb", "http://127.0.0.1:1234/cb"),
        ("http://localhost/cb", "http://localhost:1234/cb/"),
        ("http://localhost/cb", "http://localhost:1234/"),
        ("http://localhost/cb", "http://localhost:1234/cb?x"),
        ("http://localhost/cb", "http://localhost:/cb"),
        ("http://localhost/cb", "http://localhost:0/cb"),
        ("http://localhost/cb", "http://localhost:01/cb"),
        ("http://localhost/cb", "http://localhost:65536/cb"),
        ("http://localhost/cb", "http://localhost:99999999/cb"),
        ("http://localhost/cb", "http://localhost:12x/cb"),
        ("http://localhost/cb", "http://localhost:\u0661/cb"),
        ("http://localhost/cb", "http://localhost:80:80/cb"),
        ("http://localhost/cb", "http://localhost:80@evil.com/cb"),
        ("http://localhost/cb", "http://localhost.evil.com/cb"),
        ("http://localhost/cb", "http://localhost:1234/cb\n"),
        ("http://localhost/cb", "HTTP://localhost:1234/cb"),
        ("http://localhost", "http://localhost:1234/"),
        ("http://127.0.0.1:8000/cb", "http://localhost:8000/cb"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:8000/cb/"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:5001/cb/"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:8000/cb?x"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:80000/cb"),
        ("http://127.0.0.1:8000/cb", "https://127.0.0.1:8000/cb"),
        ("https://localhost/cb", "https://localhost:1234/cb"),
        ("https://app.example.com:8000/cb", "https://app.example.com:8001/cb"),
        ("http://127.0.0.2/cb", "http://127.0.0.2:1234/cb"),
        ("http://localho\u017ft/cb", "http://localho\u017ft:1234/cb"),
        ("com.example:/cb", "com.example:1234/cb"),
    ],
)
def test_on_loopback_nothing_but_the_port_may_differ(registered, presented):
    """And only of loopback http."""
    assert not redirects.matches(registered, presented)


@pytest.mark.parametrize(
    "presented",
    [
        "http://127.0.0.1/cb",
        "http://localhost:1234/cb",
        "http://[::1]/cb",
        "http://127.0.0.1:80/cb",
    ],
)
def test_c057_loopback_is_only_for_clients_that_registered_it(presented):
    """An https client asks for loopback: refused."""
    assert not redirects.matches(REGISTERED, presented)


@pytest.mark.parametrize(
    ("registered", "presented"),
    [
        ("https://*.example.com/cb", "https://app.example.com/cb"),
        ("https://example.com/*", "https://example.com/cb"),
        ("https://example.com/.+", "https://example.com/cb"),
        ("https://example.com/", "https://example.com/cb"),
        ("http://localhost/.*", "http://localhost:1234/cb"),
    ],
)
def test_c058_there_are_no_patterns(registered, presented):
    """Not for static clients either: the function knows only strings."""
    assert not redirects.matches(registered, presented)


def test_c059_escapes_and_order_of_the_query_are_kept():
    """A registered query matches itself and no reordered one."""
    uri = "https://example.com:5173/?foo=bar%20foo+baz&a=b"

    assert refuse(uri) is None
    assert redirects.matches(uri, uri)
    assert not redirects.matches(uri, "https://example.com:5173/?a=b&foo=bar%20foo+baz")
    assert not redirects.matches(uri, uri.replace("%20", "+"))


texts = st.text(
    alphabet=st.characters(codec=None) | st.sampled_from("htps:/.@#?[]%&=;"), max_size=60
)
prefixes = st.sampled_from(
    [
        "",
        "https://example.com",
        "http://localhost",
        "http://[::1]:",
        "com.example:",
        "http://127.0.0.1",
    ]
)
uri_like = st.builds(str.__add__, prefixes, texts)


@settings(deadline=None)  # the first example reads the list of public suffixes
@given(uri_like, st.sampled_from(["web", "native", ""]), st.sampled_from([STRICT, LOOPBACK]))
def test_any_text_is_registered_or_has_a_reason(text, application_type, rules):
    """Nothing raises, and what is registered is safe to put into a Location header."""
    reason = refuse(text, application_type, rules=rules)

    assert reason != ""
    if reason is None:
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(' "<>\\#')


@given(uri_like, uri_like)
def test_any_two_texts_are_compared(registered, presented):
    """What matches without being equal is loopback http."""
    assert redirects.matches(registered, registered)
    if redirects.matches(registered, presented) and registered != presented:
        assert uris.parse(presented).is_loopback


@pytest.mark.parametrize("piece", ["1", ":1", "/", "a", "http://localhost"])
def test_c222_huge_texts_are_compared_in_one_pass(piece):
    """Fifty thousand characters are as simple as fifty."""
    assert not redirects.matches(
        "http://localhost/" + piece * 50_000, "http://localhost:" + piece * 50_000
    )
    assert "2048" in refuse("https://example.com/" + piece * 50_000)


@pytest.mark.parametrize(
    ("issuer", "own", "is_local"),
    [
        ("https://matrix.example.com/_synapse/client/auth/", "matrix.example.com", False),
        ("https://matrix.example.com:8448/_synapse/client/auth/", "matrix.example.com", False),
        ("http://localhost:8008/_synapse/client/auth/", "localhost:8008", True),
        ("http://localhost/_synapse/client/auth/", "localhost:80", True),
        ("https://localhost:8448/_synapse/client/auth/", "localhost:8448", True),
        ("https://localhost/_synapse/client/auth/", "localhost:443", True),
        ("http://[::1]:8008/_synapse/client/auth/", "[::1]:8008", True),
    ],
)
def test_c050_the_rules_follow_from_the_address(issuer, own, is_local):
    """On loopback only the own port is taken, with or without TLS in front; else every port is."""
    rules = redirects.rules_at(issuer)

    assert rules.own_hosts == {own}
    assert rules.allow_loopback_web is is_local
    assert redirects.rules_at(issuer, allow_loopback_web=not is_local).allow_loopback_web is (
        not is_local
    )


@pytest.mark.parametrize(
    ("issuer", "uri"),
    [
        ("HTTPS://Matrix.Example.COM:443/", "https://matrix.example.com/cb"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example/cb"),
        ("https://[2001:DB8:0::1]/", "https://[2001:db8::1]/cb"),
        ("http://LOCALHOST:80/", "http://localhost/cb"),
        ("http://[0:0:0:0:0:0:0:1]:8008/", "http://[::1]:8008/cb"),
    ],
)
def test_c050_our_own_host_is_ours_however_it_is_written(issuer, uri):
    """`public_baseurl` may have capitals, a port that goes without saying, or other letters."""
    rules = redirects.rules_at(issuer)

    assert redirects.is_own(uris.parse(uri), rules.own_hosts)


def test_c050_native_apps_register_localhost_beside_a_local_homeserver_with_tls():
    """`http://localhost/` without a port is another application, not the homeserver on 8448."""
    rules = redirects.rules_at("https://localhost:8448/_synapse/client/auth/")

    assert refuse("http://localhost/", "native", rules=rules) is None


LISTED = attrs.evolve(STRICT, listed=Listed.of(["chat", ".internal", "192.168.0.0/16", "fd00::/8"]))


@pytest.mark.parametrize(
    ("client_uri", "uri", "fine"),
    [
        ("https://chat/", "https://chat/cb", True),
        ("https://chat/", "https://chat:8443/cb", True),
        ("https://192.168.1.5/", "https://192.168.1.5/cb", True),
        ("https://[fd00::5]/", "https://[fd00::5]:8443/cb", True),
        ("https://app.internal/", "https://login.app.internal/cb", True),
        # Nobody owns what is below a listed host, as nobody owns what is below `com`.
        ("https://chat/", "https://wiki.chat/cb", False),
        ("https://192.168.1.5/", "https://192.168.1.6/cb", False),
        ("https://chat/", "https://chat.example/cb", False),
        ("https://chat/", "http://chat/cb", False),
        ("https://192.168.1.5/", "https://10.0.0.1/cb", False),
        ("https://chat/", "https://chat@evil.example/cb", False),
    ],
)
def test_c046_a_listed_host_is_its_own_and_nobody_elses(client_uri, uri, fine):
    """What an operator lists counts as public, still https, and only for itself."""
    base = uris.parse(client_uri)

    assert (refuse(uri, client_uri=base, rules=LISTED) is None) == fine
    # A name with a dot needs no listing: it may be somebody's on the internet as well.
    assert (refuse(uri, client_uri=base) is None) == (fine and base.host == "app.internal")


def test_c045_a_listed_host_owns_no_scheme():
    """`chat` would own every scheme that begins with it."""
    assert refuse("chat:/cb", "native", uris.parse("https://chat/"), LISTED)
    assert refuse("chat.example:/cb", "native", uris.parse("https://chat/"), LISTED)


def test_redirects_to_other_hosts_are_public_https_all_the_same():
    """The option frees the host, and nothing else; nor may they lead here."""
    rules = attrs.evolve(STRICT, allow_other_hosts=True)

    assert refuse("https://elsewhere.net/cb", rules=rules) is None
    assert refuse("net.elsewhere:/cb", "native", rules=rules) is None
    for uri in (
        *("http://elsewhere.net/cb", "https://10.0.0.1/cb", "https://co.uk/cb", "https://chat/"),
        *("https://matrix.example.com/cb", "https://elsewhere.net/cb#", "https://localhost/cb"),
    ):
        assert refuse(uri, rules=rules), uri
    for uri in ("elsewhere:/cb", "net.elsewhere://cb", "javascript:alert(1)", "data:x"):
        assert refuse(uri, "native", rules=rules), uri
        assert refuse(uri, "native", None, rules), uri


@pytest.mark.parametrize(
    ("client_uri", "uri", "speaks"),
    [
        ("https://example.com/", "https://app.example.com/cb", True),
        ("https://example.com/", "https://example.net/cb", False),
        ("https://example.com/", "http://127.0.0.1/cb", True),
        ("https://example.com/", "com.example.app:/cb", True),
        ("https://example.com/", "com.exampleevil:/cb", False),
        ("https://chat/", "https://chat/cb", True),
        ("https://localhost/", "http://localhost/cb", True),
    ],
)
def test_a_page_speaks_for_its_own_addresses(client_uri, uri, speaks):
    """The consent page names the other ones instead of it."""
    assert redirects.speaks_for(uris.parse(client_uri), uris.parse(uri)) == speaks


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("https://App.example.com:8443/cb", "app.example.com"),
        ("http://[::1]:8080/", "[::1]"),
        ("com.example.app:/cb", "com.example.app:"),
        ("com.example.app://app.element.io/", "com.example.app:"),
        ("web+evil://app.element.io/", "web+evil:"),
        ("evil://localhost/", "evil:"),
    ],
)
def test_c195_only_an_address_on_the_web_is_named_by_its_host(uri, place):
    """An app may write any host behind its scheme, and none of them gets the answer."""
    assert redirects.destination(uri) == place
