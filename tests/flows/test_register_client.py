"""Registering a client: the same metadata is the same client, a secret makes it unique."""

from functools import partial

import attrs
import pytest

from support.records import NOW
from synapse_nextgen_auth.flows import register_client
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_metadata import Metadata
from synapse_nextgen_auth.oauth.languages import Localized
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


DAY = 24 * 3600
TIMES = "SELECT created_at, last_used_at FROM nextgen_clients"


def greet(metadata, *, now):
    """Return the flow that greets a client which registers again."""
    return partial(register_client.greet, client=client_of(metadata, now=now))


@pytest.mark.parametrize("metadata", [METADATA, SIGNING], ids=["public", "key"])
def test_c166_registering_again_is_the_same_client(tables, transact, metadata):
    """Months later too; the first registration stays, and greeting it is no use of it."""
    assert transact(greet(metadata, now=NOW)) is None
    first = transact(register_client.register, client_of(metadata, "one"))
    greeted = transact(greet(metadata, now=NOW + 9000))
    again = transact(register_client.register, client_of(metadata, "two", now=NOW + 9000))

    assert greeted == again == first
    assert transact(clients.get, first.client_id) == first
    assert tables.query(TIMES) == [(NOW, NOW)]


def test_a_client_in_use_is_greeted_and_noted_once_an_hour(tables, transact):
    """So the sweep does not take it away between its registration and its next grant."""
    first = transact(register_client.register, client_of(METADATA))
    transact(clients.touch, first.client_id, now=NOW + 60)

    assert transact(greet(METADATA, now=NOW + 3660)) == first
    assert tables.query(TIMES) == [(NOW, NOW + 60)]
    assert transact(greet(METADATA, now=NOW + 90 * DAY)) == first
    assert tables.query(TIMES) == [(NOW, NOW + 90 * DAY)]


@pytest.mark.parametrize(
    ("metadata", "half"), [(METADATA, DAY // 2), (SIGNING, 7 * DAY // 2)], ids=["public", "key"]
)
def test_c169_a_client_that_will_soon_go_registers_anew(tables, transact, metadata, half):
    """It may be about to begin its first grant; and it is counted, or it stayed for ever for nothing."""
    first = transact(register_client.register, client_of(metadata))

    assert transact(greet(metadata, now=NOW + half)) == first
    assert transact(greet(metadata, now=NOW + half + 1)) is None
    again = transact(register_client.register, client_of(metadata, now=NOW + half + 1))
    assert again == attrs.evolve(first, created_at=NOW + half + 1)
    assert tables.query(TIMES) == [(NOW + half + 1, NOW + half + 1)]


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
    assert [transact(clients.get, c.client_id) for c in registered] == registered


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
        assert transact(clients.get, client_id) is None


def test_texts_of_every_script_come_back_as_they_were(tables, transact):
    """On either database."""
    metadata = attrs.evolve(METADATA, client_name="\u05d0\u200f \U0001f600 'x' \"y\" \\ %s ? $1")

    client = transact(register_client.register, client_of(metadata))

    assert transact(clients.get, client.client_id).client_name == metadata.client_name


def test_the_use_of_a_client_is_noted_the_first_time_and_once_an_hour(tables, transact):
    """It serves the sweep only, so it need not cost a write each time."""
    transact(register_client.register, client_of(METADATA))
    used = "SELECT last_used_at FROM nextgen_clients"
    client_id = client_of(METADATA).client_id

    for at, noted in ((0, 1), (3601, 1), (3602, 3602), (7202, 3602), (7203, 7203)):
        transact(clients.touch, client_id, now=NOW + at)
        assert tables.query(used) == [(NOW + noted,)], at


def test_c379_a_use_in_the_future_is_set_right(tables, transact):
    """The clock ran ahead when the client registered and was used."""
    transact(register_client.register, client_of(METADATA, now=NOW + 10**7))
    client_id = client_of(METADATA).client_id

    transact(clients.touch, client_id, now=NOW)

    assert tables.query(TIMES) == [(NOW + 10**7, NOW)]


def test_the_ids_of_today_stay(tables, transact):
    """Metadata is kept as UTF-8, and clients find themselves under the id that they know."""
    metadata = attrs.evolve(METADATA, client_name="\u5bb6 \u00fc \U0001f600")

    client = transact(register_client.register, client_of(metadata))
    ((kept,),) = tables.query("SELECT metadata FROM nextgen_clients")

    assert client.client_id == "e878194008a2215696b15f73216a4e51"
    assert "\u5bb6 \u00fc \U0001f600" in kept
    assert "\\u" not in kept


def test_what_an_earlier_version_kept_is_read(tables, transact):
    """With escapes."""
    client = transact(register_client.register, client_of(METADATA))
    escaped = METADATA.client_name.encode().decode()
    tables.run(
        lambda txn: txn.execute(
            "UPDATE nextgen_clients SET metadata = REPLACE(metadata, ?, ?)",
            (f'"{escaped}"', '"\\u5bb6"'),
        )
    )

    assert transact(clients.get, client.client_id).client_name == "\u5bb6"
