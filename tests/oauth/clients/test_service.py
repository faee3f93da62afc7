"""What a client is by itself: read from the configuration, and asked for in part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.clients import service
from synapse_nextgen_auth.oauth.clients.configured import read_static
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API, DEVICE

ENTRY = {
    "client_id": "backup",
    "client_secret": "a secret that both sides know",
    "grant_types": ["client_credentials"],
    "service_account": "backup",
    "scope": API,
}
UNSTABLE_API = "urn:matrix:org.matrix.msc2967.client:api:*"
UNSTABLE_DEVICE = "urn:matrix:org.matrix.msc2967.client:device:"


def read(**changes):
    entry = {name: value for name, value in (ENTRY | changes).items() if value is not None}
    return read_static(entry, read_file=lambda _: "").client.service


def refused(**changes):
    with pytest.raises(OAuthError) as raised:
        read(**changes)
    return raised.value.description


@pytest.mark.parametrize(
    ("written", "meant"),
    [("backup", "@backup:here.example"), ("@b:there.example", "@b:there.example")],
)
def test_an_account_is_written_short_or_in_full(written, meant):
    """And only one of this server can be signed in here."""
    found = read(service_account=written)

    assert found.user_id("here.example") == meant
    assert found.is_foreign("here.example") is ("there" in meant)


def test_the_matrix_api_comes_with_a_device_that_stays_the_same():
    """Written by the operator, or made of the client's id; another client has another one."""
    made = read().scope.device_id

    assert made is not None
    assert read(scope=f"{API} {ADMIN}").scope.device_id == made
    assert read(client_id="other").scope.device_id != made
    assert read(scope=f"{API} {DEVICE}CHOSEN0001").scope.device_id == "CHOSEN0001"
    assert read(scope=UNSTABLE_API).scope.tokens == (UNSTABLE_API, f"{UNSTABLE_DEVICE}{made}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"service_account": None}, "service_account must be the account"),
        ({"service_account": 7}, "service_account must be the account"),
        ({"service_account": "@"}, "service_account must be the account"),
        ({"service_account": "@backup"}, "service_account '@backup' must be @name:server"),
        ({"service_account": "backup:here"}, "service_account 'backup:here' must be @name:server"),
        ({"scope": None}, f"scope must say what client_credentials opens, such as {API}"),
        ({"scope": ""}, "scope must say"),
        ({"scope": [API]}, "scope must say"),
        ({"scope": f"{API}  {ADMIN}"}, "one space between two"),
        ({"scope": f"{API} openid"}, "openid takes a person who agrees"),
        ({"scope": ADMIN}, f"must also contain {API}"),
        ({"scope": f"{API} {DEVICE}short"}, "10 to 255 characters"),
        ({"grant_types": None, "redirect_uris": ["https://a.example/cb"]}, "is of no use without"),
    ],
)
def test_what_is_wrong_is_said(changes, words):
    """With the name of the field, and what would be right."""
    assert words in refused(**changes)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (None, {API, ADMIN, "device"}),
        (API, {API, "device"}),
        (f"{API} {ADMIN}", {API, ADMIN, "device"}),
        (f"{ADMIN} {API} unknown", {API, ADMIN, "device"}),
    ],
)
def test_a_request_may_want_less(text, tokens):
    """The device is the operator's word, so it need not be repeated."""
    known = read(scope=f"{API} {ADMIN}")
    found = service.part(known, text)

    assert {
        token.replace(f"{DEVICE}{found.device_id}", "device") for token in found.tokens
    } == tokens
    assert found.device_id == known.scope.device_id


@given(st.sets(st.sampled_from([API, ADMIN, "openid", f"{DEVICE}ANOTHER001", UNSTABLE_API, "x"])))
def test_no_request_gets_more_than_is_written(asked):
    """Whatever it names, in whichever spelling."""
    known = read(scope=API)
    try:
        part = service.part(known, " ".join(sorted(asked)))
    except OAuthError as error:
        got, refused = frozenset(), error.code
    else:
        got, refused = part.effective, None

    assert refused in {None, "invalid_scope"}
    assert got <= known.scope.effective


def test_a_program_may_have_parts_of_the_api_in_some_rooms():
    """Without a device, as it takes none; a request may ask for fewer rooms, and not for none."""
    written = "urn:nextgen-auth:send urn:nextgen-auth:room:!a:b urn:nextgen-auth:room:!c:d"

    found = service.read("backup", written, client_id="backup")

    assert found.scope.text == written
    assert found.scope.device_id is None
    less = service.part(found, "urn:nextgen-auth:send urn:nextgen-auth:room:!a:b")
    assert less.rooms == ("!a:b",)
    with pytest.raises(OAuthError, match="must keep a room"):
        service.part(found, "urn:nextgen-auth:send")
