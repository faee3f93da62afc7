"""The database fails anywhere while a link sets a password: the thief is out, or nothing happened."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.commands import Operator
from support.deployment import PROCESSES
from support.oauth import Browser
from support.sabotage import AFTER_COMMIT, ANSWER, STATEMENT, Plan, Point
from support.scale import FULL
from support.waiting import eventually

HERE = PROCESSES[1]
FOREVER = 1000
PASSWORD = "correct horse battery staple of another stable"
# From the transaction that spends the link on; before it nothing changes.
LATER = (
    *("nextgen_set_password", "nextgen_left_behind", "nextgen_outbox_done"),
    *("delete_devices", "user_delete_access_tokens_for_devices"),
)


class Thief:
    """Somebody who has the former password, with a browser and an application of their own."""

    def __init__(self, deployment, server):
        self.server = server
        self.user = deployment.new_user()
        self.browser = Browser.of(server, self.user)
        self.token = deployment.login(self.user)["access_token"]

    def is_in_by(self):
        """Return by what they are still in: the browser, the token, or nothing."""
        page = self.browser.get(self.server.url("account"))
        ways = {
            "browser": "/sign-in" not in page.url,
            "token": self.server.whoami(self.token).status_code != 401,
        }
        return [way for way, is_open in ways.items() if is_open]


def press(deployment, server, plan=None):
    """Set a password with a link, while something fails; return whose it was, link and status."""
    thief = Thief(deployment, server)
    made = Operator.of(deployment).ask("set-password-link", user=thief.user.user_id)
    url = server.url(f"set-password?{made['url'].partition('?')[2]}")
    browser, sabotage = Browser(server), deployment.sabotage(HERE)
    browser.get(url)
    if plan is not None:
        sabotage.plan(plan)
    page = browser.submit(password=PASSWORD, sign_out="yes", decision="set")
    return thief, url, page.status_code


def can_sign_in(server, user, password):
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    return browser.sign_in(user.localpart, password).status_code == 200


def points(deployment, server):
    press(deployment, server)
    sabotage = deployment.sabotage(HERE)
    press(deployment, server, Plan("/set-password"))
    seen = [point for point in dict.fromkeys(sabotage.seen()) if point.place != ANSWER]
    sabotage.plan(None)
    assert {"nextgen_set_password", "nextgen_outbox_done"} <= {each.transaction for each in seen}
    if FULL:
        return seen
    return [
        each
        for each in seen
        if each.transaction in LATER and (each.place != STATEMENT or each.statement <= 1)
    ]


def what_is_wrong(deployment, server, thief, url):
    """Say what must not be after a press that failed somewhere, `None` where all is well."""
    user = thief.user
    told = deployment.query(
        "SELECT COUNT(*) FROM nextgen_events WHERE user_id = ? AND kind = 'password_set'",
        user.user_id,
    )
    if can_sign_in(server, user, PASSWORD):
        if told != [(1,)]:
            return f"set, but written down {told} times"
        if eventually(lambda: not thief.is_in_by()):
            return None
        waits = "SELECT tries, due_at, given_up_at FROM nextgen_outbox WHERE subject = ?"
        waiting = deployment.query(waits, user.user_id)
        return f"the thief is in by {thief.is_in_by()}, in the outbox are {waiting}"
    if told != [(0,)] or Browser(server).get(url).status_code != 200:
        return "not set, but the link is lost"
    return None if can_sign_in(server, user, user.password) else "no password is left"


def test_c255_a_password_is_set_with_all_that_ends_or_not_at_all(deployment):
    """A lost connection is no failure; a database that is away is one, and what is begun is finished."""
    server, sabotage = deployment.server(HERE), deployment.sabotage(HERE)
    presses, wrong, struck = {}, {}, 0

    for point in points(deployment, server):
        for times in (1, FOREVER) if FULL else (1 if point.place == AFTER_COMMIT else FOREVER,):
            plan = Plan("/set-password", "hang up", point, times)
            presses[point, times] = press(deployment, server, plan)
            struck += sabotage.fired() > 0
            sabotage.plan(None)

    for (point, times), (thief, url, status) in presses.items():
        found = what_is_wrong(deployment, server, thief, url)
        if times == 1 and status != 200:
            found = f"answered {status}"
        if found is not None:
            wrong[point, times] = found
    assert wrong == {}
    assert struck > len(presses) / 2


def hash_of(deployment, user):
    ((found,),) = deployment.query("SELECT password_hash FROM users WHERE name = ?", user.user_id)
    return found


@pytest.mark.parametrize(("is_theirs", "status"), [(False, 403), (True, 200)])
def test_c255_a_password_that_is_set_while_somebody_signs_in_is_the_one_that_counts(
    deployment, is_theirs, status
):
    """Who has the former one stays out; who has the new one, or the same kept anew, is let in."""
    server, sabotage = deployment.server(HERE), deployment.sabotage(HERE)
    (first, *_), (second, *_) = (press(deployment, server) for _ in range(2))
    other = "UPDATE users SET password_hash = ? WHERE name = ?"
    kept = hash_of(deployment, second.user if is_theirs else deployment.new_user())
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    slow = Point(STATEMENT, "nextgen_begin_proven", 1)
    sabotage.plan(Plan("/sign-in", "slow", slow))

    with ThreadPoolExecutor(1) as pool:
        signing_in = pool.submit(browser.sign_in, first.user.localpart, PASSWORD)
        assert eventually(sabotage.fired)
        deployment.query(other, kept, first.user.user_id)
        page = signing_in.result()

    sabotage.plan(None)
    assert page.status_code == status
    assert (first.user.user_id in page.text.replace("<wbr>", "")) is is_theirs
