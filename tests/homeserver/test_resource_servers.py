"""Services of others that take our tokens: each token is for one of them (RFC 8707, RFC 9068)."""

import re
import time
from functools import partial
from urllib.parse import quote_plus

import jwt
import pytest
import requests
from authlib.oauth2.rfc6750.errors import InvalidTokenError
from authlib.oauth2.rfc7662 import IntrospectTokenValidator
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.jwk import KeySet

from support.answers import assert_refused
from support.oauth import API, DEVICE, Browser, Client, claims, device_id
from support.public import (
    CALENDAR,
    CALLBACK,
    HARVESTER,
    ISSUER,
    KEY,
    SECRET,
    WIKI,
)
from support.services import INACTIVE, PROOF, SERVICE, as_wiki, begun, got, look, renewed

pytestmark = pytest.mark.newest_only


@pytest.fixture(scope="module")
def homeserver(public_homeserver):
    return public_homeserver


@pytest.fixture
def server(public_server):
    return public_server


@pytest.fixture
def client(server):
    return Client(server, {"client_id": "basic", "redirect_uris": [CALLBACK]})


@pytest.fixture
def begin(server, client, user):
    """Return a function that signs the user in; the code is still to be redeemed."""
    return partial(begun, server, client, user)


@pytest.fixture
def ask(server):
    """Return a function that asks for tokens."""

    def asked(form, **more):
        return server.post("token", form | more, **PROOF)

    return asked


class Validator(JWTBearerTokenValidator):
    """A resource server of others, which knows our address and nothing else."""

    def __init__(self, server, resource):
        super().__init__(issuer=ISSUER, resource_server=resource)
        self._keys = requests.get(server.url("keys"), timeout=30).json()

    def get_jwks(self):
        return KeySet.import_key_set(self._keys)

    def takes(self, text, *scopes):
        token = self.authenticate_token(text)
        self.validate_token(token, list(scopes), None)
        return token


class Asking(IntrospectTokenValidator):
    """A resource server of others that asks."""

    def __init__(self, server, by):
        super().__init__()
        self._server, self._by = server, by

    def introspect_token(self, token_string):
        return look(self._server, token_string, by=None, **self._by)


def test_a_jwt_is_for_its_service_alone(server, begin, ask, user):
    """Taken by a library of others there; by nothing else, and by nothing here."""
    form = begin("openid calendar.read calendar.write", resource=CALENDAR)
    tokens = got(ask(form, resource=CALENDAR))
    token = tokens["access_token"]

    said = Validator(server, CALENDAR).takes(token, "calendar.read", "calendar.write")
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert said.keys() == {
        *("iss", "aud", "sub", "client_id", "scope", "jti", "iat", "exp"),
        *("auth_time", "acr", "amr"),
    }
    assert (said["sub"], said["client_id"]) == (user.user_id, "basic")
    assert said["scope"] == tokens["scope"] == "calendar.read calendar.write"
    assert said["exp"] - said["iat"] == tokens["expires_in"] == 600
    assert abs(said["auth_time"] - time.time()) < 60
    assert claims(tokens["id_token"])["sub"] == user.user_id
    for resource in (WIKI, "https://lamp.example.org/", ISSUER, "basic"):
        with pytest.raises(InvalidTokenError):
            Validator(server, resource).takes(token)
    assert server.whoami(token).status_code == 401
    userinfo = server.api("GET", "/_synapse/client/auth/userinfo", token)
    assert userinfo.status_code == 401
    assert 'error="invalid_token"' in userinfo.headers["WWW-Authenticate"]


def test_one_session_has_tokens_for_each_of_its_services(server, begin, ask):
    """By `resource`; without it for Matrix, and no token says anything of another place."""
    matrix = f"{API} {DEVICE}{device_id()}"
    tokens = got(ask(begin(f"{matrix} calendar.read wiki lamp")))
    assert tokens["scope"] == matrix
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert server.api("GET", "/_matrix/client/v3/joined_rooms", tokens["access_token"]).ok

    for resource, scope in ((CALENDAR, "calendar.read"), (WIKI, "wiki"), (ISSUER, matrix)):
        tokens = got(ask(renewed(tokens, resource=resource)))
        assert tokens["scope"] == scope
        is_matrix = scope == matrix
        assert (server.whoami(tokens["access_token"]).status_code == 200) is is_matrix
    tokens = got(ask(renewed(tokens, resource="https://lamp.example.org/")))
    assert jwt.get_unverified_header(tokens["access_token"])["alg"] == "ES256"
    assert Validator(server, "https://lamp.example.org/").takes(tokens["access_token"], "lamp")
    assert server.whoami(got(ask(renewed(tokens)))["access_token"]).status_code == 200


def test_a_refresh_narrows_and_never_widens(begin, ask):
    tokens = got(ask(begin("openid calendar.read calendar.write"), resource=CALENDAR))
    less = got(ask(renewed(tokens, resource=CALENDAR, scope="openid calendar.read")))

    assert less["scope"] == claims(less["access_token"])["scope"] == "calendar.read"
    for more, code in (
        ({"resource": CALENDAR, "scope": "openid"}, "invalid_scope"),
        ({"resource": WIKI}, "invalid_target"),
        ({"resource": "https://unknown.example.org/"}, "invalid_target"),
    ):
        assert_refused(ask(renewed(less, **more)), code)
    again = got(ask(renewed(less, resource=CALENDAR)))
    assert again["scope"] == "calendar.read calendar.write"


def test_what_was_asked_for_elsewhere_alone_opens_nothing_here(server, begin, ask, user):
    """And needs no `resource` where there is only one."""
    tokens = got(ask(begin("calendar.read")))

    assert claims(tokens["access_token"])["aud"] == CALENDAR
    assert "id_token" not in tokens
    assert_refused(ask(renewed(tokens, resource=ISSUER)), "invalid_target")
    assert got(ask(renewed(tokens)))["scope"] == "calendar.read"


@pytest.mark.parametrize(
    "resource", ["https://unknown.example.org/", "/calendar", f"{CALENDAR}#part", [CALENDAR, WIKI]]
)
def test_c387_a_resource_that_stands_for_nothing_is_refused(server, client, begin, ask, resource):
    """Unknown, relative, with a fragment, or two of them; nothing is spent on it."""
    parameters, _ = client.request(scope="calendar.read", resource=resource)
    answer = Browser(server).authorize(parameters)
    assert answer.status_code == 303, answer.text
    assert "error=invalid_target" in answer.headers["Location"]

    form = begin("calendar.read")
    code = "invalid_request" if isinstance(resource, list) else "invalid_target"
    assert_refused(ask(form, resource=resource), code)
    assert got(ask(form, resource=CALENDAR))["scope"] == "calendar.read"


def test_c387_a_device_that_asks_is_told_as_well(server):
    asks = {"client_id": "wall-display", "scope": "calendar.read"}

    unknown = server.post("device-authorization", asks | {"resource": "urn:example:unknown"})
    assert_refused(unknown, "invalid_target")
    assert_refused(server.post("device-authorization", asks | {"resource": WIKI}), "invalid_scope")


def test_a_device_gets_a_token_for_a_service(server, user):
    """Its page says which; the code is redeemed for that service."""
    asks = {"client_id": "wall-display", "scope": "wiki", "resource": WIKI}
    codes = got(server.post("device-authorization", asks))
    browser = Browser.of(server, user)
    browser.get(server.url("link"), params={"user_code": codes["user_code"]})
    page = browser.submit(user_code=codes["user_code"], decision="continue")
    assert "Write pages in your name" in page.text
    browser.submit(confirm="yes", decision="approve")
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": codes["device_code"],
        "client_id": "wall-display",
    }
    tokens = got(server.post("token", form))

    assert tokens["scope"] == "wiki"
    assert look(server, tokens["access_token"], by=None, **as_wiki())["aud"] == WIKI


def test_the_page_says_what_goes_where(server, client, user):
    """In the words of the operator, in the reader's language, beside what is of Matrix."""
    parameters, _ = client.request(scope="openid calendar.read wiki", ui_locales="de")
    page = Browser.of(server, user).authorize(parameters)

    for words in ("Kalender", "Ihre Termine sehen", "calendar.example.org", "Write pages"):
        assert words in page.text
    assert "Change your appointments" not in page.text


def test_c134_a_service_hears_of_its_own_tokens_alone(server, begin, ask, user):
    """By its secret or key; a token of Matrix, and one for another service, is none to it."""
    matrix = f"{API} {DEVICE}{device_id()}"
    tokens = [got(ask(begin(f"{matrix} calendar.read wiki")))]
    for resource in (CALENDAR, WIKI):
        tokens.append(got(ask(renewed(tokens[-1], resource=resource))))
    access = [each["access_token"] for each in tokens]
    expected = {"active": True, "client_id": "basic", "sub": user.user_id, "iss": ISSUER}

    found = look(server, access[1])
    assert found.items() >= (expected | {"aud": CALENDAR, "scope": "calendar.read"}).items()
    assert found["jti"] == claims(access[1])["jti"]
    assert found["exp"] == claims(access[1])["exp"]
    assert look(server, access[0]) == look(server, access[2]) == INACTIVE
    assert look(server, tokens[-1]["refresh_token"]) == INACTIVE
    found = look(server, access[2], by=None, **as_wiki())
    assert found.items() >= (expected | {"aud": WIKI, "scope": "wiki"}).items()
    assert 0 < found["exp"] - time.time() <= 300
    for token in (access[0], access[1], tokens[-1]["refresh_token"]):
        assert look(server, token, by=None, **as_wiki()) == INACTIVE
    # The client hears of all of them.
    assert all(look(server, each, by=PROOF)["active"] for each in access)
    # Nobody else does, with a secret or without one.
    for token in access:
        assert_refused(server.post("introspect", {"token": token}), "invalid_client", status=401)
        wrong = {"auth": ("calendar", "wrong")}
        answer = server.post("introspect", {"token": token}, **wrong)
        assert_refused(answer, "invalid_client", status=401)
        other = {"client_id": "post", "client_secret": SECRET}
        assert look(server, token, by=None, **other) == INACTIVE


def test_c135_a_service_hears_of_the_end_at_once(server, homeserver, begin, ask):
    """A signature goes on being good: who wants to know of a sign-out asks, or takes short lives."""
    first = got(ask(begin("openid calendar.read wiki"), resource=CALENDAR))
    second = got(ask(renewed(first, resource=WIKI)))
    access = first["access_token"], second["access_token"]
    asking = Asking(server, as_wiki())
    asking.validate_token(asking.authenticate_token(access[1]), ["wiki"], None)
    server.post("revoke", {"token": second["refresh_token"]}, **PROOF)

    assert look(server, access[0]) == INACTIVE
    assert Validator(server, CALENDAR).takes(access[0], "calendar.read")
    asking = Asking(server, as_wiki())
    with pytest.raises(InvalidTokenError):
        asking.validate_token(asking.authenticate_token(access[1]), ["wiki"], None)


def test_c135_nothing_that_only_looks_like_one_is_active(server, begin, ask):
    """Changed, of another type, or signed by somebody else."""
    tokens = got(ask(begin("openid calendar.read"), resource=CALENDAR))
    access = tokens["access_token"]
    said = claims(access)
    forged = jwt.encode(said, KEY, algorithm="ES256", headers={"kid": "k1", "typ": "at+jwt"})
    header = jwt.get_unverified_header(access)
    kid = header["kid"]
    same_kid = jwt.encode(said, KEY, algorithm="ES256", headers={"kid": kid, "typ": "at+jwt"})
    unsigned = jwt.encode(said, None, algorithm="none", headers={"kid": kid, "typ": "at+jwt"})

    for text in (
        access[:-4],
        access + "A",
        tokens["id_token"],
        forged,
        same_kid,
        unsigned,
        "a.b.c",
    ):
        assert look(server, text) == INACTIVE, text
        assert look(server, text, by=PROOF) == INACTIVE, text
    assert look(server, access)["active"] is True


def test_a_service_can_sign_nobody_out(server, begin, ask):
    """It holds a token that was made for it: revoking that would take the person's device."""
    tokens = [got(ask(begin(f"{API} {DEVICE}{device_id()} calendar.read wiki")))]
    for resource in (CALENDAR, WIKI):
        tokens.append(got(ask(renewed(tokens[-1], resource=resource))))
        answer = server.post("revoke", {"token": tokens[-1]["access_token"]})
        assert_refused(answer, "unsupported_token_type")

    assert server.whoami(tokens[0]["access_token"]).status_code == 200
    assert got(ask(renewed(tokens[-1])))


def test_a_service_gets_no_tokens_itself(server):
    """It is known to say who it is, and for nothing else."""
    for form in (
        {"grant_type": "client_credentials", "scope": "calendar.read"},
        {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK},
    ):
        assert_refused(server.post("token", form, **SERVICE), "unauthorized_client")
    asked = server.post("device-authorization", {"scope": "openid"}, **SERVICE)
    assert_refused(asked, "unauthorized_client")
    query = {"client_id": "calendar", "response_type": "code", "redirect_uri": CALLBACK}
    assert requests.get(server.url("authorize"), params=query, timeout=30).status_code == 400


def test_a_program_by_itself_has_tokens_for_services(homeserver, server):
    """For the one that the configuration says where its request names none; nobody signed in for it."""
    user = homeserver.register_user(HARVESTER)
    proof = {"auth": ("harvester", quote_plus(SECRET))}
    form = {"grant_type": "client_credentials"}
    usual = got(server.post("token", form, **proof))
    named = got(server.post("token", form | {"resource": CALENDAR}, **proof))

    assert "refresh_token" not in usual
    found = look(server, usual["access_token"], by=None, **as_wiki())
    assert (found["scope"], found["client_id"]) == ("wiki", "harvester")
    assert not found.keys() & {"auth_time", "acr", "amr"}
    said = Validator(server, CALENDAR).takes(named["access_token"], "calendar.read")
    assert said["sub"] == f"@{HARVESTER}:localhost"
    assert not said.keys() & {"auth_time", "acr", "amr"}
    browser = Browser.of(server, user)
    assert "1 program of this server" in browser.get(server.url("account")).text
    devices = browser.get(server.url("account-devices")).text
    found = re.search(r"account-device\?id=~session[^\"]+", devices)
    shown = browser.get(server.url(found[0])).text
    assert "A program that the operator of this server set up" in shown
    assert "website" not in shown
    less = form | {"resource": CALENDAR, "scope": "wiki"}
    assert_refused(server.post("token", less, **proof), "invalid_scope")
    assert_refused(server.post("token", form | {"resource": ISSUER}, **proof), "invalid_target")


def test_what_is_remembered_of_a_consent_is_exactly_that(server, client, user):
    """A confidential client need not ask again for the same; for a service more, it must."""
    browser = Browser.of(server, user)

    def asks(scope, **more):
        page = browser.authorize(client.request(scope=scope, **more)[0])
        return page.status_code == 200

    assert asks("openid")
    browser.submit(decision="approve")
    assert not asks("openid")
    assert asks("openid calendar.read")
    parameters, verifier = client.request(scope="openid calendar.read")
    code = browser.let_in(parameters, user.localpart, user.password)["code"]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    got(server.post("token", form | {"redirect_uri": CALLBACK}, **PROOF))

    assert not asks("openid calendar.read")
    assert asks("openid calendar.read wiki")


def test_discovery_says_what_there_is(server):
    """Scopes that may be asked for, and for which services (RFC 9728 section 4)."""
    metadata = server.metadata()

    assert {"calendar.read", "calendar.write", "wiki", "lamp"} <= set(metadata["scopes_supported"])
    assert metadata["protected_resources"] == [CALENDAR, WIKI, "https://lamp.example.org/"]
