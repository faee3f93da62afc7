"""The parameter `claims`: what is asked for by name, and what is malformed (OpenID Connect Core 5.5)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.claims import NOTHING, Claims, read

SAID = {"value": "a", "essential": True}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, NOTHING),
        ({"id_token": None, "userinfo": {}}, NOTHING),
        ({"id_token": {"acr": None}}, NOTHING),
        ({"id_token": {"auth_time": {"essential": True}, "nonsense": {"x": [1]}}}, NOTHING),
        ({"another": 7, "verified_claims": [1]}, NOTHING),
        ({"id_token": {"acr": {"essential": True}}}, Claims(is_acr_essential=True)),
        ({"id_token": {"acr": {"value": "a"}}}, Claims(("a",))),
        ({"id_token": {"acr": {"values": ["b", "a", "b"]}}}, Claims(("b", "a"))),
        ({"id_token": {"acr": {"value": "c", "values": ["a"]}}}, Claims(("c", "a"))),
        ({"id_token": {"acr": SAID}}, Claims(("a",), is_acr_essential=True)),
        ({"id_token": {"acr": {"essential": False, "value": "a"}}}, Claims(("a",))),
        # `/userinfo` says nothing of how somebody signed in.
        ({"userinfo": {"acr": SAID}}, NOTHING),
        ({"id_token": {"sub": {"value": "@a:hs"}}}, Claims(sub="@a:hs")),
        ({"userinfo": {"sub": {"values": ["@a:hs"]}}}, Claims(sub="@a:hs")),
        ({"userinfo": {"sub": None}}, NOTHING),
        ({"userinfo": {"name": None, "picture": {}}}, Claims(scopes=("profile",))),
        (
            {"userinfo": {"email": {"essential": True}, "name": None, "email_verified": None}},
            Claims(scopes=("email", "profile")),
        ),
        # These are for `/userinfo` alone.
        ({"id_token": {"email": {"essential": True}}}, NOTHING),
    ],
)
def test_what_is_asked_for(asked, found):
    assert read(json.dumps(asked)) == found


@pytest.mark.parametrize(
    "text",
    [
        *("x", "[]", "7", "null", '"acr"', "{", '{"id_token": {"acr": nul}}', "[" * 9000),
        *('{"id_token": []}', '{"userinfo": "name"}', '{"id_token": {"acr": "a"}}'),
        '{"id_token": {"acr": ["a"]}}',
        '{"userinfo": {"name": 1}}',
        '{"id_token": {"acr": {"essential": "yes"}}}',
        '{"id_token": {"acr": {"value": 2}}}',
        '{"id_token": {"acr": {"value": "a b"}}}',
        '{"id_token": {"acr": {"value": ""}}}',
        '{"id_token": {"acr": {"value": "\\ud800"}}}',
        '{"id_token": {"acr": {"value": "a\\u0000"}}}',
        '{"id_token": {"acr": {"values": "a"}}}',
        '{"id_token": {"acr": {"values": []}}}',
        '{"id_token": {"acr": {"values": ["a", null]}}}',
        json.dumps({"id_token": {"acr": {"values": [str(n) for n in range(51)]}}}),
        '{"id_token": {"sub": {"value": 1}}}',
        '{"id_token": {"sub": {"values": ["@a:hs", "@b:hs"]}}}',
        '{"id_token": {"sub": {"value": "@a:hs"}}, "userinfo": {"sub": {"value": "@b:hs"}}}',
    ],
)
def test_what_is_malformed_is_refused(text):
    """Nobody guesses what was meant by what decides who gets in, and how."""
    with pytest.raises(OAuthError) as refused:
        read(text)

    assert refused.value.code == "invalid_request"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["id_token", "userinfo", "acr", "sub", "value", "values", "essential"])
            | st.text(),
            inner,
        )
    ),
)


@given(JSON.map(json.dumps) | st.text())
def test_whatever_comes_is_read_or_refused(text):
    """And what is read can stand in a row."""
    try:
        found = read(text)
    except OAuthError:
        return

    assert " ".join(found.acr).split() == [*found.acr]
    " ".join((*found.acr, found.sub or "")).encode()


def test_nothing_asks_for_nothing():
    assert read(None) is NOTHING
