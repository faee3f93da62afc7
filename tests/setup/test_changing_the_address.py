"""What the page about changing `public_baseurl` says of sessions, clients and browsers, on a server."""

import attrs
import pytest
import requests

from support.oauth import Browser, Client, Server, claims
from support.synapse import Homeserver, User

SECRET = "a secret that both sides know"
GRAFANA = {
    "client_id": "grafana",
    "redirect_uris": ["https://grafana.example.com/login/generic_oauth"],
    "client_secret": SECRET,
}


@attrs.define
class Move:
    """A homeserver that was at `localhost` and is at `127.0.0.1` now; both still lead to it."""

    homeserver: Homeserver
    old: Server
    new: Server
    user: User
    client: Client
    browser: Browser
    tokens: dict
    id_token: str

    @classmethod
    def make(cls, homeserver):
        old, user = Server(homeserver.base_url), homeserver.new_user()
        client, browser = old.client(), Browser(old)
        tokens = client.sign_in(user.localpart, user.password, browser=browser)
        scope = f"openid {client.request()[0]['scope']}"
        id_token = client.sign_in(user.localpart, user.password, scope=scope)["id_token"]
        address = f"http://127.0.0.1:{homeserver.main.port}"
        homeserver.config = {"public_baseurl": f"{address}/"}
        homeserver.restart()
        return cls(homeserver, old, Server(address), user, client, browser, tokens, id_token)


@pytest.fixture(scope="module")
def move(tmp_path_factory, make_database):
    directory = tmp_path_factory.mktemp("homeserver")
    with Homeserver(
        directory, make_database("sqlite", directory), module={"clients": [GRAFANA]}
    ) as homeserver:
        yield Move.make(homeserver)


def test_the_issuer_is_another_one_at_both_addresses(move):
    """Discovery follows `public_baseurl`, wherever it is asked."""
    assert move.old.metadata()["issuer"] == move.new.issuer
    assert move.new.metadata()["token_endpoint"] == move.new.url("token")
    assert move.new.issuer != move.old.issuer


def test_sessions_go_on_at_the_old_address_and_at_the_new_one(move):
    """As long as the old name leads to the server, whoever remembers it refreshes there."""
    at_old = move.client.refresh(move.tokens["refresh_token"])
    there = attrs.evolve(move.client, server=move.new)
    at_new = there.refresh(at_old.json()["refresh_token"])
    again = move.client.refresh(at_new.json()["refresh_token"])

    assert [answer.status_code for answer in (at_old, at_new, again)] == [200, 200, 200]
    assert move.new.whoami(again.json()["access_token"]).status_code == 200


def test_a_client_that_registers_again_is_the_same_client(move):
    """Its id follows from its metadata; consent and sessions stay with it."""
    assert move.new.client().id == move.client.id


def test_people_sign_in_again_in_the_browser(move):
    """A cookie belongs to a host: the browser that was signed in at the old one is a stranger here."""
    there = Browser(move.new)
    page = there.get(move.new.url(""))

    assert move.user.user_id in move.browser.get(move.old.url("")).text
    assert move.user.user_id not in page.text


def test_id_tokens_name_the_new_issuer_and_old_ones_are_no_hint_any_more(move):
    """An application that compares the issuer has to be told; a hint of before is refused."""
    there = attrs.evolve(move.client, server=move.new)
    scope = f"openid {there.request()[0]['scope']}"
    tokens = there.sign_in(move.user.localpart, move.user.password, scope=scope)
    parameters, _ = there.request(prompt="none", id_token_hint=move.id_token)
    browser = Browser.of(move.new, move.user)
    answer = browser.answer(browser.authorize(parameters))

    assert claims(move.id_token)["iss"] == move.old.issuer
    assert claims(tokens["id_token"])["iss"] == move.new.issuer
    assert answer["error"] == "invalid_request"


def test_an_authorization_response_names_the_new_issuer(move):
    """RFC 9207: a client that remembers the old issuer refuses the answer, wherever it began."""
    parameters, _ = move.client.request()
    answer = Browser(move.old).let_in(parameters, move.user.localpart, move.user.password)

    assert answer["iss"] == move.new.issuer


def test_configured_clients_work_at_the_new_address(move):
    """Their entries do not name the homeserver; what they were told does."""
    answer = requests.post(
        move.new.url("introspect"),
        data={"token": move.tokens["access_token"]},
        auth=("grafana", SECRET),
        timeout=30,
    )

    assert answer.status_code == 200
