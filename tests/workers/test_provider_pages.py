"""Providers on the pages of an account, and what other modules ask, where every step is elsewhere."""

import re
from functools import partial
from urllib.parse import urljoin

import pytest
import requests

from support.deployment import at_once
from support.extenders import PATH
from support.oauth import Server
from support.providers.hopping import Hopping, ports_of
from support.providers.journey import agree, begin, choose, way, whoami
from support.providers.person import links

LIAR = "oidc-lying-silent"
CONNECTED = "It is connected"


@pytest.fixture
def homeserver(provided):
    return provided


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


def signed_in(homeserver, server, user, **options):
    """Return somebody who is signed in with a password, before a proxy."""
    person = Hopping(user.localpart, homeserver, **options)
    person.get(server.url("sign-in"))
    person.submit(identifier=user.localpart, password=user.password, decision="sign-in")
    return person


def connect(server, person):
    """Ask for the provider to be connected; return where its way begins."""
    person.get(server.url(f"account-provider-connect?id={LIAR}"))
    csrf = re.search(r'name="csrf" value="([^"]*)"', person.page.text)[1]
    person.page = person.http.post(
        person.page.url,
        data={"csrf": csrf, "decision": "connect"},
        allow_redirects=False,
        timeout=60,
    )
    return way(person.page)


def disconnect(person):
    (link,) = [each for each in links(person.page) if "account-provider-disconnect" in each]
    person.get(urljoin(person.page.url, link))
    person.submit(decision="disconnect")
    person.get(urljoin(person.page.url, person.page.headers.get("Location", "")))


def identities(homeserver, user):
    return homeserver.query(
        "SELECT auth_provider, external_id FROM user_external_ids WHERE user_id = ?", user.user_id
    )


def test_c270_a_provider_is_connected_and_disconnected_by_workers_alone(homeserver, server, liar):
    """While the main process has other things to do; it knows at once whom the provider lets in."""
    user, main, workers = homeserver.new_user(), ports_of(homeserver)[0], ports_of(homeserver)[1:]
    subject = f"connects-{user.localpart}"
    liar.says(subject)
    person = signed_in(homeserver, server, user, ports=workers)
    person.get(connect(server, person))
    said = person.page.text
    elsewhere = Hopping(subject, homeserver, ports=[main])
    client, verifier = begin(server, elsewhere)
    elsewhere.get(choose(elsewhere, LIAR))
    tokens = agree(server, elsewhere, client, verifier)
    disconnect(person)

    assert CONNECTED in said, said
    assert whoami(server, tokens) == user.user_id
    assert {port for _, port in person.at} == set(workers)
    assert "It is not connected any more" in person.page.text
    assert identities(homeserver, user) == []


def test_c270_two_accounts_that_connect_one_person_at_once(homeserver, server, liar):
    """On two processes: one has them, and the other page says so without a name."""
    users = [homeserver.new_user() for _ in range(2)]
    subject = f"wanted-{users[0].localpart}"
    liar.says(subject)
    people = [
        signed_in(homeserver, server, user, ports=[port])
        for user, port in zip(users, ports_of(homeserver)[1:], strict=True)
    ]
    ways = [connect(server, person) for person in people]
    at_once(*(partial(person.get, url) for person, url in zip(people, ways, strict=True)))
    pages = [person.page for person in people]
    (loser,) = [at for at, page in enumerate(pages) if CONNECTED not in page.text]

    assert pages[loser].status_code == 409
    assert "another account" in pages[loser].text
    assert users[1 - loser].localpart not in pages[loser].text
    assert identities(homeserver, users[loser]) == []
    assert identities(homeserver, users[1 - loser]) == [(LIAR, subject)]


def test_c302_an_account_that_a_provider_opens_is_closed_on_a_worker(homeserver, server, liar):
    """No process lets anybody in by it afterwards."""
    user, workers = homeserver.new_user(), ports_of(homeserver)[1:]
    liar.says(f"closes-{user.localpart}")
    person = signed_in(homeserver, server, user, ports=workers)
    person.get(connect(server, person))
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password)
    person.get(server.url("account-deactivate"))
    person.submit(confirm="yes", decision="deactivate")
    came = []
    for port in ports_of(homeserver):
        late = Hopping("late", homeserver, ports=[port])
        begin(server, late)
        late.get(choose(late, LIAR))
        came.append(late.page)

    assert "Your account is closed" in person.page.text
    assert homeserver.query("SELECT deactivated FROM users WHERE name = ?", user.user_id) == [(1,)]
    for port in ports_of(homeserver):
        there = Server(f"http://localhost:{port}")
        assert there.whoami(tokens["access_token"]).status_code == 401
    assert [page.status_code for page in came] == [403] * 3
    assert all("deactivated" in page.text for page in came)
    assert homeserver.query(
        "SELECT COUNT(*) FROM nextgen_browsers WHERE user_id = ? AND ended_at IS NULL",
        user.user_id,
    ) == [(0,)]


def test_c021_what_another_module_asks_is_asked_on_every_process(homeserver, server, liar):
    """Whoever answers on one is not signed in by another before."""
    liar.says("human-who-hops")
    person = Hopping("human-who-hops", homeserver)
    client, verifier = begin(server, person)
    person.get(choose(person, LIAR))
    urls = [person.page.url]
    shown = person.page.text
    before = [person.get(server.url("account-data")).url for _ in range(3)]
    person.get(urls[0])
    person.submit(stage="human", decision="continue")
    waits = person.page.text
    attempt = urls[0].partition("attempt=")[2]
    for port in ports_of(homeserver):
        requests.post(f"http://localhost:{port}{PATH}", json={attempt: "yes"}, timeout=30)
    person.submit(stage="human", decision="continue")
    tokens = agree(server, person, client, verifier)

    assert "/stage?attempt=" in urls[0]
    assert "Look again" in shown
    assert all("/sign-in?" in url for url in before)
    assert "Nobody answered yet." in waits
    assert whoami(server, tokens) == "@human-who-hops:localhost"
    assert len({port for path, port in person.at if path.endswith("/stage")}) > 1


def test_c270_a_provider_is_connected_while_the_main_process_is_away(homeserver, server, liar):
    """Nobody else has to know of it: it lets its person in as soon as the row is there."""
    user, workers = homeserver.new_user(), ports_of(homeserver)[1:]
    subject = f"alone-{user.localpart}"
    liar.says(subject)
    person = signed_in(homeserver, server, user, ports=workers)
    homeserver.main.stop()
    try:
        person.get(connect(server, person))
        said = person.page.text
        elsewhere = Hopping(subject, homeserver, ports=workers)
        elsewhere.get(server.url("sign-in"))
        elsewhere.get(choose(elsewhere, LIAR))
        person.get(server.url("account-sign-in"))
        disconnect(person)
    finally:
        homeserver.main.start()

    assert CONNECTED in said, said
    assert user.user_id in elsewhere.page.text.replace("<wbr>", "")
    assert "It is not connected any more" in person.page.text
    assert identities(homeserver, user) == []
