"""A homeserver with two providers that speak OAuth 2.0 alone, and passwords only to confirm things."""

import re

import pytest

from support.databases import SqliteDatabase
from support.oauth import Server
from support.providers.journey import agree, begin, choose, whoami
from support.providers.lying import lying
from support.providers.person import Person
from support.synapse import Homeserver

FRESH = [{"prompt": "login"}, {"max_age": "0"}]


@pytest.fixture(scope="module")
def liar():
    with lying() as found:
        yield found


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, liar):
    directory = tmp_path_factory.mktemp("homeserver-oauth")
    homeserver = Homeserver(directory, SqliteDatabase(directory))
    homeserver.config = {
        "password_config": {"enabled": "only_for_reauth"},
        "sso": {"update_profile_information": True},
        "oidc_providers": [liar.entry(name, scopes=["profile"]) for name in ("first", "second")],
    }
    with homeserver:
        yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


def come(server, liar, subject, *, provider="oidc-first", **claims):
    liar.says(subject, **claims)
    person = Person(subject)
    client, verifier = begin(server, person)
    person.get(choose(person, provider))
    return person, client, verifier


def test_there_are_buttons_and_no_password(server, liar):
    """Two ways, so that nobody is sent along without being asked."""
    person = Person("anna")
    begin(server, person)

    assert re.findall('value="provider:([^"]+)"', person.page.text) == ["oidc-first", "oidc-second"]
    assert 'name="password"' not in person.page.text
    assert "Not offered here" not in person.page.text
    person, client, verifier = come(server, liar, "anna")
    assert whoami(server, agree(server, person, client, verifier)) == "@anna:localhost"


@pytest.mark.parametrize("changes", FRESH)
def test_where_nobody_can_confirm_it_the_page_says_which_and_what_to_do(server, liar, changes):
    """Passwords are not to blame, and the person goes back to the application with an answer."""
    liar.says("bert")
    person = Person("bert")
    begin(server, person, **changes)

    assert person.page.status_code == 403
    text = person.page.text
    assert "You cannot sign in anew here" in text
    for name in ("The first", "The second"):
        assert f"<bdi>{name}</bdi>" in text
    assert "switched off" not in text
    assert "providers.trusted_to_be_fresh" in text
    person.submit(decision="cancel")
    assert "error=access_denied" in person.page.headers["Location"]


def test_who_is_signed_in_confirms_it_by_a_password(homeserver, server, liar):
    """`only_for_reauth`; the page says why the others are not there."""
    homeserver.register_user("cleo", "correct-horse")
    homeserver.query(
        "INSERT INTO user_external_ids (auth_provider, external_id, user_id) VALUES (?, ?, ?)",
        *("oidc-first", "cleo", "@cleo:localhost"),
    )
    person, client, verifier = come(server, liar, "cleo")
    agree(server, person, client, verifier)

    client, verifier = begin(server, person, prompt="login")
    assert person.page.status_code == 200
    assert "Not offered here" in person.page.text
    assert "provider:" not in person.page.text
    person.submit(password="correct-horse")

    assert whoami(server, agree(server, person, client, verifier)) == "@cleo:localhost"


def displayed(homeserver, user_id):
    return homeserver.query("SELECT displayname FROM profiles WHERE full_user_id = ?", user_id)


def test_a_profile_follows_the_provider(homeserver, server, liar):
    """`update_profile_information`, at each sign-in; what is not said changes nothing."""
    for name, shown in (("Olga Old", "Olga Old"), ("Olga New", "Olga New"), (None, "Olga New")):
        said = {"name": name} if name else {}
        person, client, verifier = come(server, liar, "olga", **said)
        agree(server, person, client, verifier)

        assert displayed(homeserver, "@olga:localhost") == [(shown,)]


def test_without_local_passwords_there_is_nothing_else(homeserver, server):
    """`localdb_enabled: false`: the same buttons, and the same truth about a fresh sign-in."""
    homeserver.config["password_config"] = {"localdb_enabled": False}
    homeserver.restart()
    person = Person("dora")
    begin(server, person)

    assert re.findall('value="provider:([^"]+)"', person.page.text) == ["oidc-first", "oidc-second"]
    assert 'name="password"' not in person.page.text
    begin(server, person, prompt="login")
    assert person.page.status_code == 403
    assert "You cannot sign in anew here" in person.page.text
