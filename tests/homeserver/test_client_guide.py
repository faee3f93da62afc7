"""The guide for client developers: each request as it stands there is sent, one after the other."""

import json
import re
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from support.markdown import DOCS
from support.oauth import Browser

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

PAGE = (DOCS / "topics" / "for-client-developers.md").read_text("utf-8")
REQUESTS = re.findall(r"^```http\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def send(server):
    """Return a function that sends the next request of the page with values from before."""
    left = iter(REQUESTS)

    def send_(**values):
        text = re.sub(r"<(\w+)>", lambda name: values[name[1]], next(left))
        head, _, body = text.partition("\n\n")
        first, *headers = head.strip().splitlines()
        method, url = first.split(" ")
        return requests.request(
            method,
            url if url.startswith("http") else server.base_url + url,
            headers=dict(header.split(": ", 1) for header in headers),
            data=body.strip().encode(),
            timeout=30,
        )

    return send_


def register(server, metadata):
    """Register a client with this metadata and nothing else; return the answer."""
    answer = requests.post(server.url("clients/register"), json=metadata, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()


def authorize_url(metadata, **values):
    """Return the address that the page sends people to, in one line and with what it leaves open."""
    written = re.search(
        r"^```text\n<authorization_endpoint>\?(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    )[1]
    parameters = dict(
        pair.split("=", 1) for pair in re.sub(r"\n\s*", "", written).strip().split("&")
    )
    assert parameters["code_challenge_method"] == "S256"
    asked = {name: values.get(name, value) for name, value in parameters.items()}
    return f"{metadata['authorization_endpoint']}?{urlencode(asked)}"


def test_every_request_of_the_page_is_answered_as_it_says(homeserver, server, send):
    """From discovery to signing out, and a device; `iss` and every named field are there."""
    user = homeserver.new_user()
    metadata = send().json()
    client = send(registration_endpoint=metadata["registration_endpoint"])
    own = server.client()
    asked, verifier = own.request()
    registered = client.json()["client_id"]
    url = authorize_url(
        metadata, client_id=registered, state="s", code_challenge=asked["code_challenge"]
    )
    browser = Browser(server)
    browser.get(url)
    browser.sign_in(user.localpart, user.password)
    answer = browser.answer(browser.submit(decision="approve"))
    endpoints = {name: value for name, value in metadata.items() if name.endswith("_endpoint")}
    known = {**endpoints, "client_id": registered}
    traded = send(**known, code=answer["code"], code_verifier=verifier).json()
    refreshed = send(**known, refresh_token=traded["refresh_token"]).json()
    revoked = send(**known, refresh_token=refreshed["refresh_token"])
    script = register(
        server,
        {
            "client_name": "TV",
            "client_uri": "https://tv.example.com/",
            "application_type": "native",
            "token_endpoint_auth_method": "none",
            "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
            "response_types": [],
        },
    )
    device = send(**known, device_client_id=script["client_id"]).json()

    named = re.findall(r"^\| `(\w+)`", PAGE.partition("## Register")[0], re.MULTILINE)
    assert client.status_code == 201
    assert set(named) <= metadata.keys()
    assert answer["iss"] == metadata["issuer"]
    assert metadata["issuer"].endswith("/")
    assert {"access_token", "refresh_token", "expires_in", "scope"} <= traded.keys()
    assert server.whoami(refreshed["access_token"]).status_code == 401
    assert revoked.status_code == 200
    assert {
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "interval",
    } <= device.keys()


def test_the_same_metadata_is_the_same_client(server, send):
    """As the page says of whoever lost the id."""
    [registration] = [text for text in REQUESTS if "<registration_endpoint>" in text]
    body = json.loads(registration.partition("\n\n")[2])

    ids = {register(server, body)["client_id"] for _ in range(2)}

    assert len(ids) == 1
    assert urlsplit(body["redirect_uris"][0]).hostname == urlsplit(body["client_uri"]).hostname


@pytest.mark.parametrize(
    ("token", "status", "error"), [("ngr_" + "A" * 60, 400, "invalid_grant"), ("", 400, None)]
)
def test_what_is_over_is_told_from_what_is_wrong(server, token, status, error):
    """As the table of answers to a refresh has it."""
    client = server.client()
    answer = server.token(grant_type="refresh_token", refresh_token=token, client_id=client.id)

    assert answer.status_code == status
    assert error in {None, answer.json()["error"]}
