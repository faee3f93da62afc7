"""What is said about each grant type, and what nobody can say by mistake."""

import pytest

from support.records import MATRIX
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.oauth.clients.client_metadata import read_metadata
from synapse_nextgen_auth.oauth.clients.registration_rules import RegistrationRules
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants import grant_types
from synapse_nextgen_auth.oauth.grants.grant_types import (
    AUTHORIZATION_CODE,
    DEVICE_CODE,
    GRANT_TYPES,
    REFRESH_TOKEN,
    GrantType,
    refuse_client,
    refuse_scope,
)
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, PERMISSIONS

SILENT = GrantType(name="made up")
ASKED = GrantType(name="made up", a_person_agrees=True)


def names(condition):
    return {kind.name for kind in GRANT_TYPES if condition(kind)}


def test_each_grant_type_is_described_once():
    """And those that everything is built around are among them."""
    listed = [kind.name for kind in GRANT_TYPES]

    assert len(set(listed)) == len(listed)
    assert listed[:3] == [AUTHORIZATION_CODE, REFRESH_TOKEN, DEVICE_CODE]


def test_one_grant_type_is_the_operators_to_give():
    """The scope stands in the configuration, so it may be an administrator's, but is nobody's name."""
    kind = grant_types.BY_NAME["client_credentials"]

    assert names(lambda each: each.the_operator_agrees) == {kind.name}
    assert refuse_scope(kind, grammar.parse(f"{MATRIX} {ADMIN}")) is None
    assert refuse_scope(kind, grammar.parse("openid")).startswith("openid takes a person")
    assert "proves nothing" in refuse_client(kind, granted=(kind.name,), is_public=True)


def test_strangers_may_register_only_what_a_person_agrees_to():
    """Whoever adds one to these three lets everybody on the internet use it: think twice."""
    asked = {AUTHORIZATION_CODE, DEVICE_CODE}

    assert names(lambda kind: kind.may_be_registered) == {*asked, REFRESH_TOKEN}
    assert names(lambda kind: kind.a_person_agrees) == asked
    assert names(lambda kind: kind.is_default) == {AUTHORIZATION_CODE, REFRESH_TOKEN}


def test_what_somebody_may_have_is_advertised():
    """And there is nothing that nobody may have."""
    listed = names(lambda kind: True)

    assert names(lambda kind: kind.is_advertised) == listed
    assert names(lambda kind: kind.may_be_configured) == listed


def test_refresh_tokens_are_for_what_a_person_agreed_to():
    """A client that needs nobody can ask anew (RFC 6749 section 4.4.3)."""
    lasting = names(lambda kind: kind.gives_refresh_token)

    assert lasting == {AUTHORIZATION_CODE, DEVICE_CODE, REFRESH_TOKEN}
    assert names(lambda kind: not kind.begins_session) == {REFRESH_TOKEN}


@pytest.mark.parametrize(
    "fields",
    [
        {"may_be_registered": True},
        {"gives_refresh_token": True},
        {"a_person_agrees": True, "is_default": True},
        {"a_person_agrees": True, "the_operator_agrees": True},
        {"the_operator_agrees": True, "may_be_registered": True},
        {"the_operator_agrees": True, "gives_refresh_token": True},
    ],
)
def test_what_would_hand_out_more_than_somebody_agreed_to_cannot_be_said(fields):
    """Registered by a stranger, or with a refresh token, where nobody is asked."""
    with pytest.raises(ValueError, match="made up: "):
        GrantType(name="made up", **fields)


def test_what_is_not_said_is_not_so():
    """A line with a name alone opens nothing to anybody."""
    assert not SILENT.may_be_registered
    assert not SILENT.may_be_configured
    assert not SILENT.gives_refresh_token
    assert not SILENT.is_advertised
    assert not SILENT.is_default
    assert not SILENT.waits_here
    assert SILENT.begins_session


@pytest.mark.parametrize(
    ("kind", "granted", "is_public", "refused"),
    [
        (SILENT, (), False, "did not register made up"),
        (SILENT, (), True, "did not register made up"),
        (SILENT, ("made up",), False, None),
        (SILENT, ("made up",), True, "public client"),
        (ASKED, ("made up",), True, None),
        (ASKED, ("other",), True, "did not register made up"),
        (grant_types.BY_NAME[REFRESH_TOKEN], (), True, None),
    ],
)
def test_which_client_may_use_a_grant_type(kind, granted, is_public, refused):
    """One that has it, and without a person one that proves who it is (RFC 6749 section 4.4)."""
    reason = refuse_client(kind, granted=granted, is_public=is_public)

    assert reason is None if refused is None else refused in reason


@pytest.mark.parametrize(
    ("scope", "refused"),
    [
        (MATRIX, None),
        (f"{MATRIX} {ADMIN}", ADMIN),
        ("openid", "openid"),
        (f"{MATRIX} email", "email"),
        (f"{MATRIX} profile", "profile"),
    ],
)
def test_c311_what_takes_a_person_is_refused_where_nobody_agrees(scope, refused):
    """Power over the server, and whatever tells of somebody; with a person nothing is refused here."""
    reason = refuse_scope(SILENT, grammar.parse(scope))

    assert reason is None if refused is None else reason.startswith(f"{refused} takes a person")
    assert refuse_scope(ASKED, grammar.parse(scope)) is None
    assert refuse_scope(grant_types.BY_NAME[REFRESH_TOKEN], grammar.parse(scope)) is None


def test_a_scope_that_is_grave_is_never_had_without_a_person():
    """Whatever is added to the table of scopes."""
    for permission in PERMISSIONS:
        written = permission.scope + ("SOME_DEVICE" if permission.followed_by else "")
        reason = refuse_scope(SILENT, grammar.Scope(written))
        assert (reason is not None) is (permission.grave or not permission.acts)


def test_a_registration_gets_no_more_than_strangers_may_have():
    """Whatever is switched on here."""
    document = {
        "grant_types": sorted(grant_types.BY_NAME),
        "response_types": ["code"],
        "redirect_uris": ["https://app.example.com/cb"],
        "client_uri": "https://app.example.com/",
    }
    rules = RegistrationRules(grant_types=frozenset(grant_types.BY_NAME))

    granted = read_metadata(document, rules=rules).grant_types

    assert set(granted) == names(lambda kind: kind.may_be_registered)


def test_what_only_the_operator_may_grant_is_nothing_a_stranger_gets(monkeypatch):
    """A registration that has nothing else is refused, and told what it may have."""
    kept = GrantType(name="kept", may_be_configured=True)
    monkeypatch.setattr(
        "synapse_nextgen_auth.oauth.clients.registration_rules.GRANT_TYPES", (*GRANT_TYPES, kept)
    )
    rules = RegistrationRules(grant_types=frozenset({*grant_types.BY_NAME, "kept"}))

    with pytest.raises(OAuthError, match="grant_types must contain authorization_code or urn"):
        read_metadata({"grant_types": ["kept"]}, rules=rules)


@pytest.mark.parametrize("kind", [kind for kind in GRANT_TYPES if kind.option])
def test_what_switches_a_grant_type_is_an_option(kind):
    """A section of the configuration that can be off."""
    assert getattr(Config(), kind.option).enabled in {True, False}
