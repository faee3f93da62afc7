"""Registering a client: the same metadata is the same client, a secret makes it unique."""

from functools import partial

import attrs
import pytest

from support.records import NOW
from synapse_nextgen_auth.flows import register_client
from synapse_nextgen_auth.oauth.clients import AuthMethod, Localized, Metadata
from synapse_nextgen_auth.store import clients

METADATA = Metadata(
    redirect_uris=("https://app.example.com/cb", "https://app.example.com/two"),
    auth_method=AuthMethod.NONE,
    client_name="App",
    client_uri="https://app.example.com/",
    localized=(Localized("client_name", "fr", "Appli"),),
)
SECRETIVE = attrs.evolve(METADATA, auth_method=AuthMethod.SECRET_BASIC)
SIGNING = attrs.evolve(METADATA, auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks='{"keys":[]}')


def client_of(metadata, random_id="random", *, secret_hash=None, now=NOW):
    """Return the client that registers."""
    client = register_client.client_of(metadata, random_id=random_id, now=now)
    return attrs.evolve(client, secret_hash=secret_hash)


@pytest.mark.parametrize("metadata", [METADATA, SIGNING], ids=["public", "key"])
def test_c166_registering_again_is_the_same_client(tables, transact, metadata):
    """Months later too; the first registration stays, and is used."""
    first = transact(register_client.register, client_of(metadata, "one"))
    again = transact(register_client.register, client_of(metadata, "two", now=NOW + 9000))

    assert again == first
    assert transact(register_client.find, first.client_id) == first
    assert tables.query("SELECT created_at, last_used_at FROM nextgen_clients") == [
        (NOW, NOW + 9000)
    ]


def test_c166_the_order_of_arrays_does_not_matter(tables, transact):
    """One client, with the values of its first registration."""
    turned = attrs.evolve(METADATA, redirect_uris=METADATA.redirect_uris[::-1])

    first = transact(register_client.register, client_of(METADATA))
    again = transact(register_client.register, client_of(turned))

    assert again == first


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uris": METADATA.redirect_uris[:1]},
        {"redirect_uris": (*METADATA.redirect_uris, "https://app.example.com/three")},
        {"application_type": "native"},
        {"grant_types": ("authorization_code",)},
        {"client_name": "App 2"},
        {"client_uri": "https://example.com/"},
        {"tos_uri": "https://app.example.com/tos"},
        {"policy_uri": "https://app.example.com/privacy"},
        {"logo_uri": "https://app.example.com/logo.png"},
        {"localized": ()},
        {"id_token_alg": "ES256"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_c166_any_other_field_makes_another_client(tables, transact, change):
    """Two different sets of redirect URIs can never collapse into one."""
    first = transact(register_client.register, client_of(METADATA))
    other = transact(register_client.register, client_of(attrs.evolve(METADATA, **change)))

    assert other.client_id != first.client_id
    assert tables.count("nextgen_clients") == 2


def test_c166_a_client_with_a_secret_is_never_shared(tables, transact):
    """Each registration has its own id and its own secret."""
    registered = [
        transact(register_client.register, client_of(SECRETIVE, name, secret_hash=f"hash {name}"))
        for name in ("one", "two")
    ]

    assert [client.client_id for client in registered] == ["one", "two"]
    assert [transact(register_client.find, c.client_id) for c in registered] == registered


def test_c167_identical_registrations_at_once_are_one_client(tables):
    """One row, the same answer for everybody, no error."""
    calls = [
        partial(register_client.register, client=client_of(METADATA, f"random {n}"))
        for n in range(12)
    ]

    registered = tables.race(calls)

    assert len({client.client_id for client in registered}) == 1
    assert tables.count("nextgen_clients") == 1


def test_a_swept_client_comes_back_under_its_old_id(tables, transact):
    """Its id follows from what it says, so that an app that saved it can go on."""
    first = transact(register_client.register, client_of(METADATA, "one"))
    tables.run(lambda txn: txn.execute("DELETE FROM nextgen_clients"))

    again = transact(register_client.register, client_of(METADATA, "two", now=NOW + 10**8))

    assert again.client_id == first.client_id


def test_unknown_clients_are_not_found(tables, transact):
    """Not by wildcards either (C223)."""
    transact(register_client.register, client_of(METADATA))

    for client_id in ("", "%", "unknown", "' OR 1=1 --"):
        assert transact(register_client.find, client_id) is None


def test_texts_of_every_script_come_back_as_they_were(tables, transact):
    """On either database."""
    metadata = attrs.evolve(METADATA, client_name="\u05d0\u200f \U0001f600 'x' \"y\" \\ %s ? $1")

    client = transact(register_client.register, client_of(metadata))

    assert transact(register_client.find, client.client_id).client_name == metadata.client_name


def test_the_use_of_a_client_is_noted_once_an_hour(tables, transact):
    """It serves the sweep only, so it need not cost a write each time."""
    transact(register_client.register, client_of(METADATA))
    used = "SELECT last_used_at FROM nextgen_clients"
    client_id = client_of(METADATA).client_id

    transact(clients.touch, client_id, now=NOW + 3600)
    assert tables.query(used) == [(NOW,)]
    transact(clients.touch, client_id, now=NOW + 3601)
    assert tables.query(used) == [(NOW + 3601,)]
