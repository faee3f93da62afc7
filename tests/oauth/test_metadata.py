"""The discovery document: made from `public_baseurl` alone, and nothing in it that we cannot do."""

import json
from urllib.parse import urljoin, urlsplit

import attrs
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from synapse_nextgen_auth.oauth import metadata
from synapse_nextgen_auth.oauth.metadata import Abilities, Endpoints

ENDPOINTS = Endpoints.under("https://matrix.example.com/")
ABILITIES = Abilities(
    grant_types=("authorization_code", "refresh_token"),
    auth_methods=("none", "client_secret_basic", "private_key_jwt"),
    signing_algorithms=("RS256", "ES256"),
    registration=True,
    account_actions=(),
    languages=("de", "en"),
)
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def document(endpoints=ENDPOINTS, **abilities):
    """Return the document with these abilities."""
    return metadata.document(endpoints, attrs.evolve(ABILITIES, **abilities))


def test_c001_the_document_is_a_valid_one():
    """RFC 8414, as Authlib checks it."""
    AuthorizationServerMetadata(document()).validate()


def test_c001_only_what_is_safe_is_offered():
    """No implicit grant, no password, no plain challenge, no request by reference."""
    told = document()

    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert told["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert told["response_modes_supported"] == ["query", "fragment", "form_post"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["request_uri_parameter_supported"] is False
    assert "implicit" not in json.dumps(told)
    assert "password" not in json.dumps(told)


@pytest.mark.parametrize("sign_up", [True, False])
def test_accounts_are_offered_where_anybody_gets_one(sign_up):
    """Initiating User Registration via OpenID Connect 1.0, section 4."""
    assert ("create" in document(sign_up=sign_up)["prompt_values_supported"]) is sign_up


@pytest.mark.parametrize(
    ("public_baseurl", "issuer"),
    [
        ("https://matrix.example.com/", "https://matrix.example.com/_synapse/client/auth/"),
        ("https://matrix.example.com", "https://matrix.example.com/_synapse/client/auth/"),
        ("https://example.com/matrix/", "https://example.com/matrix/_synapse/client/auth/"),
        ("http://localhost:8008/", "http://localhost:8008/_synapse/client/auth/"),
    ],
)
def test_c005_the_issuer_follows_from_the_public_address(public_baseurl, issuer):
    """It ends in a slash, so that clients which resolve names relative to it find them."""
    endpoints = Endpoints.under(public_baseurl)
    told = document(endpoints)

    assert endpoints.issuer == told["issuer"] == issuer
    assert urljoin(issuer, ".well-known/openid-configuration").startswith(issuer)


def test_c001_every_url_is_absolute_and_below_the_issuer():
    """And the issuer has neither query nor fragment."""
    told = document(
        grant_types=(*ABILITIES.grant_types, DEVICE_CODE), account_actions=("org.matrix.x",)
    )
    urls = {name: value for name, value in told.items() if name.endswith(("_endpoint", "_uri"))}

    assert len(urls) >= 9
    for name, url in urls.items():
        assert url.startswith(told["issuer"]), name
        assert (urlsplit(url).query, urlsplit(url).fragment) == ("", ""), name


@pytest.mark.parametrize(
    ("abilities", "names"),
    [
        ({"registration": False}, {"registration_endpoint"}),
        ({"grant_types": ("authorization_code",)}, {"device_authorization_endpoint"}),
        (
            {"account_actions": ()},
            {"account_management_uri", "account_management_actions_supported"},
        ),
    ],
)
def test_what_is_switched_off_is_not_there(abilities, names):
    """And appears when it is on."""
    everything = {
        "grant_types": (*ABILITIES.grant_types, DEVICE_CODE),
        "account_actions": ("org.matrix.devices_list",),
    }

    assert names <= document(**everything).keys()
    assert names.isdisjoint(document(**everything | abilities))


def test_introspection_is_for_clients_that_prove_themselves():
    """`none` proves nothing (C134)."""
    told = document()

    assert told["token_endpoint_auth_methods_supported"] == list(ABILITIES.auth_methods)
    assert told["introspection_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "private_key_jwt",
    ]


def test_deployed_clients_find_what_they_demand():
    """The list of matrix-js-sdk, and the ID tokens of its older releases."""
    told = document()

    for name in ("issuer", "authorization", "token", "revocation", "registration"):
        key = name if name == "issuer" else f"{name}_endpoint"
        assert isinstance(told[key], str), name
    assert {"query", "fragment"} <= set(told["response_modes_supported"])
    assert {"authorization_code", "refresh_token"} <= set(told["grant_types_supported"])
    assert "RS256" in told["id_token_signing_alg_values_supported"]
    assert told["jwks_uri"]


def test_the_same_document_is_the_same_bytes():
    """Written once, without a superfluous one."""
    encoded = metadata.encode(document())

    assert encoded == metadata.encode(document())
    assert json.loads(encoded) == document()
    assert b": " not in encoded
