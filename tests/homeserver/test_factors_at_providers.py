"""Second factors and real SAML and CAS servers: whose word is two factors, and who comes unasked."""

from urllib.parse import urlencode

import pytest

from support.databases import SqliteDatabase
from support.oauth import Server, claims
from support.providers.journey import agree, begin, choose, go
from support.providers.person import Person
from support.step_up import TWO, gets_a_second_factor
from support.synapse import Homeserver

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

# What the provider says of each of its sign-ins.
CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"


@pytest.fixture(scope="module")
def strict(tmp_path_factory, make_providers):
    """Yield a homeserver where everybody needs two factors, and SAML's word for its own is believed."""
    directory = tmp_path_factory.mktemp("homeserver-strict-providers")
    homeserver = Homeserver(directory, SqliteDatabase(directory))
    homeserver.config = make_providers(homeserver.base_url).config
    homeserver.module = {
        "factors": {"policy": "required", "providers": {"saml": [CONTEXT], "cas": ["mfa"]}}
    }
    with homeserver:
        yield homeserver


@pytest.fixture
def server(strict):
    return Server(strict.base_url)


def came(server, name, provider):
    """Sign in through a provider; return the person, where they are, and what redeems the code."""
    person = Person(name)
    client, verifier = begin(server, person, scope="openid")
    go(person, choose(person, provider))
    return person, client, verifier


def test_the_context_of_an_assertion_is_two_factors_where_the_operator_says_so(server):
    """`authn_info` of SAML: nobody is asked for another factor, and the client hears of two."""
    person, client, verifier = came(server, "sam", "saml")

    tokens = agree(server, person, client, verifier)

    said = claims(tokens["id_token"])
    assert said["acr"] == TWO
    assert "mfa" in said["amr"]


def test_c293_cas_says_nothing_and_is_one_factor(server):
    """Whatever stands in the options of it: there is no word that it could say."""
    person, _, _ = came(server, "cassandra", "cas")

    assert "/factor-enrol?attempt=" in person.page.url


def test_c293_what_the_operator_did_not_name_is_one_factor(strict, server):
    """The same assertion, without the option: its owner sets a factor up."""
    module, former = strict.module, strict.module["factors"]
    strict.module = {"factors": {**former, "providers": {"saml": ["urn:example:strong"]}}}
    strict.restart()
    try:
        person, _, _ = came(server, "simon", "saml")
        assert "/factor-enrol?attempt=" in person.page.url
    finally:
        strict.module = module
        strict.restart()


def test_c293_a_ticket_that_nobody_asked_for_goes_past_no_factor(strict, server):
    """A link may bring any browser to a CAS server, and that back: our page asks for the rest."""
    user = strict.new_user()
    gets_a_second_factor(strict, user)
    cas = strict.config["cas_config"]["server_url"]
    ticket = f"{server.base_url}/_matrix/client/r0/login/cas/ticket"
    service = f"{ticket}?{urlencode({'redirectUrl': 'https://app.example/'})}"
    person = Person(user.localpart)

    go(person, f"{cas}/login?{urlencode({'service': service})}")

    assert "/sign-in?legacy=" in person.page.url, person.page.text[:2000]
    assert "loginToken" not in person.page.text
    assert strict.query("SELECT 1 FROM login_tokens WHERE user_id = ?", user.user_id) == []
    assert "/factor?attempt=" in go(person, choose(person, "cas")).url
