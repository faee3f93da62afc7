"""The small parts of a sign-in through a provider, without a server."""

import asyncio
import base64
import json

import pytest
from synapse.api.errors import HttpResponseException, SynapseError
from twisted.internet.defer import CancelledError

from synapse_nextgen_auth.accounts.attempts.arrivals import KEPT, Statement, Trouble
from synapse_nextgen_auth.homeserver.people.providers import emails, guard, statements
from synapse_nextgen_auth.homeserver.people.providers.afresh import asking, prompt_for_another
from synapse_nextgen_auth.homeserver.people.providers.arrival_cookie import ArrivalCookie
from synapse_nextgen_auth.homeserver.people.providers.identities import check_subject, refuse_id
from synapse_nextgen_auth.secret import random_token

COOKIE = ArrivalCookie(is_https=True)


def held(*values):
    """Return the header that a browser sends back."""
    _, text = COOKIE.write(values)
    return text.partition(";")[0].encode()


def test_c191_the_cookie_holds_a_few_answers_and_never_grows():
    """After a hundred arrivals it is as long as after five, and has the newest of them."""
    values = ()
    for _ in range(100):
        newest = random_token()
        values = (newest, *COOKIE.read([held(*values)]))

    header = held(*values)
    assert len(header) < 300
    assert len(COOKIE.read([header])) == KEPT
    assert COOKIE.read([header])[0] == newest


def test_the_cookie_is_for_this_host_alone_and_goes_with_a_get():
    _, text = COOKIE.write([random_token()])

    assert text.startswith("__Host-nextgen_arrival=")
    for word in ("Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600"):
        assert word in text.split("; ")
    assert "Max-Age=0" in COOKIE.write([])[1]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [b"other=1"],
        [b"__Host-nextgen_arrival="],
        [b"__Host-nextgen_arrival=short"],
        [b"__Host-nextgen_arrival=\xff\xfe"],
        [b"nextgen_arrival=" + b"a" * 43],
        # Two of one name: somebody planted one (C189).
        [b"__Host-nextgen_arrival=" + b"a" * 43, b"__Host-nextgen_arrival=" + b"b" * 43],
    ],
)
def test_c189_an_odd_cookie_is_none(headers):
    assert COOKIE.read(headers) == ()


@pytest.mark.parametrize("found", [None, "", True, False, 1.5, [], ["17"], {"id": 1}, b"17"])
def test_c269_what_is_no_id_is_nobody(found):
    """Synapse would make a text of it, and of every person without one the same."""
    with pytest.raises(ValueError, match="does not say who this is"):
        check_subject(found)


@pytest.mark.parametrize(
    ("remote_id", "is_good"),
    [
        ("17", True),
        (" 17", True),
        ("x" * 255, True),
        ("", False),
        ("x" * 256, False),
        ("a\0b", False),
        ("a\ud800b", False),
        (None, False),
    ],
)
def test_c269_an_id_is_compared_byte_for_byte(remote_id, is_good):
    """So it is text of a length that a table keeps, and nothing is taken off it."""
    check_subject(17)

    assert (refuse_id(remote_id) is None) is is_good


@pytest.mark.parametrize(
    ("sid", "kept"),
    [
        ("S-1", "S-1"),
        ("two words, ü", "two words, ü"),
        ("x" * 255, "x" * 255),
        ("x" * 256, None),
        ("a\0b", None),
        ("a\ud800b", None),
        ("", None),
        (None, None),
        (17, None),
        (True, None),
        (["S-1"], None),
        ({"sid": "S-1"}, None),
    ],
)
def test_c269_what_a_provider_calls_its_sign_in_is_a_name_or_nothing(sid, kept):
    """Synapse hands on whatever stands in the ID token, and a table keeps it."""
    assert statements.session(sid) == kept


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (ValueError("no JSON"), Trouble.BROKEN),
        (KeyError("id_token"), Trouble.BROKEN),
        (SyntaxError("no XML"), Trouble.BROKEN),
        (SynapseError(400, "odd"), Trouble.BROKEN),
        (SynapseError(504, "slow"), Trouble.UNAVAILABLE),
        (ConnectionError("away"), Trouble.UNAVAILABLE),
        (CancelledError(), Trouble.UNAVAILABLE),
        (HttpResponseException(503, "down", b""), Trouble.UNAVAILABLE),
    ],
)
def test_c275_what_fails_is_told_from_what_makes_no_sense(error, trouble):
    assert guard.trouble_of(error) is trouble


def id_token(**claims):
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return {"id_token": f"e30.{payload}.sig"}


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ({}, Statement()),
        ({"id_token": None}, Statement()),
        (
            id_token(amr=["pwd", "otp"], acr="urn:x:2", auth_time=17),
            Statement(amr="pwd otp", acr="urn:x:2", auth_time=17),
        ),
        # As some providers send them.
        (id_token(amr="pwd", auth_time=17.9), Statement(amr="pwd", auth_time=17)),
        # What makes no sense says nothing, and breaks nothing.
        (id_token(amr={"a": 1}, acr=3, auth_time="17"), Statement()),
        (id_token(amr=[1, "", "two words", "a\nb", "x" * 999], auth_time=True), Statement()),
        (id_token(auth_time=-1, acr=""), Statement()),
        (id_token(auth_time=1e300), Statement()),
    ],
)
def test_what_an_id_token_says(token, said):
    assert statements.of_id_token(token) == said


@pytest.mark.parametrize(
    ("session", "said"),
    [
        ({}, Statement()),
        ({"authn_info": []}, Statement()),
        (
            {"authn_info": [("urn:oasis:x:Password", [], "2026-11-27T10:00:00Z")]},
            Statement(acr="urn:oasis:x:Password", auth_time=1795773600),
        ),
        ({"authn_info": [("urn:x", [], "2026-11-27T10:00:00.250Z")]}, None),
        ({"authn_info": [("urn:x", [], "yesterday")]}, Statement(acr="urn:x")),
        ({"authn_info": [("urn:x", [])]}, Statement(acr="urn:x")),
    ],
)
def test_what_a_saml_assertion_says(session, said):
    expected = said or Statement(acr="urn:x", auth_time=1795773600)

    assert statements.of_assertion(session) == expected


class Known:
    """A store that knows one address."""

    async def get_user_id_by_threepid(self, medium, address):
        return "@tina:localhost" if (medium, address) == ("email", "tina@example.com") else None


@pytest.mark.parametrize(
    ("email", "is_free"),
    [
        ("new@example.com", True),
        ("New@Example.COM", True),
        ("tina@example.com", False),
        ("TINA@Example.com", False),
        # A look-alike is another address (C267).
        ("t\u0456na@example.com", True),
        ("x" * 242 + "@example.com", True),
        ("x" * 243 + "@example.com", False),
        *((odd, False) for odd in ("", "@", "a@", "@b", "a b@c", "a@b@c", "a\0@b", "a@\nb")),
        *((odd, False) for odd in (None, 17, True, ["a@b"], b"a@b")),
    ],
)
def test_c267_a_new_account_gets_addresses_of_nobody_else(email, is_free):
    """Whatever stands in the provider's answer."""
    found = asyncio.run(emails.free(Known(), [email]))

    assert found == ([email] if is_free else [])


def test_a_fresh_sign_in_is_asked_for_in_place_of_what_was_configured():
    url = "https://idp.example/auth?client_id=x&prompt=none&state=a%20b&empty="

    assert asking(url, prompt="login", max_age="0") == (
        "https://idp.example/auth?client_id=x&state=a+b&empty=&prompt=login&max_age=0"
    )


@pytest.mark.parametrize(
    ("metadata", "is_openid", "prompt"),
    [
        ({}, True, "login"),
        ({"prompt_values_supported": ["none", "login", "select_account"]}, True, "select_account"),
        ({"prompt_values_supported": ["none", "login", "consent"]}, True, "login"),
        ({"prompt_values_supported": "select_account"}, True, "login"),
        ({"prompt_values_supported": None}, True, "login"),
        ({"issuer": "https://accounts.google.com"}, True, "select_account"),
        ({}, False, "select_account"),
    ],
)
def test_who_wants_another_account_is_asked_by_what_a_provider_knows(metadata, is_openid, prompt):
    """`login` is what each knows; Keycloak lists what it knows, Google and panva's provider nothing."""
    assert prompt_for_another(metadata, is_openid=is_openid) == prompt
