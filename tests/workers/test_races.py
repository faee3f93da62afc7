"""Requests that meet on several processes at the same moment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle

import pytest

from support.crowd import settle
from support.deployment import MAX_DEVICES, PROCESSES, HoppingBrowser, at_once
from support.oauth import Browser, web_client
from support.sabotage import STATEMENT, Plan, Point
from support.scale import times
from support.television import Television, enter
from support.tokens import inside
from support.waiting import eventually


def spread(deployment, client, count):
    """Return the client `count` times, each turning to another process than the one before."""
    places = cycle(PROCESSES)
    return [deployment.at(next(places), client) for _ in range(count)]


def living(deployment, user):
    """Return id and generation of the living sessions of an account."""
    return deployment.query(
        "SELECT session_id, generation FROM nextgen_sessions"
        " WHERE user_id = ? AND ended_at IS NULL",
        user.user_id,
    )


def test_c071_fifty_redemptions_of_one_code_give_one_session(deployment):
    """Exactly one wins; the race alone is no reason to end what the winner got."""
    user = deployment.new_user()
    client = deployment.server().client()
    parameters, verifier = client.request()
    code = Browser(client.server).let_in(parameters, user.localpart, user.password)["code"]

    answers = at_once(
        *(lambda c=c: c.redeem(code, verifier) for c in spread(deployment, client, 50))
    )
    won = [answer.json() for answer in answers if answer.status_code == 200]
    lost = Counter(
        (answer.status_code, answer.json()["error"])
        for answer in answers
        if answer.status_code != 200
    )

    assert len(won) == 1
    assert lost == {(400, "invalid_grant"): 49}
    assert len(living(deployment, user)) == 1
    assert deployment.server("worker2").whoami(won[0]["access_token"]).status_code == 200
    assert client.refresh(won[0]["refresh_token"]).status_code == 200


def test_c097_twenty_refreshes_with_one_token_give_one_generation(deployment):
    """Two processes of an app refresh together: all go on, nobody is logged out, nothing forks."""
    user = deployment.new_user()
    client = deployment.server().client()
    (member,) = settle(deployment, client.id, [user.user_id])

    answers = at_once(
        *(lambda c=c: c.refresh(member.refresh_token) for c in spread(deployment, client, 20))
    )
    pairs = [answer.json() for answer in answers if answer.status_code == 200]
    generations = {inside(pair["refresh_token"]).generation for pair in pairs}
    uses = {
        deployment.server(place).whoami(pair["access_token"]).status_code
        for place, pair in zip(cycle(PROCESSES), pairs, strict=False)
    }

    assert len(pairs) == 20
    assert generations == {2}
    assert uses == {200}
    assert living(deployment, user) == [(member.session.session_id, 2)]
    assert client.refresh(pairs[7]["refresh_token"]).status_code == 200
    assert living(deployment, user) == [(member.session.session_id, 3)]


def test_c131_whoever_wins_a_revoked_session_has_no_living_token(deployment):
    """Refresh and revocation in parallel: afterwards neither pair opens anything, anywhere."""
    user = deployment.new_user()
    client = deployment.server().client()
    rounds = settle(deployment, client.id, [user.user_id] * times(15, 200))

    left = []
    for turn, member in enumerate(rounds):
        here, there = (deployment.at(PROCESSES[(turn + n) % 3], client) for n in (0, 1))
        refreshed, revoked = at_once(
            lambda c=here, m=member: c.refresh(m.refresh_token),
            lambda c=there, m=member: c.server.revoke(token=m.access_token, client_id=c.id),
        )
        assert revoked.status_code == 200
        assert refreshed.status_code in {200, 400}
        left.append(refreshed.json() if refreshed.status_code == 200 else None)

    assert living(deployment, user) == []
    for member, pair in zip(rounds, left, strict=True):
        for token in filter(None, (member.access_token, pair and pair["access_token"])):
            assert all(is_refused(deployment, name, token) for name in PROCESSES)
        for token in filter(None, (member.refresh_token, pair and pair["refresh_token"])):
            assert client.refresh(token).json()["error"] == "invalid_grant"


def is_refused(deployment, name, token):
    return eventually(lambda: deployment.server(name).whoami(token).status_code == 401)


@pytest.mark.parametrize("who", ["administrator", "owner"])
def test_c317_nothing_slips_in_while_an_account_is_deactivated(deployment, who):
    """Beside a refresh, a redemption, an approval, a new password: nothing lives, or lets in.

    The owner does it on a page of ours, on a worker.
    """
    client = deployment.server().client()
    admin = deployment.login(deployment.new_user(admin=True))["access_token"]
    given = {"new_password": "another-horse", "logout_devices": False}

    for _ in range(times(4 if who == "administrator" else 2, 200)):
        user = deployment.new_user()
        (member,) = settle(deployment, client.id, [user.user_id])
        parameters, verifier = client.request()
        code = Browser(client.server).let_in(parameters, user.localpart, user.password)["code"]
        undecided, _ = client.request()
        browser = HoppingBrowser(deployment, "worker2")
        browser.authorize(undecided)
        browser.sign_in(user.localpart, user.password)
        path = f"/_synapse/admin/v1/deactivate/{user.user_id}"
        reset = f"/_synapse/admin/v1/reset_password/{user.user_id}"
        owner = Browser(deployment.server("worker1"))
        owner.get(owner.server.url("sign-in"))
        owner.sign_in(user.localpart, user.password)
        owner.get(owner.server.url("account-deactivate"))
        closes = {
            "administrator": partial(client.server.api, "POST", path, admin, json={}),
            "owner": partial(owner.submit, confirm="yes", erase="yes", decision="deactivate"),
        }

        deactivated, redeemed, refreshed, *_ = at_once(
            closes[who],
            lambda code=code, verifier=verifier: deployment.at("worker1", client).redeem(
                code, verifier
            ),
            lambda member=member: deployment.at("worker2", client).refresh(member.refresh_token),
            lambda browser=browser: browser.submit(decision="approve"),
            lambda reset=reset: client.server.api("POST", reset, admin, json=given),
        )
        pairs = [answer.json() for answer in (redeemed, refreshed) if answer.status_code == 200]

        assert deactivated.status_code == 200
        assert living(deployment, user) == []
        assert codes_and_browsers(deployment, user) == (0, 0)
        for pair in pairs:
            assert all(is_refused(deployment, name, pair["access_token"]) for name in PROCESSES)
            assert client.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
        for password in (user.password, given["new_password"]):
            page = Browser(deployment.server("worker1"))
            page.get(page.server.url("sign-in"))
            assert page.sign_in(user.localpart, password).status_code == 403


@pytest.mark.parametrize("page", ["sign-in", "consent", "device"])
def test_c317_what_is_written_after_a_deactivation_is_taken_back(deployment, page):
    """The account was fine when the page looked, and gone when it wrote."""
    client, user = deployment.server().client(), deployment.new_user()
    admin = deployment.login(deployment.new_user(admin=True))["access_token"]
    browser = HoppingBrowser(deployment, "worker1")
    if page == "device":
        enter(browser, Television.begin(client.server), user)
    else:
        browser.authorize(client.request()[0])
    if page == "consent":
        browser.sign_in(user.localpart, user.password)
    name = "nextgen_begin_proven" if page == "sign-in" else "nextgen_approve"
    sabotage = deployment.sabotage("worker1")
    sabotage.plan(Plan(f"/{page}", "slow", Point(STATEMENT, name, 1)))

    with ThreadPoolExecutor(1) as pool:
        if page == "sign-in":
            going = pool.submit(browser.sign_in, user.localpart, user.password)
        else:
            going = pool.submit(browser.submit, decision="approve", confirm="yes")
        assert eventually(sabotage.fired)
        path = f"/_synapse/admin/v1/deactivate/{user.user_id}"
        deactivated = client.server.api("POST", path, admin, json={})
        late = not going.done()
        answer = going.result()

    assert deactivated.status_code == 200
    assert late, "or this proves nothing"
    assert answer.status_code == 403
    assert codes_and_browsers(deployment, user) == (0, 0)
    assert deployment.query(
        "SELECT COUNT(*) FROM nextgen_device_grants"
        " WHERE user_id = ? AND approved_at IS NOT NULL AND refused_at IS NULL",
        user.user_id,
    ) == [(0,)]


def codes_and_browsers(deployment, user):
    ((codes,),) = deployment.query(
        "SELECT COUNT(*) FROM nextgen_grants"
        " WHERE user_id = ? AND redeemed_at IS NULL AND refused_at IS NULL",
        user.user_id,
    )
    ((browsers,),) = deployment.query(
        "SELECT COUNT(*) FROM nextgen_browsers WHERE user_id = ? AND ended_at IS NULL",
        user.user_id,
    )
    return codes, browsers


def test_c314_twenty_that_ask_for_the_last_places_at_once_get_no_more(deployment):
    """Half with a code, half without a browser, on all processes: two come in, none too many."""
    user, places = deployment.new_user(), cycle(PROCESSES)
    client = deployment.server().client()
    browser = Browser.of(client.server, user)
    asking = []
    for _ in range(10):
        parameters, verifier = client.request()
        browser.authorize(parameters)
        code = browser.answer(browser.submit(decision="approve"))["code"]
        redeem = deployment.at(next(places), client).redeem
        asking.append(partial(redeem, code, verifier))
        tv = Television.begin(client.server)
        browser.get(tv.answer["verification_uri"])
        browser.submit(user_code=tv.user_code)
        browser.submit(decision="approve", confirm="yes")
        asking.append(partial(tv.poll, at=deployment.server(next(places))))
    fill(deployment, user, leaving=2)

    answers = at_once(*asking)
    outcomes = Counter(
        answer.status_code if answer.status_code == 200 else answer.json()["error"]
        for answer in answers
    )

    assert outcomes[200] == 2
    assert set(outcomes) == {200, "invalid_grant", "access_denied"}
    assert len(living(deployment, user)) == 2
    assert devices_of(deployment, user) == MAX_DEVICES


def devices_of(deployment, user):
    sql = "SELECT COUNT(*) FROM devices WHERE user_id = ? AND NOT hidden"
    return deployment.query(sql, user.user_id)[0][0]


def fill(deployment, user, *, leaving):
    """Give the account devices, each with a token, until there is room for only so many more."""
    missing = MAX_DEVICES - leaving - devices_of(deployment, user)
    deployment.query(
        "INSERT INTO devices (user_id, device_id, hidden)"
        " SELECT ?, 'FILLED' || n, FALSE FROM generate_series(1, ?) AS n",
        *(user.user_id, missing),
    )
    deployment.query(
        "INSERT INTO access_tokens (id, user_id, device_id, token)"
        " SELECT 1000000000 + (SELECT COALESCE(MAX(id), 0) FROM access_tokens) % 1000000000 + n,"
        " ?, 'FILLED' || n, 'filled' || n || ? FROM generate_series(1, ?) AS n",
        *(user.user_id, user.user_id, missing),
    )


def test_c167_identical_registrations_at_once_are_one_client(deployment):
    """Everybody who starts the same app gets the same `client_id`, whoever answers."""
    metadata = web_client(client_name="An app that many people start in the morning")

    answers = at_once(
        *(lambda name=name: deployment.server(name).register(metadata) for name in [*PROCESSES] * 8)
    )
    ids = {answer.json()["client_id"] for answer in answers}

    assert {answer.status_code for answer in answers} == {201}
    assert len(ids) == 1
    ((count,),) = deployment.query(
        "SELECT COUNT(*) FROM nextgen_clients WHERE client_id = ?", ids.pop()
    )
    assert count == 1


def test_c299_retries_on_every_process_at_once_pass_once(deployment):
    """One page, one approval, one deletion, wherever the copies of the request arrive."""
    user = deployment.new_user()
    client = deployment.server().client()
    tokens = client.sign_in(user.localpart, user.password)
    other = client.sign_in(user.localpart, user.password)
    device = deployment.server().whoami(other["access_token"]).json()["device_id"]

    def delete(name):
        path, body = "/_matrix/client/v3/delete_devices", {"devices": [device]}
        return deployment.server(name).api("POST", path, tokens["access_token"], json=body)

    asked = at_once(*(lambda name=name: delete(name) for name in PROCESSES * 2))
    (url,) = {answer.json()["params"]["m.login.sso"]["url"] for answer in asked}
    browser = Browser(client.server)
    browser.get(url)
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="approve")

    told = at_once(*(lambda name=name: delete(name) for name in PROCESSES * 4))

    assert Counter(answer.status_code for answer in told) == {200: 1, 401: len(told) - 1}
    assert client.server.whoami(other["access_token"]).status_code == 401
