"""A homeserver with one identity provider, terms, and no passwords."""

import time

import pytest
import requests

from support.databases import SqliteDatabase
from support.oauth import Browser, Server
from support.providers import servers
from support.providers.journey import agree, begin, whoami
from support.providers.person import Person
from support.synapse import Homeserver

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "08d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, node_modules):
    directory = tmp_path_factory.mktemp("homeserver-only-a-provider")
    terms = directory / "terms" / "en"
    terms.mkdir(parents=True)
    for name in ("1.0", "2.0", "success"):
        (terms / f"{name}.html").write_text("terms")
    homeserver = Homeserver(directory, SqliteDatabase(directory))
    homeserver.config = {
        "password_config": {"enabled": False},
        "form_secret": "only-tests-know-this",
        "user_consent": {
            "template_dir": str(terms.parent),
            "version": "1.0",
            "require_at_registration": True,
        },
    }
    with servers.openid(directory, node_modules, homeserver.base_url) as provider:
        homeserver.config["oidc_providers"] = provider.config["oidc_providers"][:1]
        with homeserver:
            yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


def sign_in(server, name):
    """Go straight to the provider, and accept the terms as somebody new."""
    person = Person(name)
    client, verifier = begin(server, person)
    assert "/interaction/" in person.page.url, "nobody is asked which way"
    person.pass_provider()
    return person, client, verifier


def test_people_go_straight_there_and_accept_the_terms(homeserver, server):
    """There is nothing to choose; who is new accepts the terms first, and is asked no name."""
    person, client, verifier = sign_in(server, "anna")
    assert "@anna:localhost" in person.page.text
    assert (
        "terms and conditions</a> of" in person.page.text
    )  # Synapse's default is no name for them
    refused = person.submit(decision="create")
    assert refused.status_code == 400
    assert "Accept the terms" in refused.text
    person.submit(decision="create", accept_terms="1.0")

    assert whoami(server, agree(server, person, client, verifier)) == "@anna:localhost"
    assert homeserver.query(
        "SELECT consent_version FROM users WHERE name = ?", "@anna:localhost"
    ) == [("1.0",)]
    assert "Nobody can sign in" not in homeserver.log_text()


def test_a_name_that_was_given_and_is_taken_is_chosen(homeserver, server):
    """Somebody took it while the terms were read: there is a way on, and no way to any name before."""
    person, client, verifier = sign_in(server, "thea")
    assert 'name="username"' not in person.page.text
    homeserver.register_user("thea")

    person.submit(decision="create", accept_terms="1.0")

    assert person.page.status_code == 400
    assert "That username is taken" in person.page.text
    person.get(person.page.url)
    assert "That username is taken" in person.page.text
    person.submit(username="thea2", decision="create", accept_terms="1.0")
    assert whoami(server, agree(server, person, client, verifier)) == "@thea2:localhost"


def test_nobody_chooses_a_name_who_is_given_one(server):
    """Whatever a form says."""
    person, client, verifier = sign_in(server, "doris")

    person.submit(username="root", decision="create", accept_terms="1.0")

    assert whoami(server, agree(server, person, client, verifier)) == "@doris:localhost"


def test_without_an_application_there_is_a_button(server):
    """Nothing is begun by a look at the page."""
    person = Person("bert")
    page = person.get(server.url("sign-in"))

    assert page.status_code == 200
    assert "provider:oidc-works" in page.text
    assert 'name="password"' not in page.text


def test_who_comes_back_without_an_answer_may_choose(server):
    """It does not send them there again by itself."""
    person = Person("carl")
    begin(server, person)
    page = person.get(f"{server.base_url}/_synapse/client/oidc/callback?error=access_denied")
    (again,) = [part for part in page.text.split('"') if "sign-in?attempt=" in part]
    page = person.get(server.base_url + again)

    assert page.status_code == 200
    assert "provider:oidc-works" in page.text


def test_a_back_channel_logout_signs_the_browser_out(homeserver, server):
    """What began in it is over softly: the device stays, with its keys."""
    person, client, verifier = sign_in(server, "dora")
    person.submit(decision="create", accept_terms="1.0")
    tokens = agree(server, person, client, verifier)
    (issuer,) = {
        url.partition("/interaction/")[0] for url in person.visited if "/interaction/" in url
    }
    person.get(f"{issuer}/session/end")
    person.submit(logout="yes")
    answer = server.whoami(tokens["access_token"])
    for _ in range(100):
        if answer.status_code == 401:
            break
        time.sleep(0.1)
        answer = server.whoami(tokens["access_token"])

    assert answer.status_code == 401
    assert answer.json()["soft_logout"] is True
    assert homeserver.query("SELECT 1 FROM devices WHERE user_id = ?", "@dora:localhost")
    page = person.get(server.url("account"))
    assert "sign-in" in page.url


@pytest.fixture
def reconfigure(homeserver):
    """Change options while the server is restarted, and take it back at the end."""
    terms = homeserver.config["user_consent"]
    provider = homeserver.config["oidc_providers"][0]

    def change(*, version="1.0", registers=True):
        homeserver.config["user_consent"] = {**terms, "version": version}
        homeserver.config["oidc_providers"] = [{**provider, "enable_registration": registers}]
        homeserver.restart()

    yield change
    change()


def test_what_is_decided_while_a_form_is_open_holds_when_it_is_sent(
    homeserver, server, reconfigure
):
    """Nobody accepts terms that they were not shown, or gets an account where there are no more."""
    person, client, verifier = sign_in(server, "vera")
    late, _, _ = sign_in(server, "vito")
    new = Browser(server)
    new.authorize(server.client().request(prompt="create")[0])
    assert 'value="provider:oidc-works"' in new.page.text
    assert 'name="password"' not in new.page.text
    assert "/login/sso/redirect/oidc-works?" in new.submit(decision="provider:oidc-works").text
    assert "create" in server.metadata()["prompt_values_supported"]
    reconfigure(version="2.0")
    again = person.submit(decision="create", accept_terms="1.0")
    assert again.status_code == 400
    assert 'value="2.0"' in again.text
    person.submit(decision="create", accept_terms="2.0")
    assert whoami(server, agree(server, person, client, verifier)) == "@vera:localhost"
    assert homeserver.query(
        "SELECT consent_version FROM users WHERE name = ?", "@vera:localhost"
    ) == [("2.0",)]

    reconfigure(registers=False)
    refused = late.submit(decision="create", accept_terms="1.0")
    closed = new.get(server.url("register"))

    assert "<h1>No new accounts here</h1>" in closed.text
    assert "create" not in server.metadata()["prompt_values_supported"]
    assert refused.status_code == 403
    assert homeserver.query("SELECT 1 FROM users WHERE name = ?", "@vito:localhost") == []


def test_the_picture_of_a_provider_is_shown(homeserver, server):
    """An mxc address of the configuration, read by us: whoever signs in has no token yet.

    Where it cannot be read, a letter is shown, and no broken picture.
    """
    admin = homeserver.register_user("admin", admin=True)
    homeserver.config["password_config"] = {"enabled": True}
    homeserver.config["oidc_providers"][0]["idp_icon"] = "mxc://localhost/gone"
    homeserver.restart()
    letter = requests.get(server.url("provider-icon?of=oidc-works"), timeout=30)
    token = homeserver.login(admin)["access_token"]
    uploaded = requests.post(
        f"{homeserver.base_url}/_matrix/media/v3/upload",
        data=PNG,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "image/png"},
        timeout=30,
    ).json()
    homeserver.config["oidc_providers"][0]["idp_icon"] = uploaded["content_uri"]
    homeserver.restart()
    page = requests.get(server.url("sign-in"), timeout=30)
    assert "provider-icon?of=oidc-works" in page.text
    picture = requests.get(server.url("provider-icon?of=oidc-works"), timeout=30)

    assert letter.status_code == 200
    assert letter.headers["Content-Type"] == "image/svg+xml"
    assert ">T</text>" in letter.text
    assert "sandbox" in letter.headers["Content-Security-Policy"]
    assert picture.content == PNG
    assert picture.headers["Content-Type"] == "image/png"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    for other in ("oidc-other", "", "../x"):
        got = requests.get(server.url("provider-icon"), params={"of": other}, timeout=30)
        assert got.status_code == 404
