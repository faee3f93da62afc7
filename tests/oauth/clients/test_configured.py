"""Clients in the configuration: the operator's word counts, mistakes are told, secrets are not."""

import base64

import pytest

from synapse_nextgen_auth.oauth.clients import configured
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_metadata import read_metadata
from synapse_nextgen_auth.oauth.clients.configured import read_static
from synapse_nextgen_auth.oauth.clients.registration_rules import RegistrationRules
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.grant_types import (
    AUTHORIZATION_CODE,
    DEVICE_CODE,
    REFRESH_TOKEN,
)

SECRET = "a secret that both sides agreed on"
ENTRY = {"client_id": "grafana", "redirect_uris": ["https://grafana.example.com/cb"]}
JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}

RSA_JWK = {"kty": "RSA", "n": base64.urlsafe_b64encode(b"\xff" * 384).decode()}
HUGE = base64.urlsafe_b64encode(b"\x7f" * 384).decode()


def read(content=SECRET, **changes):
    """Read an entry; `content` is what its files hold."""
    entry = {name: value for name, value in (ENTRY | changes).items() if value is not None}
    return read_static(entry, read_file=lambda _: content)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"grant_types": ["authorization_code", "refresh-token"]},
            "grant_types has the unknown refresh-token; known are authorization_code,",
        ),
        ({"grant_types": ["authorization_code", 7]}, "grant_types"),
        (
            {"response_types": ["code", "id_token"]},
            "response_types has the unknown id_token; known are code",
        ),
    ],
)
def test_unknown_grant_types_are_a_mistake_that_is_named(changes, words):
    """A registration may ask for what we do not know and gets the rest; an operator made a slip."""
    with pytest.raises(OAuthError) as refused:
        read(**changes)

    assert words in refused.value.description


def test_a_registration_may_ask_for_grant_types_that_we_do_not_know():
    """They are ignored (Client-Server API), as ever."""
    document = {name: value for name, value in ENTRY.items() if name != "client_id"}
    document |= {
        "client_uri": "https://grafana.example.com/",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", "implicit"],
    }

    metadata = read_metadata(document, rules=RegistrationRules())

    assert metadata.grant_types == ("authorization_code", "refresh_token")


@pytest.mark.parametrize(
    ("changes", "method", "has_secret"),
    [
        ({}, AuthMethod.NONE, False),
        ({"client_secret": SECRET}, AuthMethod.SECRET_BASIC, True),
        ({"client_secret_path": "/run/secret"}, AuthMethod.SECRET_BASIC, True),
        (
            {"client_secret": SECRET, "token_endpoint_auth_method": "client_secret_post"},
            AuthMethod.SECRET_POST,
            True,
        ),
        ({"jwks": {"keys": [JWK]}}, AuthMethod.PRIVATE_KEY_JWT, False),
    ],
)
def test_what_an_entry_has_decides_how_it_proves_itself(changes, method, has_secret):
    """Unless it says so."""
    written = read(**changes)

    assert written.client.auth_method is method
    assert written.client.client_id == "grafana"
    assert (written.secret is not None) == has_secret
    assert written.secret is None or written.secret.reveal() == SECRET
    assert written.client.secret_hash is None


@pytest.mark.parametrize(
    "uri",
    [
        "https://grafana.internal/cb",
        "https://10.0.0.5:3000/cb",
        "https://localhost/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "com.example.app:/cb",
    ],
)
def test_an_operators_client_may_be_anywhere(uri):
    """Inside a network too, and without a page about itself."""
    assert read(redirect_uris=[uri]).client.redirect_uris == (uri,)


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "javascript:alert(1)",
            "data:text/html,x",
            "http://grafana.internal/cb",
            "app:/cb",
            "/cb",
        ),
        *(
            "https://grafana.internal/cb#",
            "https://me@grafana.internal/cb",
            "https://*.example.com/",
        ),
        *(
            "https://grafana.internal/cb?code=1",
            "com.example.app://cb",
            "https://grafana.internal/ ",
        ),
    ],
)
def test_c058_but_only_at_complete_addresses(uri):
    """No scripts, no patterns, no plain http over a network."""
    with pytest.raises(OAuthError) as refused:
        read(redirect_uris=[uri])

    assert refused.value.code == "invalid_redirect_uri"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": None}, "client_id"),
        ({"client_id": ""}, "client_id"),
        ({"client_id": 5}, "client_id"),
        ({"client_id": "a b"}, "client_id"),
        ({"client_id": "x" * 101}, "client_id"),
        ({"client_id": "x\n"}, "client_id"),
        ({"redirect_uris": None}, "redirect_uris"),
        ({"redirect_uri": "https://x.example/"}, "unknown option redirect_uri"),
        ({"client_secret": "short"}, "client_secret must have at least 16"),
        ({"client_secret": 1234567890123456}, "text in quotes"),
        ({"client_secret": "\u00fc" * 16}, "must be printable ASCII"),
        ({"client_secret": "two lines\nare not a secret"}, "must be printable ASCII"),
        ({"client_secret": "x" * 1025}, "at most 1024 characters"),
        ({"client_secret": SECRET, "client_secret_path": "/x"}, "not both"),
        ({"client_secret": SECRET, "token_endpoint_auth_method": "none"}, "of no use with none"),
        ({"client_secret": SECRET, "jwks": {"keys": [JWK]}}, "of no use with private_key_jwt"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "needs client_secret"),
        ({"token_endpoint_auth_method": "tls"}, "token_endpoint_auth_method"),
        ({"jwks": {"keys": []}}, "jwks"),
        ({"jwks": {"keys": [RSA_JWK | {"e": HUGE}]}}, "jwks: its RSA keys must have an odd"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"client_name": "Graf\u200bana"}, "invisible character U+200B"),
        ({"client_name#de": "Graf\u2800ana"}, "invisible character U+2800"),
    ],
)
def test_a_mistake_is_told(changes, words):
    """In the operator's words, without the secret."""
    with pytest.raises(OAuthError) as refused:
        read(**changes)

    assert words in str(refused.value)
    assert SECRET not in repr(refused.value)


class Watched(dict):
    """A registration that remembers which fields were looked for."""

    def __init__(self, *args):
        super().__init__(*args)
        self.asked = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)

    def __contains__(self, name):
        self.asked.add(name)
        return super().__contains__(name)

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)


def test_an_entry_takes_every_field_of_a_registration():
    """One that registrations take later is taken here, too, or this fails."""
    registration = Watched(ENTRY | {"client_uri": "https://grafana.example.com/"})
    read_metadata(registration, rules=RegistrationRules())
    signing = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [JWK]}}
    with_key = Watched(registration | signing)
    read_metadata(with_key, rules=RegistrationRules())

    assert {"redirect_uris", "client_name", "jwks_uri"} <= registration.asked
    assert registration.asked | with_key.asked <= configured._KNOWN


@pytest.mark.parametrize(
    ("changes", "granted"),
    [
        ({}, (AUTHORIZATION_CODE, REFRESH_TOKEN)),
        (
            {"grant_types": [AUTHORIZATION_CODE, DEVICE_CODE]},
            (AUTHORIZATION_CODE, DEVICE_CODE),
        ),
        (
            {"grant_types": [DEVICE_CODE, REFRESH_TOKEN], "redirect_uris": None},
            (DEVICE_CODE, REFRESH_TOKEN),
        ),
        ({"grant_types": [DEVICE_CODE], "redirect_uris": []}, (DEVICE_CODE,)),
        (
            {"grant_types": [DEVICE_CODE], "redirect_uris": None, "client_secret": SECRET},
            (DEVICE_CODE,),
        ),
    ],
)
def test_an_entry_takes_every_grant_of_a_registration(changes, granted):
    """A device without a browser needs no code, no address to come back to and no page of its own."""
    assert read(**changes).client.grant_types == granted


def test_every_mistake_of_an_entry_is_told_at_once():
    """So that an operator corrects it once."""
    with pytest.raises(OAuthError) as refused:
        read(client_id="a b", client_secret="short", redirect_uri="x", scopes="y", logo_uri=5)

    told = refused.value.description
    assert "client_id must be" in told
    assert "client_secret must have" in told
    assert "unknown options redirect_uri, scopes" in told
    assert "logo_uri must be a string" in told


def test_keys_at_an_address_are_not_ignored_in_silence():
    """They are never fetched, so the entry would be a public client."""
    with pytest.raises(OAuthError, match="jwks_uri is never fetched"):
        read(jwks_uri="https://grafana.example.com/keys")


@pytest.mark.parametrize("entry", [None, [], "grafana", 5, True])
def test_an_entry_is_a_mapping(entry):
    """Nothing else."""
    with pytest.raises(OAuthError, match="expected a mapping"):
        read_static(entry, read_file=lambda _: "")


@pytest.mark.parametrize("content", ["", "short", "  \n"])
def test_a_file_without_a_secret_is_a_mistake(content):
    """White space around a good one is dropped."""
    with pytest.raises(OAuthError, match="client_secret_path must have at least 16"):
        read(content, client_secret_path="/run/secret")
    assert read(f" {SECRET}\n", client_secret_path="/run/secret").secret.reveal() == SECRET


def test_a_secret_does_not_show():
    """In no log."""
    assert SECRET not in repr(read(client_secret=SECRET))


def test_people_know_it_by_the_page_of_its_entry():
    """The operator vouches for it, wherever its people are sent (a stranger's would be compared)."""
    entry = {
        "client_id": "wiki",
        "client_uri": "https://wiki.example.com/",
        "redirect_uris": ["https://login.example.net/cb"],
    }
    client = read_static(entry, read_file=lambda path: path).client

    assert client.places(client.redirect_uris[0]) == client.places() == ("wiki.example.com",)
    assert client.page_for("client_uri", []) == "https://wiki.example.com/"
