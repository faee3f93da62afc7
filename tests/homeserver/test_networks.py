"""Networks that are not the internet: who may register there, and by what people know them."""

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
    assert f"A tool {HERE} wants to use your account" in words
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
    assert f"A tool {known_by} wants to use your account" in words
    assert "well-known.example" not in words


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
