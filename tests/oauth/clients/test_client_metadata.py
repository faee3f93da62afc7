"""What clients may register: the rules of RFC 7591 and MSC2966, and what real clients send."""

import json
import re

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.clients import client_metadata
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_metadata import (
    MAX_DOCUMENT,
    Metadata,
    read_metadata,
    refuse_size,
)
from synapse_nextgen_auth.oauth.clients.redirects import RedirectRules
from synapse_nextgen_auth.oauth.clients.registration_rules import RegistrationRules
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.grant_types import DEVICE_CODE
from synapse_nextgen_auth.oauth.languages import Localized

RULES = RegistrationRules(redirects=RedirectRules(own_hosts=frozenset({"matrix.example.com"})))
WITH_DEVICE = RegistrationRules(grant_types=frozenset({*RULES.grant_types, DEVICE_CODE}))
ON_LOOPBACK = RegistrationRules(
    redirects=RedirectRules(own_hosts=frozenset({"localhost:8008"}), allow_loopback_web=True)
)

P256_JWK = jwt.get_algorithm_by_name("ES256").to_jwk(
    ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True
)
KEYS = {"keys": [P256_JWK]}

PUBLIC = {
    "client_name": "My App",
    "client_uri": "https://example.com/",
    "redirect_uris": ["https://app.example.com/callback"],
    "token_endpoint_auth_method": "none",
}
NO_PAGE = {"token_endpoint_auth_method": "none"}
CONFIDENTIAL = {"redirect_uris": ["https://app.example.com/callback"]}
SIGNING = {**PUBLIC, "token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS}


def read(document, rules=RULES):
    """Read with the rules of these tests."""
    return read_metadata(document, rules=rules)


def attempt(document, rules=RULES):
    """Return the metadata or the refusal."""
    try:
        return read(document, rules)
    except OAuthError as error:
        return error


def refused(document, rules=RULES, code="invalid_client_metadata"):
    """Return the description of the refusal."""
    error = attempt(document, rules)
    assert isinstance(error, OAuthError), error
    assert (error.code, error.status) == (code, 400)
    assert re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+", error.description)
    assert len(error.description) < 300
    return error.description


# What deployed clients send, as far as it matters here.
GOLDEN = {
    "the example of the Client-Server API": {
        "client_name": "My App",
        "client_name#fr": "Mon application",
        "client_uri": "https://example.com/",
        "logo_uri": "https://example.com/logo.png",
        "tos_uri": "https://example.com/tos.html",
        "tos_uri#fr": "https://example.com/fr/tos.html",
        "policy_uri": "https://example.com/policy.html",
        "policy_uri#fr": "https://example.com/fr/policy.html",
        "redirect_uris": ["https://app.example.com/callback"],
        "token_endpoint_auth_method": "none",
        "response_types": ["code"],
        "grant_types": [
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "application_type": "web",
    },
    "a web client on matrix-js-sdk": {
        "client_name": "Element",
        "client_uri": "https://app.element.io/",
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://app.element.io/?no_universal_links=true"],
        "id_token_signed_response_alg": "RS256",
        "token_endpoint_auth_method": "none",
        "application_type": "web",
        "logo_uri": "https://app.element.io/vector-icons/1024.png",
        "contacts": ["support@element.io"],
        "tos_uri": None,
        "policy_uri": None,
    },
    "a desktop client on matrix-js-sdk": {
        "client_name": "Element",
        "client_uri": "https://element.io",
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["io.element.desktop:/vector/webapp/"],
        "id_token_signed_response_alg": "RS256",
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    },
    "a phone client on matrix-rust-sdk": {
        "application_type": "native",
        "client_name": "Element X",
        "client_uri": "https://element.io/",
        "grant_types": ["authorization_code", "refresh_token", DEVICE_CODE],
        "logo_uri": "https://element.io/mobile-icon.png",
        "policy_uri": "https://element.io/privacy",
        "redirect_uris": ["io.element.android:/"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "tos_uri": "https://element.io/acceptable-use-policy-terms",
    },
    "a phone client with a claimed https address": {
        "application_type": "native",
        "client_name": "Element X",
        "client_uri": "https://element.io/",
        "redirect_uris": ["https://element.io/oidc/login"],
        "token_endpoint_auth_method": "none",
    },
    "a Linux client on loopback": {
        "application_type": "native",
        "client_name": "Fractal",
        "client_uri": "https://gitlab.gnome.org/World/fractal/",
        "redirect_uris": ["http://127.0.0.1/", "http://[::1]/"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    },
    "a client on github.io": {
        "application_type": "native",
        "client_uri": "https://nheko-reborn.github.io",
        "redirect_uris": ["io.github.nheko-reborn:/callback"],
        "token_endpoint_auth_method": "none",
    },
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_registrations_are_taken(name):
    """What deployed clients send works, and what they can use comes back."""
    document = GOLDEN[name]

    metadata = read(document)

    assert metadata.redirect_uris == tuple(document["redirect_uris"])
    assert metadata.grant_types == ("authorization_code", "refresh_token")
    assert metadata.is_public


def test_the_defaults_are_those_of_rfc_7591():
    """Except for the refresh token: Matrix clients cannot do without one."""
    assert read(CONFIDENTIAL) == Metadata(
        redirect_uris=("https://app.example.com/callback",),
        application_type="web",
        grant_types=("authorization_code", "refresh_token"),
        response_types=("code",),
        auth_method=AuthMethod.SECRET_BASIC,
        id_token_alg="RS256",
    )


@pytest.mark.parametrize("document", [None, [], "x", 5, {}])
def test_c157_what_is_no_registration_is_refused(document):
    """JSON null, arrays, strings and the empty object."""
    assert isinstance(attempt(document), OAuthError)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("redirect_uris", ["x", {}, 5, None, [5], [None], [["x"]]]),
        ("grant_types", [{}, "authorization_code", 5, None, [5]]),
        ("response_types", [{}, "code", 5, None, [{}]]),
        ("contacts", [None, "x", {}, [5]]),
        ("client_name", [5, [], {}, True]),
        ("client_name#fr", [5, [], {}]),
        ("client_uri", [5, [], {}]),
        ("logo_uri", [5, []]),
        ("tos_uri#fr", [5, []]),
        ("application_type", [5, [], ["web"]]),
        ("token_endpoint_auth_method", [5, [], ["none"]]),
        ("token_endpoint_auth_signing_alg", [5, []]),
        ("id_token_signed_response_alg", [5, []]),
        ("jwks", [5, "x", []]),
        ("jwks_uri", [5, []]),
    ],
)
def test_c158_wrong_types_are_refused(field, values):
    """Each field has its type, whether or not we would use it."""
    for value in values:
        assert field in refused({**PUBLIC, field: value})


def test_c158_deep_nesting_is_refused():
    """A thousand levels, in a field that nobody knows."""
    assert "nested" in refused({**PUBLIC, "x": json.loads("[" * 900 + "]" * 900)})


def test_c159_unknown_grant_and_response_types_are_ignored():
    """The server MUST ignore values that it does not understand; the answer tells what is left."""
    metadata = read(
        {
            **PUBLIC,
            "grant_types": [
                "implicit",
                "authorization_code",
                "refresh_token",
                "made_up",
                DEVICE_CODE,
            ],
            "response_types": ["code id_token", "code", "token"],
        }
    )

    assert metadata.grant_types == ("authorization_code", "refresh_token")
    assert metadata.response_types == ("code",)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"response_types": []}, "response_types must contain code"),
        ({"response_types": ["token"]}, "response_types must contain code"),
        ({"grant_types": []}, "grant_types must contain"),
        ({"grant_types": ["refresh_token"]}, "grant_types must contain"),
        ({"grant_types": ["client_credentials"]}, "grant_types must contain"),
        ({"grant_types": [DEVICE_CODE], "response_types": ["code"]}, "and only then"),
    ],
)
def test_c159_incoherent_pairs_are_refused(fields, reason):
    """A client that could do nothing is told so now and not at its first request."""
    assert reason in refused({**PUBLIC, **fields}, WITH_DEVICE)


def test_c159_unsupported_methods_are_refused():
    """Unlike grants, a method cannot be left out silently: the client would be locked out."""
    for method in ("client_secret_jwt", "tls_client_auth", "", "NONE"):
        document = {**PUBLIC, "token_endpoint_auth_method": method}
        assert "must be one of client_secret_basic" in refused(document)


def test_a_device_code_client_needs_no_redirect_uri():
    """Where that grant is on; elsewhere it is an unknown one."""
    document = {"client_uri": "https://example.com/", "token_endpoint_auth_method": "none"}
    document["grant_types"] = [DEVICE_CODE, "refresh_token"]

    metadata = read(document, WITH_DEVICE)

    assert metadata.grant_types == (DEVICE_CODE, "refresh_token")
    assert (metadata.redirect_uris, metadata.response_types) == ((), ())
    assert "authorization_code" in refused(document)


@pytest.mark.parametrize(
    "fields",
    [
        {"redirect_uris": []},
        {"redirect_uris": ["https://other.com/cb"]},
        {"redirect_uris": ["https://app.example.com/cb", "http://localhost/"]},
        {"redirect_uris": ["https://app.example.com/cb#"]},
        {"redirect_uris": ["https://matrix.example.com/cb"]},
        {"redirect_uris": ["https://app.example.com/cb?code=x"]},
        {"redirect_uris": ["https://app.example.com/cb\n"]},
        {"redirect_uris": [""]},
        {"redirect_uris": [f"https://app.example.com/{n}" for n in range(51)]},
        {"redirect_uris": ["https://app.example.com/" + "a" * 2048]},
        {"application_type": "native", "redirect_uris": ["http://127.1:1234/"]},
        {"application_type": "native", "redirect_uris": ["com.exampleevil:/cb"]},
    ],
)
def test_c043_a_bad_redirect_uri_has_its_own_error(fields):
    """RFC 7591 section 3.2.2: invalid_redirect_uri, naming field, value and rule."""
    assert "redirect_uris" in refused({**PUBLIC, **fields}, code="invalid_redirect_uri")


def test_a_public_client_without_redirect_uris_is_refused():
    """At least one URI is required to use the authorization code grant."""
    document = {name: value for name, value in PUBLIC.items() if name != "redirect_uris"}

    assert "at least one" in refused(document, code="invalid_redirect_uri")


def test_fifty_redirect_uris_are_fine_and_repetitions_are_one():
    """The limit is far beyond need."""
    uris = [f"https://app.example.com/{n}" for n in range(50)]

    assert read({**PUBLIC, "redirect_uris": uris + uris}).redirect_uris == tuple(uris)


@pytest.mark.parametrize(
    ("client_uri", "reason"),
    [
        ("http://example.com/", "scheme must be https"),
        ("https://user@example.com/", "user name"),
        ("https://localhost/", "this machine"),
        ("http://localhost:5173/", "scheme must be https"),
        ("https://127.0.0.1/", "IP address"),
        ("https://0x7f000001/", "IP address"),
        ("https://[::1]/", "IP address"),
        ("https://169.254.169.254/", "IP address"),
        ("https://com/", "public suffix"),
        ("https://co.uk/", "public suffix"),
        ("https://github.io/", "public suffix"),
        ("https://intranet/", "public suffix"),
        ("https://.com/", "domain name"),
        ("https://example.com./", "final dot"),
        ("example.com", "scheme"),
        ("https://example.com/\n", "characters"),
        ("https://b\u00fccher.example/", "characters"),
        ("", "characters"),
    ],
)
def test_c046_client_uri_names_who_stands_behind_the_client(client_uri, reason):
    """Otherwise one client could own the schemes of a whole top-level domain."""
    description = refused({**PUBLIC, "client_uri": client_uri})

    assert description.startswith("client_uri '")
    assert reason in description


@pytest.mark.parametrize("localized", ["https://com/", "https://co.uk/", "https://other.com/"])
def test_c046_also_in_another_language(localized):
    """A localized client_uri obeys the same rules and the same base."""
    assert "client_uri#fr" in refused({**PUBLIC, "client_uri#fr": localized})


def test_a_public_client_must_have_a_client_uri():
    """A confidential one may leave it out; its redirect URIs then share the first host."""
    public = {name: value for name, value in PUBLIC.items() if name != "client_uri"}
    more = ["https://app.example.com/a", "https://x.app.example.com/b"]

    assert "client_uri is required" in refused(public)
    assert "client_uri is required" in refused({**public, "client_uri#fr": "https://example.com/"})
    assert read({"redirect_uris": more}).host == "app.example.com"
    assert "subdomain" in refused(
        {"redirect_uris": [*more, "https://other.com/"]}, code="invalid_redirect_uri"
    )
    assert "client_uri is required" in refused(
        {"redirect_uris": ["http://localhost/"], "application_type": "native"}
    )


@pytest.mark.parametrize(
    ("redirect_uris", "application_type"),
    [
        (["http://127.0.0.1:33418/"], "native"),
        (["http://localhost/cb", "http://[::1]:9/cb"], "native"),
        (["com.example.app:/cb"], "native"),
        (["com.example.app:/cb", "http://127.0.0.1/"], "native"),
        (["https://app.example.com/cb"], "web"),
    ],
)
def test_a_missing_application_type_is_read_from_the_addresses(redirect_uris, application_type):
    """A client that has no address on the web is none of it, whatever the default says."""
    document = {**PUBLIC, "redirect_uris": redirect_uris}

    assert read(document).application_type == application_type
    assert read({**document, "application_type": None}).application_type == application_type


@pytest.mark.parametrize(
    "redirect_uris",
    [
        ["http://127.0.0.1/", "https://app.example.com/cb"],
        ["http://127.0.0.1/", "\n"],
        ["http://example.com/cb"],
        ["http://127.1/"],
    ],
)
def test_otherwise_a_missing_application_type_means_web(redirect_uris):
    """The default of OpenID Registration, with what it forbids."""
    refused({**PUBLIC, "redirect_uris": redirect_uris}, code="invalid_redirect_uri")
    web = {**PUBLIC, "application_type": "web", "redirect_uris": ["http://127.0.0.1/"]}
    refused(web, code="invalid_redirect_uri")


def test_where_web_clients_may_be_on_loopback_the_ids_stay():
    """A web client without a type was taken there before, and keeps its `client_id`."""
    document = {**PUBLIC, "redirect_uris": ["http://localhost:5173/cb"]}
    said = {**document, "application_type": "web"}

    assert client_metadata.digest(read(document, ON_LOOPBACK)) == client_metadata.digest(
        read(said, ON_LOOPBACK)
    )


@pytest.mark.parametrize(
    "client_uri", ["http://localhost", "https://localhost/", "http://[::1]:80/"]
)
def test_c046_a_tool_may_give_its_machine_as_its_page(client_uri):
    """A native client that stays on loopback has no page that it could name."""
    tool = {**PUBLIC, "client_uri": client_uri, "redirect_uris": ["http://127.0.0.1:4/cb"]}
    elsewhere = ["http://127.0.0.1/cb", "https://app.example.com/cb"]

    assert read(tool).host in {"localhost", "[::1]"}
    assert "client_uri" in refused({**tool, "redirect_uris": ["com.example.app:/cb"]})
    assert "client_uri" in refused({**tool, "redirect_uris": elsewhere})
    assert "client_uri" in refused({**tool, "application_type": "web"})
    assert "logo_uri" in refused({**tool, "logo_uri": "https://example.com/logo.png"})
    assert "client_uri" in refused({**tool, "client_uri": "https://me@localhost/"})


def test_without_client_uri_pages_have_nobody_to_belong_to():
    """Where the operator lets clients leave it out, the first redirect URI on the web binds them."""
    rules = RegistrationRules(redirects=RedirectRules(allow_without_client_uri=True))
    web = {**NO_PAGE, "redirect_uris": ["https://a.example.com/cb"]}
    tool = {**NO_PAGE, "redirect_uris": ["http://127.0.0.1/cb"]}

    assert read({**web, "tos_uri": "https://a.example.com/tos"}, rules).host == "a.example.com"
    assert "subdomain" in refused({**web, "tos_uri": "https://b.example.com/tos"}, rules)
    assert "which is missing" in refused({**tool, "tos_uri": "https://example.com/tos"}, rules)
    both = {**web, "redirect_uris": ["https://a.example.com/cb", "https://b.example.com/cb"]}
    assert "subdomain" in refused(both, rules, code="invalid_redirect_uri")


@pytest.mark.parametrize("field", ["logo_uri", "tos_uri", "policy_uri"])
@pytest.mark.parametrize("language", ["", "#fr"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("http://example.com/x", "scheme must be https"),
        ("https://user@example.com/x", "user name"),
        ("https://other.com/x", "subdomain"),
        ("https://com/x", "public suffix"),
        ("https://169.254.169.254/x", "IP address"),
        ("https://[::ffff:10.0.0.1]/x", "IP address"),
        ("javascript:alert(1)", "scheme must be https"),
        ("data:image/svg+xml,x", "scheme must be https"),
        ("https://example.com/\tx", "characters"),
    ],
)
def test_c165_pages_share_the_base_of_the_client_in_every_language(field, language, value, reason):
    """MSC2966: https, no password, the host of client_uri or a subdomain of it."""
    assert reason in refused({**PUBLIC, field + language: value})


def test_c165_localized_fields_are_kept():
    """A tag that is none makes the field an unknown one, which is ignored."""
    metadata = read(
        {
            **PUBLIC,
            "client_name#fr": "Mon appli",
            "client_name#de_DE": "ignored",
            "client_name#": "ignored",
            "client_name#fr#x": "ignored",
            "client_name#en": None,
            "tos_uri#zh-Hant": "https://example.com/zh/tos",
            "redirect_uris#fr": ["ignored"],
            "unknown#fr": 5,
        }
    )

    assert metadata.localized == (
        Localized("client_name", "fr", "Mon appli"),
        Localized("tos_uri", "zh-Hant", "https://example.com/zh/tos"),
    )


def test_c165_the_number_of_languages_has_a_limit():
    """Two hundred fields are kept, a thousand languages refused."""
    many = {f"client_name#x-{n}": "x" for n in range(1000)}

    assert len(read({**PUBLIC, **dict(list(many.items())[:200])}).localized) == 200
    assert "at most 200" in refused({**PUBLIC, **many})


@pytest.mark.parametrize("name", ["a\nb", "a\x1bb", "a\u202eb", "a\u2066b", "a\u2028b", "a\x7fb"])
def test_a_name_is_one_line_of_text(name):
    """It stands on the consent page, where it must not look like our words."""
    assert "one line" in refused({**PUBLIC, "client_name": name})
    assert "one line" in refused({**PUBLIC, "client_name#fr": name})


@pytest.mark.parametrize("field", ["client_name", "client_name#fr", "client_name#de"])
def test_c165_a_name_hides_nothing_in_any_language(field):
    """An invisible character would make it another name that looks the same."""
    assert "invisible" in refused({**PUBLIC, field: "Ele\u200bment"})
    assert "invisible" in refused({**PUBLIC, field: "Element\u200d"})


def test_a_blank_name_is_no_name():
    """The host is shown then."""
    assert read({**PUBLIC, "client_name": " "}).client_name is None
    assert (
        read({**PUBLIC, "client_name": " \u0410\u0431\u0432 "}).client_name == "\u0410\u0431\u0432"
    )


@pytest.mark.parametrize(
    "bad", ["x\x00", "x\ud800", "\udfffx"], ids=["nul", "high surrogate", "low surrogate"]
)
def test_c213_c214_unstorable_text_is_refused(bad):
    """In a known field, an unknown one, a name of a field and deep inside."""
    for document in ({"client_name": bad}, {"x": bad}, {bad: 1}, {"x": [{"y": bad}]}):
        refused({**PUBLIC, **document})


def test_long_strings_are_refused():
    """Every field that is kept has a limit."""
    for field in ("client_name", "client_name#fr", "logo_uri", "client_uri", "jwks_uri"):
        assert "2048" in refused({**PUBLIC, field: "https://example.com/" + "a" * 2048})


@pytest.mark.parametrize("application_type", ["desktop", "", "Web", "service"])
def test_an_unknown_application_type_is_refused(application_type):
    """No rules for redirect URIs would hold."""
    assert "web, native" in refused({**PUBLIC, "application_type": application_type})


@pytest.mark.parametrize(("algorithm", "taken"), [("RS256", True), ("ES256", True)])
def test_the_algorithm_of_id_tokens_is_chosen_by_the_client(algorithm, taken):
    """Between the two that we sign with."""
    document = {**PUBLIC, "id_token_signed_response_alg": algorithm}

    assert read(document).id_token_alg == algorithm


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512", ""])
def test_other_algorithms_of_id_tokens_are_refused(algorithm):
    """Above all `none`."""
    assert "RS256, ES256" in refused({**PUBLIC, "id_token_signed_response_alg": algorithm})


def test_c161_a_jwks_uri_is_never_good_enough():
    """It would have to be fetched, from wherever a stranger says."""
    by_uri = {**PUBLIC, "token_endpoint_auth_method": "private_key_jwt"}
    by_uri["jwks_uri"] = "http://169.254.169.254/"

    assert "never fetched" in refused(by_uri)
    assert "must not both" in refused({**SIGNING, "jwks_uri": "https://example.com/jwks"})
    assert read({**PUBLIC, "jwks_uri": "http://169.254.169.254/"}) == read(PUBLIC)


def test_a_signing_client_registers_its_keys():
    """Public ones, for an algorithm that fits."""
    metadata = read({**SIGNING, "token_endpoint_auth_signing_alg": "ES256"})

    assert metadata.auth_method is AuthMethod.PRIVATE_KEY_JWT
    assert metadata.auth_signing_alg == "ES256"
    assert json.loads(metadata.jwks)["keys"][0]["x"] == P256_JWK["x"]
    assert read(SIGNING).auth_signing_alg is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"jwks": None}, "jwks is required"),
        ({"jwks": {"keys": []}}, "RSA or EC key"),
        ({"jwks": {"keys": [{**P256_JWK, "d": "AA"}]}}, "public keys only"),
        ({"token_endpoint_auth_signing_alg": "RS256"}, "fit a key"),
        ({"token_endpoint_auth_signing_alg": "HS256"}, "fit a key"),
        ({"token_endpoint_auth_signing_alg": "none"}, "fit a key"),
    ],
)
def test_a_signing_client_without_fitting_keys_is_refused(fields, reason):
    """It could never authenticate."""
    assert reason in refused({**SIGNING, **fields})


def test_keys_of_other_clients_are_not_kept():
    """Nothing would use them."""
    document = {**PUBLIC, "jwks": KEYS, "token_endpoint_auth_signing_alg": "ES256"}

    assert read(document) == read(PUBLIC)


def test_c171_c173_a_client_does_not_choose_what_is_ours():
    """Ids, secrets, flags and unverified statements are ignored as if they were not there."""
    ours = {
        "client_id": "admin",
        "client_secret": "chosen",
        "client_id_issued_at": 0,
        "client_secret_expires_at": 1,
        "registration_access_token": "x",
        "registration_client_uri": "https://example.com/",
        "secret_hash": "x",
        "static": True,
        "created_at": 1,
        "id": 1,
        "skip_consent": True,
        "first_party": True,
        "scope": "urn:synapse:admin:*",
        "software_statement": "e30.e30." + "a" * 5000,
        "sector_identifier_uri": "http://169.254.169.254/",
        "request_uris": ["http://169.254.169.254/"],
        "initiate_login_uri": "http://169.254.169.254/",
        "backchannel_logout_uri": "http://169.254.169.254/",
    }

    assert read({**PUBLIC, **ours}) == read(PUBLIC)


def test_missing_contacts_and_unknown_fields_do_no_harm():
    """Clients broke on servers that insisted on contacts."""
    assert read({**PUBLIC, "contacts": ["a@example.com"], "future": {"a": [1]}}) == read(PUBLIC)


def test_c166_equal_registrations_have_one_digest():
    """In any order of keys and arrays; different redirect URIs never collapse."""
    golden = GOLDEN["the example of the Client-Server API"]
    shuffled = dict(reversed(golden.items())) | {"grant_types": golden["grant_types"][::-1]}
    other = golden | {"redirect_uris": ["https://example.com/callback"]}

    assert client_metadata.digest(read(shuffled)) == client_metadata.digest(read(golden))
    assert client_metadata.digest(read(other)) != client_metadata.digest(read(golden))


def test_on_a_loopback_homeserver_a_web_client_is_developed_on_loopback():
    """Both in plain http on one machine; and nowhere else."""
    document = {
        **PUBLIC,
        "client_uri": "http://localhost:5173/",
        "redirect_uris": ["http://localhost:5173/cb"],
        "logo_uri": "http://localhost:5173/logo.png",
    }

    assert read(document, ON_LOOPBACK).host == "localhost"
    assert "homeserver itself" in refused(
        {**document, "redirect_uris": ["http://localhost:8008/cb"]},
        ON_LOOPBACK,
        code="invalid_redirect_uri",
    )
    assert "subdomain" in refused({**document, "logo_uri": "http://127.0.0.1/x"}, ON_LOOPBACK)
    assert "scheme" in refused({**document, "client_uri": "http://u@localhost/"}, ON_LOOPBACK)
    assert "scheme must be https" in refused(document)


def test_the_description_names_field_value_and_rule():
    """A developer can repair the client without reading our log."""
    assert refused({**PUBLIC, "tos_uri": "https://other.com/tos"}) == (
        "tos_uri 'https://other.com/tos': its host 'other.com' must be that of client_uri, "
        "'example.com', or a subdomain of it"
    )


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars | st.sampled_from(["https://example.com/", "com.example:/", "none", "code", "RS256"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
names = st.sampled_from(
    [
        *("client_name", "client_name#fr", "client_uri", "logo_uri", "redirect_uris", "contacts"),
        *("grant_types", "response_types", "token_endpoint_auth_method", "jwks", "jwks_uri"),
        *("application_type", "id_token_signed_response_alg", "tos_uri#de", "other"),
    ]
)


@settings(deadline=None)  # the first example reads the list of public suffixes
@given(st.dictionaries(names, values, max_size=5), st.sampled_from([PUBLIC, SIGNING, {}]), values)
def test_any_json_is_a_registration_or_refused(fields, valid, value):
    """Never another exception; what is taken survives the store and looks the same there."""
    for document in ({**valid, **fields}, value):
        metadata = attempt(document)
        if isinstance(metadata, OAuthError):
            refused(document, code=metadata.code)
        else:
            stored = client_metadata.from_json(client_metadata.to_json(metadata))

            assert stored == metadata
            assert client_metadata.digest(stored) == client_metadata.digest(metadata)


@pytest.mark.parametrize("letter", ["x", "\u00fc", "\u5bb6", "\U0001f600", "\\", '"'])
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_a_document_has_16_kilobytes_however_it_is_spelled(letter, ensure_ascii):
    """Of UTF-8: an escaped character counts as what it stands for."""
    written = len(json.dumps({"x": letter}, ensure_ascii=False).encode()) - len('{"x": ""}')

    def body(size):
        count, rest = divmod(size - len('{"x": ""}'), written)
        text = letter * count + "-" * rest
        return json.dumps({"x": text}, ensure_ascii=ensure_ascii).encode()

    assert refuse_size(body(MAX_DOCUMENT)) is None
    refused = refuse_size(body(MAX_DOCUMENT + 1))
    assert (refused.code, refused.status) == ("invalid_client_metadata", 400)


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.booleans())
def test_the_size_is_that_of_the_document_without_escapes(text, ensure_ascii):
    """For any text, one that looks like an escape included."""
    plain = json.dumps({"x": text}, ensure_ascii=False).encode()
    # JSON has no other way to write control characters, and they count for one.
    short = sum(5 for letter in text if letter < " " and letter not in "\b\f\n\r\t")
    padding = b" " * (MAX_DOCUMENT - len(plain) + short)

    written = json.dumps({"x": text}, ensure_ascii=ensure_ascii).encode()

    assert refuse_size(written + padding) is None
    assert refuse_size(written + padding + b" ") is not None
