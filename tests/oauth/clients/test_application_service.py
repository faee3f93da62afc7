"""A client that is an application service: read from the configuration, with every mistake at once."""

import pytest

from support import bridges
from synapse_nextgen_auth.oauth.clients.application_service import ApplicationService
from synapse_nextgen_auth.oauth.clients.configured import read_static
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes.permissions import API

SECRET = "a secret that both sides know"


def read(**changes):
    entry = bridges.client("irc") | changes
    present = {name: value for name, value in entry.items() if value is not None}
    return read_static(present, read_file=lambda _: "").client


def refused(**changes):
    with pytest.raises(OAuthError) as raised:
        read(**changes)
    return raised.value.description


def test_it_is_named_by_the_id_of_its_registration():
    """The shared token counts unless it is refused by name; no account stands beside it."""
    assert read().application_service == ApplicationService("irc", refuses_as_token=False)
    assert read(refuse_as_token=False).application_service == read().application_service
    assert read(refuse_as_token=True).application_service.refuses_as_token is True
    assert read(application_service="other").application_service.service_id == "other"
    assert read().service is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"application_service": 7}, "application_service must be the id"),
        ({"application_service": ""}, "application_service must be the id"),
        ({"refuse_as_token": "yes"}, "refuse_as_token must be true or false"),
        ({"jwks": None, "client_secret": SECRET}, "application_service needs a key (jwks)"),
        ({"jwks": None}, "application_service needs a key (jwks)"),
        ({"service_account": "bot"}, "service_account is of no use with application_service"),
        ({"scope": API}, "scope is of no use with application_service"),
        ({"resource": "https://a.example/"}, "resource is of no use with application_service"),
        (
            {"application_service": None, "refuse_as_token": True},
            "refuse_as_token is of no use without application_service",
        ),
        (
            {"grant_types": None, "redirect_uris": ["https://irc.example/cb"]},
            "application_service is of no use without client_credentials",
        ),
    ],
)
def test_what_is_wrong_is_said(changes, words):
    """With the name of the field, and what would be right."""
    assert words in refused(**changes)


def test_all_that_is_wrong_is_said_at_once():
    said = refused(
        application_service=7,
        refuse_as_token="no",
        jwks=None,
        client_secret=SECRET,
        scope=API,
        service_account="bot",
    )

    assert said.count(";") == 4
    assert SECRET not in said
