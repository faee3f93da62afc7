"""A grant: how long it is open, and what its client asked to be shown."""

import pytest

from support.records import NOW, a_grant
from synapse_nextgen_auth.oauth.grants.authorization import Prompt, ResponseMode


@pytest.mark.parametrize(
    ("fields", "at", "is_open"),
    [
        ({}, 0, True),
        ({}, 1799, True),
        ({}, 1800, False),
        ({"approved_at": NOW}, 0, False),
        ({"refused_at": NOW}, 0, False),
        ({"approved_at": NOW, "refused_at": NOW}, 0, False),
    ],
)
def test_c039_a_grant_is_open_until_it_is_decided_or_too_old(fields, at, is_open):
    """Half an hour, to the second."""
    assert a_grant(**fields).is_open(NOW + at) is is_open


@pytest.mark.parametrize(
    ("prompt", "asks"),
    [
        (None, False),
        ("", False),
        ("login", False),
        ("none", False),
        ("consent", True),
        ("consent login", True),
        ("login consent", True),
        ("consenting", False),
    ],
)
def test_a_client_may_ask_for_the_consent_page(prompt, asks):
    """Whatever was agreed before."""
    assert a_grant(prompt=prompt).asks_consent is asks


def test_a_grant_out_of_the_database_has_its_mode():
    """The column is text."""
    assert a_grant(response_mode="fragment").response_mode is ResponseMode.FRAGMENT
    with pytest.raises(ValueError, match="web_message"):
        a_grant(response_mode="web_message")


def test_what_may_be_asked_for():
    """As it is advertised."""
    assert [prompt.value for prompt in Prompt] == [
        "none",
        "login",
        "consent",
        "select_account",
        "create",
    ]
    assert [mode.value for mode in ResponseMode] == ["query", "fragment", "form_post"]
