"""The providers of the tests are real: a stock Synapse signs people in with each of them."""

import re

import pytest
import requests

from support.databases import SqliteDatabase
from support.providers.person import Person, links
from support.synapse import Homeserver


@pytest.fixture(scope="module")
def stock(tmp_path_factory, make_providers):
    """Yield a Synapse without the module that knows a provider of each kind."""
    directory = tmp_path_factory.mktemp("stock")
    homeserver = Homeserver(directory, SqliteDatabase(directory), module=None)
    homeserver.config = make_providers(homeserver.base_url).config
    with homeserver:
        yield homeserver


@pytest.mark.parametrize("provider", ["oidc-works", "saml", "cas"])
def test_stock_synapse_signs_in_with_it(stock, provider):
    """The legacy flow ends with a login token that opens the account of that name."""
    person = Person(f"carol-{provider}")
    app = "https://app.example/"
    path = f"/_matrix/client/v3/login/sso/redirect/{provider}?redirectUrl={app}"
    person.get(stock.base_url + path)
    page = person.pass_provider()
    (back,) = [link for link in links(page) if "loginToken" in link]
    token = re.fullmatch(rf"{app}\?loginToken=(\S+)", back)[1]
    answer = requests.post(
        f"{stock.base_url}/_matrix/client/v3/login",
        json={"type": "m.login.token", "token": token},
        timeout=30,
    )

    assert answer.json()["user_id"] == f"@{person.name}:localhost"
