"""A password provider is called back when the session begins that its sign-in led to (C335)."""

import pytest

from support import neighbours as surroundings
from support.neighbours import Neighbours
from support.oauth import API, DEVICE, Browser, Server, device_id
from support.redis import RedisServer
from support.waiting import eventually

PASSWORD = "of-the-directory"


def directory_user(neighbours):
    """Make an account whose password only the other module knows."""
    user = neighbours.homeserver.new_user()
    neighbours.accept(user.user_id, PASSWORD)
    return user


def calls(neighbours, user):
    return neighbours.calls("login_callback", user.user_id)


@pytest.fixture
def homeserver(busy_homeserver):
    return busy_homeserver


@pytest.fixture
def neighbours(homeserver):
    return Neighbours(homeserver)


@pytest.fixture
def user(neighbours):
    return directory_user(neighbours)


def test_c335_a_provider_is_called_back_with_the_device_and_no_token(server, neighbours, user):
    """Once, when the session begins; what stands for the token opens nothing."""
    client, device = server.client(), device_id()
    parameters, verifier = client.request(scope=f"{API} {DEVICE}{device}")
    code = Browser(server).let_in(parameters, user.localpart, PASSWORD)["code"]
    before = calls(neighbours, user)
    tokens = client.redeem(code, verifier).json()

    assert before == [], "the session has not begun"
    assert eventually(lambda: calls(neighbours, user))
    client.refresh(tokens["refresh_token"])
    ((process, told_device, stand_in, name),) = calls(neighbours, user)
    assert (process, told_device, name) == (None, device, "localhost")
    assert stand_in.startswith("nextgen_session_")
    assert server.whoami(stand_in).status_code == 401


def test_c335_one_sign_in_calls_back_once(server, neighbours, user):
    """A second application in the same browser signs nobody in again; a new browser does."""
    browser, client = Browser(server), server.client()
    client.sign_in(user.localpart, PASSWORD, browser=browser)
    client.sign_in(user.localpart, PASSWORD, browser=browser)
    assert eventually(lambda: calls(neighbours, user))
    client.sign_in(user.localpart, PASSWORD)

    assert eventually(lambda: len(calls(neighbours, user)) == 2)


def test_c335_who_goes_nowhere_calls_nothing(server, neighbours, user):
    """A sign-in without an application, and a local password, of which no provider knows."""
    Browser.of(server, type(user)(user.user_id, user.localpart, PASSWORD))
    server.client().sign_in(user.localpart, user.password)

    assert neighbours.calls("check_auth", user.user_id) != []
    assert calls(neighbours, user) == []


@pytest.fixture
def own_redis():
    """Yield a Redis that no other homeserver of the same name talks over."""
    redis = RedisServer()
    try:
        yield redis.start()
    finally:
        redis.stop()


@pytest.mark.slow
def test_c335_c355_the_process_that_checked_the_password_is_told(
    tmp_path_factory, make_database, own_redis
):
    """The session begins on another process, which has nothing to call."""
    directory = tmp_path_factory.mktemp("homeserver-callbacks")
    homeserver = surroundings.homeserver(
        directory, make_database("postgres", directory), redis=own_redis
    )
    with homeserver:
        worker = Server(homeserver.add_worker().base_url)
        main, neighbours = Server(homeserver.base_url), Neighbours(homeserver)
        for user, checks, begins in (
            (directory_user(neighbours), worker, main),
            (directory_user(neighbours), main, worker),
        ):
            client = begins.client()
            parameters, verifier = client.request()
            browser = Browser(checks)
            code = browser.let_in(parameters, user.localpart, PASSWORD)["code"]
            client.redeem(code, verifier)

            name = "worker1" if checks is worker else None
            assert eventually(lambda user=user: calls(neighbours, user))
            assert [call[0] for call in calls(neighbours, user)] == [name]
