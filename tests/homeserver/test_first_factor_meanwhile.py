"""An account gets its first factor while a request is under way that one factor let pass (C294)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support import neighbours
from support.authenticator import add_app
from support.neighbours import Neighbours
from support.oauth import Browser, Server
from support.television import Television, enter
from support.waiting import eventually

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, make_database):
    """Yield one with second factors, and a module that may take its time to judge a sign-in."""
    directory = tmp_path_factory.mktemp("homeserver-meanwhile")
    database = make_database("sqlite", directory)
    module = {"factors": {"policy": "optional"}}
    with neighbours.homeserver(directory, database, options=module) as started:
        yield started


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


class Race:
    """Somebody who has the password, and the owner of the account in another browser."""

    def __init__(self, homeserver, server):
        self.user = homeserver.new_user()
        self.thief, self.owner = Browser(server), Browser.of(server, self.user)
        self.modules = Neighbours(homeserver)

    def run(self, **pressed):
        """Press a button; the owner sets up an app while the module thinks. Return the page."""
        self.modules.add("held", self.user.user_id)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.thief.submit, **pressed)
            try:
                assert eventually(
                    lambda: self.modules.calls("check_login_for_spam", self.user.user_id)
                )
                add_app(self.owner)
            finally:
                self.modules.drop("held", self.user.user_id)
            return answer.result()


@pytest.fixture
def race(homeserver, server):
    return Race(homeserver, server)


def test_c294_an_application_is_not_let_in(race, server):
    """Whoever agreed proves the factor first, as they would have a moment later."""
    parameters, _ = server.client().request()
    race.thief.authorize(parameters)
    race.thief.sign_in(race.user.localpart, race.user.password)

    page = race.run(decision="approve")

    assert "code=" not in page.headers.get("Location", "")
    assert "/sign-in?" in page.url
    race.thief.sign_in(race.user.localpart, race.user.password)
    assert "/factor?" in race.thief.page.url


def test_c294_nor_is_a_device(race, server):
    """One that has no browser of its own."""
    television = Television.begin(server)
    enter(race.thief, television, race.user)

    race.run(decision="approve", confirm="yes")

    assert television.poll().json()["error"] == "authorization_pending"
