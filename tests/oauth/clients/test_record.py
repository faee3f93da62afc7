"""Clients: what they are called, what is stored and what is answered."""

import attrs
import pytest

from synapse_nextgen_auth.oauth.clients import client_metadata, record
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_metadata import Metadata
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.languages import Localized
from synapse_nextgen_auth.secret import Secret

METADATA = Metadata(
    redirect_uris=("https://app.example.com/cb", "https://app.example.com/other"),
    auth_method=AuthMethod.NONE,
    client_name="Digital mailbox",
    client_uri="https://app.example.com:8443/about",
    tos_uri="https://app.example.com/tos",
    localized=(
        Localized("client_name", "en-GB", "Digital postbox"),
        Localized("client_name", "fr", "Bo\u00eete aux lettres num\u00e9rique"),
        Localized("tos_uri", "fr", "https://app.example.com/fr/tos"),
    ),
)
CLIENT = Client.of(METADATA, client_id="c1", secret_hash=None, created_at=1_700_000_000)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (["fr-CA", "en"], "Bo\u00eete aux lettres num\u00e9rique"),
        (["en-GB"], "Digital postbox"),
        (["en-US"], "Digital mailbox"),
        (["de", "fr"], "Bo\u00eete aux lettres num\u00e9rique"),
        ([], "Digital mailbox"),
    ],
)
def test_a_client_is_named_in_the_language_of_the_reader(wanted, name):
    """RFC 7591 section 2.2."""
    assert CLIENT.name_for(wanted) == name


def test_other_fields_have_languages_too():
    """Terms and policies are read by the same person as the name."""
    assert CLIENT.text_for("tos_uri", ["fr"]) == "https://app.example.com/fr/tos"
    assert CLIENT.text_for("tos_uri", ["en-GB"]) == "https://app.example.com/tos"
    assert CLIENT.text_for("policy_uri", ["fr"]) is None


def test_a_client_without_a_name_is_called_by_its_host_or_its_id():
    """There is always something to show."""
    nameless = attrs.evolve(CLIENT, client_name=None, localized=())

    assert nameless.name_for(["fr"]) == "app.example.com"
    assert attrs.evolve(nameless, client_uri=None, redirect_uris=()).name_for([]) == "c1"


@pytest.mark.parametrize(
    ("client_uri", "redirect_uri", "host"),
    [
        ("https://Example.com:8443/x", "com.example:/cb", "example.com"),
        (None, "https://app.example.com/cb", "app.example.com"),
        (None, "com.example:/cb", None),
        (None, None, None),
    ],
)
def test_the_host_stands_for_the_client(client_uri, redirect_uri, host):
    """That of client_uri; without one, where the first answer goes."""
    metadata = Metadata(
        client_uri=client_uri, redirect_uris=(redirect_uri,) if redirect_uri else ()
    )

    assert metadata.host == host


WEB, NET, LOOPBACK, APP = (
    "https://app.example.com/cb",
    "https://evil.example.net/cb",
    "http://127.0.0.1/cb",
    "com.example.app:/cb",
)
PAGE = "https://app.example.com/"


@pytest.mark.parametrize(
    ("client_uri", "redirect_uris", "places"),
    [
        (PAGE, [WEB], ["app.example.com"]),
        ("https://example.com/", [WEB, APP, LOOPBACK], ["example.com"]),
        (PAGE, [LOOPBACK], ["app.example.com"]),
        ("http://localhost/", [LOOPBACK], ["localhost"]),
        ("https://chat/", ["https://chat/cb"], ["chat"]),
        (PAGE, [], ["app.example.com"]),
        # A page that is not that of every redirect URI says nothing.
        (PAGE, [NET], ["evil.example.net"]),
        (PAGE, [WEB, NET], ["app.example.com", "evil.example.net"]),
        (PAGE, [NET, LOOPBACK], ["evil.example.net"]),
        (PAGE, ["net.other.app:/cb"], ["net.other.app:"]),
        (PAGE, ["net.other.app:/cb", NET], ["evil.example.net"]),
        ("https://github.io/", ["https://a.github.io/cb"], ["a.github.io"]),
        ("https://chat/", ["https://wiki.chat/cb"], ["wiki.chat"]),
        (PAGE, ["https://[broken"], ["https://[broken"]),
        # No page at all.
        (None, [WEB], ["app.example.com"]),
        (None, [WEB, "https://login.app.example.com/cb"], ["app.example.com"]),
        (None, ["https://login.app.example.com/cb", WEB], ["app.example.com"]),
        (None, [LOOPBACK, NET], ["evil.example.net"]),
        (None, [APP, NET, LOOPBACK], ["evil.example.net"]),
        (None, [LOOPBACK, "http://[::1]/cb"], ["127.0.0.1"]),
        (None, [APP], ["com.example.app:"]),
        (None, ["https://a.github.io/", "https://b.github.io/"], ["a.github.io", "b.github.io"]),
        (None, [], ["c1"]),
    ],
)
def test_people_know_a_client_by_who_can_get_its_tokens(client_uri, redirect_uris, places):
    """A page speaks for it only if every redirect URI fits; "on the device" only if all are there."""
    client = attrs.evolve(
        CLIENT,
        client_name=None,
        localized=(),
        client_uri=client_uri,
        redirect_uris=tuple(redirect_uris),
    )

    assert list(client.places()) == places
    assert client.name_for([]) == ", ".join(places).removesuffix(":")


@pytest.mark.parametrize(
    ("client_uri", "redirect_uris", "redirect_uri", "place"),
    [
        ("https://example.com/", [WEB], WEB, "example.com"),
        (PAGE, [WEB, NET], WEB, "app.example.com"),
        (PAGE, [WEB, NET], NET, "evil.example.net"),
        (PAGE, [NET, LOOPBACK], "http://127.0.0.1:5001/cb", "127.0.0.1"),
        (None, [LOOPBACK, NET], NET, "evil.example.net"),
        (None, [LOOPBACK, NET], LOOPBACK, "127.0.0.1"),
        (None, [APP, NET], APP, "com.example.app:"),
    ],
)
def test_a_request_is_known_by_where_it_goes(client_uri, redirect_uris, redirect_uri, place):
    """Where no page speaks for the client, the one place that this answer goes to does."""
    client = attrs.evolve(
        CLIENT,
        client_name=None,
        localized=(),
        client_uri=client_uri,
        redirect_uris=tuple(redirect_uris),
    )

    assert client.places(redirect_uri) == (place,)
    assert client.name_for([], redirect_uri=redirect_uri) == place.removesuffix(":")


@pytest.mark.parametrize(
    ("client_uri", "redirect_uris", "shown"),
    [
        (PAGE, [WEB], True),
        (PAGE, [LOOPBACK], True),
        (None, [WEB, LOOPBACK], True),
        (None, [LOOPBACK, WEB], True),
        (PAGE, [NET], False),
        (PAGE, [WEB, NET], False),
        (None, [WEB, NET], False),
        (None, [APP], False),
    ],
)
def test_pages_of_somebody_else_are_not_shown(client_uri, redirect_uris, shown):
    """Terms of a well-known place below a stranger would be a reason to trust the stranger."""
    client = attrs.evolve(CLIENT, client_uri=client_uri, redirect_uris=tuple(redirect_uris))

    tos = client.page_for("tos_uri", ["fr"])
    assert tos == ("https://app.example.com/fr/tos" if shown else None)
    assert client.page_for("client_uri", []) == (client_uri if shown else None)


def test_what_the_operator_wrote_down_is_not_doubted():
    """A configured client may be at any host, and is known by the page that its entry names."""
    client = attrs.evolve(CLIENT, redirect_uris=(LOOPBACK, NET), is_configured=True)

    assert client.places() == client.places(NET) == ("app.example.com",)
    assert client.page_for("tos_uri", []) == "https://app.example.com/tos"
    assert attrs.evolve(client, client_uri=None).places(NET) == ("127.0.0.1",)


def test_being_configured_changes_no_id():
    """It is a matter of this process, and neither stored nor digested."""
    configured = attrs.evolve(CLIENT, is_configured=True)

    assert client_metadata.digest(configured) == client_metadata.digest(CLIENT)
    assert client_metadata.to_json(configured) == client_metadata.to_json(CLIENT)


@pytest.mark.parametrize(
    ("method", "public", "secret"),
    [
        (AuthMethod.NONE, True, False),
        (AuthMethod.SECRET_BASIC, False, True),
        (AuthMethod.SECRET_POST, False, True),
        (AuthMethod.PRIVATE_KEY_JWT, False, False),
    ],
)
def test_the_method_decides_what_a_client_is(method, public, secret):
    """Only `none` is public; only two methods need a secret from us."""
    assert Metadata(auth_method=method).is_public is public
    assert method.needs_secret is secret


def test_the_answer_has_the_registered_values():
    """RFC 7591 section 3.2.1; a public client gets no secret and no expiry of one."""
    assert record.document(CLIENT) == {
        "client_id": "c1",
        "client_id_issued_at": 1_700_000_000,
        "redirect_uris": ["https://app.example.com/cb", "https://app.example.com/other"],
        "application_type": "web",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "id_token_signed_response_alg": "RS256",
        "client_name": "Digital mailbox",
        "client_name#en-GB": "Digital postbox",
        "client_name#fr": "Bo\u00eete aux lettres num\u00e9rique",
        "client_uri": "https://app.example.com:8443/about",
        "tos_uri": "https://app.example.com/tos",
        "tos_uri#fr": "https://app.example.com/fr/tos",
    }


def test_c087_the_secret_is_in_the_answer_and_its_hash_is_not():
    """Shown once, never expiring; the hash stays here."""
    metadata = attrs.evolve(METADATA, auth_method=AuthMethod.SECRET_BASIC)
    client = Client.of(metadata, client_id="c1", secret_hash="$argon2$hash", created_at=1)

    body = record.document(client, issued_secret=Secret("s3cret"))

    assert (body["client_secret"], body["client_secret_expires_at"]) == ("s3cret", 0)
    assert "hash" not in repr(body)
    assert "client_secret" not in record.document(client)


def test_the_keys_of_a_client_are_in_the_answer_as_json():
    """And the algorithm beside them."""
    client = attrs.evolve(CLIENT, jwks='{"keys":[{"kty":"RSA"}]}', auth_signing_alg="RS256")

    body = record.document(client)

    assert body["jwks"] == {"keys": [{"kty": "RSA"}]}
    assert body["token_endpoint_auth_signing_alg"] == "RS256"


CHANGES = {
    "redirect_uris": ("https://app.example.com/cb",),
    "application_type": "native",
    "grant_types": ("authorization_code",),
    "response_types": (),
    "auth_method": AuthMethod.SECRET_POST,
    "auth_signing_alg": "ES256",
    "jwks": '{"keys":[]}',
    "id_token_alg": "ES256",
    "client_name": "Other",
    "client_uri": "https://other.example/",
    "logo_uri": "https://app.example.com/logo",
    "tos_uri": None,
    "policy_uri": "https://app.example.com/policy",
    "post_logout_redirect_uris": ("https://app.example.com/bye",),
    "default_max_age": 0,
    "default_acr_values": ("phr",),
    "localized": (),
}


def test_every_field_is_stored():
    """What goes into the column comes out again."""
    for name, value in CHANGES.items():
        changed = attrs.evolve(METADATA, **{name: value})

        assert client_metadata.from_json(client_metadata.to_json(changed)) == changed


def test_of_a_client_only_the_metadata_is_stored():
    """Id, secret and dates have columns of their own."""
    assert client_metadata.to_json(CLIENT) == client_metadata.to_json(METADATA)
    assert client_metadata.digest(CLIENT) == client_metadata.digest(METADATA)


def test_rows_of_other_versions_can_be_read():
    """An unknown field is left out, a missing one has its default."""
    assert client_metadata.from_json('{"client_name": "Old", "future": [1]}') == Metadata(
        client_name="Old"
    )


def test_c166_the_digest_covers_every_stored_field():
    """Two registrations that differ anywhere can never collapse into one client."""
    assert CHANGES.keys() == {field.name for field in attrs.fields(Metadata)}

    digests = {client_metadata.digest(attrs.evolve(METADATA, **{k: v})) for k, v in CHANGES.items()}

    assert len(digests | {client_metadata.digest(METADATA)}) == len(CHANGES) + 1


def test_c166_the_digest_does_not_know_the_order():
    """The same registration is the same client, in whatever order it was written."""
    shuffled = attrs.evolve(
        METADATA,
        redirect_uris=METADATA.redirect_uris[::-1],
        grant_types=METADATA.grant_types[::-1],
        localized=METADATA.localized[::-1],
    )

    assert client_metadata.digest(shuffled) == client_metadata.digest(METADATA)


def native(*redirect_uris):
    """Return what a public native client registers."""
    return Metadata(
        auth_method=AuthMethod.NONE, application_type="native", redirect_uris=redirect_uris
    )


@pytest.mark.parametrize(
    "redirect_uris",
    [
        ("http://127.0.0.1:8000/cb",),
        ("http://127.0.0.1:5001/cb",),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"),
    ],
)
def test_the_loopback_port_of_a_native_client_makes_no_other_client(redirect_uris):
    """It is the port of the moment: the id is the one that the address without a port always had."""
    assert client_metadata.digest(native(*redirect_uris)) == client_metadata.digest(
        native("http://127.0.0.1/cb")
    )


@pytest.mark.parametrize(
    "redirect_uri", ["http://localhost:8000/cb", "http://127.0.0.1:8000/", "https://a.example/cb"]
)
def test_any_other_address_does_make_another_client(redirect_uri):
    """Host and path count as ever, and so does the port of a web client."""
    one = native("http://127.0.0.1/cb")
    web = attrs.evolve(one, application_type="web")
    with_port = attrs.evolve(web, redirect_uris=("http://127.0.0.1:8000/cb",))

    assert client_metadata.digest(native(redirect_uri)) != client_metadata.digest(one)
    assert client_metadata.digest(with_port) != client_metadata.digest(web)
