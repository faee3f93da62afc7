"""Networks that are not the internet: who may register there, and by what people know them."""

import html
import re

import pytest

from support.oauth import Browser, Server
from support.synapse import sqlite_homeserver

NONE = {"token_endpoint_auth_method": "none", "client_name": "A tool"}
TOOL = NONE | {"redirect_uris": ["http://127.0.0.1:33418/"]}
HERE = "an application on this device"
OPTIONS = {
    "allow_loopback_web": False,
    "public_hosts": ["chat", "192.168.0.0/16"],
    "allow_without_client_uri": True,
    "allow_other_hosts": True,
}


@pytest.fixture(scope="module")
def open_server(tmp_path_factory):
    """Yield a server whose operator lets in whom the options can let in."""
    directory = tmp_path_factory.mktemp("homeserver-open")
    with sqlite_homeserver(directory, module={"client_registration": OPTIONS}) as homeserver:
        yield homeserver


def consent(homeserver, metadata, **changes):
    """Return the words of the consent page for this client, and whether it gets its tokens."""
    server = Server(homeserver.base_url)
    user, client = homeserver.new_user(), server.client(metadata)
    parameters, verifier = client.request(**changes)
    browser = Browser(server)
    browser.authorize(parameters)
    page = browser.sign_in(user.localpart, user.password)
    words = " ".join(re.sub(r"<[^>]*>", " ", page.text).split())
    code = browser.answer(browser.submit(decision="approve"))["code"]
    answer = client.redeem(code, verifier, redirect_uri=parameters["redirect_uri"])
    return words, answer.status_code


@pytest.mark.parametrize("client_uri", ["http://localhost", "https://localhost/"])
def test_a_tool_without_a_website_signs_in(homeserver, client_uri):
    """The page says that it is on this device, names no host, and asks whether one started it."""
    metadata = TOOL | {"client_uri": client_uri, "application_type": "native"}
    words, status = consent(homeserver, metadata, redirect_uri="http://127.0.0.1:5001/")

    assert status == 200
    assert f"A tool {HERE} " in words
    assert "wants to use your account" in words
    assert "Go on only if you have just started it yourself" in words
    assert "Go on only if you know" not in words


def test_a_tool_that_does_not_say_that_it_is_native_is_told_so(open_server):
    """OpenID Registration would have it a web client, which no loopback address can be."""
    metadata = TOOL | {"client_uri": "https://github.com/example/tool"}
    answer = Server(open_server.base_url).register(metadata)

    assert answer.status_code == 201
    assert answer.json()["application_type"] == "native"
    assert answer.json()["redirect_uris"] == metadata["redirect_uris"]


def test_element_web_under_development_on_https(homeserver):
    """On a loopback homeserver, where plain http was taken before."""
    site = "https://localhost:8443/"
    words, status = consent(
        homeserver,
        NONE | {"client_uri": site, "redirect_uris": [f"{site}?no_universal_links=true"]},
    )

    assert status == 200
    assert HERE in words


@pytest.mark.parametrize(
    ("metadata", "known_by"),
    [
        (TOOL, HERE),
        (NONE | {"redirect_uris": ["https://wiki.example.net/cb"]}, "wiki.example.net"),
        (NONE | {"client_uri": "https://chat/", "redirect_uris": ["https://chat/cb"]}, "chat"),
        (
            NONE
            | {"client_uri": "https://192.168.1.5/", "redirect_uris": ["https://192.168.1.5/cb"]},
            "192.168.1.5",
        ),
        (
            NONE
            | {
                "client_uri": "https://well-known.example/",
                "redirect_uris": ["https://stranger.example.net/cb"],
            },
            "stranger.example.net",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_people_see_who_gets_the_code(open_server, metadata, known_by):
    """Without client_uri, or where that is somebody else's: the host that they are sent to."""
    words, status = consent(open_server, metadata)

    assert status == 200
    assert f"A tool {known_by} " in words
    assert "wants to use your account" in words
    assert "well-known.example" not in words


ELEMENT = "https://app.element.io/"
EVIL = "https://evil.example.net/cb"


def words_of(page):
    """Return the words that a person reads on a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.text).split())


def pages_after(homeserver, metadata, **changes):
    """Sign in, and return every page of the account that shows the client, by what it is."""
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client = server.client(metadata)
    tokens = client.sign_in(user.localpart, user.password, **changes)
    browser = Browser(server)
    browser.get(server.url("account"))
    browser.sign_in(user.localpart, user.password)
    pages = {"list": browser.get(server.url("account-devices"))}
    # Of the list, what is no browser of theirs.
    details = re.search(r'href="(account-device\?id=(?!~browser)[^"]*)"', pages["list"].text)
    pages["details"] = browser.get(server.url(html.unescape(details[1])))
    if "device" in tokens["scope"]:
        for letter in "AB":
            key = letter * 43
            answer = server.api(
                "POST",
                "/_matrix/client/v3/keys/device_signing/upload",
                tokens["access_token"],
                json={
                    "master_key": {
                        "user_id": user.user_id,
                        "usage": ["master"],
                        "keys": {f"ed25519:{key}": key},
                    }
                },
            )
        pages["approve"] = browser.get(re.search(r'"url":"([^"]+)"', answer.text)[1])
        assert "Allow the reset" in pages["approve"].text
    return pages


@pytest.mark.parametrize("scope", [None, "openid"], ids=["a device", "a website"])
def test_every_page_names_who_got_the_tokens(open_server, scope):
    """Not the page that the client claims: also where the identity is reset, long after consent."""
    metadata = NONE | {
        "client_name": "Element",
        "client_uri": ELEMENT,
        "tos_uri": f"{ELEMENT}tos",
        "redirect_uris": [EVIL],
    }
    pages = pages_after(open_server, metadata, **({"scope": scope} if scope else {}))

    assert len(pages) == (2 if scope else 3)
    for page in pages.values():
        assert "Element evil.example.net" in words_of(page)
        assert "app.element.io" not in page.text


def test_where_it_is_not_known_which_all_are_named(open_server):
    """The page of one of two addresses is no link, as the other may have the tokens."""
    metadata = NONE | {"client_uri": ELEMENT, "redirect_uris": [f"{ELEMENT}cb", EVIL]}

    for page in pages_after(open_server, metadata, redirect_uri=EVIL).values():
        assert "app.element.io or evil.example.net" in words_of(page)
        assert 'href="https://app.element.io' not in page.text


def test_one_address_on_loopback_does_not_make_it_an_application_of_the_device(open_server):
    """Its people went to the other one; without a name it is called by that, too."""
    metadata = {
        "token_endpoint_auth_method": "none",
        "application_type": "native",
        "redirect_uris": ["http://127.0.0.1/cb", EVIL],
    }

    for page in pages_after(open_server, metadata, redirect_uri=EVIL).values():
        words = words_of(page)
        assert "evil.example.net evil.example.net" in words
        assert "on the device itself" not in words
        # Their browser, and what they use, come from there.
        assert "127.0.0.1" not in re.sub(r"(From:|pages ·) 127\.0\.0\.1", "", words)


@pytest.mark.parametrize(
    ("redirect_uri", "place"),
    [
        ("https://wiki.example.net/cb", "Go on only if you know wiki.example.net"),
        (None, "no website"),
    ],
)
def test_who_gives_no_name_has_not_chosen_one(open_server, redirect_uri, place):
    """The sentence about names is for those that have one."""
    metadata = {
        "token_endpoint_auth_method": "none",
        "redirect_uris": [redirect_uri or "http://127.0.0.1/cb"],
    }
    words, status = consent(open_server, metadata)

    assert status == 200
    assert "The application gives no name" in words
    assert place in words
    assert "chose its own name" not in words


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({}, "allow_without_client_uri"),
        ({"client_uri": "https://chat/"}, "public_hosts"),
        (
            {"client_uri": "https://a.example/", "redirect_uris": ["https://b.example/"]},
            "allow_other_hosts",
        ),
    ],
)
def test_by_default_the_refusal_names_the_option(public_server, changes, option):
    """Whoever runs the server learns from the client's message what to set."""
    answer = public_server.register(TOOL | changes)

    assert answer.status_code == 400
    assert f"client_registration.{option}" in answer.json()["error_description"]
