"""People of a real LDAP server sign in on our page, through the published module."""

from pathlib import Path

import pytest

from support import ldap
from support.databases import SqliteDatabase
from support.ldap import Ldap
from support.oauth import Browser, Server
from support.synapse import Homeserver

PEOPLE = {"ada": "of-ada-in-the-directory", "grace": "of-grace-in-the-directory"}
WRONG = "The username or the password is not right"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Yield an LDAP server with two people."""
    if ldap.program() is None:
        pytest.skip("no slapd: install the package slapd")
    with Ldap(tmp_path_factory.mktemp("ldap"), PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, directory):
    """Yield a homeserver with no passwords of its own."""
    path = tmp_path_factory.mktemp("homeserver-ldap")
    # Synapse runs in this directory and finds its modules there.
    (path / "support").symlink_to(Path(ldap.__file__).parent)
    homeserver = Homeserver(path, SqliteDatabase(path))
    homeserver.config = {
        "modules": [directory.module, {"module": "support.impatience.Module"}],
        "password_config": {"localdb_enabled": False},
    }
    with pytest.MonkeyPatch.context() as patch:
        # In a checkout Synapse adds the branch to its version, and the module wants to read that.
        patch.setenv("GIT_DIR", str(path / "no-repository"))
        with homeserver:
            yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


def test_whoever_is_in_the_directory_signs_in_and_has_an_account_from_then_on(homeserver, server):
    """The module makes it at the first sign-in; the second one finds it."""
    for _ in range(2):
        tokens = server.client().sign_in("ada", PEOPLE["ada"])
        assert server.whoami(tokens["access_token"]).json()["user_id"] == "@ada:localhost"

    assert homeserver.query("SELECT password_hash FROM users WHERE name = '@ada:localhost'") == [
        (None,)
    ]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("ada", PEOPLE["grace"]),
        ("nobody", "wrong"),
        ("ada,ou=people", PEOPLE["ada"]),
        ("*", PEOPLE["ada"]),
    ],
)
def test_nobody_else_does(server, name, password):
    browser = Browser(server)
    browser.get(server.url("sign-in"))

    page = browser.sign_in(name, password)

    assert page.status_code == 403
    assert WRONG in page.text


def test_a_directory_that_is_away_lets_nobody_in_and_breaks_nothing(directory, server):
    """The published module tries for long: the page says so. When it is back, people sign in again."""
    directory.stop()
    try:
        browser = Browser(server)
        browser.get(server.url("sign-in"))
        page = browser.sign_in("grace", PEOPLE["grace"])
        assert page.status_code == 503
        assert "could not be checked just now" in page.text
    finally:
        directory.start()

    assert server.client().sign_in("grace", PEOPLE["grace"])["access_token"]
