"""The fields of client metadata: described once, stored and told as by every release before."""

import json

import attrs
import pytest

from synapse_nextgen_auth.oauth.clients import client_metadata, record
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_metadata import (
    READ_ONLY,
    URIS,
    Metadata,
    member,
    members,
    read_metadata,
    wire_names,
)
from synapse_nextgen_auth.oauth.clients.fields import Fields, Findings
from synapse_nextgen_auth.oauth.clients.registration_rules import Reading, RegistrationRules
from synapse_nextgen_auth.oauth.languages import Localized

WEBSITE = Metadata(
    auth_method=AuthMethod.NONE,
    redirect_uris=("https://app.element.io/",),
    client_uri="https://element.io/",
    client_name="Element",
)
APP = Metadata(
    auth_method=AuthMethod.NONE,
    application_type="native",
    redirect_uris=("http://127.0.0.1:4711/cb", "http://localhost/cb", "io.element.app:/cb"),
)
EVERYTHING = Metadata(
    redirect_uris=("https://b.example/cb", "https://a.example/cb?x=1"),
    application_type="web",
    grant_types=(
        *("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"),
    ),
    response_types=("code",),
    auth_method=AuthMethod.PRIVATE_KEY_JWT,
    auth_signing_alg="ES256",
    jwks='{"keys":[{"crv":"P-256","kty":"EC"}]}',
    id_token_alg="ES256",
    client_name='Kr\u00e4he "1"',
    client_uri="https://a.example/",
    logo_uri="https://a.example/l.png",
    tos_uri="https://a.example/tos",
    policy_uri="https://a.example/p",
    localized=(
        Localized("client_name", "de", "Kr\u00e4he"),
        Localized("client_name", "fr", "Corbeau"),
    ),
)
# What the first releases wrote into the database, and what they called these clients by.
RELEASED = {
    Metadata(): (
        '{"application_type": "web", "auth_method": "client_secret_basic", "auth_signing_alg": null,'
        ' "client_name": null, "client_uri": null, "grant_types": ["authorization_code",'
        ' "refresh_token"], "id_token_alg": "RS256", "jwks": null, "localized": [], "logo_uri": null,'
        ' "policy_uri": null, "redirect_uris": [], "response_types": ["code"], "tos_uri": null}',
        "4fb9cf4ef64ef44851e7afa95c96c3c9b80598926f05ed919258af7f7d2d1aa5",
    ),
    WEBSITE: (
        '{"application_type": "web", "auth_method": "none", "auth_signing_alg": null, "client_name":'
        ' "Element", "client_uri": "https://element.io/", "grant_types": ["authorization_code",'
        ' "refresh_token"], "id_token_alg": "RS256", "jwks": null, "localized": [], "logo_uri": null,'
        ' "policy_uri": null, "redirect_uris": ["https://app.element.io/"], "response_types":'
        ' ["code"], "tos_uri": null}',
        "eb30d9c0a744011593a925775655f8f18704dc57ed5d18c1f96e59b230656b59",
    ),
    APP: (
        '{"application_type": "native", "auth_method": "none", "auth_signing_alg": null,'
        ' "client_name": null, "client_uri": null, "grant_types": ["authorization_code",'
        ' "refresh_token"], "id_token_alg": "RS256", "jwks": null, "localized": [], "logo_uri": null,'
        ' "policy_uri": null, "redirect_uris": ["http://127.0.0.1:4711/cb", "http://localhost/cb",'
        ' "io.element.app:/cb"], "response_types": ["code"], "tos_uri": null}',
        "b3f2656bfec5ba249eb5072337d02a7e8e88235a2be244bf9d48b5921f05625a",
    ),
    EVERYTHING: (
        '{"application_type": "web", "auth_method": "private_key_jwt", "auth_signing_alg": "ES256",'
        ' "client_name": "Kr\u00e4he \\"1\\"", "client_uri": "https://a.example/", "grant_types":'
        ' ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],'
        ' "id_token_alg": "ES256", "jwks": "{\\"keys\\":[{\\"crv\\":\\"P-256\\",\\"kty\\":\\"EC\\"}]}",'
        ' "localized": [["client_name", "de", "Kr\u00e4he"], ["client_name", "fr", "Corbeau"]],'
        ' "logo_uri": "https://a.example/l.png", "policy_uri": "https://a.example/p",'
        ' "redirect_uris": ["https://b.example/cb", "https://a.example/cb?x=1"], "response_types":'
        ' ["code"], "tos_uri": "https://a.example/tos"}',
        "64b91389e069f0223dcac953a12e2ea880ef8ef54d0120bf7c7f3741ac0b14d8",
    ),
}


@pytest.mark.parametrize("metadata", RELEASED, ids=["nothing", "website", "app", "everything"])
def test_c166_what_is_stored_and_what_ids_follow_from_never_changes(metadata):
    """Byte for byte: another text would give a client another id, and sign its people out."""
    stored, digest = RELEASED[metadata]

    assert client_metadata.to_json(metadata) == stored
    assert client_metadata.from_json(stored) == metadata
    assert client_metadata.digest(metadata) == digest


def test_what_a_client_is_told_never_changes():
    """Not the order of the fields, either."""
    client = record.Client.of(EVERYTHING, client_id="c1", secret_hash=None, created_at=7)

    assert json.dumps(record.document(client), ensure_ascii=False) == (
        '{"client_id": "c1", "client_id_issued_at": 7, "redirect_uris": ["https://b.example/cb",'
        ' "https://a.example/cb?x=1"], "application_type": "web", "grant_types":'
        ' ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],'
        ' "response_types": ["code"], "token_endpoint_auth_method": "private_key_jwt",'
        ' "token_endpoint_auth_signing_alg": "ES256", "jwks": {"keys": [{"crv": "P-256", "kty":'
        ' "EC"}]}, "id_token_signed_response_alg": "ES256", "client_name": "Kr\u00e4he \\"1\\"",'
        ' "client_uri": "https://a.example/", "logo_uri": "https://a.example/l.png", "tos_uri":'
        ' "https://a.example/tos", "policy_uri": "https://a.example/p", "client_name#de":'
        ' "Kr\u00e4he", "client_name#fr": "Corbeau"}'
    )


FIRST = (
    *("redirect_uris", "application_type", "grant_types", "response_types", "auth_method"),
    *("auth_signing_alg", "jwks", "id_token_alg", "client_name", "client_uri", "logo_uri"),
    *("tos_uri", "policy_uri", "localized"),
)


def test_c166_only_the_fields_of_the_first_release_are_always_there():
    """A later one that is not said must not change the id of a client that says nothing of it."""
    assert tuple(name for name, said in members() if said.is_always_there) == FIRST


class Watched(dict):
    """A document that remembers which fields were looked for."""

    def __init__(self, *args):
        super().__init__(*args)
        self.asked = set()

    def get(self, name, default=None):
        """Note a field that is read."""
        self.asked.add(name)
        return super().get(name, default)

    def __contains__(self, name):
        self.asked.add(name)
        return super().__contains__(name)


def test_every_field_of_a_document_is_read_by_its_own_name():
    """What is read is a field or said not to be kept; nothing is kept that is not read."""
    document = Watched(
        {
            "redirect_uris": ["https://a.example/cb"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": []},
        }
    )
    read_metadata(document, rules=RegistrationRules(), problems=[])

    assert document.asked == {*wire_names(), *READ_ONLY}


def a_later(monkeypatch, **stated):
    """Let there be a later field: as a stranger would add it, one field and no other place."""

    @attrs.frozen(kw_only=True)
    class Later(Metadata):
        post_logout_redirect_uris: tuple[str, ...] = member(
            "post_logout_redirect_uris",
            lambda reading, name: reading.fields.texts(name) or (),
            default=(),
            form=URIS,
        )

    monkeypatch.setattr(client_metadata, "Metadata", Later)
    return Later(**stated)


def test_a_later_field_is_one_field(monkeypatch):
    """It is read, stored, read back, told, known to the configuration and part of the digest."""
    a_later(monkeypatch)
    uri = "http://127.0.0.1:8080/bye"
    document = {
        "redirect_uris": ["http://127.0.0.1/cb"],
        "application_type": "native",
        "client_uri": "http://127.0.0.1/",
        "token_endpoint_auth_method": "none",
        "post_logout_redirect_uris": [uri],
    }
    metadata = read_metadata(document, rules=RegistrationRules())
    other_port = attrs.evolve(metadata, post_logout_redirect_uris=("http://127.0.0.1:7/bye",))
    without = attrs.evolve(metadata, post_logout_redirect_uris=())

    assert metadata.post_logout_redirect_uris == (uri,)
    assert client_metadata.from_json(client_metadata.to_json(metadata)) == metadata
    assert client_metadata.document(metadata)["post_logout_redirect_uris"] == [uri]
    assert "post_logout_redirect_uris" in wire_names()
    assert client_metadata.digest(metadata) == client_metadata.digest(other_port)
    assert client_metadata.digest(metadata) != client_metadata.digest(without)


@pytest.mark.parametrize("metadata", RELEASED, ids=["nothing", "website", "app", "everything"])
def test_c166_a_later_field_changes_no_client_that_does_not_use_it(monkeypatch, metadata):
    """The same JSON, the same id, the same answer."""
    later = a_later(monkeypatch, **client_metadata.values_of(metadata))
    stored, digest = RELEASED[metadata]

    assert (client_metadata.to_json(later), client_metadata.digest(later)) == (stored, digest)
    assert client_metadata.from_json(stored) == later
    assert "post_logout_redirect_uris" not in client_metadata.document(later)


def test_the_first_mistake_is_told_in_the_order_of_the_rules():
    """What others follow from is read first: a client hears of its method before its addresses."""
    problems = []
    wrong = {
        "client_name": 5,
        "redirect_uris": ["x"],
        "token_endpoint_auth_method": "no",
        "contacts": 1,
    }
    Reading.of(Fields.of(wrong), RegistrationRules(), Findings(problems))

    told = [problem.description.split()[0] for problem in problems]
    assert told[:2] == ["contacts", "token_endpoint_auth_method"]
    assert told[-1] == "redirect_uris"
