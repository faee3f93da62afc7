"""Client authentication: one mechanism, the registered one."""

import base64
import itertools
from urllib.parse import quote_plus

import attrs
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.clients import authentication, jwks
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.authentication import Accepted, Credentials
from synapse_nextgen_auth.oauth.clients.client_assertion import TYPE
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.secret import Secret

NONE, BASIC, POST, JWT = (
    AuthMethod.NONE,
    AuthMethod.SECRET_BASIC,
    AuthMethod.SECRET_POST,
    AuthMethod.PRIVATE_KEY_JWT,
)

NOW = 1_700_000_000
ISSUER = "https://matrix.example.com/_synapse/client/auth/"
KEY = ec.generate_private_key(ec.SECP256R1())
JWK = jwt.get_algorithm_by_name("ES256").to_jwk(KEY.public_key(), as_dict=True)
CLIENT = Client(client_id="c1", jwks=jwks.canonical({"keys": [JWK]}))


def sign(**changes):
    """Write an assertion of the client."""
    claims = {"iss": "c1", "sub": "c1", "aud": ISSUER, "exp": NOW + 60, "jti": "one"}
    return jwt.encode({**claims, **changes}, KEY, algorithm="ES256")


ASSERTION = sign()


def basic(text):
    """Write a Basic header around `text`."""
    return "Basic " + base64.b64encode(text.encode()).decode()


def attempt(authorization=None, **form):
    """Return the credentials or the refusal."""
    try:
        return authentication.read(authorization, form)
    except OAuthError as error:
        return error


def refused(authorization=None, **form):
    """Return our reason; the client only hears invalid_client, the same for every cause."""
    error = attempt(authorization, **form)
    assert isinstance(error, OAuthError), error
    assert (error.code, error.status) == ("invalid_client", 401)
    assert error.description == "Client authentication failed"
    return error.detail


def test_c083_a_public_client_names_itself():
    """client_id in the body is required (RFC 6749 section 3.2.1) and all there is."""
    assert attempt(client_id="c1", grant_type="x") == Credentials(NONE, "c1")
    assert "missing" in refused()
    assert "missing" in refused(client_id="")


def test_a_secret_comes_in_the_header():
    """client_secret_basic; the body may repeat the client_id."""
    expected = Credentials(BASIC, "c1", secret=Secret("s1"))

    assert attempt(basic("c1:s1")) == expected
    assert attempt(basic("c1:s1"), client_id="c1") == expected
    assert attempt(basic("c1:s1"), client_id="", client_secret="") == expected


@pytest.mark.parametrize("value", ["a b", "a+b", "a%b", "a:b", "a&b=c", "~!@#$^*()", "100%25"])
def test_c086_both_parts_are_form_urlencoded(value):
    """RFC 6749 section 2.3.1: a colon, a plus and a percent sign survive."""
    header = basic(f"{quote_plus(value)}:{quote_plus(value)}")

    assert attempt(header) == Credentials(BASIC, value, secret=Secret(value))


def test_a_colon_in_the_secret_may_stand_as_it_is():
    """Many clients encode nothing."""
    assert attempt(basic("c1:a:b")) == Credentials(BASIC, "c1", secret=Secret("a:b"))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic  " + basic("c1:s1")[6:],
        "basic " + basic("c1:s1")[6:],
        "BASIC " + basic("c1:s1")[6:],
        "Bearer abc",
        "Basic\t" + basic("c1:s1")[6:],
        basic("c1:s1") + "\n",
        basic("c1:s1") + ",",
        basic("c1:s1") + "=",
        "Basic !!!!",
        "Basic Yw",
        "Basic \u00e9\u00e9\u00e9\u00e9",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        basic("c1"),
        basic(":"),
        basic("c1:"),
        basic(":s1"),
        basic("c1:%00"),
        basic("c1:%ff"),
        basic("%ff:s1"),
        basic("c1%0a:s1"),
        basic("c1:\u00e9"),
        basic("c" * 256 + ":s1"),
        basic("c1:" + "s" * 1025),
        "Basic " + "A" * 50_000,
    ],
)
def test_c086_malformed_basic_credentials_are_refused(header):
    """Bad base64, no colon, empty parts, another spelling of the scheme: always the same."""
    refused(header)
    refused(header, client_id="c1")


def test_a_secret_comes_in_the_body():
    """client_secret_post."""
    assert attempt(client_id="c1", client_secret="s1") == Credentials(
        POST, "c1", secret=Secret("s1")
    )
    assert "missing" in refused(client_secret="s1")
    assert "malformed" in refused(client_id="c1", client_secret="s\x00")


def test_an_assertion_names_its_client():
    """client_id is optional beside it (RFC 7521 section 4.2)."""
    text = sign()
    expected = Credentials(JWT, "c1", assertion=Secret(text))

    assert attempt(client_assertion=text, client_assertion_type=TYPE) == expected
    assert attempt(client_assertion=text, client_assertion_type=TYPE, client_id="c1") == expected


@pytest.mark.parametrize(
    "form",
    [
        {"client_assertion": "x"},
        {"client_assertion_type": TYPE},
        {"client_assertion": "x", "client_assertion_type": "saml"},
        {"client_assertion": "x", "client_assertion_type": TYPE},
        {"client_assertion": "x" * 8193, "client_assertion_type": TYPE, "client_id": "c1"},
    ],
)
def test_half_an_assertion_is_refused(form):
    """Both parameters, the right type, a readable client."""
    refused(**form)


def test_c083_c085_two_mechanisms_are_one_too_many():
    """RFC 6749 section 2.3: not more than one method per request."""
    assertion = {"client_assertion": sign(), "client_assertion_type": TYPE}
    mechanisms = [
        {"authorization": basic("c1:s1")},
        {"client_secret": "s1"},
        assertion,
    ]

    for one, other in itertools.combinations(mechanisms, 2):
        assert "more than one" in refused(**one, **other, client_id="c1")


def test_the_header_and_the_body_must_agree():
    """Otherwise a log shows one client and a token goes to another."""
    assert "differs" in refused(basic("c1:s1"), client_id="c2")


@pytest.mark.parametrize("client_id", ["c\x00", "c\n", "\u00e9", "\ud800", "c" * 256, "c" * 50_000])
def test_c213_a_malformed_client_id_is_refused(client_id):
    """It would not reach the database in one piece."""
    refused(client_id=client_id)


def test_secrets_do_not_show():
    """Whoever logs credentials logs stars."""
    assert "s1" not in repr(attempt(basic("c1:s1")))
    assert ASSERTION not in repr(attempt(client_assertion=ASSERTION, client_assertion_type=TYPE))


class Verifier:
    """Stands for argon2: knows one pair of hash and secret, and counts."""

    def __init__(self):
        self.calls = 0

    def __call__(self, stored, secret):
        self.calls += 1
        return (stored, secret) == ("hash", "s1")


def client_with(method):
    """Return a client that registered this method."""
    secret_hash = "hash" if method.needs_secret else None
    return attrs.evolve(CLIENT, auth_method=method, secret_hash=secret_hash)


def credentials_with(method, client_id="c1", secret="s1"):
    """Return what a client using this method would send."""
    return Credentials(
        method,
        client_id,
        secret=Secret(secret) if method.needs_secret else None,
        assertion=Secret(ASSERTION) if method is JWT else None,
    )


def check(client, credentials, verify=None):
    """Return what is accepted, or our reason against it."""
    verify = verify or Verifier()
    try:
        return authentication.authenticate(
            client, credentials, audience={ISSUER}, now=NOW, verify_secret=verify
        )
    except OAuthError as error:
        return error.detail if error.code == "invalid_client" else error


@pytest.mark.parametrize(
    ("registered", "used"), list(itertools.product(AuthMethod, AuthMethod)), ids=str
)
def test_c085_only_the_registered_method_authenticates(registered, used):
    """No downgrade, no upgrade, even if the secret is right."""
    found = check(client_with(registered), credentials_with(used))

    if registered is not used:
        assert found == f"the client registered {registered.value} and used {used.value}"
    elif used is JWT:
        assert found == Accepted(jti="one", expires_at=NOW + 75)
    else:
        assert found == Accepted()


@pytest.mark.parametrize("method", [BASIC, POST])
def test_a_wrong_secret_is_refused(method):
    """Compared by the password hash, which is constant in time."""
    assert (
        check(client_with(method), credentials_with(method, secret="s2")) == "wrong client secret"
    )
    assert check(client_with(method), Credentials(method, "c1")) == "wrong client secret"


def test_a_client_that_lost_its_hash_is_refused():
    """An absent hash is no open door."""
    client = attrs.evolve(client_with(BASIC), secret_hash=None)

    assert check(client, credentials_with(BASIC)) == "wrong client secret"


def test_c091_a_secret_is_always_checked_once():
    """Whatever else is wrong, a refusal takes as long as that of a wrong secret."""
    for credentials in (
        credentials_with(BASIC),
        credentials_with(BASIC, secret="wrong"),
        credentials_with(POST),
        credentials_with(BASIC, client_id="c2"),
    ):
        verify = Verifier()
        check(client_with(BASIC), credentials, verify)

        assert verify.calls == 1


def test_credentials_of_another_client_are_refused():
    """A caller who looked up the wrong client is not believed."""
    assert check(client_with(NONE), credentials_with(NONE, client_id="c2")).startswith(
        "credentials"
    )


def test_a_bad_assertion_is_refused():
    """And so is none at all."""
    wrong = Credentials(JWT, "c1", assertion=Secret(sign(aud="https://other.example/")))

    assert "aud" in check(client_with(JWT), wrong)
    assert "not a signed JWT" in check(client_with(JWT), Credentials(JWT, "c1"))


texts = st.text(alphabet=st.characters(codec=None), max_size=30)
headers = (
    st.none()
    | texts
    | texts.map("Basic ".__add__)
    | st.binary(max_size=30).map(lambda raw: "Basic " + base64.b64encode(raw).decode())
)
fields = st.sampled_from(
    ["client_id", "client_secret", "client_assertion", "client_assertion_type"]
)


@settings(deadline=None)  # signatures and keys take their time
@given(headers, st.dictionaries(fields, texts | st.just(TYPE) | st.just("c1")))
def test_any_request_is_read_or_refused(header, form):
    """Never another exception; what is read can be stored, compared and checked."""
    credentials = attempt(header, **form)
    if isinstance(credentials, OAuthError):
        assert credentials.code == "invalid_client"
        return

    assert credentials.client_id.isascii()
    assert credentials.client_id.isprintable()
    for method in AuthMethod:
        assert check(client_with(method), credentials)
